"""Cables, switches and neighbours."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.verdicts.case import Case, ping
from tests.verdicts.labs import ROUTED

if TYPE_CHECKING:
    from collections.abc import Iterator

# On a switch: lab, switch, asker and its port, target, its node and its port.
SWITCHED = (
    ("lan", "s1", "h1", "p1", "10.0.1.13", "h3", "p3"),
    ("campus", "s1", "h11", "p1", "10.0.1.12", "h12", "p2"),
)


def _ports() -> Iterator[Case]:
    for lab, switch, host, port, target, _, other in SWITCHED:
        send = ping(host, target)
        yield Case(
            name="isolated ports", lab=lab, send=send, code="port-isolated", node=switch,
            remedy="end-isolation",
            breaks=tuple(f"{switch}: bridge link set dev {p} isolated on" for p in (port, other)),
        )  # fmt: skip
        yield Case(
            name="a locked port", lab=lab, send=send, code="port-locked", node=switch,
            remedy="unlock-port",
            breaks=(
                f"{switch}: bridge link set dev {port} learning off locked on",
                f"{switch}: ip link set br0 type bridge fdb_flush",
            ),
        )  # fmt: skip
        yield Case(
            name="a port that spanning tree has not opened yet", lab=lab, send=send,
            code="stp-learning", node=switch, remedy="wait-for-spanning-tree", mends=False,
            kind="expected",
            breaks=(
                f"{switch}: ip link set br0 type bridge stp_state 1 forward_delay 3000",
                f"{switch}: ip link set {port} down",
                f"{switch}: ip link set {port} up",
            ),
        )  # fmt: skip
        yield Case(
            name="the bridge is down", lab=lab, send=send, code="bridge-down", node=switch,
            remedy="turn-bridge-up", breaks=(f"{switch}: ip link set br0 down",),
        )  # fmt: skip


def _neighbours() -> Iterator[Case]:
    for lab, _, host, _, target, far, _ in SWITCHED:
        silent = target.rpartition(".")[0] + ".77"
        yield Case(
            name="nobody has the address", lab=lab, send=ping(host, silent), twin=False,
            code="neighbour-failed", node=host, remedy="give-address", mends=False,
        )  # fmt: skip
        yield Case(
            name="the target does not answer ARP", lab=lab, send=ping(host, target), node=host,
            code="arp-off", remedy="turn-arp-on", breaks=(
                f"{far}: ip link set eth0 arp off", f"{host}: ip neigh flush all",
            ),
        )  # fmt: skip
        yield Case(
            name="the target ignores ARP by a setting", lab=lab, send=ping(host, target),
            code="arp-ignored", node=host, remedy="stop-ignoring-arp", breaks=(
                f"{far}: sysctl -qw net.ipv4.conf.all.arp_ignore=8", f"{host}: ip neigh flush all",
            ),
        )  # fmt: skip
        yield Case(
            name="a fixed neighbour entry is wrong", lab=lab, send=ping(host, target),
            code="neighbour-wrong", node=host, remedy="forget-neighbour", breaks=(
                f"{host}: ip neigh replace {target} lladdr 02:00:00:00:00:99 dev eth0",
            ),
        )  # fmt: skip
    for lab, (host, target, router, _) in ROUTED.items():
        absent = target.rpartition(".")[0] + ".77"
        yield Case(
            name="nobody has the address behind the router", lab=lab, send=ping(host, absent),
            code="neighbour-failed", node=router, remedy="give-address", twin=False, mends=False,
        )  # fmt: skip
        first = "10.0.1.1"
        yield Case(
            name="the next hop does not exist", lab=lab, send=ping(host, target),
            code="gateway-unowned", node=host, remedy="change-route",
            breaks=(f"{host}: ip route replace default via 10.0.1.99",),
        )  # fmt: skip
        yield Case(
            name="the mask is too wide", lab=lab, send=ping(host, target), code="wrong-mask",
            node=host, remedy="change-mask", mends=False, breaks=(
                f"{host}: ip addr flush dev eth0 scope global",
                f"{host}: ip addr add 10.0.1.11/8 dev eth0",
                f"{host}: ip route replace default via {first}",
            ),
        )  # fmt: skip
        far_router = {"lan": "10.0.2.11", "chain": "10.0.2.2", "campus": "10.0.2.11"}[lab]
        yield Case(
            name="the next hop is not on the cable", lab=lab, send=ping(host, target),
            code="gateway-off-link", node=host, remedy="move-interface", mends=False,
            breaks=(f"{host}: ip route replace default via {far_router} dev eth0 onlink",),
        )  # fmt: skip


def _links() -> Iterator[Case]:
    for lab, (host, target, router, far) in ROUTED.items():
        yield Case(
            name="the sender's interface is off", lab=lab, send=ping(host, target),
            code="interface-down", node=host, remedy="turn-interface-on", mends=False,
            breaks=(f"{host}: ip link set eth0 down",),
        )  # fmt: skip
        yield Case(
            name="the loopback is off", lab=lab, send=ping(host, "127.0.0.1"), code="lo-down",
            node=host, remedy="turn-loopback-on", breaks=(f"{host}: ip link set lo down",),
        )  # fmt: skip
        if lab == "campus":
            continue
        yield Case(
            name="the target's interface is off", lab=lab, send=ping(host, target),
            code="no-carrier", node=router, remedy="turn-interface-on", mends=False,
            breaks=(f"{far}: ip link set eth0 down",),
        )  # fmt: skip


SEGMENTS = (*_ports(), *_neighbours(), *_links())
