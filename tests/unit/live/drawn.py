"""A lab of a host and a switch: its drawing and the kernel's records of it."""

from __future__ import annotations

from topoweb.core.plan.expand import expand
from topoweb.core.topology.model import Interface, Link, Node, Topology
from topoweb.core.tracing import live
from topoweb.core.tracing.live import Drawn, LiveState
from topoweb.core.tracing.records import (
    ALL_RECORDS,
    AddressRecord,
    Dump,
    ForwardingRecord,
    LinkRecord,
    RouteRecord,
)

TOPOLOGY = Topology(
    nodes={"n1": Node(kind="host", name="h1"), "n2": Node(kind="switch", name="s1")},
    interfaces={
        "i1": Interface(
            node="n1", name="eth0", mac="02:00:00:00:00:01", addresses=("10.0.0.1/24",)
        ),
        "i2": Interface(node="n2", name="p1", mac="02:00:00:00:00:02"),
    },
    links={"l1": Link(a="i1", b="i2")},
)
DESIRED = expand(1, TOPOLOGY)
DRAWN = Drawn.of(TOPOLOGY, DESIRED)


def device(index, name, kind="veth", **changes):
    values = {
        "up": True,
        "carrier": True,
        "oper": "up",
        "mac": None,
        "mtu": 1500,
    }
    return LinkRecord(index=index, name=name, kind=kind, **{**values, **changes})


LO = device(1, "lo", "loopback", oper="unknown", mtu=65536)
ETH0 = device(10, "eth0", mac="02:00:00:00:00:01", tag=DESIRED.namespaces["n1"].devices["eth0"].tag)
P1 = device(
    10,
    "p1",
    mac="02:00:00:00:00:02",
    master=11,
    stp_state="forwarding",
    tag=DESIRED.namespaces["n2"].devices["p1"].tag,
)
BR0 = device(11, "br0", "bridge", stp=False, ageing=300)
ADDRESS = AddressRecord(index=10, address="10.0.0.1/24")
CONNECTED = RouteRecord(prefix="10.0.0.0/24", via=None, index=10, metric=0, proto="kernel")
DEFAULT_ROUTE = RouteRecord(prefix="0.0.0.0/0", via="10.0.0.2", index=10, metric=0, proto="static")
NO_FORWARDING = tuple(ForwardingRecord(family=f, on=False) for f in (4, 6))
DUMPS = (
    Dump("n1", ALL_RECORDS, (LO, ETH0, ADDRESS, CONNECTED, *NO_FORWARDING)),
    Dump("n2", ALL_RECORDS, (LO, P1, BR0, *NO_FORWARDING)),
)


def folded(*events, state=None):
    return live.fold(state or running(), events, 2.0)


def running():
    state, _ = live.fold(LiveState(), DUMPS, 1.0)
    state, _ = live.draw(state, DRAWN, 1.0)
    return state
