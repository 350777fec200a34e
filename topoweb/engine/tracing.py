"""The tracer's service: PACKETS, PCAP, TRACE and QUERY of whoever watches.

One thread owns the source (`capture`), one asks the kernel's state (`explainer`), the event loop
owns everything else. Between them lies a bounded hand-over, so a busy loop costs packets (counted
as a gap), never memory. A lab is captured while someone watches it, and `LINGER` seconds longer.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from topoweb.core.errors import ErrorKind, TopowebError
from topoweb.core.tracing import explain
from topoweb.core.tracing.explain import dryrun
from topoweb.core.tracing.explain.names import with_names
from topoweb.core.tracing.observation import Observation, Unseen
from topoweb.engine.capture import CaptureSource, CaptureThread, News
from topoweb.engine.explainer import Case, Explainer, LabFacts
from topoweb.engine.judged import Judged
from topoweb.engine.packetlog import PacketFilter, PacketLog, describe, node_name
from topoweb.engine.packetview import BATCH_ROWS, PacketView
from topoweb.engine.tracerun import Tools, TraceRun, request_of
from topoweb.engine.tracewire import foretold_json, trace_json
from topoweb.protocol.frames import Stream

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from topoweb.core.tracing.explain.facts import Facts
    from topoweb.core.tracing.explain.verdict import Verdict
    from topoweb.core.tracing.trace import Exchange, Hop, Trace
    from topoweb.engine.streams import Handler, Session

__all__ = ["CaptureSource", "LabFacts", "Tracing", "Unseen"]

T = TypeVar("T")

BATCH_EVERY = 0.05  # seconds: at most 20 batches a second
LINGER = 30.0  # seconds that a capture outlives its last viewer
LOGS = 64  # labs whose packets are kept
QUERY_ROWS = 1000
PCAP_CHUNK = 256 * 1024

PcapWriter = Callable[[Iterable[tuple[str, Observation, str]]], Iterator[bytes]]


class _Lab:
    """What is kept of a lab, and who watches it. Belongs to the loop."""

    def __init__(self) -> None:
        self.log = PacketLog()
        self.judged = Judged(self.log.feed.arrival)
        self.watchers = 0
        self.farewell: asyncio.TimerHandle | None = None  # ends the capture when it fires


class Tracing:
    """Starts captures by demand, has ends explained, and answers the four streams."""

    def __init__(
        self,
        source: CaptureSource,
        pcap: PcapWriter,
        *,
        facts: Callable[[int], LabFacts],
        linger: float = LINGER,
    ) -> None:
        """``facts(lab)`` makes what the explainer asks; it is called in the explainer's thread."""
        self._source = source
        self._pcap = pcap
        self._facts = facts
        self._linger = linger
        self._labs: OrderedDict[int, _Lab] = OrderedDict()
        self._threads: tuple[CaptureThread, Explainer] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

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

    async def stop(self) -> None:
        """Stop capturing and explaining, and close the source."""
        if self._threads is not None:
            capture, explainer = self._threads
            self._threads = None
            await asyncio.to_thread(capture.stop)
            await asyncio.to_thread(explainer.stop)

    def _deliver(self, lab: int, news: News) -> None:
        kept = self._labs.get(lab)
        if kept is None:
            return
        kept.log.lost = news.lost
        kept.judged.count(news.unseen)
        kept.judged.changed(news.exchanges.values())
        if news.packets:
            kept.log.publish(news.packets)

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
        async with self._watching(session.token.lab) as kept:
            view = PacketView(kept.log, kept.judged, session.params)
            rows = [one.raw for one in kept.log.newest(backlog, view.wanted)]
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
        async with self._watching(session.token.lab):
            capture, explainer = self._running()
            await TraceRun(session, Tools(capture, explainer, self._source.tier)).run()

    async def _query(self, session: Session) -> None:
        """One JSON answer: rows after a number, a packet decoded, its trace, a dry run."""
        params, lab = session.params, session.token.lab
        async with self._watching(lab) as kept:
            what = params.get("what")
            if what == "packets":
                answer = self._rows(kept.log, params)
            elif what == "packet":
                answer = _decoded(kept.log, params)
            elif what == "trace":
                answer = msgspec.json.encode(await self._story(lab, kept, params))
            elif what == "dry-run":
                answer = msgspec.json.encode(await self._foretell(lab, params))
            else:
                raise TopowebError(ErrorKind.INVALID, "unknown query", path="what")
        await session.send_all(answer)

    def _rows(self, log: PacketLog, params: Mapping[str, Any]) -> bytes:
        after = _whole(params, "after", 0)
        limit = min(_whole(params, "limit", BATCH_ROWS), QUERY_ROWS)
        packets = log.after(after, limit, PacketFilter(params))
        return self._message(gap=0, lost=log.lost, rows=[one.raw for one in packets])

    async def _story(self, lab: int, kept: _Lab, params: Mapping[str, Any]) -> dict[str, Any]:
        """Return a packet's trace with what is known of its end, found out now if need be."""
        number = _whole(params, "packet", 0)
        trace, exchange = await self._on_capture(lambda capture: capture.story(lab, number))
        if trace is None:
            raise _forgotten()
        verdict = kept.judged.verdict(number, exchange)
        if verdict is None:
            found = await self._why(lab, trace, exchange)
            verdict = explain.as_json(found) if found else None
        return trace_json(trace, exchange, verdict)

    async def _why(self, lab: int, trace: Trace, exchange: Exchange | None) -> Verdict | None:
        """Return why a packet ended: a drop that is no noise, else what became of its exchange."""
        drop = _drop_of(trace)
        if drop is not None:
            return await self._ask(lab, lambda facts: explain.of_drop(trace, drop, facts))
        if exchange is None or exchange.state == "open":
            return None
        numbers = exchange.packets
        traces = await self._on_capture(lambda capture: capture.traces(lab, numbers))
        if not any(one.packet == exchange.request for one in traces):
            return None  # forgotten: nothing can be said of it any more
        return await self._ask(lab, lambda facts: explain.of_silence(exchange, traces, facts))

    async def _foretell(self, lab: int, params: Mapping[str, Any]) -> dict[str, Any]:
        request = request_of(params)
        return foretold_json(await self._ask(lab, lambda facts: dryrun.walk(facts, request)))

    async def _file(self, session: Session) -> None:
        """What is kept, as a pcapng file in pieces. ``names``: node id → name in the file."""
        kept = self._labs.get(session.token.lab) or _Lab()
        piece = bytearray()
        for block in self._pcap(_records(kept, session.params)):
            piece += block
            if len(piece) >= PCAP_CHUNK:
                await session.send(bytes(piece))
                piece.clear()
        await session.send(bytes(piece))

    @asynccontextmanager
    async def _watching(self, lab: int) -> AsyncIterator[_Lab]:
        """Have a lab captured while inside, and for a while after."""
        kept = self._lab(lab)
        kept.watchers += 1
        if kept.farewell is not None:
            kept.farewell.cancel()
        try:
            await self._on_capture(lambda capture: capture.watch(lab, kept.log.recorder))
            yield kept
        finally:
            kept.watchers -= 1
            if not kept.watchers:
                loop = asyncio.get_running_loop()
                kept.farewell = loop.call_later(self._linger, self._let_go, lab, kept)

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
        kept = self._labs.setdefault(lab, _Lab())
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


def _records(kept: _Lab, params: Mapping[str, Any]) -> Iterator[tuple[str, Observation, str]]:
    """Yield port, packet and comment; a packet's last one says why it ended."""
    packets = kept.log.select(PacketFilter(params))
    last = {one.packet: one.number for one in packets}

    def name(node: str) -> str:
        return node_name(node, params.get("names"))

    for one in packets:
        comment = f"packet {one.number}"
        verdict = kept.judged.verdict(one.packet, None)
        if verdict is not None and last[one.packet] == one.number:
            comment += f": {with_names(verdict['text']['en'], name)}"
        seen = one.observation
        yield f"{name(seen.namespace)} {seen.interface}", seen, comment


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
