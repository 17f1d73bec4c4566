"""The desk: a few pieces of work at a time, each lane in turn, a bounded number of seats."""

import asyncio
import threading
import time

import pytest

from bot.cogs.engine import Busy, Desk
from bot.domain import BadInput
from bot.runtime.metrics import REGISTRY
from tests.loopback.fake_engine import FakeEngine


class Bench:
    """Work that waits until it is let go, and who has begun."""

    def __init__(self, workers: int) -> None:
        self.desk = Desk(FakeEngine(), 20, workers)
        self.begun: list[str] = []
        self.gate = threading.Event()

    def submit(self, name: str, lane: int = 0, ticket: int | None = None) -> asyncio.Task[str]:
        """Let somebody want work done."""
        return asyncio.create_task(self.desk.run(lambda: self._work(name), lane=lane, ticket=ticket))

    def _work(self, name: str) -> str:
        self.begun.append(name)
        assert self.gate.wait(10)
        return name

    async def until_begun(self, count: int) -> None:
        async with asyncio.timeout(10):
            while len(self.begun) < count:  # noqa: ASYNC110 - threads set it
                await asyncio.sleep(0.005)
        await asyncio.sleep(0.02)
        assert len(self.begun) == count


def counted(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(f"talking_photos_{name}", labels) or 0.0


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


async def test_as_many_pieces_are_at_work_as_there_are_workers() -> None:
    bench = Bench(workers=3)
    tasks = [bench.submit(str(number)) for number in range(5)]
    await bench.until_begun(3)
    assert counted("working") == 3
    bench.gate.set()
    assert await asyncio.gather(*tasks) == ["0", "1", "2", "3", "4"]
    assert bench.begun[:3] == ["0", "1", "2"]
    assert counted("working") == 0


async def test_a_busy_lane_gets_a_second_worker_only_while_no_other_waits() -> None:
    bench = Bench(workers=2)
    busy = [bench.submit(f"busy {number}", lane=1) for number in range(4)]
    await bench.until_begun(2)
    others = [bench.submit("quiet", lane=2), bench.submit("calm", lane=3)]
    await asyncio.sleep(0)
    bench.gate.set()
    await asyncio.gather(*busy, *others)
    assert bench.begun[:2] == ["busy 0", "busy 1"]
    assert set(bench.begun[2:4]) in ({"quiet", "busy 2"}, {"quiet", "calm"})
    assert bench.begun.index("calm") < bench.begun.index("busy 3")


async def test_who_is_cancelled_loses_the_turn() -> None:
    bench = Bench(workers=1)
    first, second, third = (bench.submit(name) for name in ("first", "second", "third"))
    await bench.until_begun(1)
    second.cancel()
    bench.gate.set()
    assert await asyncio.gather(first, third) == ["first", "third"]
    assert bench.begun == ["first", "third"]


async def test_a_dropped_ticket_ends_who_waits_with_it_and_nobody_else() -> None:
    bench = Bench(workers=1)
    tasks = [bench.submit(f"{number}", lane=number, ticket=number) for number in range(4)]
    await bench.until_begun(1)
    bench.desk.drop({0, 2})
    bench.gate.set()
    done = await asyncio.gather(*tasks, return_exceptions=True)
    assert [done[0], done[1], done[3]] == ["0", "1", "3"]  # the first was at work already
    assert isinstance(done[2], asyncio.CancelledError)
    assert "2" not in bench.begun


async def test_a_closed_desk_ends_what_is_at_work_and_nothing_else() -> None:
    bench = Bench(workers=1)
    first, second = bench.submit("first"), bench.submit("second")
    await bench.until_begun(1)
    bench.desk.close()
    late = bench.submit("late")
    bench.gate.set()
    done = await asyncio.gather(first, second, late, return_exceptions=True)
    assert done[0] == "first"
    assert [type(one) for one in done[1:]] == [asyncio.CancelledError] * 2
    assert bench.begun == ["first"]


async def test_errors_reach_who_waits_and_are_counted_by_kind() -> None:
    desk, before = Desk(FakeEngine(), 5), counted("errors_total", kind="BadInput")

    def fail() -> None:
        raise BadInput("This is no photo.")

    with pytest.raises(BadInput, match="no photo"):
        await desk.run(fail)
    assert counted("errors_total", kind="BadInput") == before + 1
    assert await desk.run(lambda: 7) == 7


async def test_the_desk_tells_how_long_the_engine_has_been_stuck() -> None:
    bench = Bench(workers=1)
    assert bench.desk.stuck_for == 0.0
    tasks = [bench.submit("long"), bench.submit("next")]
    await bench.until_begun(1)
    await asyncio.sleep(0.1)
    assert 0.1 <= bench.desk.stuck_for < 5
    bench.gate.set()
    await asyncio.gather(*tasks)
    assert bench.desk.stuck_for == 0.0


async def test_waiting_and_working_times_are_measured() -> None:
    desk = Desk(FakeEngine(), 5)
    names = ("wait_seconds_count", "work_seconds_count", "work_seconds_sum")
    before = [counted(name) for name in names]
    await asyncio.gather(*(desk.run(lambda: time.sleep(0.05)) for _ in range(2)))
    waited, worked, spent = (counted(name) - earlier for name, earlier in zip(names, before, strict=True))
    assert (waited, worked) == (2, 2)
    assert spent >= 0.1


def test_a_seat_is_refused_when_all_are_taken_and_free_again_afterwards() -> None:
    desk, refused = Desk(FakeEngine(), 2), counted("refused_total")
    with desk.seat():
        with desk.seat(), pytest.raises(Busy, match="try again in a minute"), desk.seat():
            pass
        assert counted("waiting") == 1
        with desk.seat():
            pass
    assert counted("refused_total") == refused + 1
    assert counted("waiting") == 0


def test_one_lane_leaves_a_quarter_of_the_seats_to_the_others() -> None:
    desk = Desk(FakeEngine(), 4)
    with desk.seat(1), desk.seat(1), desk.seat(1):
        with pytest.raises(Busy), desk.seat(1):
            pass
        with desk.seat(2):
            assert desk.waiting == 4
    assert desk.waiting == 0
