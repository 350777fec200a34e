"""Problems of a drawing as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from topoweb.core.topology.problem import Problem


def problem_json(problem: Problem) -> dict[str, Any]:
    """Return a problem as the protocol has it."""
    return {
        "code": problem.code,
        "path": problem.path,
        "message": problem.message,
        "hint": problem.hint,
        "severity": problem.severity,
        "params": dict(problem.params),
    }
