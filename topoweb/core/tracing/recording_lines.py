"""The lines of ``stories.jsonl``: where packets were seen, their ways, ends and exchanges."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import msgspec

from topoweb.core.tracing.observation import Observation
from topoweb.core.tracing.recording import Capture, Heard, Json, Sighting, Station, Way

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from topoweb.core.tracing.pcapng import Captured

Id = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_-]{0,40}\Z")]
Name = Annotated[str, msgspec.Meta(max_length=64)]
Word = Annotated[str, msgspec.Meta(max_length=200)]
Count = Annotated[int, msgspec.Meta(ge=0, le=1 << 53)]
Moment = Annotated[float, msgspec.Meta(ge=0, le=1 << 33)]  # seconds since the epoch


class SeenLine(msgspec.Struct, tag="seen", tag_field="kind", forbid_unknown_fields=True):
    """Where a packet of the pcapng file was seen: the k-th such line says it of its packet k."""

    packet: Count
    row: Count
    node: Id
    interface: Name
    direction: Literal["rx", "tx", "drop"]
    link: Id
    along: Literal["ab", "ba"]
    reason: Word
    symbol: Word
    segments: Count


class WayLine(msgspec.Struct, tag="way", tag_field="kind", forbid_unknown_fields=True):
    """The stations of a packet."""

    packet: Count
    outer: Count
    stations: tuple[Station, ...]


class EndLine(msgspec.Struct, tag="end", tag_field="kind", forbid_unknown_fields=True):
    """A packet that ended, as PACKETS tells it."""

    end: Json


class HeardLine(msgspec.Struct, tag="exchange", tag_field="kind", forbid_unknown_fields=True):
    """An exchange, as it was when it was told."""

    time: Moment
    exchange: Json


Line = SeenLine | WayLine | EndLine | HeardLine


def lines_of(capture: Capture) -> Iterator[Line]:
    """Yield the lines of a capture."""
    for one in capture.sightings:
        seen = one.seen
        yield SeenLine(
            one.packet,
            one.row,
            seen.namespace,
            seen.interface,
            seen.direction,
            seen.link,
            seen.along,
            seen.reason,
            seen.symbol,
            seen.segments,
        )
    yield from (WayLine(one.packet, one.outer, one.stations) for one in capture.ways)
    yield from (EndLine(one) for one in capture.ends)
    yield from (HeardLine(one.time, one.exchange) for one in capture.exchanges)


def capture_of(
    tier: str,
    span: tuple[float, float],
    lines: Sequence[Line],
    packets: Sequence[Captured],
    tables: Json | None,
) -> Capture:
    """Return the capture of lines and the packets that they are about; ValueError: not as many."""
    seen = [one for one in lines if isinstance(one, SeenLine)]
    if len(seen) != len(packets):
        raise ValueError(f"{len(seen)} lines are about {len(packets)} packets")
    return Capture(
        tier,
        *span,
        tuple(map(_sighting, seen, packets)),
        tuple(
            Way(one.packet, one.stations, one.outer) for one in lines if isinstance(one, WayLine)
        ),
        tuple(one.end for one in lines if isinstance(one, EndLine)),
        tuple(Heard(one.time, one.exchange) for one in lines if isinstance(one, HeardLine)),
        tables,
    )


def _sighting(line: SeenLine, packet: Captured) -> Sighting:
    seen = Observation(
        packet.time_ns,
        line.node,
        line.interface,
        line.direction,
        packet.data,
        packet.length,
        link=line.link,
        along=line.along,
        reason=line.reason,
        symbol=line.symbol,
        segments=line.segments,
    )
    return Sighting(seen, line.packet, line.row)
