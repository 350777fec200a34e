"""Which sightings are the same packet at another cable.

A packet keeps its identity (`core.packets.summary`) from hop to hop, so sightings with the same
identity within a short window get the same number. A key that also survives NAT will be a
second, weaker look-up in `Correlator.assign`, after the strong one failed.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Hashable

WINDOW_NS = 2_000_000_000
REPEAT_NS = 200_000_000


class _Packet:
    """A packet that is still under way."""

    __slots__ = ("number", "places", "time_ns")

    def __init__(self, number: int, time_ns: int) -> None:
        self.number = number
        self.time_ns = time_ns  # of its latest sighting
        self.places: dict[Hashable, int] = {}  # → time of the sighting there


class Correlator:
    """Gives packets their numbers, from 1 on. Memory is bounded by ``capacity`` packets.

    Feed it in time order; a few microseconds of disorder do no harm.
    """

    def __init__(self, window_ns: int = WINDOW_NS, capacity: int = 65_536) -> None:
        self._window_ns = window_ns
        self._capacity = capacity
        self._live: OrderedDict[int, _Packet] = OrderedDict()  # by identity, oldest first
        self._number = 0

    def __len__(self) -> int:
        """Return how many packets are remembered."""
        return len(self._live)

    def assign(self, identity: int, place: Hashable, time_ns: int) -> int:
        """Return the number of the packet that was seen at ``place`` (a cable and a direction).

        The same bytes at the same place again are a retransmission (an ARP request after a
        second, say), hence a new packet. Only a packet in a loop comes back within
        microseconds, and that one keeps its number.
        """
        packet = self._live.get(identity)
        if packet is None or self._is_over(packet, place, time_ns):
            packet = self._new(identity, time_ns)
        packet.places[place] = packet.time_ns = time_ns
        self._live.move_to_end(identity)
        self._forget(time_ns)
        return packet.number

    def _is_over(self, packet: _Packet, place: Hashable, time_ns: int) -> bool:
        if time_ns - packet.time_ns > self._window_ns:
            return True
        before = packet.places.get(place)
        return before is not None and time_ns - before > REPEAT_NS

    def _new(self, identity: int, time_ns: int) -> _Packet:
        self._number += 1
        packet = self._live[identity] = _Packet(self._number, time_ns)
        return packet

    def _forget(self, now_ns: int) -> None:
        """Drop what is too old; two a call keep pace with at most one new a call."""
        for _ in range(2):
            identity, oldest = next(iter(self._live.items()))
            fresh = now_ns - oldest.time_ns <= self._window_ns
            if fresh and len(self._live) <= self._capacity:
                return
            if len(self._live) > 1:
                del self._live[identity]
