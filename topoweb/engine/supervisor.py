"""All labs of a host: one task a lab, one apply thread, and the sweep that trusts no doorbell."""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from topoweb.engine import janitor
from topoweb.engine.labtask import LabTask, Listener, Surroundings
from topoweb.engine.probes import ProbeRunner

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from topoweb.core.plan.actions import Step
    from topoweb.core.plan.result import ApplyResult
    from topoweb.core.plan.state import LabState
    from topoweb.core.topology.model import Topology
    from topoweb.engine.ports import Kernel, Mark, Prober, Store

SWEEP_INTERVAL = 10.0  # seconds: the latency that a lost doorbell costs at most
STORE_THREADS = 4
TEARDOWN_THREADS = 3

P = ParamSpec("P")
T = TypeVar("T")
log = logging.getLogger(__name__)


def backoff(attempts: int) -> float:
    """Return the seconds to wait after so many failed attempts: 0.2, 0.4 … 30."""
    return min(0.2 * 2.0 ** min(attempts, 10), 30.0)


def _nobody(
    lab: int, topology: Topology, desired: LabState | None, *, applying: bool = False
) -> None:
    """Listen to nothing."""


class Supervisor:
    """Keeps every lab at its wish while `run` runs; what it leaves behind goes on running."""

    def __init__(
        self,
        kernel: Kernel,
        store: Store,
        prober: Prober,
        *,
        listener: Listener = _nobody,
        backoff: Callable[[int], float] = backoff,
        sweep_interval: float = SWEEP_INTERVAL,
    ) -> None:
        self._kernel = kernel
        self._store = store
        self._threads = _Threads()
        self._interval = sweep_interval
        self._around = Surroundings(
            kernel=kernel, store=store, threads=self._threads, listener=listener, backoff=backoff
        )
        self._probes = ProbeRunner(prober, store, self._threads, self.repair)
        self._labs: dict[int, LabTask] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._leaving = False
        self._sweeping = 2  # the first sweep of the rows and that of the kernel are due

    @property
    def idle(self) -> bool:
        """True when no sweep is under way and no pass is due, under way or put off."""
        return not self._sweeping and all(lab.idle for lab in self._labs.values())

    def wake(self, lab: int) -> None:
        """Look at a lab's row again: the doorbell. Costs microseconds, any number of times."""
        if not self._leaving:
            self._probes.wake(lab)
            self._lab(lab).wake()

    def repair(self, lab: int) -> None:
        """Compare a lab with its kernel again although its wish did not change."""
        if not self._leaving:
            self._lab(lab).wake(force=True)

    async def write(self, lab: int, steps: Sequence[Step]) -> ApplyResult:
        """Do these steps in a lab that runs, beside its drawing."""
        kernel = self._kernel
        return await self._threads.kernel(kernel.apply, lab, steps, lambda _: None, lambda: False)

    async def run(self, stop: asyncio.Event) -> None:
        """Adopt what runs, then serve until ``stop``. Running labs stay as they are."""
        sweeps = [
            asyncio.create_task(self._repeat(self._adopt, self._sweep_rows)),
            asyncio.create_task(self._repeat(self._sweep_kernel, self._sweep_kernel)),
        ]
        try:
            await stop.wait()
        finally:
            for sweep in sweeps:
                sweep.cancel()
            await asyncio.gather(*sweeps, return_exceptions=True)
            await self._leave()

    async def _leave(self) -> None:
        self._leaving = True
        for lab in self._labs.values():
            lab.leave()
        if self._tasks:
            await asyncio.wait(self._tasks)
        await self._probes.close()
        self._threads.close()

    def _lab(self, lab: int) -> LabTask:
        task = self._labs.get(lab)
        if task is None:
            task = self._labs[lab] = LabTask(lab, self._around)
            running = asyncio.create_task(self._serve(lab, task), name=f"lab {lab}")
            self._tasks.add(running)
            running.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.error("the task of %s ended", task.get_name(), exc_info=task.exception())

    async def _serve(self, lab: int, task: LabTask) -> None:
        try:
            await task.run()
        finally:
            del self._labs[lab]

    async def _repeat(
        self, first: Callable[[], Awaitable[None]], then: Callable[[], Awaitable[None]]
    ) -> None:
        """Run ``first``, then ``then`` at every interval, whatever fails in between."""
        step = first
        while True:
            try:
                await step()
                step = then
            except Exception:  # database or kernel away: the next sweep may find them
                log.exception("the sweep failed; it is tried again")
            self._sweeping -= 1
            await asyncio.sleep(self._interval)
            self._sweeping += 1

    async def _adopt(self) -> None:
        for mark in await self._threads.store(self._store.marks):
            if mark.running or not mark.settled:
                self._lab(mark.lab).wake()
            self._notice_probes(mark)

    async def _sweep_rows(self) -> None:
        """Find the wishes whose doorbell was lost."""
        for mark in await self._threads.store(self._store.marks):
            if not mark.settled:
                self._lab(mark.lab).notice(mark)
            self._notice_probes(mark)

    async def _sweep_kernel(self) -> None:
        """Find dead holders, and what is left of labs that nobody wants."""
        present = await self._threads.kernel(self._kernel.labs)
        marks = await self._threads.store(self._store.marks)
        for lab in janitor.unwanted(present, marks) | janitor.lost(present, marks):
            self.repair(lab)

    def _notice_probes(self, mark: Mark) -> None:
        if mark.probes:
            self._probes.wake(mark.lab)


class _Threads:
    """The worker's threads. RTNL serialises writers, so one thread applies; the loop never does.

    A large lab is taken down in many small steps with pauses, so it has a thread beside.
    """

    def __init__(self) -> None:
        self._apply = ThreadPoolExecutor(1, "apply")
        self._teardown = ThreadPoolExecutor(TEARDOWN_THREADS, "teardown")
        self._rows = ThreadPoolExecutor(STORE_THREADS, "store")

    async def kernel(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        return await _in(self._apply, call, *args, **kwargs)

    async def teardown(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        return await _in(self._teardown, call, *args, **kwargs)

    async def store(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        return await _in(self._rows, call, *args, **kwargs)

    def close(self) -> None:
        """End the threads; nothing is left for them to do."""
        self._apply.shutdown()
        self._teardown.shutdown()
        self._rows.shutdown()


async def _in(
    executor: ThreadPoolExecutor, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs
) -> T:
    return await asyncio.wrap_future(executor.submit(call, *args, **kwargs))
