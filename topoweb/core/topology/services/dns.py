"""DNS server: the lab's own zone, and what else it is told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from topoweb.core.topology import fields as check
from topoweb.core.topology import prefixes
from topoweb.core.topology.services.kind import Fault, Kind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from topoweb.core.topology.services.kind import Site

RECORDS = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class DnsRecord:
    """An A or AAAA record. A name without a dot is in the server's domain as well."""

    name: str
    address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Dns:
    """Answers for ``domain``; with ``forward`` it asks the node's name servers for the rest."""

    domain: str = "lab"
    records: tuple[DnsRecord, ...] = ()
    forward: bool = False
    hosts: bool = True  # the drawn nodes by their names


def is_domain(name: str) -> bool:
    """Tell whether DNS can hold a name."""
    try:
        prefixes.domain(name)
    except ValueError:
        return False
    return True


def _faults(options: Dns, site: Site) -> Iterable[Fault]:
    if options.hosts:
        nameless = [n.name for n in site.topology.nodes.values() if not is_domain(n.name)]
        if nameless:
            yield Fault("dns-name-skipped", "/options/hosts", {"name": nameless[0]})


def _claims(options: Dns, site: Site) -> Iterable[str]:  # noqa: ARG001 - one signature
    return ("UDP 53", "TCP 53")


_RECORD = check.record(DnsRecord, {"name": check.domain, "address": check.host})
CHECKS = {
    "domain": check.domain,
    "records": check.listing(_RECORD, RECORDS),
    "forward": check.boolean,
    "hosts": check.boolean,
}
KIND = Kind(Dns, CHECKS, _faults, _claims)
