"""pcapng files (draft-ietf-opsawg-pcapng): one section, one interface block a port.

Written as a stream of blocks; a port's interface block comes right before its first packet. Read is
only what was written here: a file from elsewhere is no recording.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, NamedTuple

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
# Inbound, outbound, and of a drop nothing: the frame crosses no port there.
DIRECTIONS = {"rx": b"\x01\0\0\0", "tx": b"\x02\0\0\0", "drop": bytes(4)}
COMMENT_MAX = 4096  # bytes
_HEAD = struct.Struct("<II")
_PACKET = struct.Struct("<IIIII")
CAPTURED_MAX = 65_535  # bytes of a packet
LENGTH_MAX = 1 << 20  # of the frame that it was: no super-packet is larger


class Captured(NamedTuple):
    """A packet as a file has it."""

    time_ns: int
    data: bytes
    length: int


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


def read(data: bytes, limit: int) -> list[Captured]:
    """Return the packets of a file as `blocks` writes it, at most ``limit``.

    ValueError says at which byte it is another kind of file, or none.
    """
    packets: list[Captured] = []
    ports = at = 0
    while at < len(data):
        kind, body = _read_block(data, at)
        if (kind == SECTION) != (at == 0):
            raise ValueError(f"byte {at}: a file has one section, and begins with it")
        if kind == SECTION:
            if body[:4] != struct.pack("<I", BYTE_ORDER):
                raise ValueError("byte 8: not in little-endian order")
        elif kind == INTERFACE:
            ports += 1
        elif kind == ENHANCED_PACKET:
            packets.append(_read_packet(body, ports, at))
        else:
            raise ValueError(f"byte {at}: a block of kind {kind} does not belong here")
        if len(packets) > limit:
            raise ValueError(f"byte {at}: more than {limit} packets")
        at += len(body) + 12
    return packets


def _read_block(data: bytes, at: int) -> tuple[int, bytes]:
    if len(data) - at < 12:
        raise ValueError(f"byte {at}: the file ends inside a block")
    kind, size = _HEAD.unpack_from(data, at)
    if size < 12 or size % 4 or size > len(data) - at:
        raise ValueError(f"byte {at}: a block cannot be {size} bytes long")
    if data[at + size - 4 : at + size] != data[at + 4 : at + 8]:
        raise ValueError(f"byte {at}: a block's two lengths differ")
    return kind, data[at + 8 : at + size - 4]


def _read_packet(body: bytes, ports: int, at: int) -> Captured:
    if len(body) < _PACKET.size:
        raise ValueError(f"byte {at}: a packet's block is too short")
    port, high, low, captured, length = _PACKET.unpack_from(body)
    if port >= ports:
        raise ValueError(f"byte {at}: a packet of port {port}, which the file does not have")
    if captured > min(CAPTURED_MAX, len(body) - _PACKET.size, length) or length > LENGTH_MAX:
        raise ValueError(f"byte {at}: a packet cannot have {captured} of {length} bytes")
    return Captured(high << 32 | low, body[_PACKET.size : _PACKET.size + captured], length)


def _interface(name: str) -> bytes:
    options = _option(NAME, name.encode()) + _option(RESOLUTION, NANOSECONDS) + _END
    return _block(INTERFACE, struct.pack("<HHI", ETHERNET, 0, NO_LIMIT) + options)


def _packet(port: int, seen: Observation, comment: str) -> bytes:
    high, low = divmod(seen.time_ns, 1 << 32)
    length = max(seen.length, len(seen.data))
    header = _PACKET.pack(port, high, low, len(seen.data), length)
    options = _option(FLAGS, DIRECTIONS[seen.direction])
    if comment:
        words = comment.encode()[:COMMENT_MAX].decode(errors="ignore")
        options += _option(COMMENT, words.encode())
    return _block(ENHANCED_PACKET, header + _padded(seen.data) + options + _END)


def _block(kind: int, body: bytes) -> bytes:
    size = len(body) + 12
    return _HEAD.pack(kind, size) + body + struct.pack("<I", size)


def _option(code: int, value: bytes) -> bytes:
    return struct.pack("<HH", code, len(value)) + _padded(value)


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)


_END = struct.pack("<HH", END, 0)
