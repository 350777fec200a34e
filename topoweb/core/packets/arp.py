"""ARP for IPv4 over Ethernet (RFC 826)."""

from __future__ import annotations

from topoweb.core.packets.addresses import ipv4_text
from topoweb.core.packets.block import Block, hex16, named
from topoweb.core.packets.layer import Malformed

OPERATIONS = {1: "request", 2: "reply", 3: "reverse request", 4: "reverse reply"}


def dissect(block: Block) -> None:
    """The fixed header and both pairs of addresses."""
    block.number("hardware_type", "Hardware type", 2, named({1: "Ethernet"}))
    block.number("protocol_type", "Protocol type", 2, hex16)
    sizes = (
        block.number("hardware_size", "Hardware size", 1),
        block.number("protocol_size", "Protocol size", 1),
    )
    operation = block.number("operation", "Operation", 2, named(OPERATIONS))
    if sizes != (6, 4):
        raise Malformed("addresses are not Ethernet and IPv4")
    sender_mac = block.mac("sender_mac", "Sender MAC")
    sender = block.ipv4("sender_ip", "Sender IP")
    block.mac("target_mac", "Target MAC")
    target = block.ipv4("target_ip", "Target IP")
    block.summary = _text(operation, sender_mac, sender, target)


def brief(data: bytes, at: int) -> str:
    """Return the info text of the ARP packet at ``at``. IndexError when it is cut off."""
    if len(data) < at + 28:
        raise IndexError
    return _text(
        data[at + 7],
        data[at + 8 : at + 14].hex(":"),
        ipv4_text(data[at + 14 : at + 18]),
        ipv4_text(data[at + 24 : at + 28]),
    )


def _text(operation: int, sender_mac: str, sender: str, target: str) -> str:
    if operation == 1:
        if sender == target:
            return f"announcement: {sender} is at {sender_mac}"
        if sender == "0.0.0.0":  # noqa: S104 - an address probe (RFC 5227), not a bind
            return f"who has {target}? (probe)"
        return f"who has {target}? tell {sender}"
    if operation == 2:
        return f"{sender} is at {sender_mac}"
    return f"operation {operation} {sender} → {target}"
