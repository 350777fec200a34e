"""Why a packet did not arrive: observations and state in, a verdict out.

Three witnesses are joined: where it was seen (`core.tracing.trace`), what the kernel said of its
end (`reasons`), and the state of the nodes (`facts`). One file for each family of faults; every
sentence is in `catalogue`, in both languages.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from topoweb.core.tracing.explain.catalogue import sentence
from topoweb.core.tracing.explain.drops import of_drop, of_storm
from topoweb.core.tracing.explain.reasons import classify
from topoweb.core.tracing.explain.silence import of_silence

if TYPE_CHECKING:
    from topoweb.core.tracing.explain.verdict import Evidence, Remedy, Verdict

__all__ = ["as_json", "classify", "of_drop", "of_silence", "of_storm", "sentence"]


def as_json(verdict: Verdict) -> dict[str, Any]:
    """Return the Verdict of docs/protocol.md "Traces and verdicts", with its texts."""
    return {
        "code": verdict.code,
        "kind": verdict.kind,
        "node": verdict.node,
        "interface": verdict.interface,
        "params": dict(verdict.params),
        "text": sentence(verdict.code, verdict.params),
        "evidence": [_evidence(one) for one in verdict.evidence],
        "remedy": None if verdict.remedy is None else _remedy(verdict.remedy),
        "seen": verdict.seen,
        "packet": verdict.packet,
        "reason": verdict.reason,
        "symbol": verdict.symbol,
    }


def _evidence(one: Evidence) -> dict[str, Any]:
    return {
        "witness": one.witness,
        "code": one.code,
        "params": dict(one.params),
        "text": sentence(one.code, one.params),
        "command": one.command,
        "output": one.output,
    }


def _remedy(one: Remedy) -> dict[str, Any]:
    return {
        "code": one.code,
        "params": dict(one.params),
        "text": sentence(one.code, one.params),
        "node": one.node,
        "commands": list(one.commands),
        "operation": None if one.operation is None else dict(one.operation),
    }
