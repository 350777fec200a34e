"""Whether the parts of a recording fit together: what its types alone cannot say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from topoweb.core.limits import RECORDING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from topoweb.core.tracing.recording import Capture, Recording, Way

SPAN = 3600.0  # seconds that a recording may last; ours last ten minutes
SLACK = 60.0  # seconds that a clock may be off, or that something was told late
DEPTH = 24  # of objects and lists in one another
WHOLE = 1 << 53  # a page reads larger numbers wrongly
STATIONS = 4096  # of one packet


def faults(recording: Recording) -> Iterator[tuple[str, str]]:
    """Yield (member, what is wrong where) of all that cannot be, the first of each member."""
    for member, found in (
        ("manifest.json", _span(recording.capture)),
        ("live.jsonl", _live(recording)),
        ("packets.pcapng", _times(recording.capture)),
        ("stories.jsonl", _numbers(recording.capture)),
        ("stories.jsonl", _ways(recording.capture)),
        ("stories.jsonl", _told(recording.capture)),
    ):
        yield from ((member, reason) for reason in list(_first(found)))


def _first(found: Iterator[str]) -> Iterator[str]:
    for reason in found:
        yield reason
        return


def _span(capture: Capture) -> Iterator[str]:
    if not 0 <= capture.ended - capture.began <= SPAN:
        yield f"/ended: it would last {capture.ended - capture.began:.0f} s"


def _within(capture: Capture, moment: float) -> bool:
    return capture.began - SLACK <= moment <= capture.ended + SLACK


def _live(recording: Recording) -> Iterator[str]:
    last = 0.0
    for number, (moment, payload) in enumerate(recording.live, 1):
        if moment < last or not _within(recording.capture, moment):
            yield f"line {number}: its time is not in its turn"
        last = moment
        if not harmless(payload):
            yield f"line {number}: too deep, or a number too large"


def _times(capture: Capture) -> Iterator[str]:
    for number, one in enumerate(capture.sightings, 1):
        if not _within(capture, one.seen.time_ns / 1e9):
            yield f"packet {number}: its time is outside of the recording"


def _numbers(capture: Capture) -> Iterator[str]:
    last = 0
    for number, one in enumerate(capture.sightings, 1):
        crosses = one.seen.link != "" and one.seen.direction != "drop"
        if not one.packet or (one.row and (one.row <= last or not crosses)):
            yield f"packet {number}: it cannot have row {one.row} of packet {one.packet}"
        last = one.row or last


def _ways(capture: Capture) -> Iterator[str]:
    known: set[int] = set()
    for way in capture.ways:
        if way.packet in known:
            yield f"way of packet {way.packet}: told twice"
        known.add(way.packet)
        if len(way.stations) > STATIONS or not all(_stations(way, capture)):
            yield f"way of packet {way.packet}: a station that cannot be"


def _stations(way: Way, capture: Capture) -> Iterator[bool]:
    for place, one in enumerate(way.stations):
        exists = 0 <= one.sighting < len(capture.sightings)
        named = bool(one.node) == (one.how == "inferred")
        yield (
            exists
            and capture.sightings[one.sighting].packet == way.packet
            and -1 <= one.parent < place
            and named
            and len(one.node) <= 40
            and len(one.interface) <= 64
        )


def _told(capture: Capture) -> Iterator[str]:
    limit = RECORDING.told
    if len(capture.ends) > limit or len(capture.exchanges) > limit:
        yield f"more than {limit} ends or exchanges"
    for number, heard in enumerate(capture.exchanges, 1):
        if not _within(capture, heard.time) or not harmless(heard.exchange):
            yield f"exchange {number}: its time is outside of the recording, or it is too deep"
    for number, end in enumerate(capture.ends, 1):
        if not harmless(end):
            yield f"end {number}: too deep, or a number too large"


def harmless(value: Any) -> bool:  # noqa: ANN401 - JSON
    """True when no part of a JSON value is too deep, and no number too large."""
    waiting = [(value, 0)]
    while waiting:
        one, depth = waiting.pop()
        if isinstance(one, dict | list):
            if depth > DEPTH:
                return False
            inside = one.values() if isinstance(one, dict) else one
            waiting.extend((part, depth + 1) for part in inside)
        elif isinstance(one, int | float) and not -WHOLE <= one <= WHOLE:
            return False
    return True
