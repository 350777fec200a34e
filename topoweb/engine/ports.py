"""The only seams of the engine: what it needs of a kernel, of a store and of a doorbell.

`Kernel` is synchronous and blocking; the engine calls it from its one apply thread. A fake
(`tests/fakes`) and the real one (`topoweb.kernel.lab`) keep the same contract, and the same
state machine runs on both.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from topoweb.core.plan.actions import Step
from topoweb.core.plan.state import LabState
from topoweb.core.topology.model import Topology


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


class Kernel(Protocol):
    """A host's kernel, seen lab by lab. All calls block; all may raise TopowebError."""

    def labs(self) -> Sequence[int]:
        """Return the labs that have something in this kernel and are proved ours."""

    def observe(self, lab: int) -> LabState:
        """Return what exists of a lab, read in full. ``LabState()`` when nothing does."""

    def apply(
        self,
        lab: int,
        steps: Sequence[Step],
        progress: Callable[[int], None],
        cancelled: Callable[[], bool],
    ) -> ApplyResult:
        """Run steps in order. Never raises for a refused step: that is a `Failure`.

        ``progress`` gets the number of steps done at most every 50 ms; ``cancelled`` is asked
        between batches. After a failure the remaining independent steps still run.
        """

    def destroy(self, lab: int) -> None:
        """Remove all of a lab and return when it has been *seen gone*."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What the database wants of a lab."""

    lab: int
    generation: int
    running: bool
    topology: Topology
    cancelled: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What the worker says of a lab: one status row."""

    lab: int
    observed_generation: int
    phase: str  # stopped, starting, running, changing, stopping, failed, cancelled
    message: str = ""
    steps_done: int = 0
    steps_total: int = 0
    failures: Sequence[Mapping[str, str]] = field(default_factory=tuple)  # subject, message, hint


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeRequest:
    """A probe to run inside a node: typed, no shell."""

    id: int
    lab: int
    kind: str  # ping, tcp, traceroute
    source: str  # node id
    target: str  # an IP address, already resolved from the drawing
    port: int | None = None
    count: int = 3


class Store(Protocol):
    """The database as the engine sees it. Calls are made from threads, never from the loop."""

    def wishes(self) -> Sequence[Wish]:
        """Return every lab of this host whose generation is not observed, or that runs."""

    def wish(self, lab: int) -> Wish | None:
        """Return one lab's wish; None when the lab is deleted."""

    def report(self, report: Report) -> None:
        """Write a status row and ring the lab's group."""

    def probes(self, lab: int) -> Sequence[ProbeRequest]:
        """Return probes that wait, marking them as started."""

    def probe_done(self, probe: int, result: Mapping[str, Any]) -> None:
        """Write a probe's result and ring the lab's group."""
