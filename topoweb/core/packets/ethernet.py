"""Ethernet II and IEEE 802.3, and the 802.1Q tag."""

from __future__ import annotations

from topoweb.core.packets.block import Block, flag, hex16
from topoweb.core.packets.layer import Next
from topoweb.core.packets.numbers import ETHERTYPE_KEYS, ETHERTYPES, LLC_BELOW


def dissect(block: Block) -> Next:
    """Destination, source, type or length."""
    destination = block.mac("destination", "Destination")
    source = block.mac("source", "Source")
    block.summary = f"{source} → {destination}"
    return _next(block)


def dissect_vlan(block: Block) -> Next:
    """Tag control information and the inner type (IEEE 802.1Q §9.6)."""
    control = block.peek(2)
    block.take(2)
    block.add("priority", "Priority", str(control >> 13), 2)
    block.add("drop_eligible", "Drop eligible", flag(control & 0x1000), 2)
    block.add("id", "VLAN", str(control & 0x0FFF), 2)
    block.summary = f"VLAN {control & 0x0FFF}"
    return _next(block)


def _next(block: Block) -> Next:
    kind = block.peek(2)
    if kind < LLC_BELOW:
        block.number("length", "Length", 2)
        return Next("llc", block.position, block.position + kind)
    block.number("type", "Type", 2, _type_text)
    return Next(ETHERTYPE_KEYS.get(kind, "data"), block.position, block.end)


def _type_text(kind: int) -> str:
    name = ETHERTYPES.get(kind)
    return f"{name} ({hex16(kind)})" if name else hex16(kind)
