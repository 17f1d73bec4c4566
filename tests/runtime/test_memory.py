"""Memory: however many threads there are, glibc keeps one heap."""

import platform
import subprocess
import sys
from pathlib import Path

import pytest

from bot import __main__
from bot.runtime.memory import SETTING

THREADS = 4
# Starts threads that all hold some memory at the same time, and prints how many heaps there are.
COUNT = f"""
import ctypes, re, threading
from bot.runtime.memory import share_heap
if {{shared}}:
    print(share_heap())
meet = threading.Barrier({THREADS})
def hold():
    held = bytearray(100_000)
    meet.wait()
threads = [threading.Thread(target=hold) for _ in range({THREADS})]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
libc = ctypes.CDLL(None)
libc.open_memstream.restype = ctypes.c_void_p
told, size = ctypes.c_char_p(), ctypes.c_size_t()
file = ctypes.c_void_p(libc.open_memstream(ctypes.byref(told), ctypes.byref(size)))
libc.malloc_info(0, file)
libc.fclose(file)
print(told.value.count(b"<heap nr="))
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries have no such heaps")
@pytest.mark.parametrize(
    ("shared", "environment", "said"),
    [
        (False, {}, [str(1 + THREADS)]),
        (True, {}, ["True", "1"]),
        (True, {SETTING: "3"}, ["False", "3"]),
    ],
)
def test_threads_share_a_heap_unless_the_environment_says_otherwise(
    shared: bool, environment: dict[str, str], said: list[str]
) -> None:
    code = COUNT.format(shared=shared)
    ran = subprocess.run([sys.executable, "-c", code], env=environment, check=True, capture_output=True, text=True)
    assert ran.stdout.split() == said


def test_the_bot_shares_its_heap_before_anything_starts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    done: list[str] = []
    monkeypatch.chdir(tmp_path)  # no .env of the developer's
    monkeypatch.setattr(__main__, "share_heap", lambda: done.append("heap"))
    monkeypatch.setattr(__main__, "run_bot", lambda args, settings: done.append("bot") or 0)
    assert __main__.main(["run"]) == 0
    assert done == ["heap", "bot"]
