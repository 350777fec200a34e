"""From the kernel's events to observations."""

from __future__ import annotations

import struct
import time
from typing import TYPE_CHECKING

from topoweb.core.tracing.observation import Observation

if TYPE_CHECKING:
    from collections.abc import Iterable

    from topoweb.kernel.trace.bpf.btf import Reasons
    from topoweb.kernel.trace.bpf.places import Places
    from topoweb.kernel.trace.bpf.ring import Drop, Event
    from topoweb.kernel.trace.bpf.symbols import Symbols

LINK_HEADER = 14
# A route look-up "as if it arrived here" makes a packet of its own and frees it: nobody sent it.
LOOKUPS = ("inet_rtm_getroute", "inet6_rtm_getroute")
BY_VERSION = {4: b"\x08\x00", 6: b"\x86\xdd"}
PLAIN = bytes(8)  # of a shape, after the protocol: no tag beside the frame, no super-packet

_SHAPE = struct.Struct("=2s2sHHH")
_TAG = struct.Struct(">H")


class Reader:
    """Makes observations."""

    def __init__(self, places: Places, reasons: Reasons, symbols: Symbols) -> None:
        self._places, self._reasons, self._symbols = places, reasons, symbols
        self.offset = 0  # ns that CLOCK_REALTIME is ahead of the kernel's clock of events
        self.set_clock()

    def set_clock(self) -> None:
        """Learn the offset anew."""
        before = time.monotonic_ns()
        real = time.time_ns()
        self.offset = real - (before + time.monotonic_ns()) // 2

    def hops(self, events: Iterable[Event]) -> list[Observation]:
        """Return what events of packets under way say, but of those of labs that are not watched.

        One loop for a batch: a hundred thousand events a second come through here.
        """
        seen: list[Observation] = []
        known, find, offset = self._places.known, self._places.find, self.offset
        for _, size, at, skb, where, link_header, captured, shape, room in events:
            place = known.get(where) or find(where)
            if place is None:
                continue
            lab, namespace, interface, direction, link, along, peer = place
            data, length, segments = room[:captured], size, 1
            if not link_header or not shape.endswith(PLAIN):
                data, length, segments = _dressed(data, size, link_header, shape)
            seen.append(
                Observation(
                    at + offset, namespace, interface, direction, data, length, lab, link, along,
                    peer, skb, "", "", segments,
                )
            )  # fmt: skip
        return seen

    def drops(self, events: Iterable[Drop]) -> list[Observation]:
        """Return what events of packets that ended say, likewise."""
        found = (self._drop(event) for event in events)
        return [one for one in found if one is not None]

    def _drop(self, event: Drop) -> Observation | None:
        _, size, at, skb, where, link_header, captured, shape, location, reason, room = event
        place = self._places.find(where)
        symbol = self._symbols.name(location)
        if place is None or symbol in LOOKUPS:
            return None
        data, length, segments = room[:captured], size, 1
        if not link_header or not shape.endswith(PLAIN):
            data, length, segments = _dressed(data, size, link_header, shape)
        return Observation(
            at + self.offset, place.namespace, place.interface, place.direction, data, length,
            place.lab, place.link, place.along, place.peer, skb, self._reasons.name(reason), symbol,
            segments,
        )  # fmt: skip


def _dressed(data: bytes, length: int, link_header: int, shape: bytes) -> tuple[bytes, int, int]:
    """Return a frame with the header and tag that the kernel keeps beside it, length, segments."""
    protocol, vlan_proto, vlan_tci, gso_size, gso_segs = _SHAPE.unpack(shape)
    if not link_header:
        data, length = _link_header(protocol, data) + data, length + LINK_HEADER
    if any(vlan_proto):
        tag = vlan_proto + _TAG.pack(vlan_tci)
        data, length = data[:12] + tag + data[12:], length + len(tag)
    # Not every driver says how many packets a super-packet stands for.
    return data, length, gso_segs or -(-length // gso_size) if gso_size else 1


def _link_header(protocol: bytes, data: bytes) -> bytes:
    """Return an Ethernet header without addresses, for a packet that has none here."""
    if not any(protocol) and data:
        protocol = BY_VERSION.get(data[0] >> 4, protocol)
    return bytes(12) + protocol
