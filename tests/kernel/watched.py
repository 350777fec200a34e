"""A guard over labs in the real kernel, as the worker puts it together; the database in memory."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from tests.fakes.store import MemoryStore
from tests.kernel import plans
from topoweb.core.limits import HostLimits
from topoweb.core.plan.diff import diff
from topoweb.core.plan.expand import expand
from topoweb.core.plan.state import LabState
from topoweb.engine.guard import Guard, Orders
from topoweb.kernel.load import LoadReader

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from topoweb.core.plan.actions import Step
    from topoweb.core.topology.model import Topology
    from topoweb.core.tracing.warnings import Warned
    from topoweb.kernel.lab import LinuxKernel


class Watch:
    """A guard over real labs; keeps what it tells."""

    def __init__(self, kernel: LinuxKernel, *, cut: bool = False) -> None:
        self.kernel = kernel
        self.store = MemoryStore()
        self.told: dict[int, Sequence[Warned]] = {}
        self._news = asyncio.Event()
        reader = LoadReader(kernel, HostLimits().free_memory)
        orders = Orders(tell=self._tell, repair=print, write=self._write if cut else None)
        self.guard = Guard(reader, self.store, orders)

    def _tell(self, lab: int, warnings: Sequence[Warned]) -> None:
        self.told[lab] = warnings
        self._news.set()

    async def _write(self, lab: int, steps: Sequence[Step]) -> None:
        result = await asyncio.to_thread(
            self.kernel.apply, lab, steps, lambda done: None, lambda: False
        )
        assert not result.failures

    async def start(self, lab: int, topology: Topology) -> LabState:
        self.store.draw(lab, topology, running=True)
        wanted = expand(lab, topology)
        steps = diff(wanted, LabState()).steps
        await asyncio.to_thread(self.kernel.apply, lab, steps, lambda done: None, lambda: False)
        self.guard.desired(lab, topology, wanted)
        return wanted

    async def until(
        self, lab: int, code: str, seconds: float, *, gone: bool = False
    ) -> Warned | None:
        """Return the warning of a code once it is told (or any value once it is taken back)."""
        async with asyncio.timeout(seconds):
            while True:
                found = [one for one in self.told.get(lab, ()) if one.code == code]
                if bool(found) != gone:
                    return found[0] if found else None
                self._news.clear()
                await self._news.wait()


@contextlib.asynccontextmanager
async def watching(kernel: LinuxKernel, *, cut: bool = False) -> AsyncIterator[Watch]:
    """Run a guard; at the end its labs go, before anything else is tidied."""
    made = Watch(kernel, cut=cut)
    running = asyncio.create_task(made.guard.run())
    try:
        yield made
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running
        for lab in made.store.rows:
            await asyncio.to_thread(kernel.destroy, lab)


async def shell(kernel: LinuxKernel, node: str, command: str, lab: int) -> str:
    """Run a command in a node's namespace."""
    return await asyncio.to_thread(plans.inside, kernel, node, command, lab)
