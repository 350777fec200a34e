"""The driver: from the Ethernet header up, one dissector after the other."""

from __future__ import annotations

from collections.abc import Callable

from topoweb.core.packets import (
    arp,
    data,
    dhcp,
    dns,
    ethernet,
    http,
    icmp,
    icmpv6,
    ipv4,
    ipv6,
    stp,
    tcp,
    udp,
)
from topoweb.core.packets.block import Block, Packet
from topoweb.core.packets.layer import Field, Layer, Malformed, Next, Truncated

Dissect = Callable[[Block], Next | None]

DISSECTORS: dict[str, tuple[str, Dissect]] = {
    "ethernet": ("Ethernet", ethernet.dissect),
    "vlan": ("VLAN", ethernet.dissect_vlan),
    "llc": ("LLC", stp.dissect_llc),
    "stp": ("STP", stp.dissect),
    "arp": ("ARP", arp.dissect),
    "ipv4": ("IPv4", ipv4.dissect),
    "ipv6": ("IPv6", ipv6.dissect),
    "icmp": ("ICMP", icmp.dissect),
    "icmpv6": ("ICMPv6", icmpv6.dissect),
    "udp": ("UDP", udp.dissect),
    "tcp": ("TCP", tcp.dissect),
    "dns": ("DNS", dns.dissect),
    "dns_tcp": ("DNS", dns.dissect_tcp),
    "dhcp": ("DHCP", dhcp.dissect),
    "http": ("HTTP", http.dissect),
    "data": ("Data", data.dissect),
}
LAYERS_MAX = 32  # a frame could be all VLAN tags


def decode(frame: bytes, length: int) -> tuple[Layer, ...]:
    """Return the layers of a frame of ``length`` bytes of which ``frame`` was captured.

    Never raises. What cannot be read is said so by a field ``malformed`` or ``cut_off``.
    """
    packet = Packet(frame, max(length, len(frame)))
    layers: list[Layer] = []
    step: Next | None = Next("ethernet", 0, len(frame))
    end = len(frame)
    while step is not None and len(layers) < LAYERS_MAX:
        if step.protocol != "ethernet":
            end = step.end
        layer, step = _one(packet, step)
        layers.append(layer)
        if step is not None and step.start >= len(frame) >= packet.length:
            step = None  # nothing left, and nothing was cut off either
    if end < len(frame) and layers[-1].end >= end:
        layers.append(_padding(frame, end))
    return tuple(layers)


def _one(packet: Packet, step: Next) -> tuple[Layer, Next | None]:
    protocol, dissect = DISSECTORS[step.protocol]
    block = Block(protocol, packet, step.start, step.end)
    following: Next | None = None
    try:
        following = dissect(block)
    except Truncated:
        cut = packet.length > len(packet.data) and block.end == len(packet.data)
        _rest(block, *CUT) if cut or packet.quoted else _rest(block, *SHORT)
    except Malformed as error:
        _rest(block, "malformed", "Malformed", str(error))
    return block.layer(), following


CUT = ("cut_off", "Cut off", "the rest was not captured")
SHORT = ("malformed", "Malformed", "the packet ends before its header does")


def _rest(block: Block, name: str, label: str, text: str) -> None:
    """Mark all that was not read, and leave nothing for the next layer."""
    size = block.left
    block.take(size)
    block.add(name, label, text, size)


def _padding(frame: bytes, start: int) -> Layer:
    stop = len(frame)
    field = Field("padding", "Padding", frame[start:stop].hex(), start, stop)
    return Layer("Padding", start, stop, f"{stop - start} bytes", (field,))
