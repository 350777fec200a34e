"""From a drawing to the programs that its services are. Pure: no I/O happens here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from topoweb.core.programs import Command, Recipe
from topoweb.core.topology.index import Index, is_port
from topoweb.core.topology.onlink import OnLink
from topoweb.core.topology.services.kind import Site
from topoweb.kernel.services import dhcp_client, dnsmasq, frr, small
from topoweb.kernel.services.stand import Stand

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from topoweb.core.topology.model import Service, Topology

BUILDERS: Mapping[str, Callable[[Any, Stand], Recipe]] = {
    "dhcp-server": dnsmasq.dhcp_server,
    "dns": dnsmasq.dns,
    "router-advertisements": dnsmasq.router_advertisements,
    "http": small.http,
    "echo": small.echo,
    "iperf3": small.iperf3,
    "frr": frr.recipe,
    "command": small.own_command,
}


def recipes(topology: Topology) -> dict[str, Recipe]:
    """Return what is to run: by service id, and ``dhcp:<interface id>`` for DHCP clients."""
    drawing = OnLink(topology, Index.of(topology))
    wanted = {
        key: _service(drawing, key, service)
        for key, service in topology.services.items()
        if service.up
    }
    return wanted | dict(_clients(drawing))


def _service(drawing: OnLink, key: str, service: Service) -> Recipe:
    stand = Stand(
        kind=service.kind,
        node=service.node,
        place=f"service-{key}",
        site=_site(drawing, service.node),
    )
    interface = getattr(service.options, "interface", None)
    if interface is not None and interface not in stand.site.interfaces:
        return _faulty(stand, "service-interface-gone")
    return BUILDERS[service.kind](service.options, stand)


def _faulty(stand: Stand, code: str) -> Recipe:
    return Recipe(
        kind=stand.kind,
        node=stand.node,
        place=stand.place,
        command=Command(arguments=()),
        fault=code,
    )


def _clients(drawing: OnLink) -> Iterator[tuple[str, Recipe]]:
    topology = drawing.topology
    for key, item in topology.interfaces.items():
        if item.dhcp and drawing.live(key) and not is_port(topology, key):
            stand = Stand(
                kind="dhcp-client",
                node=item.node,
                place=f"dhcp-{key}",
                site=_site(drawing, item.node),
            )
            identity = f"{drawing.index.link_of[key]} {item.mac}"
            yield f"dhcp:{key}", dhcp_client.recipe(item, stand, identity)


def _site(drawing: OnLink, node: str) -> Site:
    topology = drawing.topology
    own = drawing.index.interfaces_of.get(node, ())
    return Site(topology.nodes[node], {key: topology.interfaces[key] for key in own}, topology)
