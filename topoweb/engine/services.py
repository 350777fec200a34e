"""What runs in nodes by itself: compared with what is drawn after each pass, and kept running.

One task a service: start, wait for its death (a pidfd tells at once), start again with back-off.
What runs is written down, so that the next worker adopts it; what the drawing does not want any
more is ended for sure. Blocking calls go to threads, few of them for one lab.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, cast

from topoweb.core.programs import Recipe
from topoweb.core.topology.model import Topology
from topoweb.core.topology.validate import validate
from topoweb.engine.servicerecords import Records
from topoweb.engine.servicetask import Call, Status, Surroundings, keep

if TYPE_CHECKING:
    from pathlib import Path

    from topoweb.core.plan.state import LabState
    from topoweb.engine.ports import Sandboxes

P = ParamSpec("P")
T = TypeVar("T")
Recipes = Callable[[Topology], Mapping[str, Recipe]]
Publish = Callable[[int, Mapping[str, Any]], None]

THREADS = 12
THREADS_OF_A_LAB = 3  # so that a lab whose calls hang holds up itself only
FIRST_WAIT, LAST_WAIT = 0.5, 30.0  # seconds

log = logging.getLogger(__name__)


def backoff(attempts: int) -> float:
    """Return the seconds to wait before a service is started again: 0.5, 1 … 30."""
    return float(min(FIRST_WAIT * 2.0 ** min(attempts, 10), LAST_WAIT))


class Services:
    """The services of every lab. Methods belong to one event loop.

    ``recipes`` gives what a drawing wants, by id; ``publish`` is told of every change: the lab,
    and node → service → status as in a LIVE message.
    """

    def __init__(
        self,
        sandboxes: Sandboxes,
        recipes: Recipes,
        run_dir: Path,
        publish: Publish,
        *,
        backoff: Callable[[int], float] = backoff,
    ) -> None:
        self._run_dir = run_dir
        self._threads = ThreadPoolExecutor(THREADS, "services")
        self._labs: dict[int, _Lab] = {}
        self._closed = False
        self._shared = _Shared(
            sandboxes=sandboxes,
            recipes=recipes,
            publish=publish,
            backoff=backoff,
            call=self.call,
            forget=self._labs.pop,
        )

    def desired(
        self, lab: int, topology: Topology, desired: LabState | None, *, applying: bool = False
    ) -> None:
        """Hear of a pass, as its `labtask.Listener`.

        Before one only the end of a lab matters: nothing is to be started again meanwhile.
        """
        if self._closed or (applying and desired is not None):
            return
        known = self._labs.get(lab)
        if known is None:
            records = Records(self._run_dir / "labs" / str(lab))
            if not (records or (desired is not None and _has_any(topology))):
                return
            known = self._labs[lab] = _Lab(lab, self._shared, records)
        known.want(topology if desired is not None else None)

    def recipe(self, lab: int, node: str, kind: str) -> Recipe | None:
        """Return the service of a kind that is to run in a node; None without one."""
        wanted = self._labs[lab].wanted.values() if lab in self._labs else ()
        return next((one for one in wanted if one.node == node and one.kind == kind), None)

    def place(self, lab: int, key: str) -> str | None:
        """Return the name of a service's log; None for a service that is not to run."""
        recipe = self._labs[lab].wanted.get(key) if lab in self._labs else None
        return recipe.place if recipe else None

    async def settled(self, lab: int) -> None:
        """Return when the lab's last wish is acted upon: what it ends has ended."""
        if known := self._labs.get(lab):
            await known.settled()

    async def close(self) -> None:
        """Let go. What runs goes on running, for the next worker to adopt."""
        self._closed = True
        await asyncio.gather(*(lab.leave() for lab in self._labs.values()))
        self._threads.shutdown()

    async def call(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a blocking call in a thread, to its end even when the caller is cancelled."""
        return await asyncio.wrap_future(self._threads.submit(work, *args, **kwargs))


def _has_any(topology: Topology) -> bool:
    return bool(topology.services) or any(item.dhcp for item in topology.interfaces.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shared:
    """What all labs of a worker share."""

    sandboxes: Sandboxes
    recipes: Recipes
    publish: Publish
    backoff: Callable[[int], float]
    call: Call
    forget: Callable[[int], object]


class _Lab:
    """One lab's services, and the task that brings them to its wish."""

    def __init__(self, lab: int, shared: _Shared, records: Records) -> None:
        self.lab = lab
        self.records = records
        self.wanted: Mapping[str, Recipe] = {}
        self._shared = shared
        self._around = Surroundings(
            lab=lab,
            sandboxes=shared.sandboxes,
            call=self.call,
            records=records,
            said=self.said,
            backoff=shared.backoff,
        )
        self._slots = asyncio.Semaphore(THREADS_OF_A_LAB)
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._statuses: dict[str, Status] = {}
        self._news = False
        self._wish: Topology | None = None
        self._due = asyncio.Event()
        self._settled = asyncio.Event()
        self._task = asyncio.create_task(self._run(), name=f"services of lab {lab}")

    def want(self, topology: Topology | None) -> None:
        """Take a new wish; None: nothing is to run."""
        self._wish = topology
        self._settled.clear()
        self._due.set()
        if topology is None:  # at once: what dies now shall stay dead
            for task in self._tasks.values():
                _cancel(task)

    async def settled(self) -> None:
        await self._settled.wait()

    async def call(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a blocking call in one of the lab's few threads."""
        async with self._slots:
            return cast("T", await self._shared.call(work, *args, **kwargs))

    async def leave(self) -> None:
        tasks = [self._task, *self._tasks.values()]
        for task in tasks:
            _cancel(task)
        await asyncio.gather(*tasks, return_exceptions=True)
        self.records.flush()

    def said(self, key: str, status: Status | None) -> None:
        """Take a service's status; several at a time are told at once."""
        if status is None:
            self._statuses.pop(key, None)
        else:
            self._statuses[key] = status
        if not self._news:
            self._news = True
            asyncio.get_running_loop().call_soon(self._tell)

    def _tell(self) -> None:
        self._news = False
        nodes: dict[str, dict[str, Any]] = {}
        for key, status in self._statuses.items():
            nodes.setdefault(status.node, {})[key] = status.shown()
        self._shared.publish(self.lab, nodes)

    async def _run(self) -> None:
        """Follow the wishes; returns when nothing is wished and nothing runs any more."""
        attempts = 0
        while True:
            await self._due.wait()
            self._due.clear()
            try:
                await self._follow(self._wish)
                attempts = 0
            except Exception:  # a lab's fault must not end its task
                log.exception("the services of lab %d; it is tried again", self.lab)
                await asyncio.sleep(self._shared.backoff(attempts))
                attempts += 1
                self._due.set()
            if not self._due.is_set():
                self._settled.set()
                if self._wish is None:
                    self._shared.forget(self.lab)
                    return

    async def _follow(self, topology: Topology | None) -> None:
        if topology is not None:
            wanted = await self.call(_read, self._shared.recipes, topology)
            if wanted is None:
                return  # the drawing stops the pass: what runs goes on as it was drawn before
            self.wanted = wanted
        else:
            self.wanted = {}
        present = self._tasks.keys() | self.records.keys()
        stale = [key for key in present if self._is_stale(key)]
        await asyncio.gather(*(self._end(key) for key in stale))
        for key, recipe in self.wanted.items():
            await self._keep(key, recipe)
        self._show_switched_off(topology)
        self.records.flush()

    async def _keep(self, key: str, recipe: Recipe) -> None:
        task = self._tasks.get(key)
        if task is not None:
            if not (task.done() or task.cancelling()):
                return
            await asyncio.wait([task])
        work = keep(key, recipe, self._around)
        self._tasks[key] = asyncio.create_task(work, name=f"service {key}")

    def _is_stale(self, key: str) -> bool:
        recipe = self.wanted.get(key)
        running = self.records.get(key)
        if recipe is None:
            return True
        if key in self._statuses and key in self._tasks:
            return self._statuses[key].digest != recipe.digest
        return running is not None and running.digest != recipe.digest

    async def _end(self, key: str) -> None:
        """End a service: its task first, which would start it again."""
        task = self._tasks.pop(key, None)
        if task is not None:
            _cancel(task)
            await asyncio.wait([task])
        running = self.records.get(key)
        if running is not None:
            await self.call(self._shared.sandboxes.end, running.started)
            self.records.forget(key)
        self.said(key, None)

    def _show_switched_off(self, topology: Topology | None) -> None:
        for key in [key for key, status in self._statuses.items() if status.state == "stopped"]:
            self.said(key, None)
        for key, service in topology.services.items() if topology else ():
            if not service.up:
                self.said(key, Status(node=service.node, state="stopped"))


def _cancel(task: asyncio.Task[None]) -> None:
    """Cancel a task once: a second time would tear it from the start that it waits for."""
    if not task.cancelling():
        task.cancel()


def _read(recipes: Recipes, topology: Topology) -> Mapping[str, Recipe] | None:
    """Return what a drawing wants; None for a drawing with errors, which changes nothing."""
    if any(problem.severity == "error" for problem in validate(topology)):
        return None
    found: Mapping[str, Recipe] = recipes(topology)
    return found
