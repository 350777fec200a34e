"""The Internet checksum (RFC 1071) and what to say of one that a capture shows."""

from __future__ import annotations

from topoweb.core.packets.block import Block, hex16
from topoweb.core.packets.layer import Field


def ones_sum(data: bytes) -> int:
    """Return the one's complement sum modulo 0xffff (0 and 0xffff are the same sum)."""
    return int.from_bytes(data + b"\0" if len(data) & 1 else data, "big") % 0xFFFF


def add_checksum(block: Block, status: str) -> None:
    """Read the two checksum bytes and add a field with its status below."""
    value = int.from_bytes(block.take(2), "big")
    at = block.position
    below = (Field("checksum_status", "Checksum status", status, at - 2, at),)
    block.add("checksum", "Checksum", hex16(value), 2, below)


def status_of(stored: int, covered: bytes, pseudo: bytes = b"") -> str:
    """Say whether ``stored`` (part of ``covered``) is right.

    A sender that leaves the checksum to the device stores the pseudo-header's bare sum
    (CHECKSUM_PARTIAL, include/linux/skbuff.h). On veth no device ever finishes it.
    """
    total = (ones_sum(covered) + ones_sum(pseudo)) % 0xFFFF
    if total == 0:
        return "good"
    if pseudo and stored % 0xFFFF == ones_sum(pseudo):
        return "not filled in yet (offload)"
    wanted = 0xFFFF - (total - stored) % 0xFFFF
    return f"bad, should be {hex16(wanted)}"


def transport_status(block: Block, protocol: int, stored: int, size: int) -> str:
    """Check a TCP, UDP or ICMPv6 checksum over the segment of ``size`` bytes at ``block.start``."""
    if block.packet.pseudo is None:
        return (
            "not checked (fragment)" if not block.packet.quoted else "not checked (quoted packet)"
        )
    segment = block.packet.data[block.start : block.start + size]
    if len(segment) < size:
        return "not checked (cut off by the capture)"
    pseudo = block.packet.pseudo + size.to_bytes(4, "big") + protocol.to_bytes(4, "big")
    return status_of(stored, segment, pseudo)
