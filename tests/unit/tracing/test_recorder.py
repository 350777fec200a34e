"""The packet list made of what both tiers see."""

from __future__ import annotations

import pytest

from tests.unit.tracing.recorded import load
from topoweb.engine.packetlog import Recorder


@pytest.mark.parametrize("name", ["ping", "ping_cables"])
def test_rows_are_crossings_of_cables_in_both_tiers(name: str) -> None:
    recorder = Recorder()
    recorded = [recorder.record(one) for one in load(name)]
    rows = [one.row for one in recorded if one is not None and one.row is not None]
    assert [row.number for row in rows] == list(range(1, len(rows) + 1))
    echoes = [row.observation for row in rows if row.protocol == "ICMP"]
    there = [("l1", "ab"), ("l2", "ab"), ("l4", "ab"), ("l5", "ab")]
    back = [("l5", "ba"), ("l4", "ba"), ("l2", "ba"), ("l1", "ba")]
    assert [(one.link, one.along) for one in echoes] == [*there, *back] * 2


def test_a_drop_has_no_row_and_its_trace_is_there_at_once() -> None:
    recorder = Recorder()
    recorded = [recorder.record(one) for one in load("forwarding_off")]
    (drop,) = [one for one in recorded if one is not None and one.ended]
    assert drop.row is None
    trace = recorder.stories.trace(drop.packet)
    assert trace is not None
    assert trace.ends()[0].seen.reason == "IP_INADDRERRORS"
