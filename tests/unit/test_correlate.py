"""The same packet at another cable, and what only looks like it."""

from __future__ import annotations

from topoweb.core.tracing.correlate import Correlator

MS = 1_000_000
SECOND = 1000 * MS
AB, BA, NEXT = ("l1", "ab"), ("l1", "ba"), ("l2", "ab")


def test_the_same_identity_at_another_cable_is_the_same_packet() -> None:
    correlator = Correlator()
    assert correlator.assign(11, AB, 0) == 1
    assert correlator.assign(22, AB, 5) == 2
    assert correlator.assign(11, NEXT, 10) == 1
    assert correlator.assign(22, NEXT, 15) == 2


def test_a_retransmission_is_a_new_packet_along_its_whole_path() -> None:
    correlator = Correlator()
    first = [correlator.assign(7, place, at) for at, place in enumerate((AB, NEXT))]
    again = [correlator.assign(7, place, SECOND + at) for at, place in enumerate((AB, NEXT))]
    assert (first, again) == ([1, 1], [2, 2])


def test_a_packet_in_a_loop_keeps_its_number() -> None:
    correlator = Correlator()
    numbers = {correlator.assign(7, place, at * 1000) for at in range(60) for place in (AB, BA)}
    assert numbers == {1}


def test_after_the_window_it_is_another_packet() -> None:
    correlator = Correlator()
    assert correlator.assign(7, AB, 0) == 1
    assert correlator.assign(7, NEXT, 2 * SECOND + 1) == 2


def test_the_window_counts_from_the_latest_sighting() -> None:
    """A slow path of many hops stays one packet."""
    correlator = Correlator()
    assert {correlator.assign(7, (f"l{i}", "ab"), i * SECOND) for i in range(5)} == {1}


def test_memory_is_bounded_by_capacity() -> None:
    correlator = Correlator(capacity=100)
    for identity in range(10_000):
        correlator.assign(identity, AB, identity)
    assert len(correlator) <= 100


def test_memory_is_given_back_as_time_goes_on() -> None:
    correlator = Correlator()
    for identity in range(1000):
        correlator.assign(identity, AB, 0)
    for identity in range(2000, 2600):
        correlator.assign(identity, AB, 10 * SECOND)
    assert len(correlator) <= 600
    assert correlator.assign(2000, NEXT, 10 * SECOND) == 1001
