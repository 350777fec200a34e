"""ICMP (RFC 792, 4884) with the packet that an error quotes."""

from __future__ import annotations

from topoweb.core.packets.block import Block, named
from topoweb.core.packets.checksum import add_checksum, status_of
from topoweb.core.packets.layer import Next

ECHO_REPLY, UNREACHABLE, REDIRECT, ECHO_REQUEST, TIME_EXCEEDED, PARAMETER = 0, 3, 5, 8, 11, 12
QUOTING = (UNREACHABLE, 4, REDIRECT, TIME_EXCEEDED, PARAMETER)

TYPES = {
    0: "echo reply", 3: "destination unreachable", 4: "source quench", 5: "redirect",
    8: "echo request", 9: "router advertisement", 10: "router solicitation", 11: "time exceeded",
    12: "parameter problem", 13: "timestamp request", 14: "timestamp reply",
}  # fmt: skip
UNREACHABLE_CODES = {
    0: "network unreachable", 1: "host unreachable", 2: "protocol unreachable",
    3: "port unreachable", 4: "fragmentation needed", 5: "source route failed",
    6: "network unknown", 7: "host unknown", 9: "network prohibited", 10: "host prohibited",
    11: "network unreachable for TOS", 12: "host unreachable for TOS",
    13: "administratively filtered",
}  # fmt: skip
CODES = {
    UNREACHABLE: UNREACHABLE_CODES,
    REDIRECT: {0: "redirect for network", 1: "redirect for host"},
    TIME_EXCEEDED: {0: "time to live exceeded in transit", 1: "fragment reassembly time exceeded"},
}


def dissect(block: Block) -> Next | None:
    """Type, code, checksum, the rest by type."""
    kind = block.number("type", "Type", 1, named(TYPES))
    code = block.number("code", "Code", 1, named(CODES.get(kind, {})))
    block.summary = describe(kind, code)
    add_checksum(block, _status(block))
    if kind in (ECHO_REQUEST, ECHO_REPLY):
        identifier = block.number("id", "Identifier", 2)
        sequence = block.number("sequence", "Sequence", 2)
        block.summary += f" id {identifier} seq {sequence}"
    elif kind == UNREACHABLE and code == 4:
        block.take(2)
        block.number("mtu", "Next-hop MTU", 2)
    elif kind == REDIRECT:
        block.ipv4("gateway", "Gateway")
    else:
        block.raw("rest", "Rest of header", 4, bytes.hex)
    if kind in QUOTING:
        block.packet.quoted = True
        return Next("ipv4", block.position, block.end)
    return Next("data", block.position, block.end) if block.left else None


def _status(block: Block) -> str:
    """ICMP has no pseudo-header, but a whole packet is needed to check its sum."""
    if block.packet.pseudo is None:
        return "not checked (quoted packet)" if block.packet.quoted else "not checked (fragment)"
    if block.packet.length > len(block.packet.data):
        return "not checked (cut off by the capture)"
    return status_of(block.peek(2), block.packet.data[block.start : block.end])


def describe(kind: int, code: int) -> str:
    """Return type and code in words."""
    return CODES.get(kind, {}).get(code) or TYPES.get(kind) or f"type {kind} code {code}"


def brief(data: bytes, at: int, ttl: int) -> str:
    """Return the info text of the message at ``at``. IndexError when it is cut off."""
    kind = data[at]
    text = describe(kind, data[at + 1])
    if kind in (ECHO_REQUEST, ECHO_REPLY):
        identifier, sequence = data[at + 4] << 8 | data[at + 5], data[at + 6] << 8 | data[at + 7]
        return f"{text} id {identifier} seq {sequence} ttl {ttl}"
    if kind == UNREACHABLE and data[at + 1] == 4:
        return f"{text} mtu {data[at + 6] << 8 | data[at + 7]}"
    return text
