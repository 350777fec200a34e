"""Explains a drop of a test, and holds the verdict against what every verdict must keep."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from topoweb.core.tracing.explain import as_json, of_drop

if TYPE_CHECKING:
    from tests.fakes.facts import FakeFacts
    from tests.fakes.traces import Way
    from topoweb.core.tracing.explain.verdict import Verdict

THERE = ("h1/eth0>", "r1/eth0")
ACROSS = (*THERE, "r1/eth1>", "h2/eth0")
QUESTIONS = 40


def judge(lab: FakeFacts, way: Way, code: str, node: str, kind: str = "fault") -> Verdict:
    """Explain the drop, and hold the verdict against what every verdict must keep."""
    assert way.drop is not None
    lab.asked = 0
    verdict = of_drop(way.trace, way.drop, lab)
    assert (verdict.code, verdict.kind, verdict.node) == (code, kind, node)
    assert verdict.seen
    assert verdict.evidence
    assert verdict.reason == way.drop.seen.reason
    assert lab.asked <= QUESTIONS
    assert of_drop(way.trace, way.drop, lab) == verdict
    said = as_json(verdict)
    assert said["text"]["en"] != said["text"]["zh-CN"]
    assert kind != "fault" or verdict.remedy is not None or code in WORDLESS
    return verdict


WORDLESS = {"source-invalid", "protocol-unknown", "ethertype-unknown", "bad-checksum",
            "bad-header", "overloaded"}  # fmt: skip


def operation(verdict: Verdict) -> dict[str, Any]:
    assert verdict.remedy is not None
    assert verdict.remedy.operation is not None
    return dict(verdict.remedy.operation)


def commands(verdict: Verdict) -> tuple[str, ...]:
    assert verdict.remedy is not None
    return verdict.remedy.commands
