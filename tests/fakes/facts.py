"""A lab's state written down: the `Facts` of tests, with the kernel's rules of look-up.

    lab = FakeFacts()
    lab.node("h1", eth0="10.0.1.2/24")
    lab.node("r1", forward=True, eth0="10.0.1.1/24", eth1="10.0.2.1/24")
    lab.cable("l1", "h1/eth0", "r1/eth0")
    lab.add_route("h1", "0.0.0.0/0", "10.0.1.1")
    lab.change("r1", "eth1", up=False)
    lab.settings["h2", "net.ipv4.icmp_echo_ignore_all"] = "1"

A route look-up follows fib_lookup: local, main table by longest prefix, then what an incoming
interface adds (forwarding, rp_filter). ``asked`` counts the questions.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from ipaddress import ip_address, ip_interface, ip_network
from typing import TYPE_CHECKING, Any, Literal

from topoweb.core.tracing.explain.facts import (
    End,
    Family,
    Interface,
    Neighbouring,
    Port,
    Route,
    Rule,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

LIMITED_BROADCAST = "255.255.255.255"


class FakeFacts:
    """Facts that a test writes down. Public mappings may be changed at any time."""

    def __init__(self) -> None:
        self.devices: dict[str, dict[str, Interface]] = {}
        self.tables: dict[str, list[Route]] = defaultdict(list)
        self.settings: dict[tuple[str, str], str] = {}
        self.cables: dict[tuple[str, str], End] = {}
        self.neighbours: dict[tuple[str, str, str], tuple[Neighbouring, str]] = {}
        self.learned: dict[tuple[str, str, str], str] = {}  # node, bridge, MAC → port
        self.filters: dict[str, list[Rule]] = defaultdict(list)
        self.sockets: dict[tuple[str, str, int], tuple[str, ...]] = {}
        self.waiting: dict[tuple[str, int], tuple[int, int]] = {}  # node, port → waiting, limit
        self.counts: dict[str, dict[str, int]] = defaultdict(dict)
        self.asked = 0

    # what tests write

    def node(self, node: str, *, forward: bool = False, lo_up: bool = True, **ports: str) -> None:
        """Add a host or router; ``eth0="10.0.1.2/24 2001:db8::2/64"``, "" for no address."""
        number = len(self.devices) + 1
        made = {
            name: Interface(
                name=name, mac=f"02:00:00:00:{number:02x}:{index:02x}", addresses=_words(addresses)
            )
            for index, (name, addresses) in enumerate(ports.items())
        }
        lo = Interface(
            name="lo", kind="loopback", mtu=65536, up=lo_up, addresses=("127.0.0.1/8",) * lo_up
        )
        self.devices[node] = {"lo": lo} | made
        flag = "1" if forward else "0"
        for name in ("net.ipv4.ip_forward", "net.ipv6.conf.all.forwarding"):
            self.settings[node, name] = flag

    def switch(self, node: str, *ports: str, stp: bool = False, addresses: str = "") -> None:
        """Add a switch with bridge br0 and these ports."""
        self.node(node, **dict.fromkeys(ports, ""))
        for name in ports:
            self.change(node, name, port=Port(bridge="br0"))
        self.devices[node]["br0"] = Interface(
            name="br0", kind="bridge", mac="02:00:00:00:ff:01", addresses=_words(addresses)
        )
        self.settings[node, "bridge.br0.stp_state"] = str(int(stp))

    def cable(self, link: str, a: str, b: str) -> None:
        """Join two interfaces, each as "node/interface"."""
        (node, name), (peer, peer_name) = a.split("/"), b.split("/")
        self.cables[node, name] = End(node=peer, interface=peer_name, link=link, side="b")
        self.cables[peer, peer_name] = End(node=node, interface=name, link=link, side="a")

    def add_route(
        self, node: str, prefix: str, gateway: str = "", *, kind: Any = "unicast", device: str = ""
    ) -> None:
        """Add a route; without a device it leads out where the gateway is on-link."""
        if gateway and not device:
            device = self._connected(node, gateway).interface
        self.tables[node].append(Route(kind=kind, interface=device, gateway=gateway, prefix=prefix))

    def change(self, node: str, interface: str, **properties: Any) -> None:
        """Replace properties of an interface."""
        self.devices[node][interface] = replace(self.devices[node][interface], **properties)

    # Facts

    def nodes(self) -> Sequence[str]:
        self.asked += 1
        return tuple(self.devices)

    def holders(self, what: str) -> Sequence[str]:
        self.asked += 1
        return tuple(
            node
            for node, items in self.devices.items()
            for item in items.values()
            if what in (item.mac, item.kind, *item.duplicates)
            or any(text.partition("/")[0] == what for text in item.addresses)
        )

    def interfaces(self, node: str) -> Mapping[str, Interface]:
        self.asked += 1
        return self.devices.get(node, {})

    def peer(self, node: str, interface: str) -> End | None:
        self.asked += 1
        return self.cables.get((node, interface))

    def route(self, node: str, destination: str, *, source: str = "", arriving: str = "") -> Route:
        self.asked += 1
        found = self._look_up(node, destination)
        if not arriving or found.kind == "local":
            return found
        if found.kind == "none":
            return replace(found, error="ENETUNREACH")
        if self._rp_filtered(node, source, arriving):
            return Route(kind="none", error="EINVAL")
        version = ip_address(destination).version
        name = "net.ipv4.ip_forward" if version == 4 else "net.ipv6.conf.all.forwarding"
        own = self.settings.get((node, f"net.ipv{version}.conf.{arriving}.forwarding"), "1")
        if "0" in (self.settings.get((node, name)), own):
            return Route(kind="none", error="EHOSTUNREACH")
        return found

    def routes(self, node: str, family: Family) -> Sequence[Route]:
        self.asked += 1
        version = 4 if family == "ipv4" else 6
        return tuple(
            route for route in self._table(node) if ip_network(route.prefix).version == version
        )

    def sysctl(self, node: str, name: str) -> str:
        self.asked += 1
        return self.settings.get((node, name), "0" if node in self.devices else "")

    def neighbour(self, node: str, interface: str, address: str) -> tuple[Neighbouring, str]:
        self.asked += 1
        return self.neighbours.get((node, interface, address), ("none", ""))

    def accept_queue(self, node: str, port: int) -> tuple[int, int]:
        self.asked += 1
        return self.waiting.get((node, port), (0, 128))

    def fdb(self, node: str, bridge: str, mac: str) -> str:
        self.asked += 1
        return self.learned.get((node, bridge, mac), "")

    def rules(self, node: str) -> Sequence[Rule]:
        self.asked += 1
        return tuple(self.filters[node])

    def listens(self, node: str, protocol: Literal["tcp", "udp"], port: int) -> tuple[str, ...]:
        self.asked += 1
        return self.sockets.get((node, protocol, port), ())

    def counters(self, node: str) -> Mapping[str, int]:
        self.asked += 1
        return self.counts[node]

    def _table(self, node: str) -> list[Route]:
        connected = [
            Route(kind="unicast", interface=item.name, prefix=str(ip_interface(text).network),
                  source=text.partition("/")[0])
            for item in self.devices.get(node, {}).values()
            if item.up and item.kind != "loopback"
            for text in item.addresses
        ]  # fmt: skip
        drawn = [
            route
            for route in self.tables[node]
            if not route.interface or self.devices[node][route.interface].up
        ]
        return connected + drawn

    def _connected(self, node: str, address: str) -> Route:
        for route in self._table(node):
            if not route.gateway and ip_address(address) in ip_network(route.prefix):
                return route
        raise ValueError(f"{address} is not on-link in {node}")

    def _look_up(self, node: str, destination: str) -> Route:
        wanted = ip_address(destination)
        for item in self.devices.get(node, {}).values():
            for text in item.addresses:
                if ip_interface(text).ip == wanted:
                    return Route(kind="local", interface="lo", source=destination)
        if destination == LIMITED_BROADCAST:
            return Route(kind="broadcast")
        matching = [
            route
            for route in self._table(node)
            if ip_network(route.prefix).version == wanted.version
            and wanted in ip_network(route.prefix)
        ]
        if not matching:
            return Route(kind="none", error="ENETUNREACH")
        best = max(matching, key=lambda route: ip_network(route.prefix).prefixlen)
        if best.kind in ERRORS:
            return replace(best, error=ERRORS[best.kind])
        return replace(best, source=best.source or self._source(node, best.interface))

    def _source(self, node: str, interface: str) -> str:
        addresses = self.devices[node][interface].addresses
        return addresses[0].partition("/")[0] if addresses else ""

    def _rp_filtered(self, node: str, source: str, arriving: str) -> bool:
        names = (f"net.ipv4.conf.{name}.rp_filter" for name in ("all", arriving))
        if not source or "1" not in [self.settings.get((node, name), "0") for name in names]:
            return False
        return self._look_up(node, source).interface != arriving


ERRORS = {"blackhole": "EINVAL", "prohibit": "EACCES", "unreachable": "EHOSTUNREACH"}


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())
