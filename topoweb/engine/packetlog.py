"""What is kept of a lab's packets: numbered rows, the frames of the last few thousand, filters."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from topoweb.core.packets import decode, summary
from topoweb.core.tracing.stories import Stories
from topoweb.engine.feeds import GapFeed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from topoweb.core.packets import Summary
    from topoweb.core.tracing.observation import Observation
    from topoweb.core.tracing.stories import Placed

CAPACITY = 4096  # packets kept a lab
INFO_MAX = 200  # characters, so that a batch of rows stays well under a frame's size
CUT = "cut"  # flag of a packet of which not all bytes were captured


@dataclass(frozen=True, slots=True)
class Packet:
    """A numbered sighting. ``raw`` is its row (docs/protocol.md "PACKETS payload") as JSON."""

    number: int
    protocol: str
    raw: msgspec.Raw
    observation: Observation
    packet: int = 0  # the same at each of its cables


class Recorded(NamedTuple):
    """What became of a sighting. ``row`` is None where it is no crossing of a cable."""

    placed: Placed
    summary: Summary
    row: Packet | None


class Recorder:
    """Numbers and encodes what was seen, and keeps its stories. Belongs to the capture thread."""

    def __init__(self) -> None:
        self.stories = Stories(CAPACITY)
        self._number = 0
        self._encode = msgspec.json.Encoder().encode

    def record(self, seen: Observation) -> Recorded:
        """Take in a sighting."""
        row = summary(seen.data, seen.length)
        placed = self.stories.add(seen, row)
        packet = self._packet(seen, row, placed.packet) if placed.row else None
        return Recorded(placed, row, packet)

    def _packet(self, seen: Observation, row: Summary, packet: int) -> Packet:
        self._number += 1
        raw = self._encode(
            (
                self._number,
                seen.time_ns // 1000 / 1e6,
                seen.link,
                seen.along,
                packet,
                row.protocol,
                row.source,
                row.destination,
                row.info[:INFO_MAX],
                seen.length,
                CUT if seen.length > len(seen.data) else "",
            )
        )
        return Packet(self._number, row.protocol, msgspec.Raw(raw), seen, packet)


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

    def after(self, number: int, limit: int, wanted: PacketFilter) -> list[Packet]:
        """Return the oldest kept packets after ``number`` that a filter lets through."""
        found = (one for one in self._packets if one.number > number and wanted.passes(one))
        return list(islice(found, limit))

    def newest(self, limit: int, wanted: PacketFilter) -> list[Packet]:
        """Return the newest kept packets that a filter lets through, oldest first."""
        found = (one for one in reversed(self._packets) if wanted.passes(one))
        return list(islice(found, limit))[::-1]

    def select(self, wanted: PacketFilter) -> list[Packet]:
        """Return all kept packets that a filter lets through."""
        return [one for one in self._packets if wanted.passes(one)]


class PacketFilter:
    """By node (either end of the cable) and by protocol; an empty one lets everything through."""

    def __init__(self, params: Mapping[str, Any]) -> None:
        """Read ``nodes`` and ``protocols`` of a stream's params; what is not a text is left out."""
        self._nodes = frozenset(_texts(params.get("nodes")))
        self._protocols = frozenset(text.lower() for text in _texts(params.get("protocols")))

    def passes(self, packet: Packet) -> bool:
        """True when the packet is wanted."""
        seen = packet.observation
        return (not self._nodes or seen.namespace in self._nodes or seen.peer in self._nodes) and (
            not self._protocols or packet.protocol.lower() in self._protocols
        )


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, list):
        yield from (text for text in value if isinstance(text, str))


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
            "layers": decode(seen.data, seen.length),
            "hex": seen.data.hex(),
        }
    )
