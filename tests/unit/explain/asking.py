"""Explains an exchange of a test, and holds the verdict against what every verdict must keep."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.fakes.traces import (
    Sent,
    Way,
    exchange,
)
from topoweb.core.tracing.explain import as_json, of_silence

if TYPE_CHECKING:
    from tests.fakes.facts import FakeFacts
    from topoweb.core.tracing.explain.verdict import Verdict

THERE = ("h1/eth0>", "r1/eth0")
ACROSS = (*THERE, "r1/eth1>", "h2/eth0")
BACK = ("h2/eth0>", "r1/eth1", "r1/eth0>", "h1/eth0")
ON_CABLES = ("h1/eth0>", "r1/eth1>")  # what packet sockets see of ACROSS
QUESTIONS = 60


def judge(
    lab: FakeFacts, kind: str, sent: Sent, *ways: Way, code: str, node: str, verdict: str = "fault",
    state: Any = "unanswered", port: int = 0,
) -> Verdict:  # fmt: skip
    """Explain an exchange, and hold the verdict against what every verdict must keep."""
    asked = exchange(kind, sent, *ways, state=state, port=port)
    traces = [way.trace for way in ways]
    lab.asked = 0
    found = of_silence(asked, traces, lab)
    assert (found.code, found.kind, found.node) == (code, verdict, node), found
    assert found.evidence
    assert lab.asked <= QUESTIONS
    assert of_silence(asked, traces, lab) == found
    assert found.seen == any(way.drop is not None for way in ways) or found.kind != "fault"
    said = as_json(found)
    assert said["text"]["en"] != said["text"]["zh-CN"]
    return found


def operation(found: Verdict) -> dict[str, Any]:
    assert found.remedy is not None
    assert found.remedy.operation is not None
    return dict(found.remedy.operation)


def commands(found: Verdict) -> tuple[str, ...]:
    assert found.remedy is not None
    return found.remedy.commands
