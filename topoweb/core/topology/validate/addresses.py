"""Addresses of interfaces: usable, private, and each on one interface."""

from __future__ import annotations

from functools import lru_cache
from ipaddress import ip_network
from typing import TYPE_CHECKING

from topoweb.core.topology import prefixes
from topoweb.core.topology.index import bridge_mtu, is_port
from topoweb.core.topology.onlink import BRIDGE, OnLink
from topoweb.core.topology.validate.codes import problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from topoweb.core.topology.problem import Problem

IPV6_MIN_MTU = 1280  # RFC 8200 §5
# Addresses that no stranger on the Internet has: RFC 1918, 6598, 3927, 5737, 2544; RFC 4193,
# 4291, 3849, 9637.
NOT_PUBLIC = tuple(
    ip_network(text)
    for text in (
        *("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16"),
        *("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "198.18.0.0/15"),
        *("fc00::/7", "fe80::/10", "2001:db8::/32", "3fff::/20"),
    )
)


def check(drawing: OnLink) -> Iterator[Problem]:
    """Check all addresses, of interfaces and of bridges."""
    topology = drawing.topology
    seen: dict[str, str] = {}
    for key, item in topology.interfaces.items():
        name = f"{topology.nodes[item.node].name}:{item.name}"
        path = f"/interfaces/{key}"
        yield from _addresses(item.addresses, f"{path}/addresses", name, seen)
        yield from _ipv6_mtu(item.addresses, item.mtu, f"{path}/mtu", name)
        if item.addresses and is_port(topology, key):
            words = {"name": name, "address": item.addresses[0]}
            yield problem("address-on-port", f"{path}/addresses", **words)
    for key, node in topology.nodes.items():
        if node.kind == "switch" and node.addresses:
            name, path = f"{node.name}:{BRIDGE}", f"/nodes/{key}/addresses"
            yield from _addresses(node.addresses, path, name, seen)
            mtu = bridge_mtu(topology, drawing.index, key)
            yield from _ipv6_mtu(node.addresses, mtu, path, name)


def _addresses(
    texts: Iterable[str], path: str, name: str, seen: dict[str, str]
) -> Iterator[Problem]:
    for number, text in enumerate(texts):
        yield from _address(text, f"{path}/{number}", name, seen)


def _ipv6_mtu(texts: Iterable[str], mtu: int, path: str, name: str) -> Iterator[Problem]:
    if mtu < IPV6_MIN_MTU and any(":" in text for text in texts):
        yield problem("ipv6-mtu", path, name=name, mtu=mtu)


def _address(text: str, path: str, name: str, seen: dict[str, str]) -> Iterator[Problem]:
    code, usable = _kind(text)
    if code:
        words = {"usable": usable} if usable else {}
        yield problem(code, path, address=text, **words)
    alone = text.partition("/")[0]
    link_local = alone.startswith("fe80:")  # may repeat: each link has its own
    if alone in seen and not link_local:
        yield problem("address-duplicate", path, address=alone, other=seen[alone])
    seen.setdefault(alone, name)


@lru_cache(65536)
def _kind(text: str) -> tuple[str, str]:
    """Return what is wrong with an address by itself ("" when nothing is) and a better one."""
    parsed = prefixes.interface(text)
    address, network = parsed.ip, parsed.network
    if address.is_multicast or address.is_unspecified or address.is_loopback:
        return "address-unusable", ""
    if address.version == 4:
        if int(address) == 0xFFFFFFFF:
            return "address-unusable", ""
        if network.prefixlen < 31 and address == network.network_address:
            return "address-is-network", str(address + 1)
        if network.prefixlen < 31 and address == network.broadcast_address:
            return "address-is-broadcast", str(address - 1)
    if not any(address in known for known in NOT_PUBLIC if known.version == address.version):
        return "address-public", ""
    return "", ""
