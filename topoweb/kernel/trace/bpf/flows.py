"""Flows that are followed, as the program's map has them (`struct flow` of layout.h)."""

from __future__ import annotations

import ipaddress
import struct

_FLOW = struct.Struct("=16s16sI")
ANY = bytes(16)
IPV6 = 256  # beside the protocol's number


def directions(source: str, target: str, protocol: int) -> tuple[bytes, bytes]:
    """Return the two keys of a flow: there and back. ``source`` "" is any address."""
    there = ipaddress.ip_address(target)
    near = ipaddress.ip_address(source).packed if source else ANY
    number = protocol + (IPV6 if there.version == 6 else 0)
    ends = near.ljust(16, b"\0"), there.packed.ljust(16, b"\0")
    return _FLOW.pack(*ends, number), _FLOW.pack(*reversed(ends), number)
