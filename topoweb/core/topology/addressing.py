"""Automatic addresses: a new cable gets a subnet, a gateway and default routes.

Routers and uplinks take .1 upwards, hosts .11 upwards, in the segment's own IPv4 subnet or else
in the next free 10.0.N.0/24. A host without a default route gets one by the first router of its
segment, also when that router is connected later. What a user set is never touched.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Interface, IPv4Network
from itertools import chain
from typing import TYPE_CHECKING

from topoweb.core.topology import prefixes
from topoweb.core.topology.index import is_port, segment
from topoweb.core.topology.model import Interface, Route, Topology

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from topoweb.core.topology.draft import Draft

FIRST_HOST = 11
DEFAULT = "0.0.0.0/0"
GATEWAYS = ("router", "uplink")
_POOL = int(IPv4Address("10.0.0.0"))  # cut in /24 blocks, numbered from 0
_BLOCKS = 1 << 16
_LARGEST = 16  # shortest prefix that a new segment gets


def auto_address(draft: Draft) -> None:
    """Address the interfaces that got a cable in ``draft``, and route what they connect."""
    subnets = _Subnets(draft)
    cabled = [key for key in dict.fromkeys(draft.cabled) if key in draft.objects("interfaces")]
    order = {key: number for number, key in enumerate(cabled)}
    done: set[str] = set()
    for start in cabled:
        if start not in done:
            members = segment(draft.topology(), draft.index, start)
            done.update(members)
            _segment(draft, members, order, subnets)


def _segment(
    draft: Draft, members: list[str], cabled: Mapping[str, int], subnets: _Subnets
) -> None:
    topology = draft.topology()
    ends = sorted(key for key in members if not is_port(topology, key))
    new = [key for key in ends if key in cabled and _bare(topology.interfaces[key])]
    used = _used(topology, members) if new else []
    subnet = (_existing(used) or subnets.allocate(len(ends))) if new else None
    if subnet is not None:
        taken = {int(address.ip) for address in used}
        for key in sorted(new, key=lambda key: (not _routes(topology, key), cabled[key])):
            number = _free(subnet, taken, 1 if _routes(topology, key) else FIRST_HOST)
            if number is not None:
                taken.add(number)
                address = f"{IPv4Address(number)}/{subnet.prefixlen}"
                draft.patch("interfaces", key, {"addresses": (address,)})
    _default_routes(draft, ends, cabled)


def _default_routes(draft: Draft, ends: list[str], cabled: Collection[str]) -> None:
    topology = draft.topology()
    routers = [
        address
        for key in ends
        if _routes(topology, key)
        for address in _ipv4(topology.interfaces[key].addresses)
    ]
    router_is_new = any(key in cabled and _routes(topology, key) for key in ends)
    for key in ends:
        node = topology.interfaces[key].node
        wanted = topology.nodes[node].kind == "host" and (router_is_new or key in cabled)
        if wanted and not _has_default(draft, node):
            gateway = _gateway(topology.interfaces[key], routers)
            if gateway:
                route = Route(node=node, prefix=DEFAULT, via=str(gateway))
                draft.add("routes", _free_id(draft, f"default-{node}"[:36]), route)


def _gateway(interface: Interface, routers: list[IPv4Interface]) -> IPv4Address | None:
    """Return the lowest router address in a network of the interface."""
    networks = [address.network for address in _ipv4(interface.addresses)]
    near = [router.ip for router in routers if any(router.ip in net for net in networks)]
    return min(near, default=None)


def _bare(interface: Interface) -> bool:
    return not interface.addresses and not interface.dhcp


def _routes(topology: Topology, interface: str) -> bool:
    return topology.nodes[topology.interfaces[interface].node].kind in GATEWAYS


def _ipv4(addresses: Iterable[str]) -> Iterator[IPv4Interface]:
    for text in addresses:
        address = prefixes.interface(text)
        if isinstance(address, IPv4Interface):
            yield address


def _used(topology: Topology, members: list[str]) -> list[IPv4Interface]:
    """Return the IPv4 addresses of a segment, those of its bridges included."""
    texts: list[str] = []
    bridges: set[str] = set()
    for key in members:
        if is_port(topology, key):
            bridges.add(topology.interfaces[key].node)
        else:
            texts += topology.interfaces[key].addresses
    for node in sorted(bridges):
        texts += topology.nodes[node].addresses
    return list(_ipv4(texts))


def _existing(used: list[IPv4Interface]) -> IPv4Network | None:
    """Return the lowest subnet of a segment that can hold more than a pair."""
    networks = {address.network for address in used if address.network.prefixlen <= 31}
    return min(networks, default=None)


def _free(subnet: IPv4Network, taken: set[int], first: int) -> int | None:
    """Return the first free host address from number ``first`` on, else from the bottom."""
    base, size = int(subnet.network_address), subnet.num_addresses
    low, high = (0, size) if subnet.prefixlen == 31 else (1, size - 1)
    numbers = chain(range(base + max(low, first), base + high), range(base + low, base + high))
    for number in numbers:
        if number not in taken:
            return number
    return None


def _has_default(draft: Draft, node: str) -> bool:
    routes = draft.objects("routes")
    return any(routes[key].prefix == DEFAULT for key in draft.index.routes_of.get(node, ()))


def _free_id(draft: Draft, base: str) -> str:
    key, number = base, 1
    while key in draft.objects("routes"):
        number += 1
        key = f"{base}-{number}"
    return key


class _Subnets:
    """Free blocks of 10.0.0.0/8, found by one look at the whole drawing, only when needed."""

    def __init__(self, draft: Draft) -> None:
        self._draft = draft
        self._used: bytearray | None = None

    def allocate(self, hosts: int) -> IPv4Network | None:
        """Return the next free 10.0.N.0/24, or a larger network for a large new segment.

        None when the drawing has used up 10.0.0.0/8.
        """
        length = 24
        while length > _LARGEST and (1 << (32 - length)) - FIRST_HOST - 1 < hosts:
            length -= 1
        used = self._used = self._used or _used_blocks(self._draft.topology())
        blocks = 1 << (24 - length)
        for start in range(blocks, _BLOCKS, blocks):  # 10.0.0.0 stays free, the first is 10.0.1.0
            if not any(used[start : start + blocks]):
                used[start : start + blocks] = b"\1" * blocks
                return IPv4Network((_POOL + (start << 8), length))
        return None


def _used_blocks(topology: Topology) -> bytearray:
    used = bytearray(_BLOCKS)
    texts = [text for item in topology.interfaces.values() for text in item.addresses]
    texts += [text for node in topology.nodes.values() for text in node.addresses]
    networks: set[prefixes.Network] = {address.network for address in _ipv4(texts)}
    networks |= {
        prefixes.network(route.prefix)
        for route in topology.routes.values()
        if ":" not in route.prefix and route.prefix != DEFAULT
    }
    for network in networks:
        first = (int(network.network_address) - _POOL) >> 8
        last = (int(network.broadcast_address) - _POOL) >> 8
        low, high = max(first, 0), min(last, _BLOCKS - 1)
        used[low : high + 1] = b"\1" * max(high + 1 - low, 0)
    return used
