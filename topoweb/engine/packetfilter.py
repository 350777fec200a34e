"""Which packets a viewer wants: by node, by protocol, by a display filter."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

from topoweb.core.errors import ErrorKind, TopowebError
from topoweb.core.packets.filter import Fate, Filter, FilterError, Subject

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from topoweb.core.packets.filter.evaluate import Objects
    from topoweb.engine.packetlog import Packet

OBJECTS_MAX = 5000  # ids that the names of a filter stand for
SLICE = 0.01  # seconds of the loop that a filter takes at a time
PATIENCE = 5.0  # seconds that one request may take in all
LOOK = 64  # packets between two looks at the clock


class PacketFilter:
    """All that a stream's params ask for; an empty one lets everything through."""

    def __init__(self, params: Mapping[str, Any], fate: Callable[[int], Fate]) -> None:
        """Read ``nodes``, ``protocols``, ``filter`` and ``objects``.

        What is no text is left out. ``fate(packet)`` says what became of a packet. TopowebError for
        a ``filter`` that cannot be used.
        """
        self._nodes = frozenset(_texts(params.get("nodes")))
        self._protocols = frozenset(text.lower() for text in _texts(params.get("protocols")))
        self._filter = _compiled(params)
        self._fate = fate

    @property
    def late(self) -> bool:
        """True when it asks what became of a packet, which is known only later."""
        return self._filter is not None and self._filter.late

    def passes(self, packet: Packet) -> bool:
        """True when the packet is wanted."""
        seen = packet.observation
        if self._nodes and seen.namespace not in self._nodes and seen.peer not in self._nodes:
            return False
        if self._protocols and packet.protocol.lower() not in self._protocols:
            return False
        return self._filter is None or self._filter.passes(self._subject(packet))

    def _subject(self, packet: Packet) -> Subject:
        seen = packet.observation
        return Subject(
            seen.data,
            seen.length,
            number=packet.number,
            time_ns=seen.time_ns,
            nodes=(seen.namespace, seen.peer),
            link=seen.link,
            direction=seen.along,
            fate=self._fate(packet.packet),
        )


async def chosen(packets: Iterable[Packet], wanted: PacketFilter, limit: int) -> list[Packet]:
    """Return the first ``limit`` packets that are wanted, letting others in between.

    TopowebError(LIMIT) when it takes too long altogether.
    """
    found: list[Packet] = []
    began = paused = time.monotonic()
    for number, one in enumerate(packets):
        if wanted.passes(one):
            found.append(one)
            if len(found) == limit:
                break
        if number % LOOK == LOOK - 1 and time.monotonic() - paused > SLICE:
            await asyncio.sleep(0)
            paused = time.monotonic()
            if paused - began > PATIENCE:
                raise TopowebError(
                    ErrorKind.LIMIT, "this filter takes too long", hint="Ask for less."
                )
    return found


def within(packets: Iterable[Packet], wanted: PacketFilter) -> Iterator[tuple[Packet, bool]]:
    """Yield each packet and whether it is wanted, as many as a slice of the loop is enough for."""
    began = time.monotonic()
    for number, one in enumerate(packets):
        if number % LOOK == LOOK - 1 and time.monotonic() - began > SLICE:
            return
        yield one, wanted.passes(one)


def _compiled(params: Mapping[str, Any]) -> Filter | None:
    text = params.get("filter") or ""
    if not isinstance(text, str):
        raise TopowebError(ErrorKind.INVALID, "the filter is no text", path="filter")
    if not text.strip():
        return None
    try:
        return Filter(text, _objects(params.get("objects")))
    except FilterError as error:
        raise TopowebError(
            ErrorKind.INVALID, error.text()["en"], path="filter", code=error.code
        ) from None


def _objects(value: object) -> Objects:
    """Return the ids by field and name, as far as they can be used."""
    found: dict[str, dict[str, frozenset[str]]] = {}
    left = OBJECTS_MAX
    for field in ("node", "link"):
        names = value.get(field) if isinstance(value, dict) else None
        for name, ids in names.items() if isinstance(names, dict) else ():
            usable = frozenset(list(_texts(ids))[:left])
            left -= len(usable)
            found.setdefault(field, {})[str(name)] = usable
    return found


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, list):
        yield from (text for text in value if isinstance(text, str))
