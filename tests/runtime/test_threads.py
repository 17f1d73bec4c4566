"""The engine's threads step back behind the event loop."""

import os
import sys
import threading

import pytest

from bot.runtime.threads import STEP_BACK, worker_threads


@pytest.mark.skipif(sys.platform != "linux", reason="niceness of a thread is Linux's")
def test_workers_are_nicer_than_the_event_loop() -> None:
    def niceness() -> int:
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    own = niceness()
    with worker_threads(2, "test") as pool:
        assert [pool.submit(niceness).result() for _ in range(2)] == [min(19, own + STEP_BACK)] * 2
    assert niceness() == own
