"""Packets from a capture source to whoever watches: PACKETS, PCAP and QUERY of the tracer.

One thread owns the source (it blocks), one event loop owns everything else. Between them lies
a bounded hand-over, so a busy loop costs packets (counted as a gap), never memory. A lab is
captured while someone watches it, and `LINGER` seconds longer.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import asynccontextmanager
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from topoweb.core.errors import ErrorKind, TopowebError
from topoweb.core.tracing.observation import Observation
from topoweb.engine.packetlog import Packet, PacketFilter, PacketLog, Recorder, describe, port_name
from topoweb.protocol.frames import Stream

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from topoweb.engine.streams import Handler, Session

BATCH_ROWS = 500
BATCH_EVERY = 0.05  # seconds: at most 20 batches a second
LINGER = 30.0  # seconds that a capture outlives its last viewer
GATHER = 0.01  # seconds that the capture thread lets packets come together
PENDING = 8192  # packets between the capture thread and the loop, a lab
LOGS = 64  # labs whose packets are kept
QUERY_ROWS = 1000
PCAP_CHUNK = 256 * 1024

PcapWriter = Callable[[Iterable[tuple[str, Observation, str]]], Iterator[bytes]]
Command = tuple[Callable[[], None], Future[None]]

log = logging.getLogger(__name__)


class CaptureSource(Protocol):
    """A tier of capture (AF_PACKET now, BPF later). All but `wake` run in the capture thread.

    A source finds the places of a lab in its manifest and follows their changes by itself.
    """

    @property
    def tier(self) -> str:
        """Its name, shown to viewers."""

    def watch(self, lab: int) -> None:
        """Capture a lab from now on."""

    def unwatch(self, lab: int) -> None:
        """Stop; hold nothing of the lab any more."""

    def poll(self, timeout: float) -> list[Observation]:
        """Wait at most ``timeout`` seconds; return what was seen, in kernel time order."""

    def lost(self, lab: int) -> int:
        """Return the packets lost by the kernel since the lab is watched."""

    def wake(self) -> None:
        """Make a waiting `poll` return. From any thread."""

    def close(self) -> None:
        """Release everything."""


class Tracing:
    """The tracer's service: starts captures by demand and answers the three streams."""

    def __init__(self, source: CaptureSource, pcap: PcapWriter, *, linger: float = LINGER) -> None:
        self._source = source
        self._pcap = pcap
        self._linger = linger
        self._logs: OrderedDict[int, PacketLog] = OrderedDict()
        self._capture: _CaptureThread | None = None

    @property
    def handlers(self) -> Mapping[Stream, Handler]:
        """What `engine.streams.StreamServer` needs."""
        return {Stream.PACKETS: self._packets, Stream.PCAP: self._file, Stream.QUERY: self._query}

    def start(self) -> None:
        """Start the capture thread. Call it from the event loop."""
        self._capture = _CaptureThread(self._source, self._deliver)
        self._capture.start()

    async def stop(self) -> None:
        """Stop capturing and close the source."""
        if self._capture is not None:
            await asyncio.to_thread(self._capture.stop)
            self._capture = None

    def _deliver(self, lab: int, packets: Iterable[Packet], lost: int) -> None:
        kept = self._logs.get(lab)
        if kept is not None:
            kept.lost = lost
            kept.publish(packets)

    async def _packets(self, session: Session) -> None:
        """Rows as they come, after a first message with the ``backlog`` newest that are kept."""
        wanted = PacketFilter(session.params)
        backlog = min(_whole(session.params, "backlog", 0), BATCH_ROWS)
        loop = asyncio.get_running_loop()
        async with self._watching(session.token.lab) as kept:
            reader = kept.feed.subscribe()
            number, lost = kept.last_number(), kept.lost
            kept_rows = [one.raw for one in kept.newest(backlog, wanted)]
            await session.send(self._message(0, 0, kept_rows, kept=True))
            while True:
                await session.ready()
                _, packets = await reader.take(BATCH_ROWS)
                due = loop.time() + BATCH_EVERY
                gap = packets[-1].number - number - len(packets)
                rows = [one.raw for one in packets if wanted.passes(one)]
                if rows or gap or kept.lost != lost:
                    await session.send(self._message(gap, kept.lost - lost, rows))
                number, lost = packets[-1].number, kept.lost
                await asyncio.sleep(due - loop.time())

    def _message(
        self, gap: int, lost: int, rows: Iterable[msgspec.Raw], *, kept: bool = False
    ) -> bytes:
        message = {"gap": gap, "lost": lost, "tier": self._source.tier, "rows": list(rows)}
        return msgspec.json.encode({**message, "kept": True} if kept else message)

    async def _query(self, session: Session) -> None:
        """One JSON answer: rows after a number, or one packet decoded."""
        params = session.params
        async with self._watching(session.token.lab) as kept:
            if params.get("what") == "packets":
                answer = self._rows(kept, params)
            elif params.get("what") == "packet":
                answer = _decoded(kept, params)
            else:
                raise TopowebError(ErrorKind.INVALID, "unknown query", path="what")
        await session.send_all(answer)

    def _rows(self, kept: PacketLog, params: Mapping[str, Any]) -> bytes:
        after = _whole(params, "after", 0)
        limit = min(_whole(params, "limit", BATCH_ROWS), QUERY_ROWS)
        packets = kept.after(after, limit, PacketFilter(params))
        return self._message(0, kept.lost, (one.raw for one in packets))

    async def _file(self, session: Session) -> None:
        """What is kept, as a pcapng file in pieces. ``names``: node id → name in the file."""
        kept = self._logs.get(session.token.lab) or PacketLog()
        names = session.params.get("names")
        records = (
            (port_name(one.observation, names), one.observation, f"packet {one.number}")
            for one in kept.select(PacketFilter(session.params))
        )
        piece = bytearray()
        for block in self._pcap(records):
            piece += block
            if len(piece) >= PCAP_CHUNK:
                await session.send(bytes(piece))
                piece.clear()
        await session.send(bytes(piece))

    @asynccontextmanager
    async def _watching(self, lab: int) -> AsyncIterator[PacketLog]:
        """Have a lab captured while inside, and for a while after."""
        kept = self._log(lab)
        kept.watchers += 1
        if kept.farewell is not None:
            kept.farewell.cancel()
        try:
            await self._on_capture_thread(lambda capture: capture.watch(lab, kept.recorder))
            yield kept
        finally:
            kept.watchers -= 1
            if not kept.watchers:
                loop = asyncio.get_running_loop()
                kept.farewell = loop.call_later(self._linger, self._let_go, lab, kept)

    def _let_go(self, lab: int, kept: PacketLog) -> None:
        if not kept.watchers and self._capture is not None and self._logs.get(lab) is kept:
            self._capture.submit(lambda capture: capture.unwatch(lab))
            kept.lost = 0  # a later watch counts from 0 again

    async def _on_capture_thread(self, work: Callable[[_CaptureThread], None]) -> None:
        if self._capture is None:
            raise TopowebError(ErrorKind.BUSY, "the tracer is stopping")
        await asyncio.wrap_future(self._capture.submit(work))

    def _log(self, lab: int) -> PacketLog:
        """Return the lab's log; make room by forgetting one that nobody has watched longest."""
        kept = self._logs.setdefault(lab, PacketLog())
        self._logs.move_to_end(lab)
        if len(self._logs) > LOGS:
            idle = next((key for key, one in self._logs.items() if not one.watchers), None)
            if idle is not None and idle != lab and self._capture is not None:
                del self._logs[idle]
                self._capture.submit(lambda capture: capture.unwatch(idle))
        return kept


class _CaptureThread:
    """Polls the source and hands packets over to the loop that made it."""

    def __init__(
        self, source: CaptureSource, deliver: Callable[[int, Iterable[Packet], int], None]
    ) -> None:
        self._source = source
        self._deliver = deliver
        self._loop = asyncio.get_running_loop()
        self._commands: SimpleQueue[Command] = SimpleQueue()
        self._recorders: dict[int, Recorder] = {}
        self._pending: dict[int, deque[Packet]] = {}
        self._lost: dict[int, int] = {}
        self._lock = threading.Lock()  # guards _pending and _lost
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="capture", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """End the thread, which closes the source. Not from the loop: it blocks."""
        self._stopping.set()
        self._source.wake()
        self._thread.join()

    def submit(self, work: Callable[[_CaptureThread], None]) -> Future[None]:
        """Run ``work`` in the thread. Its exception is the future's."""
        done: Future[None] = Future()
        self._commands.put((lambda: work(self), done))
        self._source.wake()
        return done

    def watch(self, lab: int, recorder: Recorder) -> None:
        self._recorders[lab] = recorder
        self._source.watch(lab)

    def unwatch(self, lab: int) -> None:
        self._recorders.pop(lab, None)
        self._source.unwatch(lab)

    def _run(self) -> None:
        try:
            while not self._stopping.is_set():
                for work, done in self._waiting():
                    _fulfil(work, done)
                self._turn()
        finally:
            self._source.close()
            for _, done in self._waiting():
                done.set_exception(TopowebError(ErrorKind.BUSY, "the tracer is stopping"))

    def _waiting(self) -> Iterator[Command]:
        """Yield the commands that wait and that nobody has cancelled."""
        while True:
            try:
                work, done = self._commands.get_nowait()
            except Empty:
                return
            if done.set_running_or_notify_cancel():
                yield work, done

    def _turn(self) -> None:
        try:
            seen = self._source.poll(1.0)
            self._record(seen)
        except Exception:  # one bad moment must not end every capture
            log.exception("capture failed")
            self._stopping.wait(1.0)
            return
        if seen:
            self._stopping.wait(GATHER)

    def _record(self, seen: Iterable[Observation]) -> None:
        """Number what was seen and leave it for the loop, which is told once until it comes."""
        fresh: dict[int, list[Packet]] = {}
        for one in seen:
            recorder = self._recorders.get(one.lab)
            if recorder is not None:
                fresh.setdefault(one.lab, []).append(recorder.record(one))
        if not fresh:
            return
        with self._lock:
            tell = not self._pending
            for lab, packets in fresh.items():
                self._pending.setdefault(lab, deque(maxlen=PENDING)).extend(packets)
                self._lost[lab] = self._source.lost(lab)
        if tell and not self._stopping.is_set():
            self._loop.call_soon_threadsafe(self._hand_over)

    def _hand_over(self) -> None:
        """Runs on the loop."""
        with self._lock:
            pending, self._pending = self._pending, {}
            lost, self._lost = self._lost, {}
        for lab, packets in pending.items():
            self._deliver(lab, packets, lost[lab])


def _fulfil(work: Callable[[], None], done: Future[None]) -> None:
    try:
        work()
    except Exception as error:  # noqa: BLE001 - raised again where the future is awaited
        done.set_exception(error)
    else:
        done.set_result(None)


def _decoded(kept: PacketLog, params: Mapping[str, Any]) -> bytes:
    packet = kept.get(_whole(params, "number", 0))
    if packet is None:
        raise TopowebError(
            ErrorKind.NOT_FOUND, "this packet is not kept any more", hint="Open a newer one."
        )
    return describe(packet)


def _whole(params: Mapping[str, Any], name: str, default: int) -> int:
    value = params.get(name, default)
    if not isinstance(value, int) or value < 0:
        raise TopowebError(ErrorKind.INVALID, f"{name} is not a number", path=name)
    return value
