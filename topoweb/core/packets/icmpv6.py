"""ICMPv6 (RFC 4443), neighbour discovery (RFC 4861) and MLD (RFC 2710, 3810)."""

from __future__ import annotations

from topoweb.core.packets.addresses import ipv6_text
from topoweb.core.packets.block import Block, flag, named
from topoweb.core.packets.checksum import add_checksum, transport_status
from topoweb.core.packets.layer import Malformed, Next
from topoweb.core.packets.numbers import ICMPV6

ECHO_REQUEST, ECHO_REPLY, MLD_REPORT_V2, MLD_QUERY = 128, 129, 143, 130
RS, RA, NS, NA, REDIRECT = 133, 134, 135, 136, 137
UNREACHABLE, TOO_BIG, TIME_EXCEEDED, PARAMETER = 1, 2, 3, 4

TYPES = {
    1: "destination unreachable", 2: "packet too big", 3: "time exceeded", 4: "parameter problem",
    128: "echo request", 129: "echo reply", 130: "multicast listener query",
    131: "multicast listener report", 132: "multicast listener done", 133: "router solicitation",
    134: "router advertisement", 135: "neighbour solicitation", 136: "neighbour advertisement",
    137: "redirect", 143: "multicast listener report v2",
}  # fmt: skip
CODES = {
    UNREACHABLE: {
        0: "no route to destination", 1: "administratively prohibited", 2: "beyond source's scope",
        3: "address unreachable", 4: "port unreachable", 5: "source address failed policy",
        6: "route rejected",
    },
    TIME_EXCEEDED: {0: "hop limit exceeded in transit", 1: "fragment reassembly time exceeded"},
}  # fmt: skip
OPTIONS = {1: "Source link-layer address", 2: "Target link-layer address", 3: "Prefix information",
           4: "Redirected header", 5: "MTU", 14: "Nonce", 24: "Route information",
           25: "Recursive DNS server", 31: "DNS search list"}  # fmt: skip
RECORDS = {1: "is include", 2: "is exclude", 3: "to include", 4: "to exclude", 5: "allow",
           6: "block"}  # fmt: skip


def dissect(block: Block) -> Next | None:
    """Type, code, checksum, the rest by type."""
    kind = block.number("type", "Type", 1, named(TYPES))
    code = block.number("code", "Code", 1, named(CODES.get(kind, {})))
    block.summary = describe(kind, code)
    size = block.end - block.start if block.packet.length <= len(block.packet.data) else 1 << 30
    add_checksum(block, transport_status(block, ICMPV6, block.peek(2), size))
    if kind in (ECHO_REQUEST, ECHO_REPLY):
        identifier = block.number("id", "Identifier", 2)
        block.summary += f" id {identifier} seq {block.number('sequence', 'Sequence', 2)}"
        return Next("data", block.position, block.end) if block.left else None
    if kind < 128:
        shown = ("mtu", "MTU") if kind == TOO_BIG else ("rest", "Rest of header")
        block.number(*shown, 4)
        block.packet.quoted = True
        return Next("ipv6", block.position, block.end)
    body = BODIES.get(kind)
    if body:
        body(block)
    elif block.left:
        return Next("data", block.position, block.end)
    return None


def _router_solicitation(block: Block) -> None:
    block.take(4)
    _options(block)


def _router_advertisement(block: Block) -> None:
    block.number("hop_limit", "Hop limit", 1)
    bits = block.peek(1)
    block.take(1)
    block.add("managed", "Managed addresses", flag(bits & 0x80), 1)
    block.add("other", "Other configuration", flag(bits & 0x40), 1)
    block.number("lifetime", "Router lifetime", 2, lambda seconds: f"{seconds} s")
    block.number("reachable_time", "Reachable time", 4, lambda value: f"{value} ms")
    block.number("retransmit_timer", "Retransmit timer", 4, lambda value: f"{value} ms")
    _options(block)


def _neighbour_solicitation(block: Block) -> None:
    block.take(4)
    target = block.ipv6("target", "Target")
    block.summary = f"neighbour solicitation for {target}"
    _options(block)


def _neighbour_advertisement(block: Block) -> None:
    bits = block.peek(4)
    block.take(4)
    for mask, name, label in (
        (1 << 31, "router", "Router"),
        (1 << 30, "solicited", "Solicited"),
        (1 << 29, "override", "Override"),
    ):
        block.add(name, label, flag(bits & mask), 4)
    block.summary = f"neighbour advertisement {block.ipv6('target', 'Target')}"
    _options(block)


def _redirect(block: Block) -> None:
    block.take(4)
    block.ipv6("target", "Target")
    block.ipv6("redirect_destination", "Destination")
    _options(block)


def _listener(block: Block) -> None:
    block.number("max_delay", "Maximum response delay", 2)
    block.take(2)
    block.summary += f" {block.ipv6('group', 'Group')}"
    if block.left:
        block.raw("data", "Data", block.left, bytes.hex)


def _listener_report(block: Block) -> None:
    block.take(2)
    for _ in range(block.number("records", "Records", 2)):
        with block.group("record", "Record") as group:
            kind = block.number("record_type", "Type", 1, named(RECORDS))
            extra = block.number("auxiliary_length", "Auxiliary length", 1) * 4
            sources = block.number("sources", "Sources", 2)
            group.value = f"{RECORDS.get(kind, kind)} {block.ipv6('group', 'Group')}"
            for _ in range(sources):
                block.ipv6("source", "Source")
            block.take(extra)


def _options(block: Block) -> None:
    while block.left:
        kind, units = block.peek(1), block.peek(1, 1)
        if units == 0:
            raise Malformed("an option has length 0")
        with block.group(f"option_{kind}", OPTIONS.get(kind, f"Option {kind}")) as group:
            group.value = _option_text(kind, block.take(units * 8)[2:])


def _option_text(kind: int, body: bytes) -> str:
    if kind in (1, 2):
        return body[:6].hex(":")
    if kind == 3 and len(body) >= 30:
        bits = (" on-link" if body[1] & 0x80 else "") + (" autonomous" if body[1] & 0x40 else "")
        return f"{ipv6_text(body[14:30])}/{body[0]}{bits}"
    if kind == 5:
        return str(int.from_bytes(body[2:6], "big"))
    return body.hex()


BODIES = {
    RS: _router_solicitation, RA: _router_advertisement, NS: _neighbour_solicitation,
    NA: _neighbour_advertisement, REDIRECT: _redirect, MLD_QUERY: _listener, 131: _listener,
    132: _listener, MLD_REPORT_V2: _listener_report,
}  # fmt: skip


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
    if kind in (NS, NA) and len(data) >= at + 24:
        target = ipv6_text(data[at + 8 : at + 24])
        return f"{text} {'for ' if kind == NS else ''}{target}"
    if kind == TOO_BIG:
        return f"{text} mtu {int.from_bytes(data[at + 4 : at + 8], 'big')}"
    return text
