"""A drawing that runs for real, with its services kept by the engine."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any

from tests.kernel.plans import LAB
from topoweb.core.plan.diff import diff
from topoweb.core.plan.expand import expand, subjects
from topoweb.core.programs import Command, Residence
from topoweb.core.topology.document import parse
from topoweb.core.topology.validate import validate
from topoweb.engine.reconcile import carries
from topoweb.engine.services import Services
from topoweb.kernel.services import recipes

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from tests.unit.core.drawing import Drawing
    from topoweb.core.topology.model import Topology
    from topoweb.kernel.lab import LinuxKernel

PATIENCE = 40.0  # seconds: OSPF takes its time on a busy machine


class ServedLab:
    """What the worker does with one lab, without database and web."""

    def __init__(self, kernel: LinuxKernel, run_dir: Path) -> None:
        self.kernel = kernel
        self.statuses: dict[str, dict[str, Any]] = {}  # by service
        self._changed = asyncio.Event()
        self.services = Services(kernel.sandboxes, recipes, run_dir, self._publish)

    async def draw(self, drawing: Drawing) -> Topology:
        """Bring the kernel and the services to a drawing."""
        topology = parse(drawing.document)
        assert [p.message for p in validate(topology) if p.severity == "error"] == []
        await asyncio.to_thread(self._apply, topology)
        self.services.desired(LAB, topology, expand(LAB, topology))
        await self.services.settled(LAB)
        return topology

    async def until(self, true: Callable[[dict[str, dict[str, Any]]], bool]) -> None:
        """Wait until the statuses are so."""
        try:
            async with asyncio.timeout(PATIENCE):
                while not true(self.statuses):
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            raise AssertionError(f"it did not come: {self.statuses} {self.logs()}") from None

    async def running(self, *services: str) -> None:
        await self.until(
            lambda now: all(now.get(key, {}).get("state") == "running" for key in services)
        )

    async def run(self, node: str, *arguments: str, stdin: bytes = b"") -> str:
        """Run a program in a node; return what it says. It must succeed."""
        status, said = await self.attempt(node, *arguments, stdin=stdin)
        assert status == 0, f"{arguments}: {status} {said} {self.logs()}"
        return said

    async def attempt(self, node: str, *arguments: str, stdin: bytes = b"") -> tuple[int, str]:
        """Run a program in a node; return its status and what it says."""
        done = await asyncio.to_thread(
            self.kernel.sandboxes.run, LAB, node, Command(arguments=arguments), stdin=stdin
        )
        return done.status, done.output.decode(errors="replace")

    async def see(self, node: str, wanted: str, *arguments: str) -> str:
        """Ask again until a program says ``wanted``."""
        deadline = asyncio.get_running_loop().time() + PATIENCE
        while True:
            _, said = await self.attempt(node, *arguments)
            if wanted in said:
                return said
            assert asyncio.get_running_loop().time() < deadline, f"{said} {self.logs()}"

    def logs(self) -> dict[str, str]:
        return {
            key: self.kernel.sandboxes.log(LAB, place_of(key), 2000).decode(errors="replace")
            for key in self.statuses
        }

    def _apply(self, topology: Topology) -> None:
        kernel, desired = self.kernel, expand(LAB, topology)
        names = {key: node.name for key, node in topology.nodes.items()}
        kernel.sandboxes.house(LAB, Residence(names=names))
        plan = diff(desired, kernel.observe(LAB), subjects(topology))
        result = kernel.apply(LAB, plan.steps, lambda done: None, lambda: False)
        assert [failure.message for failure in result.failures] == []
        while not carries(kernel.observe(LAB)):
            pass

    def _publish(self, lab: int, nodes: Any) -> None:
        self.statuses = {key: dict(status) for of in nodes.values() for key, status in of.items()}
        self._changed.set()


def place_of(key: str) -> str:
    """Return the name of a service's log."""
    return key.replace(":", "-") if ":" in key else f"service-{key}"


@contextlib.asynccontextmanager
async def served(kernel: LinuxKernel, run_dir: Path) -> AsyncIterator[ServedLab]:
    """Give a lab; stop it at the end."""
    lab = ServedLab(kernel, run_dir)
    try:
        yield lab
    finally:
        lab.services.desired(LAB, parse({}), None)
        await lab.services.settled(LAB)
        await lab.services.close()
        await asyncio.to_thread(kernel.destroy, LAB)
