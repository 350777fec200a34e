"""Services: what cannot work where it stands, and two that want the same place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from topoweb.core.topology.index import is_port
from topoweb.core.topology.services import KINDS
from topoweb.core.topology.services.kind import Site
from topoweb.core.topology.validate.codes import problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from topoweb.core.topology.onlink import OnLink
    from topoweb.core.topology.problem import Problem


def check(drawing: OnLink) -> Iterator[Problem]:
    """Check the services of every node, and the interfaces that ask for an address."""
    for node, services in drawing.index.services_of.items():
        if services:
            yield from _node(drawing, node, list(services))
    yield from _clients(drawing)


def _node(drawing: OnLink, node: str, services: list[str]) -> Iterator[Problem]:
    topology = drawing.topology
    own = drawing.index.interfaces_of.get(node, ())
    site = Site(topology.nodes[node], {key: topology.interfaces[key] for key in own}, topology)
    claimed: set[str] = set()
    for key in services:
        service = topology.services[key]
        kind = KINDS[service.kind]
        for fault in kind.faults(service.options, site):
            yield problem(fault.code, f"/services/{key}{fault.where}", **fault.params)
        claims = list(kind.claims(service.options, site)) if service.up else []
        for claim in claims:
            if claim in claimed:
                words = {"node": site.node.name, "claim": claim}
                yield problem("service-claimed-twice", f"/services/{key}", **words)
        claimed.update(claims)


def _clients(drawing: OnLink) -> Iterator[Problem]:
    topology = drawing.topology
    for key, item in topology.interfaces.items():
        if not item.dhcp:
            continue
        name = f"{topology.nodes[item.node].name}:{item.name}"
        if is_port(topology, key):
            yield problem("dhcp-on-port", f"/interfaces/{key}/dhcp", name=name)
        static = next((text for text in item.addresses if ":" not in text), None)
        if static is not None:
            yield problem(
                "dhcp-beside-static", f"/interfaces/{key}/dhcp", name=name, address=static
            )
