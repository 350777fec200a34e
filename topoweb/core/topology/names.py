"""Names and identities that are derived, not drawn."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

TAG_BYTES = 255  # IFALIASZ - 1, include/uapi/linux/if.h
_NODE_PREFIX = {"host": "h", "router": "r", "switch": "sw", "uplink": "up"}


def next_node_name(kind: str, taken: Iterable[str]) -> str:
    """Return the first free name of a kind: h1, h2 …, r1 …, sw1 …"""
    return _next(_NODE_PREFIX[kind], 1, taken)


def next_interface_name(kind: str, taken: Iterable[str]) -> str:
    """Return the first free interface name of a node of that kind: eth0 …, on switches p1 …"""
    return _next("p", 1, taken) if kind == "switch" else _next("eth", 0, taken)


def derived_mac(lab: int, interface: str) -> str:
    """Return the MAC of an interface that has none drawn.

    Always the same for the same lab and interface id; locally administered and unicast
    (IEEE 802 §8.4: bit 1 of the first byte set, bit 0 clear).
    """
    digest = hashlib.blake2b(f"{lab}/{interface}".encode(), digest_size=6).digest()
    return bytes((digest[0] & 0xFC | 0x02, *digest[1:])).hex(":")


def kernel_tag(lab: int, owner: str, end: str) -> str:
    """Return the ifalias that marks a device as ours: ``topoweb:<lab>:<link or node>:<end>``."""
    tag = f"topoweb:{lab}:{owner}:{end}"
    if len(tag.encode()) > TAG_BYTES:
        raise ValueError(f"tag of {len(tag)} bytes is over {TAG_BYTES}")
    return tag


def _next(prefix: str, number: int, taken: Iterable[str]) -> str:
    used = set(taken)
    while f"{prefix}{number}" in used:
        number += 1
    return f"{prefix}{number}"
