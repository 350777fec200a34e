"""Addresses and prefixes as canonical text, the way the kernel and ``ip`` write them.

Parsing is cached: a drawing names the same few addresses again and again, and `ipaddress` costs
microseconds each time. All functions raise ValueError for what is not what they ask for.
"""

from __future__ import annotations

import re
from functools import lru_cache
from ipaddress import (
    IPv4Address,
    IPv4Interface,
    IPv4Network,
    IPv6Address,
    IPv6Interface,
    IPv6Network,
    ip_address,
    ip_interface,
    ip_network,
)
from typing import TypeVar

_ADDRESS = re.compile(r"[0-9a-fA-F:.]{2,45}", re.ASCII)
_WITH_LENGTH = re.compile(r"[0-9a-fA-F:.]{2,45}/(0|[1-9][0-9]{0,2})", re.ASCII)
_LABEL = r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"  # RFC 1123 §2.1
_DOMAIN = re.compile(rf"{_LABEL}(\.{_LABEL})*", re.ASCII)
_CACHE = 65536

Address = IPv4Address | IPv6Address
Interface = IPv4Interface | IPv6Interface
Network = IPv4Network | IPv6Network
_AnyAddress = TypeVar("_AnyAddress", bound=Address)


@lru_cache(_CACHE)
def interface(text: str) -> Interface:
    """Parse "10.0.1.11/24": an address with the length of its prefix."""
    if not _WITH_LENGTH.fullmatch(text):
        raise ValueError(f"{text!r} is not an address with a prefix length")
    return _plain(ip_interface(text))


@lru_cache(_CACHE)
def network(text: str) -> Network:
    """Parse a route's prefix. Host bits are cleared; a bare address is a host route."""
    if not (_WITH_LENGTH.fullmatch(text) or _ADDRESS.fullmatch(text)):
        raise ValueError(f"{text!r} is not a prefix")
    parsed = ip_network(text, strict=False)
    _plain(parsed.network_address)
    return parsed


@lru_cache(_CACHE)
def host(text: str) -> Address:
    """Parse an address without a length, as a next hop is written."""
    if not _ADDRESS.fullmatch(text):
        raise ValueError(f"{text!r} is not an address")
    return _plain(ip_address(text))


def domain(text: str) -> str:
    """Return a DNS name in lower case, "www.example.net"; at most 253 characters (RFC 1035)."""
    if len(text) > 253 or not _DOMAIN.fullmatch(text):
        raise ValueError(f"{text!r} is not a name for DNS")
    return text.lower()


def canonical_mac(text: str) -> str:
    """Return "02:00:00:00:00:01" for that, "02-00-00-00-00-01", and upper case."""
    if not re.fullmatch(r"[0-9a-fA-F]{2}(([:-])[0-9a-fA-F]{2})(\2[0-9a-fA-F]{2}){4}", text):
        raise ValueError(f"{text!r} is not a MAC address")
    return text.replace("-", ":").lower()


def _plain(address: _AnyAddress) -> _AnyAddress:
    """Refuse IPv6 forms with an IPv4 address inside: programs disagree on how to write them."""
    number = int(address)
    if address.version == 6 and (number >> 32 == 0xFFFF or 0xFFFF < number < 1 << 32):
        raise ValueError(f"{address} holds an IPv4 address")
    return address
