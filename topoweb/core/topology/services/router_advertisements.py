"""Router advertisements (RFC 4861): hosts on an interface address themselves (RFC 4862)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from topoweb.core.topology import fields as check
from topoweb.core.topology import prefixes
from topoweb.core.topology.services.kind import Fault, Kind, interface_fault

if TYPE_CHECKING:
    from collections.abc import Iterable

    from topoweb.core.topology.services.kind import Site

SLAAC_LENGTH = 64  # RFC 4291 §2.5.1: an interface identifier has 64 bits


@dataclass(frozen=True, slots=True, kw_only=True)
class RouterAdvertisements:
    """Announces the /64 prefixes of ``interface`` and, if given, a name server (RFC 8106)."""

    interface: str  # interface id
    dns: str | None = None  # IPv6 address


def _faults(options: RouterAdvertisements, site: Site) -> Iterable[Fault]:
    yield from interface_fault(options.interface, site)
    item = site.interfaces.get(options.interface)
    if item and not any(_announced(text) for text in item.addresses):
        yield Fault("ra-without-prefix", "/options/interface", {"interface": item.name})
    if options.dns is not None and ":" not in options.dns:
        yield Fault("ra-dns-family", "/options/dns", {"address": options.dns})


def _announced(text: str) -> bool:
    if ":" not in text:
        return False
    address = prefixes.interface(text)
    return address.network.prefixlen == SLAAC_LENGTH and not address.is_link_local


def _claims(options: RouterAdvertisements, site: Site) -> Iterable[str]:
    item = site.interfaces.get(options.interface)
    if item:
        yield f"router advertisements on {item.name}"


CHECKS = {"interface": check.reference, "dns": check.optional(check.host)}
KIND = Kind(RouterAdvertisements, CHECKS, _faults, _claims)
