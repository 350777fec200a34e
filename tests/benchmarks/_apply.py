"""Measuring the engine's apply and teardown against the C floor, in turns."""

from __future__ import annotations

import json
import statistics
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.benchmarks import _floor
from tests.benchmarks._topologies import LAB
from topoweb.core.plan.actions import AddNamespace, Step
from topoweb.kernel.lab import LinuxKernel

if TYPE_CHECKING:
    from collections.abc import Sequence

ROUNDS = 5


@dataclass(frozen=True)
class Figures:
    """Seconds of one apply and one teardown. CPU counts worker, forker and holder."""

    wall: float
    cpu: float
    gone: float


def engine(steps: Sequence[Step]) -> Figures:
    """Apply a prepared plan by the engine and destroy the lab."""
    with tempfile.TemporaryDirectory() as directory:
        kernel = LinuxKernel(Path(directory))
        try:
            # One forker serves all labs of a worker, so its start is no lab's cost.
            kernel.apply(LAB + 1, [Step(AddNamespace(namespace="warm"), "")], _ignore, _never)
            before = _on_cpu(kernel.forker_pid)
            cpu, wall = time.process_time(), time.monotonic()
            result = kernel.apply(LAB, steps, _ignore, _never)
            wall, cpu = time.monotonic() - wall, time.process_time() - cpu
            assert result.done == len(steps), result.failures[:1]
            found = kernel.manifest(LAB)
            assert found
            cpu += _on_cpu(found.holder.pid) + _on_cpu(kernel.forker_pid) - before
            gone = time.monotonic()
            kernel.destroy(LAB)
            return Figures(wall, cpu, time.monotonic() - gone)
        finally:
            for lab in kernel.labs():
                kernel.destroy(lab)
            kernel.close()


def rounds(steps: Sequence[Step], count: int = ROUNDS) -> list[tuple[Figures, Figures]]:
    """Return (engine, floor) figures, measured in turns after one round to warm up."""
    with tempfile.TemporaryDirectory() as directory:
        program, plan = _floor.compiled(Path(directory)), Path(directory, "plan")
        _floor.write_plan(plan, steps)
        pairs = []
        for number in range(count + 1):
            ours = engine(steps)
            floor = _floor.run(program, plan)
            if number:
                pairs.append((ours, Figures(floor["wall"], floor["cpu"], floor["gone"])))
        return pairs


def say(name: str, value: float, unit: str, bound: float, *, at_least: bool = False) -> bool:
    """Print a benchmark's line; return whether the bound holds."""
    holds = value >= bound if at_least else value <= bound
    line = {"name": name, "value": round(value, 3), "unit": unit, "bound": bound, "holds": holds}
    print(json.dumps(line), flush=True)
    return holds


def median(values: Sequence[float]) -> float:
    """Return the median."""
    return statistics.median(values)


def _on_cpu(pid: int | None) -> float:
    """Return a process's CPU time in seconds, exact to the nanosecond."""
    assert pid
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9


def _ignore(done: int) -> None:
    """Progress is of no interest here."""


def _never() -> bool:
    return False
