"""What is kept of a lab's last minutes, and what a recording takes of it.

A `Tape` is filled in the capture thread and on the loop while the lab is watched; its memory is
bounded. Ways of packets are put together when somebody saves.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import OrderedDict, deque
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol
from weakref import WeakValueDictionary

import msgspec
from msgspec.structs import replace

from topoweb.core.errors import ErrorKind, TopowebError
from topoweb.core.limits import RECORDING
from topoweb.core.packets import identity_of
from topoweb.core.tracing import explain
from topoweb.core.tracing.paths import hops
from topoweb.core.tracing.recording import Capture, Heard, Sighting, Station, Way
from topoweb.core.tracing.wire import exchange_json
from topoweb.engine.holds import Holds

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from contextlib import AbstractAsyncContextManager

    from topoweb.core.tracing.observation import Observation, Unseen
    from topoweb.core.tracing.trace import Exchange, Hop, Trace
    from topoweb.engine.packetlog import Recorded
    from topoweb.engine.tables import Tables

SIGHTING_BYTES = 600  # of a sighting in memory, beside its data
ENDS_BYTES = 4 << 20
EXCHANGES = 2048
TABLES_BYTES = 4 << 20  # as JSON; larger ones are left out of a recording
CHUNK = 256  # packets whose traces are asked for at a time, so that the capture goes on between
REMEMBERED = 4096  # packets whose stories the capture still has

_encode = msgspec.json.Encoder().encode


class Told(NamedTuple):
    """An exchange as it was at a moment, its verdict as JSON."""

    time: float
    exchange: Exchange
    verdict: bytes | None


class Kept(NamedTuple):
    """What a tape holds of a span of time."""

    sightings: Sequence[Recorded]
    ends: Sequence[bytes]
    exchanges: Sequence[Told]


class Tape:
    """The last minutes of one lab (`engine.capture.Keeper`)."""

    def __init__(self, seconds: float = RECORDING.seconds, memory: int = RECORDING.memory) -> None:
        self.memory = memory  # bytes; less of it holds from the next packet on
        self._seconds = seconds
        self._lock = threading.Lock()  # over the ring and its size
        self._ring: deque[Recorded] = deque()
        self._newest = 0  # packet
        self._bytes = 0
        self._ends: deque[tuple[float, bytes]] = deque()
        self._ends_bytes = 0
        self._exchanges: OrderedDict[int, tuple[Told, Told]] = OrderedDict()  # first and last

    def __len__(self) -> int:
        """Return how many sightings are kept."""
        return len(self._ring)

    def keep(self, taken: Sequence[Recorded]) -> None:
        """Keep a batch; the oldest go. In the capture thread."""
        kept = self._worth(taken)
        if not kept:
            return
        more = sum([len(one.seen.data) for one in kept]) + SIGHTING_BYTES * len(kept)
        with self._lock:
            self._ring.extend(kept)
            self._bytes += more
            self._trim(kept[-1].seen.time_ns)

    def _worth(self, taken: Sequence[Recorded]) -> list[Recorded]:
        """Leave out drops that mean nothing, of packets that were not seen before.

        In a flood the flows are sampled and the drops are not: they would crowd out the rest.
        """
        kept = []
        for one in taken:
            if one.packet > self._newest:
                self._newest = one.packet
                if one.ended and _is_noise(one.seen):
                    continue
            kept.append(one)
        return kept

    def _trim(self, now_ns: int) -> None:
        oldest, ring = now_ns - int(self._seconds * 1e9), self._ring
        while ring and (self._bytes > self.memory or ring[0].seen.time_ns < oldest):
            self._bytes -= SIGHTING_BYTES + len(ring.popleft().seen.data)

    def exchanged(self, exchange: Exchange, verdict: Mapping[str, Any] | None) -> None:
        """Keep how an exchange is. On the loop."""
        raw = _encode(verdict) if verdict is not None else None
        told = Told(time.time(), exchange, raw)
        first, _ = self._exchanges.pop(exchange.id, (told, told))
        self._exchanges[exchange.id] = first, told
        if len(self._exchanges) > EXCHANGES:
            self._exchanges.popitem(last=False)

    def ended(self, end: Mapping[str, Any]) -> None:
        """Keep where and why a packet ended. On the loop."""
        data = _encode(end)
        self._ends.append((end["time"], data))
        self._ends_bytes += len(data)
        while self._ends_bytes > ENDS_BYTES or len(self._ends) > RECORDING.told // 2:
            self._ends_bytes -= len(self._ends.popleft()[1])

    def expire(self, now: float) -> None:
        """Let go what is too old. On the loop."""
        with self._lock:
            self._trim(int(now * 1e9))
        oldest = now - self._seconds
        while self._ends and self._ends[0][0] < oldest:
            self._ends_bytes -= len(self._ends.popleft()[1])
        while self._exchanges:
            number, (_, last) = next(iter(self._exchanges.items()))
            if last.time >= oldest:
                break
            del self._exchanges[number]

    def since(self, moment: float) -> Kept:
        """Return what was seen and told since a moment, in seconds. On the loop."""
        with self._lock:
            ring = list(self._ring)
        start_ns = int(moment * 1e9)
        told = [one for pair in self._exchanges.values() for one in dict.fromkeys(pair)]
        return Kept(
            [one for one in ring if one.seen.time_ns >= start_ns],
            [data for time, data in self._ends if time >= moment],
            sorted((one for one in told if one.time >= moment), key=lambda one: one.time),
        )


class Traces(Protocol):
    """What a recording needs of `engine.tracing.Tracing`."""

    @property
    def tier(self) -> str:
        """How packets are captured."""

    @property
    def tables(self) -> Tables | None:
        """What the nodes held."""

    def unseen(self, lab: int) -> Unseen:
        """Return the events of a lab that were not recorded since it is watched."""

    async def traces(self, lab: int, packets: Sequence[int]) -> Sequence[Trace]:
        """Return the traces of packets that are remembered."""

    def whole(self, lab: int) -> AbstractAsyncContextManager[object]:
        """Have a lab captured while inside, with more bytes of its packets than to look at."""


class Recordings:
    """The tapes of all labs, and the questions about them (docs/protocol.md "Recordings")."""

    def __init__(self) -> None:
        self._tapes: WeakValueDictionary[int, Tape] = WeakValueDictionary()  # the tracing's own
        self._tracing: Traces | None = None
        self._holds: Holds | None = None

    def attach(self, tracing: Traces) -> None:
        """Say which tracing the tapes are filled by."""
        self._tracing = tracing
        self._holds = Holds(tracing.whole)

    def keeper(self, lab: int) -> Tape:
        """Return a new tape of a lab: its packets are numbered anew."""
        tape = self._tapes[lab] = Tape()
        tapes, now = list(self._tapes.values()), time.time()
        for one in tapes:
            one.memory = RECORDING.share(len(tapes))
            one.expire(now)
        return tape

    async def stop(self) -> None:
        """End what is held."""
        if self._holds is not None:
            await self._holds.stop()

    async def recorded(self, lab: int, params: Mapping[str, Any]) -> bytes:
        """Answer ``recorded``: how much there is; ``until`` holds the capture on (0: no more)."""
        tracing, holds = self._attached()
        until = params.get("until")
        if isinstance(until, int | float):
            await holds.hold(lab, until)
        tape = self._tapes.get(lab) or Tape()
        tape.expire(time.time())
        kept = tape.since(0).sightings
        return _encode(
            {
                "seconds": max(0.0, time.time() - kept[0].seen.time_ns / 1e9) if kept else 0.0,
                "packets": sum(1 for one in kept if one.row is not None),
                "tier": tracing.tier,
                "until": holds.until(lab),
            }
        )

    async def save(self, lab: int, params: Mapping[str, Any]) -> bytes:
        """Answer ``recording``: the last ``seconds`` as a `Capture` in msgpack; null: all kept."""
        tracing, _ = self._attached()
        seconds = params.get("seconds")
        if seconds is None:
            seconds = RECORDING.seconds
        if not isinstance(seconds, int | float) or not 0 < seconds <= RECORDING.seconds:
            raise TopowebError(ErrorKind.INVALID, "seconds is out of range", path="seconds")
        ended = time.time()
        kept = (self._tapes.get(lab) or Tape()).since(ended - seconds)
        traces = await self._traces(lab, kept.sightings)
        tables = None
        if tracing.tables is not None and kept.sightings:
            moments = int((ended - seconds) * 1e9), int(ended * 1e9)
            tables = await asyncio.to_thread(tracing.tables.export, lab, *moments)
        span = ended - seconds, ended
        head = Capture(tracing.tier, *span, tables=tables, unseen=tracing.unseen(lab))
        return await asyncio.to_thread(_packed, head, kept, traces)

    async def _traces(self, lab: int, kept: Sequence[Recorded]) -> Mapping[int, Trace]:
        tracing, _ = self._attached()
        packets = list(dict.fromkeys(one.packet for one in kept))[-REMEMBERED:]
        found: dict[int, Trace] = {}
        for start in range(0, len(packets), CHUNK):
            some = await tracing.traces(lab, packets[start : start + CHUNK])
            found.update((trace.packet, trace) for trace in some)
        return found

    def _attached(self) -> tuple[Traces, Holds]:
        assert self._tracing is not None
        assert self._holds is not None
        return self._tracing, self._holds


def _packed(head: Capture, kept: Kept, traces: Mapping[int, Trace]) -> bytes:
    """Return the msgpack of a capture that so far has only its head. In a thread: it takes long."""
    began, tables = head.began, head.tables
    if kept.sightings:
        began = max(began, kept.sightings[0].seen.time_ns / 1e9)
    if tables is not None and len(_encode(tables)) > TABLES_BYTES:
        tables = None
    return msgspec.msgpack.encode(
        replace(
            head,
            began=began,
            sightings=tuple(_sighting(one) for one in kept.sightings),
            ways=tuple(ways(kept.sightings, traces)),
            ends=tuple(msgspec.json.decode(end) for end in kept.ends),
            exchanges=tuple(_heard(one) for one in kept.exchanges),
            tables=tables,
        )
    )


def _is_noise(drop: Observation) -> bool:
    return explain.classify(drop.reason, drop.symbol, drop.data) == "noise"


def _sighting(one: Recorded) -> Sighting:
    """Return it without what is of this machine alone: its buffer is a kernel pointer."""
    seen = replace(one.seen, lab=0, peer="", skb=0)
    return Sighting(seen, one.packet, one.row.number if one.row is not None else 0)


def _heard(told: Told) -> Heard:
    verdict = msgspec.json.decode(told.verdict) if told.verdict is not None else None
    return Heard(told.time, exchange_json(told.exchange, verdict))


def ways(kept: Sequence[Recorded], traces: Mapping[int, Trace]) -> Iterable[Way]:
    """Yield the ways of all packets: by their traces, else by what of them is kept."""
    at = {id(one.seen): place for place, one in enumerate(kept)}
    places: dict[int, list[int]] = {}
    for place, one in enumerate(kept):
        places.setdefault(one.packet, []).append(place)
    for packet, own in places.items():
        trace = traces.get(packet)
        stations = _stations(trace.hops, at) if trace is not None else None
        if trace is not None and stations is not None:
            yield Way(packet, stations, trace.outer)
            continue
        seen = [kept[place].seen for place in own]
        identities = [identity_of(one.data, one.length) for one in seen]
        yield Way(packet, _stations(hops(seen, identities), at) or ())


def _stations(found: Sequence[Hop], at: Mapping[int, int]) -> tuple[Station, ...] | None:
    """Return hops by the places of their sightings; None when one of them is not kept."""
    stations: list[Station] = []
    for hop in found:
        if hop.how == "inferred":
            of = stations[hop.parent].sighting
            seen = hop.seen
            stations.append(Station(of, hop.parent, hop.how, seen.namespace, seen.interface))
            continue
        place = at.get(id(hop.seen))
        if place is None:
            return None
        stations.append(Station(place, hop.parent, hop.how))
    return tuple(stations)
