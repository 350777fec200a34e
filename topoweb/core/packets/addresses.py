"""Addresses as text. Labs have few addresses, so a small cache makes this nearly free."""

from __future__ import annotations

from functools import lru_cache
from ipaddress import IPv6Address


@lru_cache(4096)
def ipv4_text(data: bytes) -> str:
    """Return 4 bytes as ``10.0.0.1``."""
    return ".".join(map(str, data))


@lru_cache(4096)
def ipv6_text(data: bytes) -> str:
    """Return 16 bytes as RFC 5952 text."""
    return str(IPv6Address(data))
