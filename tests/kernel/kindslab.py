"""A lab that is drawn, changed and looked at by the engine's own passes, without its processes.

After every pass the kernel must be as drawn: no residual plan, no drift.
"""

from __future__ import annotations

import itertools
import json
import subprocess
import time
from typing import TYPE_CHECKING, Any

from tests.kernel import plans
from topoweb.core.plan.drift import Drift, drift
from topoweb.core.plan.expand import expand
from topoweb.core.topology.document import parse
from topoweb.core.topology.operations import apply, invert
from topoweb.core.topology.validate import validate
from topoweb.engine.ports import Mark, Wish
from topoweb.engine.reconcile import Outcome, execute, prepare

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from topoweb.core.plan.state import DeviceState, LabState, RouteState
    from topoweb.core.topology.operations import Change
    from topoweb.kernel.lab import LinuxKernel

LAB = 21
PATIENCE = 20.0  # seconds; an emulated kernel is slow
PASSES = 5


class KindsLab:
    """One lab; ``operations`` are those of tests.kernel.seed.drawings."""

    def __init__(self, kernel: LinuxKernel) -> None:
        self.kernel = kernel
        self.topology = parse({})
        self.changes: Sequence[Change] = ()
        self.drifted = False  # somebody changed the kernel by hand, and it is to stay so
        self._generations = itertools.count(1)
        self._previous: LabState | None = None

    def draw(self, document: dict[str, Any]) -> None:
        self.topology = parse(document)
        self.run()

    def change(self, *operations: dict[str, Any]) -> None:
        batch = {"kind": "batch", "operations": list(operations)}
        self.topology, self.changes = apply(self.topology, batch)
        self.run()

    def undo(self) -> None:
        """Take the last change back."""
        self.topology, self.changes = apply(self.topology, invert(self.changes))
        self.run()

    def run(self, *, restore: bool = False) -> None:
        """Pass until it came true, as the worker does, and look that nothing is left to do."""
        for _ in range(PASSES):
            outcome = self.once(restore=restore)
            if not outcome.retry:
                break
        report = outcome.report
        assert report is None or report.phase == "running", report
        assert self.drifted or not self.plan()

    def once(self, *, restore: bool = False) -> Outcome:
        mark = Mark(lab=LAB, generation=next(self._generations), running=True, restore=restore)
        todo = prepare(self.kernel, Wish(mark=mark, topology=self.topology), self._previous)
        outcome = execute(self.kernel, todo, lambda *_: None, lambda: False)
        self._previous = outcome.previous
        return outcome

    def plan(self) -> list[str]:
        """Return why enforcing the whole drawing would do what it would."""
        mark = Mark(lab=LAB, generation=next(self._generations), running=True)
        todo = prepare(self.kernel, Wish(mark=mark, topology=self.topology), None)
        return [step.reason for step in todo.plan.steps]

    def drift(self) -> list[Drift]:
        return drift(expand(LAB, self.topology), self.kernel.observe(LAB))

    def problems(self) -> dict[str, str]:
        return {problem.code: problem.severity for problem in validate(self.topology)}

    def device(self, place: str) -> DeviceState | None:
        node, _, name = place.partition(":")
        return self.kernel.observe(LAB).namespaces[node].devices.get(name)

    def state(self, place: str) -> DeviceState:
        device = self.device(place)
        assert device is not None, place
        return device

    def routes(self, node: str) -> Collection[RouteState]:
        return self.kernel.observe(LAB).namespaces[node].routes

    def inside(self, node: str, command: str) -> str:
        return plans.inside(self.kernel, node, command, lab=LAB)

    def json(self, node: str, command: str) -> Any:
        return json.loads(self.inside(node, command))

    def pings(self, node: str, target: str, *options: str) -> bool:
        """Return whether an answer comes; what is to answer has some seconds for the first."""
        return self._ping(node, target, "-w", str(int(PATIENCE)), "-c", "1", *options)

    def silent(self, node: str, target: str, *options: str) -> bool:
        """Return whether no answer comes to three requests."""
        return not self._ping(node, target, "-c", "3", "-i", "0.2", "-W", "1", *options)

    def _ping(self, node: str, target: str, *options: str) -> bool:
        found = self.kernel.manifest(LAB)
        assert found
        path = found.holder.descriptor_path(found.namespaces[node].slot)
        done = subprocess.run(
            ["nsenter", f"--net={path}", "ping", "-n", "-q", *options, target],
            capture_output=True,
            timeout=3 * PATIENCE,
        )
        return done.returncode == 0

    def packets(self, place: str, expression: str) -> Tap:
        """Return a capture at "node:interface"; tcpdump's filter language."""
        return Tap(self.kernel, LAB, place, expression)


class Tap:
    """tcpdump at one interface: ``with lab.packets(…) as tap: …; tap.lines()``."""

    def __init__(self, kernel: LinuxKernel, lab: int, place: str, expression: str) -> None:
        node, _, name = place.partition(":")
        found = kernel.manifest(lab)
        assert found
        namespace = found.holder.descriptor_path(found.namespaces[node].slot)
        command = [
            "tcpdump",
            "--immediate-mode",
            "-l",
            "-e",
            "-n",
            "-U",
            "-i",
            name,
            *expression.split(),
        ]
        self._process = subprocess.Popen(
            ["nsenter", f"--net={namespace}", *command],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Tap:
        assert self._process.stderr
        while "listening on" not in (line := self._process.stderr.readline()):
            assert line, "tcpdump did not begin"
        return self

    def __exit__(self, *exception: object) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        for stream in (self._process.stdout, self._process.stderr):
            assert stream
            stream.close()

    def lines(self) -> list[str]:
        """End the capture and return a line a packet."""
        self._process.terminate()
        out, _ = self._process.communicate(timeout=PATIENCE)
        return out.splitlines()


def until(holds: Any, what: str) -> None:
    """Ask until it holds: for what the kernel tells nobody."""
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline, what
        time.sleep(0.01)
