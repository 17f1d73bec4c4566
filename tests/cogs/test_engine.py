"""The desk: one piece of work at a time, a bounded number of seats."""

import asyncio
import threading
import time

import pytest

from bot.cogs.engine import Busy, Desk
from tests.loopback.fake_engine import FakeEngine


async def test_work_is_done_in_order_one_at_a_time_off_the_event_loop() -> None:
    desk, begun, most = Desk(FakeEngine(), 5), [], []

    def work(number: int) -> str:
        begun.append(number)
        time.sleep(0.02)
        most.append(len(begun) - len(most))
        return threading.current_thread().name

    threads = await asyncio.gather(*(desk.run(lambda number=number: work(number)) for number in range(4)))
    desk.close()
    assert begun == [0, 1, 2, 3]
    assert most == [1, 1, 1, 1]
    assert threading.current_thread().name not in threads


def test_a_seat_is_refused_when_all_are_taken_and_free_again_afterwards() -> None:
    desk = Desk(FakeEngine(), 2)
    with desk.seat():
        with desk.seat(), pytest.raises(Busy, match="try again in a minute"), desk.seat():
            pass
        with desk.seat():
            pass
