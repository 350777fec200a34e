"""DHCP server (RFC 2131) for the network of one interface."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from typing import TYPE_CHECKING

from topoweb.core.topology import fields as check
from topoweb.core.topology import prefixes
from topoweb.core.topology.services.kind import Fault, Kind, interface_fault

if TYPE_CHECKING:
    from collections.abc import Iterable

    from topoweb.core.topology.model import Interface
    from topoweb.core.topology.services.kind import Site

LEASE_MIN, LEASE_MAX = 120, 31_536_000  # seconds; dnsmasq takes no shorter one


@dataclass(frozen=True, slots=True, kw_only=True)
class DhcpServer:
    """Leases ``first`` … ``last``, both included."""

    interface: str  # interface id
    first: str
    last: str
    lease: int = 600  # seconds
    gateway: str | None = None  # None: the interface's own address
    dns: str | None = None  # None: the node itself when it serves DNS, else none


def networks(interface: Interface) -> list[IPv4Network]:
    """Return the IPv4 networks of an interface."""
    found = (prefixes.interface(text).network for text in interface.addresses if ":" not in text)
    return [network for network in found if isinstance(network, IPv4Network)]


def _faults(options: DhcpServer, site: Site) -> Iterable[Fault]:
    yield from interface_fault(options.interface, site)
    first, last = IPv4Address(options.first), IPv4Address(options.last)
    words = {"first": options.first, "last": options.last}
    if first > last:
        yield Fault("dhcp-range-empty", "/options/last", words)
    item = site.interfaces.get(options.interface)
    if item is None:
        return
    attached = networks(item)
    words |= {"interface": item.name, "networks": ", ".join(map(str, attached)) or "no network"}
    if not any(first in network and last in network for network in attached):
        yield Fault("dhcp-range-off-link", "/options/first", words)
    if options.gateway is not None and not any(
        IPv4Address(options.gateway) in network for network in attached
    ):
        yield Fault("dhcp-gateway-off-link", "/options/gateway", {"gateway": options.gateway})


def _claims(options: DhcpServer, site: Site) -> Iterable[str]:
    item = site.interfaces.get(options.interface)
    if item:
        yield f"DHCP on {item.name}"


CHECKS = {
    "interface": check.reference,
    "first": check.ipv4,
    "last": check.ipv4,
    "lease": check.integer(LEASE_MIN, LEASE_MAX),
    "gateway": check.optional(check.ipv4),
    "dns": check.optional(check.ipv4),
}
KIND = Kind(DhcpServer, CHECKS, _faults, _claims)
