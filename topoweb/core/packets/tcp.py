"""TCP with its options (RFC 9293, 7323, 2018)."""

from __future__ import annotations

import struct

from topoweb.core.packets import dns, http
from topoweb.core.packets.block import Block, flag
from topoweb.core.packets.checksum import add_checksum, transport_status
from topoweb.core.packets.layer import Malformed, Next
from topoweb.core.packets.numbers import TCP

FLAGS = (
    (0x01, "fin", "FIN"), (0x02, "syn", "SYN"), (0x04, "rst", "RST"), (0x08, "psh", "PSH"),
    (0x10, "ack", "ACK"), (0x20, "urg", "URG"), (0x40, "ece", "ECE"), (0x80, "cwr", "CWR"),
)  # fmt: skip
FLAG_TEXTS = [", ".join(text for mask, _, text in FLAGS if bits & mask) for bits in range(256)]
OPTIONS = {0: "End of options", 1: "No operation", 2: "Maximum segment size", 3: "Window scale",
           4: "SACK permitted", 5: "SACK", 8: "Timestamps", 34: "Fast open"}  # fmt: skip
HEADER = struct.Struct(">HHIIBBH")


def dissect(block: Block) -> Next | None:
    """The header, its options, and the protocol that the payload looks like."""
    source = block.number("source_port", "Source port", 2)
    destination = block.number("destination_port", "Destination port", 2)
    sequence = block.number("sequence", "Sequence number", 4)
    acknowledged = block.number("acknowledgement", "Acknowledgement number", 4)
    size = (block.peek(1) >> 4) * 4
    block.take(1)
    block.add("header_length", "Header length", f"{size} bytes", 1)
    bits = _flags(block)
    block.number("window", "Window", 2)
    block.summary = f"{source} → {destination} [{FLAG_TEXTS[bits]}] seq {sequence}"
    if bits & 0x10:
        block.summary += f" ack {acknowledged}"
    segment = block.end - block.start if block.packet.length <= len(block.packet.data) else 1 << 30
    add_checksum(block, transport_status(block, TCP, block.peek(2), segment))
    block.number("urgent", "Urgent pointer", 2)
    if size < 20:
        raise Malformed("the header length is under 20 bytes")
    _options(block, block.start + size)
    return _payload(block, source, destination)


def _payload(block: Block, source: int, destination: int) -> Next | None:
    if not block.left:
        return None
    key = "data"
    if 53 in (source, destination):
        key = "dns_tcp"
    elif http.looks_like(block.data, block.position):
        key = "http"
    return Next(key, block.position, block.end)


def _flags(block: Block) -> int:
    bits = block.peek(1)
    with block.group("flags", "Flags") as group:
        block.take(1)
        for mask, name, text in FLAGS:
            block.add(name, text, flag(bits & mask), 1)
        group.value = FLAG_TEXTS[bits] or "none"
    return bits


def _options(block: Block, end: int) -> None:
    if block.position >= end:
        return
    with block.group("options", "Options") as group:
        group.value = f"{end - block.position} bytes"
        while block.position < end:
            kind = block.peek(1)
            size = 1 if kind < 2 else block.peek(1, 1)
            if (kind > 1 and size < 2) or block.position + size > end:
                raise Malformed("an option's length is wrong")
            body = block.take(size)[2:]
            label = OPTIONS.get(kind, f"Option {kind}")
            block.add(f"option_{kind}", label, _option_text(kind, body), size)


def _option_text(kind: int, body: bytes) -> str:
    if kind in (2, 3):
        return str(int.from_bytes(body, "big"))
    if kind == 8 and len(body) == 8:
        value, echo = struct.unpack(">II", body)
        return f"value {value} echo {echo}"
    if kind == 5:
        edges = [int.from_bytes(body[i : i + 4], "big") for i in range(0, len(body), 4)]
        return " ".join(f"{a}-{b}" for a, b in zip(edges[::2], edges[1::2], strict=False))
    return body.hex()


def brief(data: bytes, at: int, end: int, true_end: int) -> tuple[str, str]:
    """Return protocol and info text of the segment. struct.error when it is cut off.

    ``end`` bounds the captured bytes, ``true_end`` the segment as it was sent.
    """
    source, destination, sequence, acknowledged, size, bits, window = HEADER.unpack_from(data, at)
    payload = at + (size >> 4) * 4
    if payload < end:
        if http.looks_like(data, payload):
            return "HTTP", http.first_line(data, payload, end)
        if 53 in (source, destination) and end - payload >= 14:
            return dns.brief(data, payload + 2, end)
    ack = f" ack {acknowledged}" if bits & 0x10 else ""
    return "TCP", (
        f"{source} → {destination} [{FLAG_TEXTS[bits]}] seq {sequence}{ack}"
        f" win {window} len {max(0, true_end - payload)}"
    )
