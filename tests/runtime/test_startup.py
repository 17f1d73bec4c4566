"""Getting ready: things are done at the same time, and the garbage collector rests and leaves what was made alone."""

import gc
import subprocess
import sys
import threading
import time

import pytest

from bot.runtime.startup import at_once, begin, here_to_stay, later


def test_two_things_are_done_at_the_same_time() -> None:
    both = threading.Barrier(2, timeout=30)  # passes only when both have come

    def wait() -> str:
        both.wait()
        return threading.current_thread().name

    here, aside = at_once(wait, wait)
    assert here == threading.current_thread().name
    assert aside.startswith("startup")


def test_an_error_is_raised_where_the_result_is_asked_for() -> None:
    result = begin(lambda: 1 // 0)
    with pytest.raises(ZeroDivisionError):
        result()
    with pytest.raises(ZeroDivisionError):
        at_once(lambda: "here", lambda: 1 // 0)


def test_what_can_wait_is_done_later_elsewhere() -> None:
    done, where = threading.Event(), list[str]()

    def work() -> None:
        where.append(threading.current_thread().name)
        done.set()

    begun = time.monotonic()
    later(0.05, work)
    assert not where
    assert done.wait(30)
    assert time.monotonic() - begun >= 0.05
    assert where != [threading.current_thread().name]


def test_what_fails_later_is_told_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    failed = threading.Event()

    def work() -> None:
        try:
            raise ValueError("no such model")
        finally:
            failed.set()

    later(0, work)
    assert failed.wait(30)
    for _ in range(100):
        if "no such model" in caplog.text:
            break
        time.sleep(0.05)
    assert "What was to be done later failed." in caplog.text


@pytest.mark.parametrize(("seconds", "said"), [(0, "begun, ended"), (60, "")], ids=["in the middle", "before"])
def test_a_process_ends_behind_or_before_what_can_wait(seconds: float, said: str) -> None:
    code = f"""
import time
from bot.runtime.startup import later
def work():
    print("begun", end=", ", flush=True)
    time.sleep(0.3)
    print("ended", end="", flush=True)
later({seconds}, work)
time.sleep(0.1)
"""
    begun = time.monotonic()
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == said
    assert time.monotonic() - begun < 30


def test_nothing_is_searched_for_garbage_meanwhile_nor_what_was_made_afterwards() -> None:
    was_frozen = gc.get_freeze_count()
    try:
        with here_to_stay():
            assert not gc.isenabled()
            made = [[number] for number in range(1000)]
        assert gc.isenabled()
        assert gc.get_freeze_count() >= was_frozen + len(made)
    finally:
        gc.unfreeze()


def test_a_collector_that_was_asleep_stays_asleep_and_wakes_after_an_error() -> None:
    gc.disable()
    try:
        with here_to_stay():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()
        gc.unfreeze()
    with pytest.raises(ZeroDivisionError), here_to_stay():
        _ = 1 // 0
    gc.unfreeze()
    assert gc.isenabled()
