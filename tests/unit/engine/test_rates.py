"""How often something of the same kind is explained."""

from __future__ import annotations

from topoweb.engine import rates
from topoweb.engine.rates import CaseRate

SECOND = 1_000_000_000


def test_one_a_second_of_a_key_and_the_others_are_counted() -> None:
    rate = CaseRate()
    assert rate.admit("a", 10 * SECOND) == 0
    assert [rate.admit("a", 10 * SECOND + i) for i in range(3)] == [None] * 3
    assert rate.admit("b", 10 * SECOND) == 0
    assert rate.admit("a", 11 * SECOND) == 3
    assert rate.admit("a", 12 * SECOND) == 0


def test_a_storm_of_different_keys_is_bounded_and_counted() -> None:
    rate = CaseRate()
    admitted = [key for key in range(1000) if rate.admit(key, 5 * SECOND) is not None]
    assert len(admitted) == rates.BURST
    left_out = 999
    later = 5 * SECOND + SECOND // rates.PER_SECOND
    assert rate.admit(left_out, later) == 1
    assert rate.admit(left_out - 1, later) is None


def test_one_that_nobody_had_time_for_counts_as_left_out() -> None:
    rate = CaseRate()
    rate.admit("a", 10 * SECOND)
    rate.admit("a", 10 * SECOND + 1)
    left_out = rate.admit("a", 11 * SECOND)
    assert left_out == 1
    rate.leave_out("a", left_out)
    assert rate.admit("a", 12 * SECOND) == 2


def test_time_that_goes_back_lets_nothing_through_early() -> None:
    rate = CaseRate()
    assert rate.admit("a", 10 * SECOND) == 0
    assert rate.admit("a", 9 * SECOND) is None


def test_memory_is_bounded() -> None:
    rate = CaseRate()
    for key in range(3 * rates.KEYS):
        rate.admit(key, key * SECOND)
    assert len(rate._last) == rates.KEYS
