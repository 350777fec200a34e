"""Opening, closing and reading the ways out of this host's labs.

Callers are in the host's network namespace; the uplink's own is entered by throw-away threads.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import threading
from ipaddress import IPv4Address
from typing import TYPE_CHECKING, Any

from topoweb.core.errors import TopowebError
from topoweb.core.plan.state import BROKEN, CLOSED
from topoweb.core.topology.onlink import WAN
from topoweb.kernel import netlink, netns, qdisc, rtnl
from topoweb.kernel.uplink import host, nft, rules

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from topoweb.core.plan.state import NamespaceState
    from topoweb.kernel.uplink.rules import Config, Way

MTU = 1500
ANYWHERE = "0.0.0.0/0"


class Gate:
    """The ways out of one run directory's labs. ``owner`` is its token, which stays secret."""

    def __init__(self, owner: str, config: Config) -> None:
        self._owner = hashlib.blake2b(owner.encode(), digest_size=4).hexdigest()
        self._config = config
        self._swept = False
        self._lock = threading.Lock()  # of the host's tables: labs are taken down by other threads

    def open(self, lab: int, namespace: int, until: int) -> None:
        """Open a lab's way out until a moment, in place of one that is there.

        ``namespace``: descriptor of the uplink's. OSError or TopowebError; then nothing is open.
        """
        self.close(lab, namespace)
        host.require(self._config)
        self._swept = False
        way = rules.Way(owner=self._owner, lab=lab, until=until, number=0, config=self._config)
        try:
            host.forward()
            way = host.place(way)
            netns.run_inside(namespace, lambda: nft.load(rules.inside(way)))
            nft.load(rules.outside(way))
            _make_link(way, namespace)
        except BaseException:
            self.close(lab, namespace)
            raise

    def close(self, lab: int, namespace: int) -> None:
        """Take a way out away, whatever is there of it: the link first, then the rules."""
        netns.run_inside(namespace, _remove_link)
        if host.reachable():
            netns.run_inside(namespace, lambda: nft.drop(self._tables(lab)))
        self.forget(lab)

    def forget(self, lab: int) -> None:
        """Remove the host's rules of a lab whose link is gone."""
        if host.reachable():
            with self._lock:
                nft.drop(self._tables(lab))

    def sweep(self, labs: Collection[int]) -> None:
        """Remove the rules of labs that have nothing else here: left by a crash."""
        if self._swept or not host.reachable():
            return
        with self._lock:
            tables = {table: rules.lab_of(self._owner, table) for table in nft.tables()}
            ours = {table: lab for table, lab in tables.items() if lab is not None}
            nft.drop(table for table, lab in ours.items() if lab not in labs)
            self._swept = not ours

    def state(self, lab: int, namespace: int, seen: NamespaceState) -> int:
        """Return what `NamespaceState.uplink` is of a namespace that was read as ``seen``."""
        link = seen.devices.get(WAN)
        if not host.reachable():
            return CLOSED if link is None else BROKEN
        inner = netns.run_inside(namespace, lambda: self._tables(lab))
        outer = self._tables(lab)
        if link is None and not inner and not outer:
            return CLOSED
        way = self._way(lab, outer, seen)
        if way is None or not link or not link.up:
            return BROKEN
        whole = inner == [rules.inside(way).name] and outer == [rules.outside(way).name]
        return way.until if whole else BROKEN

    def feature(self) -> dict[str, Any]:
        """Return {"ok", "reason", "remedy"}: whether this host can open uplinks."""
        try:
            host.require(self._config)
            host.try_rules(self._config)
        except OSError as error:
            return {"ok": False, "reason": f"No uplinks: {error}.", "remedy": ""}
        except TopowebError as error:
            return {"ok": False, "reason": error.message, "remedy": error.hint}
        return {"ok": True, "reason": "", "remedy": ""}

    def _tables(self, lab: int) -> list[str]:
        """Return our tables of a lab in the calling thread's namespace."""
        start = rules.prefix_of(self._owner, lab)
        return [table for table in nft.tables() if table.startswith(start)]

    def _way(self, lab: int, tables: Sequence[str], seen: NamespaceState) -> Way | None:
        """Return what must be open, by the addresses in the namespace and the table's name."""
        until = rules.until_of(self._owner, lab, tables[0]) if tables else None
        gateways = {r.via for r in seen.routes if r.device == WAN and r.via}
        addresses = seen.devices[WAN].addresses if WAN in seen.devices else frozenset()
        if until is None or len(gateways) != 1 or len(addresses) != 1:
            return None
        config = self._config
        offset = int(IPv4Address(gateways.pop())) - int(config.pool.network_address)
        number = offset // 4
        way = rules.Way(owner=self._owner, lab=lab, until=until, number=number, config=config)
        return way if addresses == {f"{way.guest}/30"} else None


def _make_link(way: Way, namespace: int) -> None:
    """Make the cable, down; bound its rate; then give addresses and raise it, the host first."""
    with netlink.Netlink() as link:
        near = rtnl.VethEndSpec(way.link, 0, None, MTU)
        far = rtnl.VethEndSpec(WAN, 0, None, MTU)
        _send(link, rtnl.add_veth(near, far, namespace, up=False, master=0))
        _raise(link, way, way.link, f"{way.host}/30")

    def inside() -> None:
        with netlink.Netlink() as link:
            _raise(link, way, WAN, f"{way.guest}/30")
            route = rtnl.RouteSpec(ANYWHERE, str(way.host), link.index(WAN), 0)
            _send(link, rtnl.route(netlink.RTM_NEWROUTE, route))

    netns.run_inside(namespace, inside)


def _raise(link: netlink.Netlink, way: Way, name: str, address: str) -> None:
    index = link.index(name)
    with contextlib.suppress(FileNotFoundError):  # a kernel without IPv6
        netns.write_sysctl(f"net/ipv6/conf/{name}/disable_ipv6", "1")
    alias = f"topoweb:{way.lab}:uplink:{way.owner}".encode()
    _send(link, qdisc.set_rate(index, way.config.rate))
    _send(link, rtnl.address(netlink.RTM_NEWADDR, index, address))
    _send(link, rtnl.set_link(index, name, True, netlink.attribute(netlink.IFLA_IFALIAS, alias)))


def _remove_link() -> None:
    with netlink.Netlink() as link:
        refusal = link.send([rtnl.delete_link(0, WAN)]).get(0)
    if refusal and refusal.errno != errno.ENODEV:
        raise OSError(refusal.errno, str(refusal))


def _send(link: netlink.Netlink, message: netlink.Message) -> None:
    refusal = link.send([message]).get(0)
    if refusal:
        raise OSError(refusal.errno, str(refusal))
