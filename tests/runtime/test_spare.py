"""Work is done aside while a core is free, else when its result is asked for."""

import threading

import pytest

from bot.runtime.spare import SpareCores


def where() -> str:
    return threading.current_thread().name


def test_work_goes_aside_while_a_core_is_free() -> None:
    cores = SpareCores(2)
    with cores.busy():
        assert cores.aside(where)().startswith("aside")
        with cores.busy():
            assert cores.aside(where)() == where()
        assert cores.aside(where)().startswith("aside")


def test_work_aside_takes_a_core_until_it_ends() -> None:
    cores, gate = SpareCores(1), threading.Event()
    waiting = cores.aside(lambda: gate.wait(10))
    assert cores.aside(where)() == where()
    gate.set()
    assert waiting()
    assert cores.aside(where)().startswith("aside")


def test_work_that_fails_gives_its_core_back_and_its_error_to_who_asks() -> None:
    cores = SpareCores(1)
    for _ in range(2):
        failing = cores.aside(lambda: 1 // 0)
        with pytest.raises(ZeroDivisionError):
            failing()
    assert cores.aside(where)().startswith("aside")


def test_a_second_core_is_borrowed_only_while_one_is_free() -> None:
    cores = SpareCores(2)
    with cores.busy():
        with cores.borrowed() as free:
            assert free
            assert cores.aside(where)() == where()
            with cores.borrowed() as another:
                assert not another
        with cores.busy(), cores.borrowed() as free:
            assert not free
        assert cores.aside(where)().startswith("aside")
