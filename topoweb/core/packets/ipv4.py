"""IPv4 with options (RFC 791)."""

from __future__ import annotations

from topoweb.core.packets.addresses import ipv4_text
from topoweb.core.packets.block import Block, flag, hex16, named
from topoweb.core.packets.checksum import add_checksum, status_of
from topoweb.core.packets.layer import Malformed, Next
from topoweb.core.packets.numbers import IP_PROTOCOL_KEYS, IP_PROTOCOLS

OPTIONS = {
    0: "End of options", 1: "No operation", 7: "Record route", 68: "Timestamp",
    131: "Loose source route", 137: "Strict source route", 148: "Router alert",
}  # fmt: skip


def dissect(block: Block) -> Next:
    """The header; the payload ends where the total length says."""
    size = _first_words(block)
    total = block.number("total_length", "Total length", 2)
    block.number("id", "Identification", 2, hex16)
    offset, more = _fragment(block)
    block.number("ttl", "Time to live", 1)
    protocol = block.number("protocol", "Protocol", 1, named(IP_PROTOCOLS))
    header = block.packet.data[block.start : block.start + size]
    add_checksum(block, status_of(block.peek(2), header) if len(header) == size else "not checked")
    source = block.ipv4("source", "Source")
    destination = block.ipv4("destination", "Destination")
    block.summary = f"{source} → {destination}"
    end = (
        block.start + total if total else block.start + block.packet.length
    )  # 0: larger than 64 KiB
    if total and total < size:
        raise Malformed("the total length is smaller than the header")
    _options(block, block.start + size)
    whole = not offset and not more
    addresses = block.packet.data[block.start + 12 : block.start + 20]
    block.packet.pseudo = addresses if whole and not block.packet.quoted else None
    key = "data" if offset else IP_PROTOCOL_KEYS.get(protocol, "data")
    return Next(key, block.position, end)


def _first_words(block: Block) -> int:
    first = block.peek(1)
    block.take(1)
    size = (first & 15) * 4
    block.add("version", "Version", str(first >> 4), 1)
    block.add("header_length", "Header length", f"{size} bytes", 1)
    if first >> 4 != 4:
        raise Malformed("the version is not 4")
    if size < 20:
        raise Malformed("the header length is under 20 bytes")
    service = block.peek(1)
    block.take(1)
    block.add("dscp", "DSCP", str(service >> 2), 1)
    block.add("ecn", "ECN", str(service & 3), 1)
    return size


def _fragment(block: Block) -> tuple[int, bool]:
    value = block.peek(2)
    with block.group("flags", "Flags") as group:
        block.take(2)
        block.add("dont_fragment", "Don't fragment", flag(value & 0x4000), 2)
        block.add("more_fragments", "More fragments", flag(value & 0x2000), 2)
        bits = [text for mask, text in ((0x4000, "DF"), (0x2000, "MF")) if value & mask]
        group.value = ", ".join(bits) or "none"
    offset = (value & 0x1FFF) * 8
    block.add("fragment_offset", "Fragment offset", str(offset), 2)
    return offset, bool(value & 0x2000)


def _options(block: Block, end: int) -> None:
    if block.position >= end:
        return
    with block.group("options", "Options") as group:
        group.value = f"{end - block.position} bytes"
        while block.position < end:
            kind = block.peek(1)
            size = 1 if kind < 2 else block.peek(1, 1)
            if size < 1 or (kind > 1 and size < 2) or block.position + size > end:
                raise Malformed("an option's length is wrong")
            body = block.take(size)[2:]
            block.add(f"option_{kind}", OPTIONS.get(kind, f"Option {kind}"), body.hex(), size)
            if kind == 0:
                block.take(min(end - block.position, block.left))
                return


def fragment_text(protocol: int, offset: int, identification: int) -> str:
    """Return the info text of a fragment that does not start with its transport header."""
    name = IP_PROTOCOLS.get(protocol, str(protocol))
    return f"fragment of {name} offset {offset} id {hex16(identification)}"


def addresses(data: bytes, at: int) -> tuple[str, str]:
    """Return source and destination of the header at ``at``."""
    return ipv4_text(data[at + 12 : at + 16]), ipv4_text(data[at + 16 : at + 20])
