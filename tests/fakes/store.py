"""A database in memory: the web's side for tests to wish by, the worker's side as a `Store`."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from topoweb.core.limits import DEFAULT, Limits
from topoweb.core.topology.model import Topology
from topoweb.engine.ports import Mark, ProbeRequest, Report, Wish

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from topoweb.core.topology.problem import Problem
    from topoweb.core.tracing.warnings import Warned

DEADLINE = 20.0  # seconds that a test waits for what must come


@dataclass
class Row:
    """A lab and its status."""

    topology: Topology = field(default_factory=Topology)
    problems: Sequence[Problem] = ()
    generation: int = 0
    running: bool = False
    cancel_generation: int = 0
    restore_generation: int = 0
    phase: str = "stopped"
    observed_generation: int = 0
    probes: list[ProbeRequest] = field(default_factory=list)
    warnings: tuple[Warned, ...] = ()
    limits: Limits = DEFAULT
    uplink_until: int | None = None


class MemoryStore:
    """Keeps the rules of the real one: the same columns, the same meaning. Thread-safe."""

    def __init__(self) -> None:
        self.rows: dict[int, Row] = {}
        self.reports: list[Report] = []
        self.results: dict[int, Mapping[str, Any]] = {}
        self.failing: Exception | None = None  # raised by every call of the worker
        self._changed = threading.Condition()

    # What the web does.

    def draw(self, lab: int, topology: Topology, *, running: bool | None = None) -> int:
        """Store a drawing, and perhaps a wish to run or stop; return the generation."""
        with self._changed:
            row = self.rows.setdefault(lab, Row())
            row.topology, row.problems = topology, ()
            if running is not None:
                row.running = running
            row.generation += 1
            return row.generation

    def cancel(self, lab: int) -> None:
        with self._changed:
            self.rows[lab].cancel_generation = self.rows[lab].generation

    def restore(self, lab: int) -> None:
        with self._changed:
            row = self.rows[lab]
            row.generation += 1
            row.restore_generation = row.generation

    def delete(self, lab: int) -> None:
        with self._changed:
            del self.rows[lab]

    def ask(self, request: ProbeRequest) -> None:
        with self._changed:
            self.rows[request.lab].probes.append(request)

    # What tests wait for.

    def wait(self, condition: Callable[[], object], deadline: float = DEADLINE) -> None:
        """Return once the condition holds; it is asked again after each write."""
        with self._changed:
            if not self._changed.wait_for(condition, deadline):
                raise AssertionError(f"not reached; last reports: {self.reports[-3:]}")

    # What the worker does.

    def marks(self) -> Sequence[Mark]:
        with self._lock():
            return [_mark(lab, row) for lab, row in self.rows.items()]

    def mark(self, lab: int) -> Mark | None:
        with self._lock():
            return _mark(lab, self.rows[lab]) if lab in self.rows else None

    def wish(self, lab: int) -> Wish | None:
        with self._lock():
            if lab not in self.rows:
                return None
            row = self.rows[lab]
            return Wish(
                mark=_mark(lab, row),
                topology=row.topology,
                problems=row.problems,
                limits=row.limits,
                uplink_until=_still(row.uplink_until),
            )

    def report(self, report: Report) -> None:
        with self._lock():
            row = self.rows.get(report.lab)
            if row is not None:
                row.phase = report.phase
                row.observed_generation = report.observed_generation
                self.reports.append(report)
                self._changed.notify_all()

    def limits(self, lab: int) -> Limits:
        with self._lock():
            return self.rows[lab].limits if lab in self.rows else DEFAULT

    def warn(self, lab: int, warnings: Sequence[Warned]) -> None:
        with self._lock():
            self.rows[lab].warnings = tuple(warnings)
            self._changed.notify_all()

    def probes(self, lab: int) -> Sequence[ProbeRequest]:
        with self._lock():
            if lab not in self.rows:
                return ()
            taken, self.rows[lab].probes = self.rows[lab].probes, []
            return taken

    def probe_done(self, probe: int, result: Mapping[str, Any]) -> None:
        with self._lock():
            self.results[probe] = result
            self._changed.notify_all()

    def _lock(self) -> threading.Condition:
        if self.failing is not None:
            raise self.failing
        return self._changed


def _still(until: int | None) -> int | None:
    return until if until is not None and time.time() < until else None


def _mark(lab: int, row: Row) -> Mark:
    return Mark(
        lab=lab,
        generation=row.generation,
        running=row.running,
        cancelled=row.cancel_generation >= row.generation > 0,
        restore=row.restore_generation > row.observed_generation,
        probes=bool(row.probes),
        phase=row.phase,
        observed_generation=row.observed_generation,
    )
