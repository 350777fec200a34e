"""Live state of the labs that somebody watches: kernel records → `LiveState` → feed → readers.

One task a watched lab: it hears the kernel's notifications, reads what they do not tell, samples
counters, and publishes deltas. A lab that nobody watches costs nothing but its drawing.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import itertools
import logging
import math
import time
from collections.abc import AsyncIterator, Callable, Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, ParamSpec, TypeVar

import msgspec

from topoweb.core.errors import ErrorKind, TopowebError
from topoweb.core.tracing import live
from topoweb.core.tracing.live import Delta, Drawn, LiveState
from topoweb.core.tracing.records import Dump, KernelEvent, NamespaceGone, Overrun, RouteRecord
from topoweb.engine.feeds import ConflatingFeed
from topoweb.engine.recording_live import LiveTapes

if TYPE_CHECKING:
    from topoweb.core.plan.state import LabState
    from topoweb.core.topology.model import Topology
    from topoweb.core.tracing.warnings import Warned
    from topoweb.engine.ports import LiveKernel
    from topoweb.engine.recording_live import LiveTape
    from topoweb.engine.streams import Session

P = ParamSpec("P")
T = TypeVar("T")
Deliver = Callable[[int, Sequence[KernelEvent]], None]
Drawing = Callable[[], Drawn]  # made late, in a thread: a large one takes a while

WINDOW = 0.002  # seconds in which notifications are joined to one delta
TICK = 0.5  # seconds between samples of the counters
QUIET = 2.0  # seconds of no change after which readers are told so: silence means that we are away
REFRESH = 30.0  # seconds in which every namespace is read again: some changes are silent
SLICE = 50  # namespaces read at a time
SMALL = 200  # nodes of a lab whose drawing the loop compares itself: a few ms
MAX_PENDING = 50_000  # notifications kept; beyond it a full read is cheaper
FEW = 200  # notifications that the loop folds itself; more of them, and dumps, take too long
LONG = 0.1  # seconds of a step that holds up a pass under way: both want the interpreter
CALM = 0.1  # seconds of rest that may be owed: the few short steps of one edit need none
SPLIT = 1 << 19  # bytes of a message above which it is sent in parts
THREADS = 2

log = logging.getLogger(__name__)


class LiveService:
    """Watches labs for their readers. Methods belong to one event loop, `deliver` to any thread.

    ``make_kernel(deliver)`` makes the kernel's side; it is called by `start`.
    """

    def __init__(self, make_kernel: Callable[[Deliver], LiveKernel]) -> None:
        self._make_kernel = make_kernel
        self._drawings: dict[int, Drawing] = {}
        self._services: dict[int, live.Services] = {}
        self._warnings: dict[int, Sequence[Warned]] = {}
        self._views: dict[int, _LabView] = {}
        self._ending: dict[int, asyncio.Task[None]] = {}
        self.tapes = LiveTapes(self._watching)  # the last minutes of what was watched

    async def start(self) -> None:
        """Begin to hear the kernel."""
        self._loop = asyncio.get_running_loop()
        self._threads = ThreadPoolExecutor(THREADS, "live")
        self._kernel = await self._call(self._make_kernel, self.deliver)

    async def stop(self) -> None:
        """End all that was started. The streams must have ended before."""
        await self.tapes.stop()
        await self._call(self._kernel.close)
        self._threads.shutdown()

    def desired(
        self,
        lab: int,
        topology: Topology,
        desired: LabState | None,
        *,
        applying: bool = False,
    ) -> None:
        """Say what a lab should be; None: it is stopped. To be called after each pass.

        It may be called before a pass with ``applying``: until the next call, what differs from
        the drawing is not drift.
        """
        drawing: Drawing = Drawn
        if desired is None:
            self._drawings.pop(lab, None)
        else:
            drawing = functools.partial(Drawn.of, topology, desired, applying=applying)
            self._drawings[lab] = drawing
        if view := self._views.get(lab):
            view.draw(drawing, desired.namespaces.keys() if desired else ())

    def serve(self, lab: int, services: live.Services) -> None:
        """Say how a lab's services are."""
        if services:
            self._services[lab] = services
        else:
            self._services.pop(lab, None)
        if view := self._views.get(lab):
            view.serve(services)

    def warn(self, lab: int, warnings: Sequence[Warned]) -> None:
        """Say what is wrong with a lab, in place of what was said before."""
        if warnings:
            self._warnings[lab] = warnings
        else:
            self._warnings.pop(lab, None)
        if view := self._views.get(lab):
            view.warn(warnings)

    def deliver(self, lab: int, events: Sequence[KernelEvent]) -> None:
        """Take notifications from the kernel's thread."""
        with contextlib.suppress(RuntimeError):  # the loop ended while the thread still heard
            self._loop.call_soon_threadsafe(self._arrived, lab, events)

    async def stream(self, session: Session) -> None:
        """Serve a LIVE stream."""
        async with self._watching(session.token.lab) as view:
            reader = view.feed.subscribe()
            while True:
                await session.ready()
                for payload in await reader.take():
                    await session.send(payload)

    async def query(self, session: Session) -> None:
        """Serve a QUERY ``{"what": "live"}``: one full LIVE message, joined until CLOSE."""
        if session.params.get("what") != "live":
            raise TopowebError(ErrorKind.INVALID, "unknown query")
        async with self._watching(session.token.lab) as view:
            await session.send_all(msgspec.json.encode(view.snapshot()))

    @contextlib.asynccontextmanager
    async def _watching(self, lab: int) -> AsyncIterator[_LabView]:
        """Keep a lab watched, and return its view when it was read once."""
        while lab in self._ending:  # the kernel's side must have forgotten it first
            await asyncio.wait([self._ending[lab]])
        view = self._views.get(lab)
        if view is None:
            drawing = self._drawings.get(lab, Drawn)
            tape = self.tapes.of(lab)
            view = self._views[lab] = _LabView(lab, self._kernel, self._threads, drawing, tape)
            view.serve(self._services.get(lab, {}))
            view.warn(self._warnings.get(lab, ()))
        view.readers += 1
        try:
            await view.loaded.wait()
            yield view
        finally:
            view.readers -= 1
            if not view.readers:
                del self._views[lab]
                self._ending[lab] = asyncio.create_task(view.stop())
                await asyncio.wait([self._ending[lab]])
                del self._ending[lab]

    def _arrived(self, lab: int, events: Sequence[KernelEvent]) -> None:
        if view := self._views.get(lab):
            view.hear(events)

    async def _call(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        return await asyncio.wrap_future(self._threads.submit(work, *args, **kwargs))


class _LabView:
    """One watched lab and the task that keeps its state."""

    def __init__(
        self,
        lab: int,
        kernel: LiveKernel,
        threads: ThreadPoolExecutor,
        drawing: Drawing,
        tape: LiveTape,
    ) -> None:
        self.readers = 0
        self.feed = ConflatingFeed(self.snapshot, live.merge, _encode)
        self._lab, self._kernel, self._threads = lab, kernel, threads
        self._state, self._tape = LiveState(), tape
        self._news: Delta | None = None
        self._drawing: Drawing | None = drawing
        self._services: live.Services = {}
        self._warnings: Sequence[Warned] = ()
        self._nodes: Collection[str] = ()  # that the drawing wants in the kernel
        self._pending: list[KernelEvent] = []
        self._wake = asyncio.Event()
        self._redrawn = asyncio.Event()
        self.loaded = asyncio.Event()  # the kernel was read once
        self._counting: frozenset[str] = frozenset()
        self._tour: Iterator[str] = iter(())
        self._owed, self._rested = 0.0, time.monotonic()  # rest, and when it was reckoned
        self._told = self._rested  # when readers were told something last
        self._task = asyncio.create_task(self._run(), name=f"live {lab}")

    def snapshot(self) -> Delta:
        """Return all that is known, as one message."""
        return live.snapshot(self._state)

    def draw(self, drawing: Drawing, nodes: Collection[str]) -> None:
        """Take a new drawing, and the nodes that it wants in the kernel."""
        self._drawing, self._nodes = drawing, nodes
        self._redrawn.set()
        self._wake.set()

    def warn(self, warnings: Sequence[Warned]) -> None:
        """Take what is wrong with the lab."""
        self._warnings = warnings
        self._wake.set()

    def serve(self, services: live.Services) -> None:
        """Take how the services are."""
        self._services = services
        self._wake.set()

    def hear(self, events: Sequence[KernelEvent]) -> None:
        """Take notifications."""
        self._pending.extend(events)
        if len(self._pending) > MAX_PENDING:
            self._pending = [Overrun()]
        self._wake.set()

    async def stop(self) -> None:
        """End the task and stop hearing the lab."""
        self._tape.end()
        self._task.cancel()
        await asyncio.wait([self._task])
        await self._call(self._kernel.unwatch, self._lab)

    async def _run(self) -> None:
        due = time.monotonic()
        while True:
            tick = await self._awake(due)
            begun = time.monotonic()
            if tick:
                due = begun + TICK
            try:
                await self._step(tick=tick)
                self.loaded.set()
            except Exception:  # a namespace in the midst of its end; the next tick looks again
                log.exception("the live view of lab %d failed; it is tried again", self._lab)
            await self._rest(time.monotonic() - begun, tick=tick)

    async def _rest(self, spent: float, *, tick: bool) -> None:
        """Wait twice as long as steps take. Those of a large lab are long: fewer, larger deltas.

        Fewer still while a pass changes much; its end, a new drawing, ends the wait.
        """
        now = time.monotonic()
        idle = now - spent - self._rested
        self._rested = now
        if tick and spent < LONG:
            return  # they are seldom enough, and an edit may come next
        self._owed = max(0.0, self._owed - idle) + 2 * spent
        if self._owed < CALM:
            return
        await asyncio.sleep(self._owed)
        self._owed, self._rested = 0.0, time.monotonic()
        if spent > LONG and self._state.drawn.applying:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(8 * spent):
                    await self._redrawn.wait()

    async def _awake(self, due: float) -> bool:
        """Wait for news and what comes with them, or for the tick; return whether it is due."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, due - time.monotonic())):
                await self._wake.wait()
                await asyncio.sleep(WINDOW)
        return time.monotonic() >= due

    async def _step(self, *, tick: bool) -> None:
        self._wake.clear()
        if tick or (self._drawing is not None and self._state.views.keys() != set(self._nodes)):
            await self._find()
        # What was heard before the reading above is folded after it: it then ends at the newest.
        await self._fold_pending()
        if self._drawing is not None:
            drawing, self._drawing = self._drawing, None
            self._redrawn.clear()
            small = len(self._nodes) <= SMALL and len(self._state.views) <= SMALL
            drawn = drawing() if small else await self._call(drawing)
            self._counting = live.counting_nodes(drawn)
            change = functools.partial(live.draw, self._state, drawn, time.time())
            self._take(change() if small else await self._call(change))
        if self._services is not self._state.services:
            self._take(live.serve(self._state, self._services, time.time()))
        self._take(live.warn(self._state, self._warnings, time.time()))
        await self._read_again()
        self._publish()
        if tick:
            await self._tick()
            self._publish(tick=True)

    def _publish(self, *, tick: bool = False) -> None:
        now = time.monotonic()
        if self._news:
            news, self._news = self._news, None
            self.feed.publish(news)
            self._tape.take(news, self.snapshot)
        elif tick and now - self._told >= QUIET:
            self.feed.publish(Delta(self._state.rev, False, time.time(), {}, {}))
        else:
            return
        self._told = now

    async def _find(self) -> None:
        """Follow the lab as it grows and shrinks."""
        fresh, gone = await self._call(self._kernel.watch, self._lab)
        await self._fold([NamespaceGone(node) for node in gone])
        await self._dump(fresh)

    async def _read_again(self) -> None:
        """Read what notifications did not tell: all after an overrun, else routes that went."""
        if self._state.overrun:
            self._state = replace(self._state, overrun=False)
            await self._dump(self._state.views.keys())
        elif stale := self._state.stale:
            kinds = frozenset({RouteRecord})
            await self._fold(await self._call(self._kernel.dump, self._lab, stale, kinds))

    async def _tick(self) -> None:
        sample = await self._call(self._kernel.sample, self._lab, self._counting)
        self._take(await self._call(live.sample, self._state, sample, time.time()))
        await self._fold_pending()
        self._publish()  # the news of an edit do not wait for a tick's readings
        share = math.ceil(len(self._state.views) * TICK / REFRESH)
        nodes = list(itertools.islice(self._tour, share))
        if len(nodes) < share:
            self._tour = iter(tuple(self._state.views))
        await self._dump(nodes)

    async def _dump(self, nodes: Collection[str]) -> None:
        ordered = sorted(nodes)
        for start in range(0, len(ordered), SLICE):
            part = ordered[start : start + SLICE]
            await self._fold(await self._call(self._kernel.dump, self._lab, part))

    async def _fold_pending(self) -> None:
        events, self._pending = self._pending, []
        await self._fold(events)

    async def _fold(self, events: Sequence[KernelEvent]) -> None:
        if not events:
            return
        now = time.time()
        if len(events) <= FEW and not isinstance(events[0], Dump):
            self._take(live.fold(self._state, events, now))
        else:
            self._take(await self._call(live.fold, self._state, events, now))

    def _take(self, result: tuple[LiveState, Delta]) -> None:
        self._state, delta = result
        if delta:
            self._news = live.merge(self._news, delta) if self._news else delta

    async def _call(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        return await asyncio.wrap_future(self._threads.submit(work, *args, **kwargs))


def _encode(delta: Delta) -> tuple[bytes, ...]:
    """Return a LIVE message as payloads; a large one as a first part and deltas after it."""
    data = msgspec.json.encode(delta)
    if len(data) <= SPLIT or len(delta.nodes) + len(delta.links) <= 1:
        return (data,)
    first = replace(delta, nodes=_half(delta.nodes, 0), links=_half(delta.links, 0))
    rest = replace(
        delta,
        full=False,
        nodes=_half(delta.nodes, 1),
        links=_half(delta.links, 1),
        warnings={},
    )
    return _encode(first) + _encode(rest)


def _half(items: live.Changes, which: int) -> live.Changes:
    middle = (len(items) + 1) // 2
    keys = list(items)[:middle] if which == 0 else list(items)[middle:]
    return {key: items[key] for key in keys}
