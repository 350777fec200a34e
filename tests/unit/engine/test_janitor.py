from __future__ import annotations

from topoweb.engine import janitor
from topoweb.engine.ports import Mark


def mark(lab: int, *, running: bool = True, phase: str = "running", observed: int = 1) -> Mark:
    return Mark(lab=lab, generation=1, running=running, phase=phase, observed_generation=observed)


def test_a_lab_without_a_row_is_unwanted():
    assert janitor.unwanted([1, 2], [mark(1)]) == {2}


def test_a_stopped_lab_that_is_still_there_is_unwanted():
    assert janitor.unwanted([1], [mark(1, running=False, phase="stopped")]) == {1}


def test_a_lab_on_its_way_is_left_to_its_task():
    assert janitor.unwanted([1], [mark(1, running=False, phase="stopping", observed=0)]) == set()


def test_what_is_not_in_the_kernel_is_never_unwanted():
    assert janitor.unwanted([], [mark(1), mark(2, running=False, phase="stopped")]) == set()


def test_a_running_lab_that_is_gone_is_lost():
    assert janitor.lost([2], [mark(1), mark(2)]) == {1}


def test_a_lab_that_failed_or_starts_is_not_lost():
    assert janitor.lost([], [mark(1, phase="failed"), mark(2, phase="starting")]) == set()
