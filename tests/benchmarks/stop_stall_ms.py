"""How long stopping a large lab holds up a link operation in another lab, at the worst.

300 switches in a ring, and 1,000 hosts on a switch, are destroyed; another lab changes one of its
links over and over meanwhile, through the same kernel object, as the worker does it. Baseline:
the same operations with nothing stopping, said beside.
"""

from __future__ import annotations

import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

from tests.benchmarks._apply import say
from tests.benchmarks._topologies import Drawing, hosts
from topoweb.core.plan.actions import SetDevice, Step
from topoweb.core.plan.diff import diff
from topoweb.core.plan.expand import expand
from topoweb.core.plan.state import Endpoint, LabState
from topoweb.kernel.lab import LinuxKernel

if TYPE_CHECKING:
    from topoweb.core.topology.model import Topology

BOUND = 500.0  # ms
LARGE, OTHER = 1, 2
QUIET = 1.0  # seconds of the baseline


def switches(count: int) -> Topology:
    """Draw a ring of switches that speak spanning tree."""
    drawing = Drawing()
    names = [drawing.node(f"s{number}", "switch") for number in range(count)]
    for a, b in zip(names, [*names[1:], names[0]], strict=True):
        drawing.cable(a, b)
    return drawing.topology()


def _apply(kernel: LinuxKernel, lab: int, topology: Topology) -> None:
    steps = diff(expand(lab, topology), LabState()).steps
    result = kernel.apply(lab, steps, lambda done: None, lambda: False)
    assert not result.failures, result.failures[0]


class _Victim:
    """Changes a link of the other lab until told to end; keeps the time of each operation, s."""

    def __init__(self, kernel: LinuxKernel) -> None:
        self._kernel = kernel
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.times: list[float] = []
        self._thread.start()

    def _run(self) -> None:
        at = Endpoint(namespace="h0", name="eth0")
        mtu = 1500
        while not self._over.is_set():
            mtu = 2900 - mtu
            began = time.perf_counter()
            step = Step(SetDevice(at=at, mtu=mtu), "")
            result = self._kernel.apply(OTHER, [step], lambda done: None, lambda: False)
            self.times.append(time.perf_counter() - began)
            assert not result.failures
            self._over.wait(0.002)

    def end(self) -> float:
        """Return the longest operation, ms."""
        self._over.set()
        self._thread.join()
        return max(self.times) * 1000


def measure(topology: Topology) -> tuple[float, float, float]:
    """Return (worst operation while a lab stops, worst in quiet: ms, seconds to stop)."""
    with tempfile.TemporaryDirectory() as folder:
        kernel = LinuxKernel(Path(folder))
        try:
            _apply(kernel, OTHER, hosts(2))
            _apply(kernel, LARGE, topology)
            victim = _Victim(kernel)
            time.sleep(QUIET)
            quiet = victim.end()
            victim = _Victim(kernel)
            began = time.perf_counter()
            kernel.destroy(LARGE)
            took = time.perf_counter() - began
            return victim.end(), quiet, took
        finally:
            for lab in kernel.labs():
                kernel.destroy(lab)
            kernel.close()


if __name__ == "__main__":
    worst = 0.0
    for name, drawn in (("300 switches", switches(300)), ("1,000 hosts", hosts(1000))):
        stall, quiet, took = measure(drawn)
        print(f"# {name}: {stall:.0f} ms (in quiet {quiet:.0f}), gone in {took:.1f} s")
        worst = max(worst, stall)
    sys.exit(not say("stop_stall_ms", worst, "ms", BOUND, at_least=False))
