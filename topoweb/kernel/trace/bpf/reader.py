"""From the kernel's events to observations."""

from __future__ import annotations

import secrets
import struct
import time
from typing import TYPE_CHECKING, Literal

from topoweb.core.tracing.observation import Observation
from topoweb.kernel.trace.bpf.ring import DROPPED, SENT

if TYPE_CHECKING:
    from topoweb.kernel.trace.bpf.btf import Reasons
    from topoweb.kernel.trace.bpf.places import Places
    from topoweb.kernel.trace.bpf.ring import Event
    from topoweb.kernel.trace.bpf.symbols import Symbols

LINK_HEADER = 14
WORD = (1 << 64) - 1
DIRECTIONS: tuple[Literal["rx"], Literal["tx"], Literal["drop"]] = ("rx", "tx", "drop")
# A route look-up "as if it arrived here" makes a packet of its own and frees it: nobody sent it.
LOOKUPS = ("inet_rtm_getroute", "inet6_rtm_getroute")
BY_VERSION = {4: b"\x08\x00", 6: b"\x86\xdd"}

_RAW = struct.Struct("=H")
_TAG = struct.Struct(">H")


class Reader:
    """Makes observations; kernel addresses end here."""

    def __init__(self, places: Places, reasons: Reasons, symbols: Symbols) -> None:
        self._places, self._reasons, self._symbols = places, reasons, symbols
        self._key = secrets.randbits(64)
        self._factor = secrets.randbits(64) | 1  # odd: no two buffers get one number
        self._offset = 0
        self.set_clock()

    def set_clock(self) -> None:
        """Learn by how much CLOCK_REALTIME is ahead of the kernel's clock of events."""
        before = time.monotonic_ns()
        real = time.time_ns()
        self._offset = real - (before + time.monotonic_ns()) // 2

    def observation(self, event: Event) -> Observation | None:
        """Return what an event says; None when it tells of no packet of a watched lab."""
        (
            _,
            _,
            at,
            skb,
            location,
            cookie,
            name,
            length,
            reason,
            protocol,
            vlan_proto,
            vlan_tci,
            gso_size,
            gso_segs,
            captured,
            link_header,
            kind,
            data,
        ) = event
        place = self._places.find(cookie, name)
        drop = kind == DROPPED
        symbol = self._symbols.name(location) if drop else ""
        if place is None or symbol in LOOKUPS:
            return None
        data = data[:captured]
        if not link_header:
            data, length = _link_header(protocol, data) + data, length + LINK_HEADER
        if vlan_proto:
            tag = _RAW.pack(vlan_proto) + _TAG.pack(vlan_tci)
            data, length = data[:12] + tag + data[12:], length + len(tag)
        return Observation(
            at + self._offset,
            place.namespace,
            place.interface,
            DIRECTIONS[kind],
            data,
            length,
            place.lab,
            place.link,
            place.outward if kind == SENT else place.inward,
            place.peer,
            ((skb ^ self._key) * self._factor) & WORD,
            self._reasons.name(reason) if drop else "",
            symbol,
            # Not every driver says how many packets a super-packet stands for.
            gso_segs or -(-length // gso_size) if gso_size else 1,
        )


def _link_header(protocol: int, data: bytes) -> bytes:
    """Return an Ethernet header without addresses, for a packet that has none here."""
    kind = _RAW.pack(protocol)
    if not protocol and data:
        kind = BY_VERSION.get(data[0] >> 4, kind)
    return bytes(12) + kind
