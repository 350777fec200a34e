"""What is kept of a lab's packets: numbered rows and the frames of the last few thousand."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

import msgspec

from topoweb.core.packets import decode, summary
from topoweb.core.packets.filter import annotated
from topoweb.core.tracing.stories import Stories
from topoweb.engine.feeds import GapFeed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from topoweb.core.packets import Summary
    from topoweb.core.tracing.observation import Observation

CAPACITY = 4096  # packets kept a lab
INFO_MAX = 200  # characters, so that a batch of rows stays well under a frame's size
CUT = "cut"  # flag of a packet of which not all bytes were captured

_encode = msgspec.json.Encoder().encode


class Packet(msgspec.Struct, gc=False):
    """A numbered sighting. What is shown of it is made when somebody asks: in a flood, few do."""

    number: int
    observation: Observation
    packet: int = 0  # the same at each of its cables
    _summary: Summary | None = None
    _raw: msgspec.Raw | None = None

    @property
    def protocol(self) -> str:
        """Its highest protocol that we know."""
        return self.summary.protocol

    @property
    def summary(self) -> Summary:
        """What its row says."""
        if self._summary is None:
            self._summary = summary(self.observation.data, self.observation.length)
        return self._summary

    @property
    def raw(self) -> msgspec.Raw:
        """Its row (docs/protocol.md "PACKETS payload") as JSON."""
        if self._raw is None:
            self._raw = msgspec.Raw(_encode(self._row()))
        return self._raw

    def _row(self) -> tuple[object, ...]:
        seen, row = self.observation, self.summary
        return (
            self.number,
            seen.time_ns // 1000 / 1e6,
            seen.link,
            seen.along,
            self.packet,
            row.protocol,
            row.source,
            row.destination,
            row.info[:INFO_MAX],
            seen.length,
            CUT if seen.length > len(seen.data) else "",
        )


class Recorded(msgspec.Struct, frozen=True, gc=False):
    """What became of a sighting."""

    seen: Observation
    packet: int  # its number, the same at each of its stations
    row: Packet | None  # None where it is no crossing of a cable
    ended: bool  # the packet, or a copy of it, was dropped


class Recorder:
    """Numbers and encodes what was seen, and keeps its stories. Belongs to the capture thread."""

    def __init__(self) -> None:
        self.stories = Stories(CAPACITY)
        self._number = 0

    def record(self, seen: Observation) -> Recorded | None:
        """Take in a sighting; None: it is no part of a packet's story."""
        placed = self.stories.add(seen)
        if placed is None:
            return None
        row = None
        if placed.row:
            self._number += 1
            row = Packet(self._number, seen, placed.packet)
        return Recorded(seen, placed.packet, row, placed.ended)


class PacketLog:
    """A lab's recent packets and the feed of new ones. Belongs to the event loop."""

    def __init__(self) -> None:
        self.recorder = Recorder()
        self.feed: GapFeed[Packet] = GapFeed(CAPACITY)
        self.lost = 0  # by the kernel, since the lab is watched
        self._packets: deque[Packet] = deque(maxlen=CAPACITY)

    def publish(self, packets: Iterable[Packet]) -> None:
        """Keep packets and pass them to the readers."""
        packets = list(packets)
        self._packets.extend(packets)
        self.feed.publish(packets)

    def last_number(self) -> int:
        """Return the newest packet's number; 0 when there is none."""
        return self._packets[-1].number if self._packets else 0

    def get(self, number: int) -> Packet | None:
        """Return a packet that is still kept."""
        return next((one for one in self._packets if one.number == number), None)

    def first_number(self) -> int:
        """Return the oldest packet's number; 0 when there is none."""
        return self._packets[0].number if self._packets else 0

    def after(self, number: int) -> list[Packet]:
        """Return the kept packets after ``number``, oldest first."""
        return [one for one in self._packets if one.number > number]

    def until(self, number: int) -> list[Packet]:
        """Return the kept packets up to ``number``, oldest first."""
        return [one for one in self._packets if one.number <= number]


def node_name(node: str, names: object) -> str:
    """Return a drawn name; ``names`` maps node ids to them, as far as it can be used."""
    name = names.get(node) if isinstance(names, dict) else None
    usable = isinstance(name, str) and 0 < len(name) <= 64 and name.isprintable()
    return name if isinstance(name, str) and usable else node


def describe(packet: Packet) -> bytes:
    """Return a decoded packet (docs/protocol.md "Decoded packet") as JSON."""
    seen = packet.observation
    return msgspec.json.encode(
        {
            "row": packet.raw,
            "layers": annotated(decode(seen.data, seen.length), seen.data, seen.length),
            "hex": seen.data.hex(),
        }
    )
