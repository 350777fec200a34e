"""A recording as it is played: the payloads that the lab's socket would have sent, with times."""

from __future__ import annotations

from functools import cached_property
from itertools import islice
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec.structs import replace

from topoweb.core.packets import decode, summary
from topoweb.core.packets.filter import Fate, Subject, annotated
from topoweb.core.topology.document import parse
from topoweb.core.tracing import explain, history
from topoweb.core.tracing.recording import trace_of
from topoweb.core.tracing.wire import trace_json

if TYPE_CHECKING:
    from collections.abc import Iterator

    from topoweb.core.packets.filter import Filter
    from topoweb.core.topology.model import Topology
    from topoweb.core.tracing.observation import Observation
    from topoweb.core.tracing.recording import Json, Recording, Sighting, Way

VERSION = 1
JOINED = 0.05  # seconds of packets in one payload, as on the socket
BATCH = 500  # rows, ends and exchanges in one payload
PAGE = 4 << 20  # bytes of payloads, about
ALIKE_NS = 10_000_000_000  # between two packets that ended alike, for one verdict to be of both
INFO_MAX = 200  # characters of a row's info
CUT = "cut"  # flag of a packet of which not all bytes were captured

Event = tuple[float, str, msgspec.Raw]  # time, "live" or "packets", payload


class Player:
    """Answers what a page asks of a recording. Immutable; its indexes are made when needed."""

    def __init__(self, recording: Recording) -> None:
        self._live = [_event(time, "live", payload) for time, payload in recording.live]
        self.recording = replace(recording, live=())  # as JSON it takes a tenth of the memory
        self._sightings = recording.capture.sightings

    def content(self, after: int) -> Json:
        """Return a page of events, from number ``after`` on (docs/protocol.md "Recordings")."""
        recording, capture = self.recording, self.recording.capture
        page: dict[str, list[tuple[float, msgspec.Raw]]] = {"live": [], "packets": []}
        size, end = 0, after
        for time, kind, payload in islice(self._events, after, None):
            page[kind].append((time, payload))
            size, end = size + len(bytes(payload)), end + 1
            if size >= PAGE:
                break
        return {
            "version": VERSION,
            "name": recording.name,
            "began": capture.began,
            "ended": capture.ended,
            "tier": capture.tier,
            "faults": recording.faults,
            "total": recording.rows,
            "document": None if after else recording.document,
            **page,
            "next": end if end < len(self._events) else None,
        }

    def packet(self, row: int) -> Json | None:
        """Return the packet of a row, decoded; None when there is none."""
        one = self._by_row.get(row)
        if one is None:
            return None
        seen = one.seen
        return {
            "row": _row(one),
            "layers": annotated(decode(seen.data, seen.length), seen.data, seen.length),
            "hex": seen.data.hex(),
        }

    def rows(self, wanted: Filter) -> list[int]:
        """Return the numbers of the rows that a display filter lets through, in order."""
        return [row for row, one in self._by_row.items() if wanted.passes(self._subject(one))]

    def _subject(self, one: Sighting) -> Subject:
        seen = one.seen
        return Subject(
            seen.data,
            seen.length,
            number=one.row,
            time_ns=seen.time_ns,
            nodes=self._ends_of.get(seen.link, (seen.namespace,)),
            link=seen.link,
            direction=seen.along,
            fate=self._fate(one.packet),
        )

    def _fate(self, packet: int) -> Fate:
        way = self._ways.get(packet)
        verdict = self._verdicts.get(packet) or (self._alike(way) if way else None) or {}
        return Fate(packet in self._dropped, verdict.get("code", ""))

    def trace(self, packet: int) -> Json | None:
        """Return a packet's trace with its exchange and verdict; None for an unknown packet."""
        way = self._ways.get(packet)
        if way is None:
            return None
        exchange = self._exchanges.get(packet)
        verdict = self._verdicts.get(packet) or self._alike(way) or (exchange or {}).get("verdict")
        told = (
            {key: value for key, value in exchange.items() if key != "verdict"}
            if exchange
            else None
        )
        shown = trace_json(trace_of(way, self._sightings))
        return {**shown, "exchange": told, "verdict": verdict}

    def tables(self, packet: int, hop: int) -> Json | None:
        """Return the tables of the node at a hop as they were then; None: there are none."""
        way, tables = self._ways.get(packet), self.recording.capture.tables
        if way is None or tables is None or hop >= len(way.stations):
            return None
        seen = trace_of(way, self._sightings).hops[hop].seen
        return {
            "packet": packet,
            "hop": hop,
            "node": seen.namespace,
            "interface": seen.interface,
            "time": seen.time_ns / 1e9,
            **history.at(tables, seen.namespace, seen.time_ns),
            "conntrack": {"as_of": 0, "rows": []},
        }

    @cached_property
    def topology(self) -> Topology:
        """The drawing."""
        return parse(self.recording.document)

    @cached_property
    def _ends_of(self) -> dict[str, tuple[str, ...]]:
        """The nodes at the ends of each cable."""
        ports = self.topology.interfaces
        return {
            key: (ports[link.a].node, ports[link.b].node)
            for key, link in self.topology.links.items()
        }

    @cached_property
    def _dropped(self) -> frozenset[int]:
        """The packets of which one copy at least was dropped for no trifle."""
        return frozenset(
            one.packet
            for one in self._sightings
            if one.seen.direction == "drop"
            and explain.classify(one.seen.reason, one.seen.symbol, one.seen.data) != "noise"
        )

    @cached_property
    def _by_row(self) -> dict[int, Sighting]:
        return {one.row: one for one in self._sightings if one.row}

    @cached_property
    def _ways(self) -> dict[int, Way]:
        return {way.packet: way for way in self.recording.capture.ways}

    @cached_property
    def _verdicts(self) -> dict[int, Json]:
        return {end["packet"]: end["verdict"] for end in self.recording.capture.ends}

    def _alike(self, way: Way) -> Json | None:
        """Return the verdict of the nearest end of the same kind: of many alike one is explained.

        The kind is that of `engine.rates.CaseRate`: reason, function, place and flow.
        """
        drop = self._drop(way)
        if drop is None:
            return None
        known = self._ends_alike.get(_kind(drop), ())
        nearest = min(known, key=lambda one: abs(one[0] - drop.time_ns), default=None)
        if nearest is None or abs(nearest[0] - drop.time_ns) > ALIKE_NS:
            return None
        return {**nearest[1], "packet": way.packet}

    def _drop(self, way: Way) -> Observation | None:
        seen = (self._sightings[one.sighting].seen for one in reversed(way.stations))
        return next((one for one in seen if one.direction == "drop"), None)

    @cached_property
    def _ends_alike(self) -> dict[tuple[str, ...], list[tuple[int, Json]]]:
        """By kind, when ends of it were, and their verdicts."""
        found: dict[tuple[str, ...], list[tuple[int, Json]]] = {}
        for packet, verdict in self._verdicts.items():
            way = self._ways.get(packet)
            drop = self._drop(way) if way is not None else None
            if drop is not None and (drop.reason, drop.symbol) == (
                verdict["reason"],
                verdict["symbol"],
            ):
                found.setdefault(_kind(drop), []).append((drop.time_ns, verdict))
        return found

    @cached_property
    def _exchanges(self) -> dict[int, Json]:
        """By packet, each exchange as it was last."""
        told = (heard.exchange for heard in self.recording.capture.exchanges)
        latest = {one["id"]: one for one in told}
        return {packet: one for one in latest.values() for packet in one["packets"]}

    @cached_property
    def _events(self) -> list[Event]:
        packets = [_event(time, "packets", payload) for time, payload in self._payloads()]
        return sorted([*self._live, *packets], key=itemgetter(0))

    def _payloads(self) -> Iterator[tuple[float, Json]]:
        """Yield PACKETS payloads, each with the time of the last thing in it."""
        began = last = 0.0
        payload: Json = {}
        for time, part, value in sorted(self._told(), key=itemgetter(0)):
            full = len(payload.get(part, ())) >= BATCH
            if payload and (full or time - began > JOINED):
                yield last, self._payload(payload)
                payload = {}
            if not payload:
                began = time
            payload.setdefault(part, []).append(value)
            last = time
        if payload:
            yield last, self._payload(payload)
        unseen = self.recording.capture.unseen
        if any(unseen):
            yield self.recording.capture.ended, self._payload({"unseen": unseen._asdict()})

    def _payload(self, parts: Json) -> Json:
        return {"gap": 0, "lost": 0, "tier": self.recording.capture.tier, "rows": [], **parts}

    def _told(self) -> Iterator[tuple[float, str, object]]:
        capture = self.recording.capture
        for one in self._sightings:
            if one.row:
                row = _row(one)
                yield row[1], "rows", row
        for end in capture.ends:
            yield end["time"], "ends", end
        for heard in capture.exchanges:
            yield heard.time, "exchanges", heard.exchange


def _event(time: float, kind: str, payload: Json) -> Event:
    return time, kind, msgspec.Raw(msgspec.json.encode(payload))


def _kind(drop: Observation) -> tuple[str, ...]:
    said = summary(drop.data, drop.length)
    place = drop.namespace, drop.interface
    return drop.reason, drop.symbol, *place, said.source, said.destination


def _row(one: Sighting) -> tuple[Any, ...]:
    """Return a row of the packet list (docs/protocol.md "PACKETS payload")."""
    seen = one.seen
    said = summary(seen.data, seen.length)
    return (
        one.row,
        seen.time_ns // 1000 / 1e6,
        seen.link,
        seen.along,
        one.packet,
        said.protocol,
        said.source,
        said.destination,
        said.info[:INFO_MAX],
        seen.length,
        CUT if seen.length > len(seen.data) else "",
    )
