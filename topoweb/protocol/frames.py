"""The 8-byte header of binary frames on the browser's lab socket and on the stream socket.

Little endian: ``u8 stream · u8 kind · u16 flags (0) · u32 sequence``, then the payload.
The gateway relays frames without looking past the header.
"""

from __future__ import annotations

import enum
import struct
from typing import NamedTuple

HEADER = struct.Struct("<BBHI")
MAX_PAYLOAD = 1 << 20  # Daphne closes a socket over 1 MiB
TERMINAL_OUTPUT = 128 * 1024  # bytes of a terminal's output in flight at most
TERMINAL_INPUT = 64 * 1024  # bytes of its input that the worker holds at most
ARMED = b'{"type":"armed"}'  # the TRACE message upon which the gateway has the packet sent


class Stream(enum.IntEnum):
    """Which stream a frame belongs to."""

    LIVE = 1  # JSON, conflated: states, addresses, rates, drift
    PACKETS = 2  # JSON, drop oldest and show the gap
    PCAP = 3  # raw pcapng bytes, lossless up to the quota
    TERMINAL = 4  # raw bytes, lossless
    QUERY = 5  # one JSON answer, then CLOSE: a packet's bytes, a live snapshot
    TRACE = 6  # JSON: one packet foretold, sent and followed, then its verdict


class Kind(enum.IntEnum):
    """What a frame does."""

    OPEN = 1  # gateway → service: JSON {"token", "params"}
    DATA = 2  # service → gateway → browser, and terminal input
    CREDIT = 3  # the reader takes n more: JSON {"credit": n}; DATA frames, TERMINAL: bytes
    CLOSE = 4  # either way: JSON {"code", "reason"}
    CONTROL = 5  # TERMINAL, either way: JSON, docs/protocol.md


class Frame(NamedTuple):
    """A decoded frame."""

    stream: Stream
    kind: Kind
    sequence: int
    payload: bytes


def encode(frame: Frame) -> bytes:
    """Return header and payload. ValueError when the payload is over 1 MiB."""
    if len(frame.payload) > MAX_PAYLOAD:
        raise ValueError(f"frame payload of {len(frame.payload)} bytes is over {MAX_PAYLOAD}")
    return HEADER.pack(frame.stream, frame.kind, 0, frame.sequence) + frame.payload


def decode(data: bytes) -> Frame:
    """Return the frame in ``data``. ValueError for anything malformed."""
    if len(data) < HEADER.size:
        raise ValueError("frame shorter than its header")
    stream, kind, flags, sequence = HEADER.unpack_from(data)
    if flags:
        raise ValueError("frame with unknown flags")
    if len(data) - HEADER.size > MAX_PAYLOAD:
        raise ValueError("frame payload over 1 MiB")
    return Frame(Stream(stream), Kind(kind), sequence, data[HEADER.size :])
