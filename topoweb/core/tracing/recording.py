"""A recording: what was seen of a lab for a while, ready to be played without a kernel."""

from __future__ import annotations

from typing import Any

import msgspec

from topoweb.core.tracing.observation import Observation, Unseen
from topoweb.core.tracing.trace import Hop, How, Trace

Json = dict[str, Any]


class Sighting(msgspec.Struct, frozen=True):
    """One packet seen at one place. ``row``: its number in the packet list, 0: it has no row."""

    seen: Observation  # without lab, peer and buffer
    packet: int
    row: int = 0


class Station(msgspec.Struct, frozen=True):
    """A hop of a packet. An inferred one names its own place, as nothing was seen there."""

    sighting: int  # its index in the recording
    parent: int  # index among the packet's stations, -1 for the first
    how: How
    node: str = ""
    interface: str = ""


class Way(msgspec.Struct, frozen=True):
    """The stations of a packet, parents before children."""

    packet: int
    stations: tuple[Station, ...]
    outer: int = 0  # number of the packet that carried it through a tunnel


class Heard(msgspec.Struct, frozen=True):
    """How an exchange was when it was told (docs/protocol.md "Traces and verdicts")."""

    time: float
    exchange: Json


class Capture(msgspec.Struct, frozen=True):
    """The tracer's part: packets, their ways, and what became of them. Moments in seconds."""

    tier: str
    began: float
    ended: float
    sightings: tuple[Sighting, ...] = ()
    ways: tuple[Way, ...] = ()
    ends: tuple[Json, ...] = ()  # as in a PACKETS payload, with their verdicts
    exchanges: tuple[Heard, ...] = ()
    tables: Json | None = None  # `core.tracing.history`
    unseen: Unseen = Unseen()  # events that were not recorded since the lab was watched


class Recording(msgspec.Struct, frozen=True):
    """All of it."""

    name: str
    document: Json  # the drawing when it was saved
    live: tuple[tuple[float, Json], ...]  # LIVE payloads with their times
    capture: Capture

    @property
    def rows(self) -> int:
        """How many packets the list has."""
        return sum(1 for one in self.capture.sightings if one.row)

    @property
    def faults(self) -> int:
        """How many packets ended by a fault."""
        return sum(1 for one in self.capture.ends if one["verdict"]["kind"] == "fault")


def trace_of(way: Way, sightings: tuple[Sighting, ...]) -> Trace:
    """Return a packet's trace as the live tracer has it."""
    return Trace(way.packet, tuple(_hop(one, sightings) for one in way.stations), way.outer)


def _hop(station: Station, sightings: tuple[Sighting, ...]) -> Hop:
    seen = sightings[station.sighting].seen
    if station.how == "inferred":
        there = {"namespace": station.node, "interface": station.interface, "link": ""}
        seen = msgspec.structs.replace(seen, **there)
    return Hop(seen, station.parent, station.how)
