"""pcapng files (draft-ietf-opsawg-pcapng): one section, one interface block a port.

Written as a stream of blocks; a port's interface block comes right before its first packet.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from topoweb.core.tracing.observation import Observation

SECTION, INTERFACE, ENHANCED_PACKET = 0x0A0D0D0A, 1, 6
BYTE_ORDER = 0x1A2B3C4D
ETHERNET = 1  # LINKTYPE_ETHERNET
END, COMMENT = 0, 1  # options of every block
APPLICATION = 4  # option of a section: shb_userappl
NAME, RESOLUTION = 2, 9  # options of an interface: if_name, if_tsresol
NANOSECONDS = b"\x09"  # 10^-9 s
FLAGS = 2  # option of a packet: epb_flags
NO_LIMIT = 0  # snaplen: each packet says itself how much of it was captured
DIRECTIONS = {"rx": b"\x01\0\0\0", "tx": b"\x02\0\0\0"}  # inbound, outbound


def blocks(records: Iterable[tuple[str, Observation, str]]) -> Iterator[bytes]:
    """Yield a whole pcapng file, block by block.

    A record is the name of a port ("h1 eth0"), a packet, and a comment ("" for none).
    """
    yield _block(
        SECTION,
        struct.pack("<IHHq", BYTE_ORDER, 1, 0, -1) + _option(APPLICATION, b"topoweb") + _END,
    )
    ports: dict[str, int] = {}
    for port, seen, comment in records:
        if port not in ports:
            ports[port] = len(ports)
            yield _interface(port)
        yield _packet(ports[port], seen, comment)


def _interface(name: str) -> bytes:
    options = _option(NAME, name.encode()) + _option(RESOLUTION, NANOSECONDS) + _END
    return _block(INTERFACE, struct.pack("<HHI", ETHERNET, 0, NO_LIMIT) + options)


def _packet(port: int, seen: Observation, comment: str) -> bytes:
    high, low = divmod(seen.time_ns, 1 << 32)
    length = max(seen.length, len(seen.data))
    header = struct.pack("<IIIII", port, high, low, len(seen.data), length)
    options = _option(FLAGS, DIRECTIONS[seen.direction])
    if comment:
        options += _option(COMMENT, comment.encode())
    return _block(ENHANCED_PACKET, header + _padded(seen.data) + options + _END)


def _block(kind: int, body: bytes) -> bytes:
    size = len(body) + 12
    return struct.pack("<II", kind, size) + body + struct.pack("<I", size)


def _option(code: int, value: bytes) -> bytes:
    return struct.pack("<HH", code, len(value)) + _padded(value)


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)


_END = struct.pack("<HH", END, 0)
