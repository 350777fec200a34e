"""IPv6 and its extension headers (RFC 8200)."""

from __future__ import annotations

from topoweb.core.packets.block import Block, flag, named
from topoweb.core.packets.layer import Malformed, Next
from topoweb.core.packets.numbers import IP_PROTOCOL_KEYS, IP_PROTOCOLS

HOP_BY_HOP, ROUTING, FRAGMENT, AUTHENTICATION, DESTINATION_OPTIONS = 0, 43, 44, 51, 60

EXTENSIONS = {
    HOP_BY_HOP: ("hop_by_hop", "Hop-by-hop options"),
    ROUTING: ("routing", "Routing header"),
    FRAGMENT: ("fragment", "Fragment header"),
    AUTHENTICATION: ("authentication", "Authentication header"),
    DESTINATION_OPTIONS: ("destination_options", "Destination options"),
}
NEXT_HEADERS = IP_PROTOCOLS | {number: label for number, (_, label) in EXTENSIONS.items()}
OPTIONS = {0: "Pad1", 1: "PadN", 5: "Router alert", 0xC2: "Jumbo payload"}


def dissect(block: Block) -> Next:
    """The fixed header and every extension header that follows."""
    word = block.peek(4)
    block.take(4)
    block.add("version", "Version", str(word >> 28), 4)
    block.add("traffic_class", "Traffic class", f"0x{word >> 20 & 0xFF:02x}", 4)
    block.add("flow_label", "Flow label", f"0x{word & 0xFFFFF:05x}", 4)
    if word >> 28 != 6:
        raise Malformed("the version is not 6")
    length = block.number("payload_length", "Payload length", 2)
    following = block.number("next_header", "Next header", 1, named(NEXT_HEADERS))
    block.number("hop_limit", "Hop limit", 1)
    source = block.ipv6("source", "Source")
    destination = block.ipv6("destination", "Destination")
    block.summary = f"{source} → {destination}"
    end = block.position + length if length else block.start + block.packet.length  # 0: jumbogram
    block.end = min(block.end, end)
    following, whole, first = _extensions(block, following)
    addresses = block.packet.data[block.start + 8 : block.start + 40]
    block.packet.pseudo = addresses if whole and not block.packet.quoted else None
    key = IP_PROTOCOL_KEYS.get(following, "data") if first else "data"
    return Next(key, block.position, end)


def _extensions(block: Block, following: int) -> tuple[int, bool, bool]:
    """Return the upper protocol, whether the packet is whole, and holds the first byte of it."""
    whole = first = True
    while following in EXTENSIONS and first:  # each header takes at least 8 bytes
        name, label = EXTENSIONS[following]
        kind = following
        with block.group(name, label) as group:
            following = block.number("next_header", "Next header", 1, named(NEXT_HEADERS))
            group.value = NEXT_HEADERS.get(following, str(following))
            if kind == FRAGMENT:
                offset, more = _fragment(block)
                whole, first = not offset and not more, not offset
            else:
                _body(block, kind)
    return following, whole, first


def _fragment(block: Block) -> tuple[int, bool]:
    block.take(1)
    value = block.peek(2)
    block.take(2)
    block.add("offset", "Offset", str(value & 0xFFF8), 2)
    block.add("more_fragments", "More fragments", flag(value & 1), 2)
    block.number("id", "Identification", 4, lambda number: f"0x{number:08x}")
    return value & 0xFFF8, bool(value & 1)


def _body(block: Block, kind: int) -> None:
    units = block.number("length", "Length", 1)
    size = (units + 2) * 4 if kind == AUTHENTICATION else (units + 1) * 8
    end = block.position - 2 + size
    if kind not in (HOP_BY_HOP, DESTINATION_OPTIONS):
        block.raw("data", "Data", size - 2, bytes.hex)
        return
    while block.position < end:
        option = block.peek(1)
        length = 0 if option == 0 else block.peek(1, 1)
        body = block.take(1 if option == 0 else 2 + length)[2:]
        if block.position > end:
            raise Malformed("an option runs past its header")
        block.add(f"option_{option}", OPTIONS.get(option, f"Option {option}"), body.hex(),
                  1 if option == 0 else 2 + length)  # fmt: skip


def upper(data: bytes, at: int, following: int) -> tuple[int, int, int]:
    """Return protocol, position and fragment offset of the transport header after ``at``.

    The fast twin of `dissect`. IndexError when the data ends in an extension header.
    """
    while following in EXTENSIONS:
        kind, following = following, data[at]
        if kind == FRAGMENT:
            offset = (data[at + 2] << 8 | data[at + 3]) & 0xFFF8
            at += 8
            if offset:
                return following, at, offset
        elif kind == AUTHENTICATION:
            at += (data[at + 1] + 2) * 4
        else:
            at += (data[at + 1] + 1) * 8
    return following, at, 0
