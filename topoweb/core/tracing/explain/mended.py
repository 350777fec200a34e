"""A lab as it would be with a remedy applied: facts to foretell a packet by, before anybody acts.

Only what the remedy changes is made up, by the kernel's own rules of look-up (net/ipv4/route.c,
fib_lookup); everything else is asked of the living lab.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

from topoweb.core.topology import prefixes
from topoweb.core.tracing.explain.facts import Route
from topoweb.core.tracing.explain.once import Once
from topoweb.core.tracing.explain.remedy import FORWARDING, SERVICES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from topoweb.core.tracing.explain.facts import Facts, Family, Interface

HOST_LENGTH = {4: 32, 6: 128}


class Mended(Once):
    """The facts under one operation of a remedy (docs/protocol.md "Traces and verdicts")."""

    def __init__(self, facts: Facts, operation: Mapping[str, Any]) -> None:
        """ValueError for an operation whose consequences cannot be told from the state."""
        super().__init__(facts)
        self._interfaces: dict[str, dict[str, Interface]] = {}
        self._settings: dict[tuple[str, str], str] = {}
        self._added: dict[str, Route] = {}
        self._open: set[tuple[str, str, int]] = set()
        self._changed: set[str] = set()  # nodes whose look-ups are made up
        change = CHANGES.get((operation["kind"], operation["collection"]))
        if change is None:
            raise ValueError(operation["collection"])
        change(self, operation)

    def holders(self, what: str) -> Sequence[str]:
        """See `Facts.holders`."""
        return tuple(dict.fromkeys((*super().holders(what), *self._interfaces)))

    def interfaces(self, node: str) -> Mapping[str, Interface]:
        """See `Facts.interfaces`."""
        return {**super().interfaces(node), **self._interfaces.get(node, {})}

    def sysctl(self, node: str, name: str) -> str:
        """See `Facts.sysctl`."""
        known = self._settings.get((node, name))
        return known if known is not None else super().sysctl(node, name)

    def listens(self, node: str, protocol: Literal["tcp", "udp"], port: int) -> tuple[str, ...]:
        """See `Facts.listens`."""
        mine = ("0.0.0.0", "::") if (node, protocol, port) in self._open else ()  # noqa: S104 - texts
        return mine or super().listens(node, protocol, port)

    def routes(self, node: str, family: Family) -> Sequence[Route]:
        """See `Facts.routes`."""
        known = super().routes(node, family)
        if node not in self._changed:
            return known
        version = 4 if family == "ipv4" else 6
        kept = [route for route in known if not self._outdated(node, route)]
        made = [
            route for route in self._made(node) if prefixes.network(route.prefix).version == version
        ]
        return sorted([*kept, *made], key=lambda one: -prefixes.network(one.prefix).prefixlen)

    def route(self, node: str, destination: str, *, source: str = "", arriving: str = "") -> Route:
        """See `Facts.route`."""
        if node not in self._changed:
            return super().route(node, destination, source=source, arriving=arriving)
        wanted = prefixes.host(destination)
        if any(
            prefixes.interface(text).ip == wanted
            for item in self.interfaces(node).values()
            for text in item.addresses
            if item.up
        ):
            return Route(kind="local", interface="lo", source=destination)
        refused = self._refused(node, wanted.version, source, arriving)
        return refused or self._look_up(node, destination)

    def _look_up(self, node: str, destination: str) -> Route:
        wanted = prefixes.host(destination)
        items = self.interfaces(node)
        for entry in self.routes(node, "ipv6" if wanted.version == 6 else "ipv4"):
            if wanted not in prefixes.network(entry.prefix):
                continue
            if entry.kind != "unicast":
                return replace(entry, error="EHOSTUNREACH")
            if entry.interface in items and items[entry.interface].up:
                return replace(entry, source=self._source(node, entry, wanted.version))
        return Route(kind="none", error="ENETUNREACH")

    def _refused(self, node: str, version: int, source: str, arriving: str) -> Route | None:
        """Return what an incoming interface adds to a look-up; None: nothing."""
        if not arriving:
            return None
        if version == 4:
            for scope in ("all", arriving):
                strict = self.sysctl(node, f"net.ipv4.conf.{scope}.rp_filter") == "1"
                if strict and source and self._look_up(node, source).interface != arriving:
                    return Route(kind="none", error="EINVAL")
        settings = (FORWARDING[version][1], f"net.ipv{version}.conf.{arriving}.forwarding")
        if "0" in [self.sysctl(node, name) for name in settings]:
            return Route(kind="none", error="EHOSTUNREACH")
        return None

    def _source(self, node: str, entry: Route, version: int) -> str:
        item = self.interfaces(node)[entry.interface]
        texts = [text for text in item.addresses if prefixes.interface(text).version == version]
        near = [
            text for text in texts
            if entry.gateway and prefixes.host(entry.gateway) in prefixes.interface(text).network
        ]  # fmt: skip
        chosen = next(iter(near or texts), "")
        return entry.source or chosen.partition("/")[0]

    def _outdated(self, node: str, route: Route) -> bool:
        """Tell whether a route goes with what the remedy changes."""
        made = self._added.get(node)
        if made is not None and made.prefix == route.prefix:
            return True
        item = self._interfaces.get(node, {}).get(route.interface)
        if item is None or route.gateway or route.kind != "unicast":
            return False
        networks = {prefixes.interface(text).network for text in item.addresses}
        own = prefixes.network(route.prefix)
        return own not in networks and not own.is_link_local and not own.is_multicast

    def _made(self, node: str) -> list[Route]:
        """Return the routes that come with the remedy: its own, and those of addresses."""
        made = [self._added[node]] if node in self._added else []
        for item in self._interfaces.get(node, {}).values():
            networks = [prefixes.interface(text).network for text in item.addresses]
            made += [
                Route(kind="unicast", interface=item.name, prefix=str(network))
                for network in networks
                if item.up and network.prefixlen != HOST_LENGTH[network.version]
            ]
        return made

    def _set_node(self, operation: Mapping[str, Any]) -> None:
        node, patch = operation["id"], operation["patch"]
        for version, (name, setting) in FORWARDING.items():
            if patch.get(name):
                self._settings[node, setting] = "1"
                for item in self._facts.interfaces(node):
                    self._settings[node, f"net.ipv{version}.conf.{item}.forwarding"] = "1"
                self._changed.add(node)
        if patch.get("lo_up"):
            lo = self._facts.interfaces(node)["lo"]
            self._interfaces[node] = {
                "lo": replace(lo, up=True, addresses=("127.0.0.1/8", "::1/128"))
            }
            self._changed.add(node)
        if not self._changed:
            raise ValueError(node)

    def _set_interface(self, operation: Mapping[str, Any]) -> None:
        node, _, name = operation["id"].partition("/")
        item = self._facts.interfaces(node)[name]
        patch = operation["patch"]
        if "up" in patch:  # its routes came from the drawing, which is not known here
            raise ValueError(name)
        if "addresses" in patch:
            local = tuple(text for text in item.addresses if text.startswith("fe80:"))
            item = replace(item, addresses=(*patch["addresses"], *local))
        if "mtu" in patch:
            item = replace(item, mtu=patch["mtu"])
        self._interfaces[node] = {name: item}
        self._changed.add(node)

    def _set_route(self, operation: Mapping[str, Any]) -> None:
        node, _, prefix = operation["id"].partition("/")
        self._route(node, prefix, operation["patch"]["via"])

    def _add_route(self, operation: Mapping[str, Any]) -> None:
        value = operation["value"]
        self._route(value["node"], value["prefix"], value["via"])

    def _route(self, node: str, prefix: str, gateway: str) -> None:
        out = self._facts.route(node, gateway).interface
        self._added[node] = Route(kind="unicast", interface=out, gateway=gateway, prefix=prefix)
        self._changed.add(node)

    def _add_service(self, operation: Mapping[str, Any]) -> None:
        value = operation["value"]
        doors = [door for door, kind in SERVICES.items() if kind == value["kind"]]
        self._open |= {(value["node"], protocol, port) for protocol, port in doors}


CHANGES: Mapping[tuple[str, str], Callable[[Mended, Mapping[str, Any]], None]] = {
    ("set", "nodes"): Mended._set_node,
    ("set", "interfaces"): Mended._set_interface,
    ("set", "routes"): Mended._set_route,
    ("add", "routes"): Mended._add_route,
    ("add", "services"): Mended._add_service,
}
