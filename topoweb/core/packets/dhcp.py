"""DHCP for IPv4 (RFC 2131, options of RFC 2132)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from topoweb.core.packets.addresses import ipv4_text
from topoweb.core.packets.block import Block, flag, named
from topoweb.core.packets.layer import Malformed

if TYPE_CHECKING:
    from collections.abc import Callable

COOKIE = b"\x63\x82\x53\x63"
FIXED = 236  # bytes before the cookie
MESSAGES = {1: "Discover", 2: "Offer", 3: "Request", 4: "Decline", 5: "ACK", 6: "NAK",
            7: "Release", 8: "Inform"}  # fmt: skip
PAD, MESSAGE_TYPE, END = 0, 53, 255
OPTIONS = {
    1: "Subnet mask", 3: "Router", 6: "DNS server", 12: "Host name", 15: "Domain name",
    26: "Interface MTU", 28: "Broadcast address", 42: "NTP server", 43: "Vendor information",
    50: "Requested address", 51: "Lease time", MESSAGE_TYPE: "Message type", 54: "Server",
    55: "Parameter request list", 56: "Message", 57: "Maximum message size", 58: "Renewal time",
    59: "Rebinding time", 60: "Vendor class", 61: "Client identifier", 66: "TFTP server",
    67: "Boot file", 80: "Rapid commit", 81: "Client FQDN", 82: "Relay agent",
    119: "Domain search", 121: "Static routes",
}  # fmt: skip
ADDRESSES = (1, 3, 6, 28, 42, 50, 54)
TEXTS = (12, 15, 56, 60, 66, 67)
SECONDS = (51, 58, 59)
SIZES = (26, 57)


def dissect(block: Block) -> None:
    """The BOOTP header and the options."""
    start = block.position
    block.number("op", "Operation", 1, named({1: "request", 2: "reply"}))
    block.number("hardware_type", "Hardware type", 1, named({1: "Ethernet"}))
    block.number("hardware_size", "Hardware address length", 1)
    block.number("hops", "Hops", 1)
    transaction = block.number("xid", "Transaction id", 4, lambda value: f"0x{value:08x}")
    block.number("seconds", "Seconds elapsed", 2)
    bits = block.peek(2)
    block.take(2)
    block.add("broadcast", "Broadcast", flag(bits & 0x8000), 2)
    block.ipv4("client_ip", "Client address")
    block.ipv4("your_ip", "Your address")
    block.ipv4("server_ip", "Next server address")
    block.ipv4("relay_ip", "Relay address")
    block.mac("client_mac", "Client MAC")
    block.summary = f"transaction 0x{transaction:08x}"
    block.take(10 + 64 + 128)  # rest of chaddr, sname, file
    if block.take(4) != COOKIE or block.position - start != FIXED + 4:
        raise Malformed("the DHCP cookie is missing")
    block.add("cookie", "Magic cookie", COOKIE.hex(), 4)
    _options(block, transaction)


def _options(block: Block, transaction: int) -> None:
    with block.group("options", "Options") as group:
        start = block.position
        while block.left:
            kind = block.take(1)[0]
            if kind == PAD:
                continue
            if kind == END:
                block.add("option_255", "End of options", "", 1)
                break
            size = block.take(1)[0]
            body = block.take(size)
            label = OPTIONS.get(kind, f"Option {kind}")
            block.add(f"option_{kind}", label, _option_text(kind, body), size + 2)
            if kind == MESSAGE_TYPE and body:
                block.summary = f"{MESSAGES.get(body[0], body[0])} transaction 0x{transaction:08x}"
        group.value = f"{block.position - start} bytes"


def _option_text(kind: int, body: bytes) -> str:
    show = SHOWN.get(kind)
    return show(body) if show and body else body.hex()


def _addresses(body: bytes) -> str:
    return ", ".join(ipv4_text(body[i : i + 4]) for i in range(0, len(body) - 3, 4))


def _text(body: bytes) -> str:
    return "".join(chr(b) if 32 <= b < 127 else "." for b in body)


SHOWN: dict[int, Callable[[bytes], str]] = {
    MESSAGE_TYPE: lambda body: named(MESSAGES)(body[0]),
    55: lambda body: ", ".join(OPTIONS.get(b, str(b)) for b in body),
    **dict.fromkeys(ADDRESSES, _addresses),
    **dict.fromkeys(TEXTS, _text),
    **dict.fromkeys(SECONDS, lambda body: f"{int.from_bytes(body, 'big')} s"),
    **dict.fromkeys(SIZES, lambda body: str(int.from_bytes(body, "big"))),
}


def brief(data: bytes, at: int, end: int) -> tuple[str, str]:
    """Return ``("DHCP", info)``."""
    transaction = data[at + 4 : at + 8].hex()
    position = at + FIXED + 4
    while position + 2 < end:
        kind = data[position]
        if kind == END:
            break
        if kind == MESSAGE_TYPE:
            message = MESSAGES.get(data[position + 2], str(data[position + 2]))
            return "DHCP", f"{message} transaction 0x{transaction}"
        position += 1 if kind == PAD else 2 + data[position + 1]
    return "DHCP", f"transaction 0x{transaction}"
