"""FRRouting: OSPF, BGP, RIP and static routes by its own configuration language."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from topoweb.core.topology import fields as check
from topoweb.core.topology import prefixes
from topoweb.core.topology.services.kind import Fault, Kind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from topoweb.core.topology.services.kind import Site

SOURCES = ("connected", "static", "kernel", "ospf", "bgp", "rip")
MANY = 200  # entries of a list
CONFIG = 20_000  # characters
ASN_MAX = 2**32 - 1  # RFC 6793


@dataclass(frozen=True, slots=True, kw_only=True)
class OspfNetwork:
    """Interfaces with an address in ``prefix`` speak OSPF in ``area`` (dotted as an address)."""

    prefix: str
    area: str = "0.0.0.0"  # noqa: S104 - the backbone area, no address


@dataclass(frozen=True, slots=True, kw_only=True)
class BgpNeighbour:
    """A peer: of the same AS (iBGP) or another (eBGP)."""

    address: str
    asn: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Bgp:
    """The router's AS, its peers, and the prefixes that it originates."""

    asn: int
    neighbours: tuple[BgpNeighbour, ...] = ()
    networks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Frr:
    """Typed basics; ``config`` is FRR's own language and is read before what these make."""

    router_id: str | None = None  # None: the highest IPv4 address
    ospf: tuple[OspfNetwork, ...] = ()
    bgp: Bgp | None = None
    rip: tuple[str, ...] = ()  # prefixes whose interfaces speak RIP
    redistribute: tuple[str, ...] = ()  # into OSPF, BGP and RIP
    config: str = ""


def _faults(options: Frr, site: Site) -> Iterable[Fault]:
    name = {"node": site.node.name}
    if not site.interfaces:
        yield Fault("frr-without-interfaces", "/node", name)
        return
    if not (site.node.forward_ipv4 or site.node.forward_ipv6):
        yield Fault("frr-not-forwarding", "/node", name)
    own = [prefixes.interface(a).ip for i in site.interfaces.values() for a in i.addresses]
    spoken = [(f"/options/ospf/{i}/prefix", one.prefix) for i, one in enumerate(options.ospf)]
    spoken += [(f"/options/rip/{i}", prefix) for i, prefix in enumerate(options.rip)]
    for where, prefix in spoken:
        if not any(address in prefixes.network(prefix) for address in own):
            yield Fault("frr-prefix-unused", where, {"prefix": prefix, **name})


def _claims(options: Frr, site: Site) -> Iterable[str]:  # noqa: ARG001 - one signature
    yield "FRR"


def _ipv4_network(value: object) -> Any:  # noqa: ANN401 - as every check
    prefix = check.prefix(value)
    if ":" in prefix:
        raise check.FieldError("bad-ipv4-prefix", value=prefix)
    return prefix


_asn = check.integer(1, ASN_MAX)
_ipv4_networks = check.listing(_ipv4_network, MANY)
_OSPF = check.record(OspfNetwork, {"prefix": _ipv4_network, "area": check.ipv4})
_NEIGHBOUR = check.record(BgpNeighbour, {"address": check.host, "asn": _asn})
_BGP = check.record(
    Bgp,
    {
        "asn": _asn,
        "neighbours": check.listing(_NEIGHBOUR, MANY),
        "networks": check.listing(check.prefix, MANY),
    },
)
CHECKS = {
    "router_id": check.optional(check.ipv4),
    "ospf": check.listing(_OSPF, MANY),
    "bgp": check.optional(_BGP),
    "rip": _ipv4_networks,
    "redistribute": check.listing(check.choice(*SOURCES), len(SOURCES)),
    "config": check.text(CONFIG, lines=True),
}
KIND = Kind(Frr, CHECKS, _faults, _claims)
