"""The one task of a lab: wakes, passes, cancels, back-off.

A wake only says "look again": any number of them before a pass cost one pass. The kernel's side
of a pass runs in the apply thread, the database's in store threads; the task only waits.
"""

from __future__ import annotations

import asyncio
import logging
import math
import threading
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, ParamSpec, Protocol, TypeVar

from topoweb.core.errors import TopowebError
from topoweb.core.plan.state import LabState
from topoweb.core.texts import Text, text
from topoweb.core.topology.model import Topology
from topoweb.engine import reconcile
from topoweb.engine.alarm import Alarm
from topoweb.engine.ports import Kernel, Mark, Report, Store, Wish
from topoweb.engine.reconcile import Outcome, Pass, failure

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from topoweb.core.plan.focus import Comparison

PROGRESS_INTERVAL = 0.25  # seconds between two progress reports
BRIEF = 100  # steps of an edit that is over before anybody could read that it is under way

P = ParamSpec("P")
T = TypeVar("T")
log = logging.getLogger(__name__)


class Listener(Protocol):
    """Told on the loop what a lab should be (None: it does not run).

    Once before a pass that writes, with ``applying``, and once after each pass.
    """

    def __call__(
        self, lab: int, topology: Topology, desired: LabState | None, *, applying: bool = False
    ) -> None:
        """Hear of one pass."""


class Threads(Protocol):
    """Where blocking calls run."""

    def kernel(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Awaitable[T]:
        """Run in the one apply thread."""

    def teardown(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Awaitable[T]:
        """Run in a thread that takes a lab down: slow on purpose, so that no other waits."""

    def store(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Awaitable[T]:
        """Run in a store thread."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What all lab tasks of a worker share."""

    kernel: Kernel
    store: Store
    threads: Threads
    listener: Listener
    backoff: Callable[[int], float]  # attempts so far → seconds until the next


class LabTask:
    """Brings one lab to its wish, again and again, until it is stopped or deleted."""

    def __init__(self, lab: int, around: Surroundings) -> None:
        self._lab = lab
        self._around = around
        self._due = asyncio.Event()
        self._news = asyncio.Event()  # the same wake, for the pass that is under way
        self._forced = False
        self._leaving = False
        self._previous: LabState | None = None
        self._agreed: Comparison | None = None
        self._tried: int | None = None  # generation of the last pass
        self._attempts = 0
        self._retry_at = math.inf  # loop time
        self._resting = False
        self._waiting = False
        self._grant_over = Alarm(partial(self.wake, force=True))

    @property
    def idle(self) -> bool:
        """True when no pass is due, under way, or put off."""
        return self._waiting and not self._due.is_set() and self._retry_at == math.inf

    def wake(self, *, force: bool = False) -> None:
        """Look again; ``force`` also when the wish is the one of the last pass."""
        self._forced |= force
        self._due.set()
        self._news.set()

    def notice(self, mark: Mark) -> None:
        """Wake for a row whose wish was not tried yet: its doorbell was lost."""
        if mark.generation != self._tried:
            self.wake()
        elif mark.halted:
            self._news.set()

    def leave(self) -> None:
        """End soon; what the kernel has stays."""
        self._leaving = True
        self._grant_over.set(None)
        self.wake()

    async def run(self) -> None:
        """Serve the lab; returns when nothing of it is left to look after, or on `leave`."""
        while True:
            await self._wait()
            if self._leaving:
                return
            self._due.clear()
            self._news.clear()
            try:
                await self._look()
            except Exception as error:  # a lab's fault must not end its task
                log.exception("lab %d: the pass failed", self._lab)
                await self._crashed(error)
            if self._resting and not self._due.is_set():
                return

    async def _wait(self) -> None:
        self._waiting = True
        try:
            async with asyncio.timeout_at(None if self._retry_at == math.inf else self._retry_at):
                await self._due.wait()
        except TimeoutError:
            self._forced = True
        self._waiting = False

    async def _look(self) -> None:
        forced, self._forced = self._forced, False
        wish = await self._around.threads.store(self._news_of_wish, forced)
        if wish is not None:
            await self._pass(wish)

    def _news_of_wish(self, forced: bool) -> Wish | None:
        """Return the wish unless it is the one of the last pass; called in a store thread."""
        wish = self._around.store.wish(self._lab)
        if wish is None:
            return Wish(mark=_deleted(self._lab), topology=Topology())
        new = forced or wish.mark.halted or wish.mark.generation != self._tried
        return wish if new else None

    async def _pass(self, wish: Wish) -> None:
        around = self._around
        self._begin(wish.mark)
        self._grant_over.set(wish.uplink_until if wish.mark.running else None)
        try:
            todo = await around.threads.kernel(
                reconcile.prepare, around.kernel, wish, self._previous, self._agreed
            )
        except TopowebError as error:
            todo = Pass(wish=wish, desired=LabState(), previous=self._previous)
            await self._end(todo, reconcile.refused(todo, error))
            return
        if todo.writes:
            if not _brief(todo):
                await around.threads.store(around.store.report, todo.announcement())
            around.listener(self._lab, wish.topology, _shown(todo, todo.previous), applying=True)
        outcome = await self._execute(todo)
        if outcome is not None:
            await self._end(todo, outcome)

    async def _execute(self, todo: Pass) -> Outcome | None:
        """Run the writing half; None when the worker leaves half-way."""
        cancel = threading.Event()
        progress = _Progress()
        over = asyncio.Event()
        publish = asyncio.create_task(self._publish(todo, progress, over))
        watch = asyncio.create_task(self._watch(todo.wish.mark, cancel))
        threads = self._around.threads
        run_in = threads.teardown if todo.destroys else threads.kernel
        try:
            outcome = await run_in(
                reconcile.execute, self._around.kernel, todo, progress, cancel.is_set
            )
        finally:
            over.set()
            watch.cancel()
            # The publisher is let finish: a late progress row must not follow the last report.
            await asyncio.gather(publish, watch, return_exceptions=True)
        return None if self._leaving and outcome.cancelled else outcome

    async def _publish(self, todo: Pass, progress: _Progress, over: asyncio.Event) -> None:
        """Store progress, the newest only, at most four times a second."""
        announcement = todo.announcement()
        shown = -1 if _brief(todo) else 0
        while not await _within(PROGRESS_INTERVAL, over):
            if progress.done != shown:
                shown = progress.done
                total = progress.total or announcement.steps_total
                await self._report(replace(announcement, steps_done=shown, steps_total=total))

    async def _watch(self, mark: Mark, cancel: threading.Event) -> None:
        """Set ``cancel`` once the wish under way is given up, turned round or deleted."""
        while not cancel.is_set():
            await self._news.wait()
            self._news.clear()
            if not self._leaving:
                now = await self._around.threads.store(self._around.store.mark, self._lab)
                if now is not None and not now.halted and now.running == mark.running:
                    continue
            cancel.set()

    async def _end(self, todo: Pass, outcome: Outcome) -> None:
        self._previous, self._agreed = outcome.previous, outcome.agreed
        if outcome.report is not None:
            await self._report(outcome.report)
        if outcome.retry:
            self._try_later()
        else:
            self._attempts = 0
            self._resting = not todo.wish.mark.running
        self._around.listener(self._lab, todo.wish.topology, _shown(todo, outcome.previous))

    async def _crashed(self, error: Exception) -> None:
        """An unforeseen error: the state of the lab is unknown, so all of it is enforced next."""
        self._previous = self._agreed = None
        self._try_later()
        try:
            mark = await self._around.threads.store(self._around.store.mark, self._lab)
            if mark is not None:
                await self._report(_fault(mark, error))
        except Exception:  # the store itself may be what failed
            log.warning("lab %d: the failure could not be stored", self._lab, exc_info=True)

    async def _report(self, report: Report) -> None:
        await self._around.threads.store(self._around.store.report, report)

    def _begin(self, mark: Mark) -> None:
        if mark.generation != self._tried:
            self._attempts = 0
        self._tried = mark.generation
        self._retry_at = math.inf
        self._resting = False

    def _try_later(self) -> None:
        delay = self._around.backoff(self._attempts)
        self._attempts += 1
        self._retry_at = asyncio.get_running_loop().time() + delay


class _Progress:
    """Steps done so far: written by the apply thread, read by the loop."""

    def __init__(self) -> None:
        self.done = self.total = 0

    def __call__(self, done: int, total: int = 0, /) -> None:
        self.done, self.total = done, total


async def _within(seconds: float, event: asyncio.Event) -> bool:
    """Return whether the event came in time."""
    try:
        async with asyncio.timeout(seconds):
            return await event.wait()
    except TimeoutError:
        return False


def _deleted(lab: int) -> Mark:
    return Mark(lab=lab, generation=1, running=False)


def _brief(todo: Pass) -> bool:
    """True for an edit that is announced only if it takes longer than it should.

    A worker that dies meanwhile is no danger: the row says that this generation did not come true.
    """
    mark = todo.wish.mark
    fresh = mark.observed_generation != mark.generation
    return fresh and todo.phase == "changing" and not todo.destroys and len(todo.plan) <= BRIEF


def _shown(todo: Pass, previous: LabState | None) -> LabState | None:
    """Return the desired state for the live view; a blocked drawing shows what ran before."""
    if not todo.wish.mark.running:
        return None
    return previous if todo.blocked else todo.desired


def _fault(mark: Mark, error: Exception) -> Report:
    said = Text.of(error) if isinstance(error, TopowebError) else text("worker-fault")
    return Report(
        lab=mark.lab,
        phase="failed",
        observed_generation=mark.observed_generation,
        failures=(failure("", said),),
        **{**said.shown(), "message": f"{said.message} It is tried again."},
    )
