"""What became of a plan that was run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from topoweb.core.plan.actions import Step


@dataclass(frozen=True, slots=True)
class Failure:
    """A step that the kernel refused."""

    step: Step
    errno: int
    message: str  # names the action and the kernel's words
    retryable: bool


@dataclass(frozen=True, slots=True)
class ApplyResult:
    """What became of a plan: steps done, the failures, whether it was cancelled."""

    done: int
    failures: tuple[Failure, ...] = ()
    cancelled: bool = False
