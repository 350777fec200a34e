"""dnsmasq: DHCP, DNS and router advertisements, each a process of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from topoweb.core.programs import Command, Recipe
from topoweb.core.topology import prefixes
from topoweb.core.topology.services.dns import is_domain

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from topoweb.core.topology.model import Topology
    from topoweb.core.topology.services import DhcpServer, Dns, RouterAdvertisements
    from topoweb.core.topology.services.kind import Site
    from topoweb.kernel.services.stand import Stand

PROGRAM, PACKAGE = "/usr/sbin/dnsmasq", "dnsmasq-base"
RA_INTERVAL = 30  # seconds; the RFC's ten minutes are long for who watches


def dhcp_server(options: DhcpServer, stand: Stand) -> Recipe:
    """Serve DHCP on one interface. No ping before an offer: it would take 3 s."""
    interface = stand.site.interfaces[options.interface]
    lines = [
        "port=0",
        f"interface={interface.name}",
        "except-interface=lo",
        f"dhcp-range={options.first},{options.last},{_mask(options, stand.site)},{options.lease}",
        "dhcp-authoritative",
        "no-ping",
        "log-dhcp",
        f"dhcp-leasefile=/run/dnsmasq-{stand.place}.leases",
    ]
    if options.gateway is not None:
        lines.append(f"dhcp-option=option:router,{options.gateway}")
    # dnsmasq puts its own address in the place of 0.0.0.0.
    server = options.dns or ("0.0.0.0" if _serves_dns(stand.site) else None)  # noqa: S104
    if server is not None:
        lines.append(f"dhcp-option=option:dns-server,{server}")
    return _recipe(stand, lines)


def dns(options: Dns, stand: Stand) -> Recipe:
    """Answer for the lab's zone."""
    lines = ["no-hosts", f"addn-hosts={stand.seen}/hosts", "log-queries"]
    lines += [f"domain={options.domain}", f"local=/{options.domain}/"]
    if not options.forward:
        lines.append("no-resolv")
    records = [(record.name, record.address) for record in options.records]
    if options.hosts:
        records += _nodes(stand.site.topology)
    hosts = "".join(f"{address} {_names(name, options.domain)}\n" for name, address in records)
    return _recipe(stand, lines, {"hosts": hosts.encode()})


def router_advertisements(options: RouterAdvertisements, stand: Stand) -> Recipe:
    """Announce the prefixes of one interface."""
    name = stand.site.interfaces[options.interface].name
    lines = [
        "port=0",
        f"interface={name}",
        "except-interface=lo",
        "enable-ra",
        f"dhcp-range=::,constructor:{name},ra-only",
        f"ra-param={name},{RA_INTERVAL}",
        f"dhcp-leasefile=/run/dnsmasq-{stand.place}.leases",
    ]
    if options.dns is not None:
        lines.append(f"dhcp-option=option6:dns-server,[{options.dns}]")
    return _recipe(stand, lines)


def _recipe(stand: Stand, lines: Sequence[str], files: Mapping[str, bytes] | None = None) -> Recipe:
    # root of the node, whom the sandbox confines; the package's own user is not known there.
    common = [
        *("bind-dynamic", "user=root", "group=root", "log-facility=-"),
        f"pid-file=/run/dnsmasq-{stand.place}.pid",
    ]
    config = "".join(f"{line}\n" for line in (*common, *lines))
    arguments = (PROGRAM, "--keep-in-foreground", f"--conf-file={stand.seen}/dnsmasq.conf")
    return Recipe(
        kind=stand.kind,
        node=stand.node,
        place=stand.place,
        command=Command(arguments=arguments, directory="/"),
        files={"dnsmasq.conf": config.encode(), **(files or {})},
        needs={PROGRAM: PACKAGE},
    )


def _mask(options: DhcpServer, site: Site) -> str:
    first = prefixes.host(options.first)
    for text in site.interfaces[options.interface].addresses:
        network = prefixes.interface(text).network
        if first in network:
            return str(network.netmask)
    return "255.255.255.0"


def _serves_dns(site: Site) -> bool:
    nodes = site.topology.nodes
    services = site.topology.services.values()
    return any(s.kind == "dns" and s.up and nodes[s.node] is site.node for s in services)


def _nodes(topology: Topology) -> Iterator[tuple[str, str]]:
    named = {key: node.name.lower() for key, node in topology.nodes.items() if is_domain(node.name)}
    owned = [(key, topology.nodes[key].addresses) for key in named]
    owned += [(item.node, item.addresses) for item in topology.interfaces.values()]
    for key, texts in owned:
        for text in texts:
            if key in named:
                yield named[key], text.partition("/")[0]


def _names(name: str, domain: str) -> str:
    return name if "." in name else f"{name}.{domain} {name}"
