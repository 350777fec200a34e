"""UDP (RFC 768) and which ports carry a protocol that we know."""

from __future__ import annotations

from typing import TYPE_CHECKING

from topoweb.core.packets import dhcp, dns
from topoweb.core.packets.checksum import add_checksum, transport_status
from topoweb.core.packets.layer import Malformed, Next
from topoweb.core.packets.numbers import UDP

if TYPE_CHECKING:
    from topoweb.core.packets.block import Block

PORT_KEYS = {53: "dns", 5353: "dns", 67: "dhcp", 68: "dhcp"}
BRIEFS = {53: dns.brief, 5353: dns.brief, 67: dhcp.brief, 68: dhcp.brief}


def dissect(block: Block) -> Next | None:
    """Ports, length, checksum."""
    source = block.number("source_port", "Source port", 2)
    destination = block.number("destination_port", "Destination port", 2)
    length = block.number("length", "Length", 2)
    stored = block.peek(2)
    if stored == 0 and block.packet.pseudo is not None and len(block.packet.pseudo) == 8:
        add_checksum(block, "none (not used)")
    else:
        size = length or block.packet.length - block.start  # 0: a datagram of more than 64 KiB
        add_checksum(block, transport_status(block, UDP, stored, size))
    block.summary = f"{source} → {destination}"
    if 0 < length < 8:
        raise Malformed("the length is under 8 bytes")
    end = block.start + length if length else block.end
    key = PORT_KEYS.get(destination) or PORT_KEYS.get(source) or "data"
    return Next(key, block.position, min(end, block.end)) if block.left else None


def brief(data: bytes, at: int, end: int) -> tuple[str, str]:
    """Return protocol and info text of the datagram. IndexError when it is cut off."""
    source, destination = data[at] << 8 | data[at + 1], data[at + 2] << 8 | data[at + 3]
    length = data[at + 4] << 8 | data[at + 5]
    upper = BRIEFS.get(destination) or BRIEFS.get(source)
    if upper and end - at >= 20:
        return upper(data, at + 8, end)
    return "UDP", f"{source} → {destination} len {length - 8}"
