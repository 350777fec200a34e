"""The tracer's service: PACKETS, PCAP, TRACE and QUERY of whoever watches.

One thread owns the source (`capture`), one asks the kernel's state (`explainer`), the event loop
owns everything else. Between them lies a bounded hand-over, so a busy loop costs packets (counted
as a gap), never memory. A lab is captured while someone watches it, and `LINGER` seconds longer.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import msgspec

from topoweb.core.errors import ErrorKind, TopowebError
from topoweb.core.tracing import explain
from topoweb.core.tracing.explain import dryrun
from topoweb.core.tracing.observation import Observation, Unseen
from topoweb.core.tracing.wire import foretold_json, trace_json
from topoweb.engine.capture import CaptureSource, CaptureThread, Keeper, News
from topoweb.engine.explainer import Case, Explainer, LabFacts
from topoweb.engine.judged import Judged
from topoweb.engine.packetfile import records
from topoweb.engine.packetfilter import PacketFilter, chosen
from topoweb.engine.packetlog import CAPACITY, PacketLog, describe
from topoweb.engine.packetview import BATCH_ROWS, PacketView
from topoweb.engine.tracerun import Tools, TraceRun, request_of
from topoweb.protocol.frames import Stream

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from topoweb.core.tracing.explain.facts import Facts
    from topoweb.core.tracing.explain.verdict import Verdict
    from topoweb.core.tracing.trace import Exchange, Hop, Trace
    from topoweb.engine.ports import RuleTracer
    from topoweb.engine.streams import Handler, Session
    from topoweb.engine.tables import Tables

__all__ = ["CaptureSource", "LabFacts", "Tracing", "Unseen"]

T = TypeVar("T")

BATCH_EVERY = 0.055  # seconds: at most 20 batches in any second, though the way to the page jitters
LINGER = 30.0  # seconds that a capture outlives its last viewer
LOGS = 64  # labs whose packets are kept
QUERY_ROWS = 1000
PCAP_CHUNK = 256 * 1024

PcapWriter = Callable[[Iterable[tuple[str, Observation, str]]], Iterator[bytes]]
Question = Callable[[int, Mapping[str, Any]], Awaitable[bytes]]  # lab and params → JSON


class _Lab:
    """What is kept of a lab, and who watches it. Belongs to the loop."""

    def __init__(self, keeper: Keeper | None = None) -> None:
        self.log = PacketLog()
        self.judged = Judged(self.log.feed.arrival, keeper)
        self.keeper = keeper
        self.watchers = 0
        self.whole = 0  # how many want its frames whole
        self.farewell: asyncio.TimerHandle | None = None  # ends the capture when it fires


class Insight(NamedTuple):
    """What looks into the nodes of a lab besides `LabFacts`; None: nothing does."""

    tables: Tables | None = None  # remembers what they held, for watched labs
    rules: Callable[[int], RuleTracer] | None = None  # of a lab: by which rules a TRACE is held


NO_INSIGHT = Insight()


class Tracing:
    """Starts captures by demand, has ends explained, and answers the four streams."""

    def __init__(
        self,
        source: CaptureSource,
        pcap: PcapWriter,
        *,
        facts: Callable[[int], LabFacts],
        linger: float = LINGER,
        insight: Insight = NO_INSIGHT,
        keepers: Callable[[int], Keeper] | None = None,
        questions: Mapping[str, Question] | None = None,
    ) -> None:
        """``facts(lab)`` makes what the explainer asks; it is called in the explainer's thread.

        ``insight``: what looks into nodes beside that.
        ``keepers(lab)`` gives what keeps a recording of a lab; it is called on the loop when the
        lab is watched first. ``questions`` are more kinds of QUERY, by their ``what``.
        """
        self.tables, self._rules = insight
        self._source = source
        self._pcap = pcap
        self._facts = facts
        self._keepers, self._questions = keepers, questions or {}
        self._linger = linger
        self._labs: OrderedDict[int, _Lab] = OrderedDict()
        self._threads: tuple[CaptureThread, Explainer] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def tier(self) -> str:
        """How packets are captured."""
        return self._source.tier

    @property
    def handlers(self) -> Mapping[Stream, Handler]:
        """What `engine.streams.StreamServer` needs."""
        return {
            Stream.PACKETS: self._packets,
            Stream.PCAP: self._file,
            Stream.QUERY: self._query,
            Stream.TRACE: self._trace,
        }

    def start(self) -> None:
        """Start the threads. Call it from the event loop."""
        self._loop = asyncio.get_running_loop()
        explainer = Explainer(self._facts, self._explained)
        capture = CaptureThread(self._source, self._deliver, explainer.puzzle)
        self._threads = capture, explainer
        explainer.start()
        capture.start()
        if self.tables is not None:
            self.tables.start()

    async def stop(self) -> None:
        """Stop capturing and explaining, and close the source."""
        if self._threads is not None:
            capture, explainer = self._threads
            self._threads = None
            await asyncio.to_thread(capture.stop)
            await asyncio.to_thread(explainer.stop)
            if self.tables is not None:
                await asyncio.to_thread(self.tables.stop)

    def _deliver(self, lab: int, news: News) -> None:
        kept = self._labs.get(lab)
        if kept is None:
            return
        kept.log.lost = news.lost
        kept.judged.count(news.unseen)
        kept.judged.changed(news.exchanges.values())
        if news.packets:
            kept.log.publish(news.packets)
        kept.judged.fates.dropped(news.drops)

    def _explained(self, case: Case, verdict: Verdict) -> None:
        """Runs in the explainer's thread."""
        if self._loop is not None:
            with suppress(RuntimeError):  # the loop is closed: nobody waits
                self._loop.call_soon_threadsafe(self._judge, case, verdict)

    def _judge(self, case: Case, verdict: Verdict) -> None:
        kept = self._labs.get(case.lab)
        if kept is not None:
            kept.judged.judge(case, verdict)

    async def _packets(self, session: Session) -> None:
        """Rows as they come, after a first message with the ``backlog`` newest that are kept."""
        backlog = min(_whole(session.params, "backlog", 0), BATCH_ROWS)
        loop = asyncio.get_running_loop()
        async with self.watching(session.token.lab) as kept:
            view = PacketView(kept.log, kept.judged, session.params)
            rows = await view.kept(backlog)
            await session.send(self._message(gap=0, lost=0, rows=rows, kept=True))
            while True:
                await session.ready()
                await view.news()
                due = loop.time() + BATCH_EVERY
                message = view.take()
                if message is not None:
                    await session.send(self._message(**message))
                await asyncio.sleep(due - loop.time())

    def _message(self, **parts: Any) -> bytes:  # noqa: ANN401 - JSON
        return msgspec.json.encode({"tier": self._source.tier, **parts})

    async def _trace(self, session: Session) -> None:
        """One packet foretold, sent and followed."""
        async with self.watching(session.token.lab):
            capture, explainer = self._running()
            rules = self._rules(session.token.lab) if self._rules is not None else None
            tools = Tools(capture, explainer, self._source.tier, rules)
            await TraceRun(session, tools).run()

    async def _query(self, session: Session) -> None:
        """One JSON answer: rows after a number, a packet decoded, its trace, a dry run."""
        params, lab = session.params, session.token.lab
        what = str(params.get("what"))
        if what in self._questions:
            await session.send_all(await self._questions[what](lab, params))
            return
        async with self.watching(lab) as kept:
            if what == "packets":
                answer = await self._rows(kept, params)
            elif what == "packet":
                answer = _decoded(kept.log, params)
            elif what == "trace":
                answer = msgspec.json.encode(await self._story(lab, kept, params))
            elif what == "tables":
                answer = msgspec.json.encode(await self._moment(lab, params))
            elif what == "dry-run":
                answer = msgspec.json.encode(await self._foretell(lab, params))
            elif (question := self._questions.get(str(what))) is not None:
                answer = await question(lab, params)
            else:
                raise TopowebError(ErrorKind.INVALID, "unknown query", path="what")
        await session.send_all(answer)

    async def _rows(self, kept: _Lab, params: Mapping[str, Any]) -> bytes:
        after = _whole(params, "after", 0)
        limit = min(_whole(params, "limit", BATCH_ROWS), QUERY_ROWS)
        wanted = PacketFilter(params, kept.judged.fates.of)
        packets = await chosen(kept.log.after(after), wanted, limit)
        return self._message(gap=0, lost=kept.log.lost, rows=[one.raw for one in packets])

    async def _story(self, lab: int, kept: _Lab, params: Mapping[str, Any]) -> dict[str, Any]:
        """Return a packet's trace with what is known of its end, found out now if need be."""
        number = _whole(params, "packet", 0)
        trace, exchange = await self.story(lab, number)
        if trace is None:
            raise _forgotten()
        verdict = kept.judged.verdict(number, exchange)
        if verdict is None:
            found = await self._why(lab, trace, exchange)
            verdict = explain.as_json(found) if found else None
        return trace_json(trace, exchange, verdict)

    async def story(self, lab: int, packet: int) -> tuple[Trace | None, Exchange | None]:
        """Return a packet's trace and exchange as far as they are remembered."""
        return await self._on_capture(lambda capture: capture.story(lab, packet))

    def unseen(self, lab: int) -> Unseen:
        """Return the events of a lab that were not recorded since it is watched."""
        kept = self._labs.get(lab)
        return kept.judged.unseen if kept is not None else Unseen()

    async def traces(self, lab: int, packets: Iterable[int]) -> tuple[Trace, ...]:
        """Return the traces of the packets that are remembered."""
        return await self._on_capture(lambda capture: capture.traces(lab, packets))

    async def _why(self, lab: int, trace: Trace, exchange: Exchange | None) -> Verdict | None:
        """Return why a packet ended: a drop that is no noise, else what became of its exchange."""
        drop = _drop_of(trace)
        if drop is not None:
            return await self._ask(lab, lambda facts: explain.of_drop(trace, drop, facts))
        if exchange is None or exchange.state == "open":
            return None
        numbers = exchange.packets
        traces = await self.traces(lab, numbers)
        if not any(one.packet == exchange.request for one in traces):
            return None  # forgotten: nothing can be said of it any more
        return await self._ask(lab, lambda facts: explain.of_silence(exchange, traces, facts))

    async def _moment(self, lab: int, params: Mapping[str, Any]) -> dict[str, Any]:
        """Return the tables of the node at a hop as they were then."""
        packet, index = _whole(params, "packet", 0), _whole(params, "hop", 0)
        trace, _ = await self.story(lab, packet)
        if trace is None or index >= len(trace.hops) or self.tables is None:
            raise _forgotten()
        seen = trace.hops[index].seen
        return {
            "packet": packet,
            "hop": index,
            "node": seen.namespace,
            "interface": seen.interface,
            "time": seen.time_ns / 1e9,
            **await asyncio.to_thread(self.tables.at, lab, seen.namespace, seen.time_ns),
        }

    async def _foretell(self, lab: int, params: Mapping[str, Any]) -> dict[str, Any]:
        request = request_of(params)
        return foretold_json(await self._ask(lab, lambda facts: dryrun.walk(facts, request)))

    async def _file(self, session: Session) -> None:
        """What is kept, as a pcapng file in pieces. ``names``: node id → name in the file."""
        kept = self._labs.get(session.token.lab) or _Lab()
        piece = bytearray()
        wanted = PacketFilter(session.params, kept.judged.fates.of)
        packets = await chosen(kept.log.after(0), wanted, CAPACITY)
        for block in self._pcap(records(kept.judged, packets, session.params)):
            piece += block
            if len(piece) >= PCAP_CHUNK:
                await session.send(bytes(piece))
                piece.clear()
        await session.send(bytes(piece))

    @asynccontextmanager
    async def watching(self, lab: int) -> AsyncIterator[_Lab]:
        """Have a lab captured while inside, and for a while after."""
        kept = self._lab(lab)
        kept.watchers += 1
        if kept.farewell is not None:
            kept.farewell.cancel()
        try:
            await self._on_capture(
                lambda capture: capture.watch(lab, kept.log.recorder, kept.keeper)
            )
            if self.tables is not None:
                self.tables.watch(lab)
            yield kept
        finally:
            kept.watchers -= 1
            if not kept.watchers:
                loop = asyncio.get_running_loop()
                kept.farewell = loop.call_later(self._linger, self._let_go, lab, kept)

    @asynccontextmanager
    async def whole(self, lab: int) -> AsyncIterator[None]:
        """Have a lab captured while inside, and its frames recorded up to 2,048 bytes."""
        async with self.watching(lab) as kept:
            kept.whole += 1
            try:
                await self._on_capture(lambda capture: capture.take_whole(lab, True))
                yield
            finally:
                kept.whole -= 1
                if not kept.whole and self._threads is not None:
                    self._threads[0].submit(lambda capture: capture.take_whole(lab, False))

    def _let_go(self, lab: int, kept: _Lab) -> None:
        if not kept.watchers and self._labs.get(lab) is kept:
            self._unwatch(lab)
            kept.log.lost = 0  # a later watch counts from 0 again
            kept.judged.unseen = Unseen()

    def _unwatch(self, lab: int) -> None:
        if self._threads is not None:
            capture, explainer = self._threads

            def leave(thread: CaptureThread) -> None:
                thread.unwatch(lab)
                explainer.forget(lab)

            capture.submit(leave)
        if self.tables is not None:
            self.tables.unwatch(lab)

    def _running(self) -> tuple[CaptureThread, Explainer]:
        if self._threads is None:
            raise TopowebError(ErrorKind.BUSY, "the tracer is stopping")
        return self._threads

    async def _on_capture(self, work: Callable[[CaptureThread], T]) -> T:
        return await asyncio.wrap_future(self._running()[0].submit(work))

    async def _ask(self, lab: int, question: Callable[[Facts], T]) -> T:
        return await asyncio.wrap_future(self._running()[1].ask(lab, question))

    def _lab(self, lab: int) -> _Lab:
        """Return what is kept of a lab; make room by forgetting one unwatched for longest."""
        kept = self._labs.get(lab)
        if kept is None:
            kept = self._labs[lab] = _Lab(self._keepers(lab) if self._keepers else None)
        self._labs.move_to_end(lab)
        if len(self._labs) > LOGS:
            idle = next((key for key, one in self._labs.items() if not one.watchers), None)
            if idle is not None and idle != lab:
                del self._labs[idle]
                self._unwatch(idle)
        return kept


def _drop_of(trace: Trace) -> Hop | None:
    """Return the latest drop of a packet that is no noise."""
    drops = (hop for hop in reversed(trace.hops) if hop.seen.direction == "drop")
    return next((hop for hop in drops if not _is_noise(hop.seen)), None)


def _is_noise(drop: Observation) -> bool:
    return explain.classify(drop.reason, drop.symbol, drop.data) == "noise"


def _decoded(log: PacketLog, params: Mapping[str, Any]) -> bytes:
    packet = log.get(_whole(params, "number", 0))
    if packet is None:
        raise _forgotten()
    return describe(packet)


def _forgotten() -> TopowebError:
    return TopowebError(
        ErrorKind.NOT_FOUND, "this packet is not kept any more", hint="Open a newer one."
    )


def _whole(params: Mapping[str, Any], name: str, default: int) -> int:
    value = params.get(name, default)
    if not isinstance(value, int) or value < 0:
        raise TopowebError(ErrorKind.INVALID, f"{name} is not a number", path=name)
    return value
