"""The fold of kernel records over a drawing, by tables."""

from __future__ import annotations

import msgspec
import pytest

from tests.unit.live.drawn import (
    ADDRESS,
    CONNECTED,
    DESIRED,
    DRAWN,
    DUMPS,
    ETH0,
    LO,
    TOPOLOGY,
    device,
    folded,
    running,
)
from topoweb.core.plan.expand import expand
from topoweb.core.topology.model import Interface, Link, Node, Topology
from topoweb.core.tracing import live
from topoweb.core.tracing.live import Delta, Drawn, LiveState
from topoweb.core.tracing.liveview import interface_state, link_state
from topoweb.core.tracing.records import (
    ALL_RECORDS,
    LEARNED,
    AddressRecord,
    Counters,
    Dump,
    FdbRecord,
    ForwardingRecord,
    Gone,
    NamespaceGone,
    NeighbourRecord,
    Overrun,
    PortRecord,
    RouteRecord,
    Sample,
    Seen,
    Stale,
)
from topoweb.engine.live import _encode
from topoweb.kernel.observe import LEARNED_ROUTES


def test_a_lab_as_drawn():
    state = running()
    assert state.nodes["n1"] == {
        "present": True,
        "forward_ipv4": False,
        "forward_ipv6": False,
        "interfaces": {
            "lo": {
                "id": None,
                "kind": "loopback",
                "state": "unknown",
                "mac": None,
                "mtu": 65536,
                "master": None,
                "addresses": [],
                "stp": None,
                "index": 1,
            },
            "eth0": {
                "id": "i1",
                "kind": "veth",
                "state": "up",
                "mac": "02:00:00:00:00:01",
                "mtu": 1500,
                "master": None,
                "addresses": ["10.0.0.1/24"],
                "stp": None,
                "index": 10,
            },
        },
        "routes": [
            {"prefix": "10.0.0.0/24", "via": None, "device": "eth0", "metric": 0, "proto": "kernel"}
        ],
        "neighbours": [],
        "fdb": [],
        "drift": [],
    }
    assert state.nodes["n2"]["interfaces"]["p1"]["master"] == "br0"
    assert state.nodes["n2"]["drift"] == []
    assert state.links == {
        "l1": {"state": "up", "rate_ab": 0, "rate_ba": 0, "pps_ab": 0.0, "pps_ba": 0.0}
    }


def test_what_was_not_read_yet_is_missing():
    state, delta = live.draw(LiveState(), DRAWN, 1.0)
    assert not state.nodes["n1"]["present"]
    assert state.nodes["n1"]["interfaces"]["eth0"]["state"] == "missing"
    assert state.links["l1"]["state"] == "missing"
    assert delta.nodes.keys() == {"n1", "n2"}


def test_a_change_tells_its_node_and_links_only():
    state, delta = folded(Seen("n1", device(10, "eth0", up=False, carrier=False, oper="down")))
    assert (delta.rev, delta.full, delta.time) == (state.rev, False, 2.0)
    assert delta.nodes.keys() == {"n1"}
    assert delta.nodes["n1"]["interfaces"]["eth0"]["state"] == "off"
    assert delta.links["l1"]["state"] == "down"
    paths = {entry["path"]: entry for entry in delta.nodes["n1"]["drift"]}
    assert paths["interfaces/eth0/up"] == {
        "path": "interfaces/eth0/up",
        "drawn": True,
        "actual": False,
    }


def test_no_change_makes_no_delta_and_no_revision():
    before = running()
    state, delta = folded(Seen("n1", ETH0), Seen("n1", ADDRESS), *DUMPS, state=before)
    assert not delta
    assert state.rev == before.rev


@pytest.mark.parametrize(
    ("event", "path", "drawn", "actual"),
    [
        (
            Seen("n1", AddressRecord(index=10, address="10.0.0.9/24")),
            "interfaces/eth0/addresses",
            ["10.0.0.1/24"],
            ["10.0.0.1/24", "10.0.0.9/24"],
        ),
        (Gone("n1", ADDRESS), "interfaces/eth0/addresses", ["10.0.0.1/24"], []),
        (Seen("n1", ForwardingRecord(family=4, on=True)), "forward_ipv4", False, True),
        (
            Seen(
                "n1",
                RouteRecord(prefix="0.0.0.0/0", via="10.0.0.2", index=10, metric=0, proto="static"),
            ),
            "routes",
            [],
            ["0.0.0.0/0 via 10.0.0.2 dev eth0"],
        ),
        (Gone("n1", ETH0), "interfaces/eth0", "veth", None),
        (Seen("n1", device(12, "d0", "other")), "interfaces/d0", None, "other"),
    ],
)
def test_drift(event, path, drawn, actual):
    _, delta = folded(event)
    assert {"path": path, "drawn": drawn, "actual": actual} in delta.nodes["n1"]["drift"]


def test_while_a_pass_applies_a_difference_is_no_drift():
    state, _ = live.draw(running(), Drawn.of(TOPOLOGY, DESIRED, applying=True), 1.0)
    state, delta = folded(Gone("n1", ADDRESS), state=state)
    assert delta.nodes["n1"]["drift"] == []
    _, delta = live.draw(state, DRAWN, 1.0)
    assert delta.nodes["n1"]["drift"]


@pytest.mark.parametrize(
    ("event", "table"),
    [
        (NeighbourRecord(index=10, address="10.0.0.2", mac=None, state="incomplete"), "neighbours"),
        (FdbRecord(index=10, mac="02:00:00:00:00:09", age=3), "fdb"),
        (CONNECTED, "routes"),
        (ADDRESS, None),
    ],
)
def test_a_gone_link_takes_its_records_along(event, table):
    state, _ = folded(Seen("n1", event))
    if table:
        assert len(state.nodes["n1"][table]) == 1
    state, delta = folded(Gone("n1", ETH0), state=state)
    assert delta.nodes["n1"]["interfaces"]["eth0"]["state"] == "missing"
    assert not any(state.nodes["n1"][t] for t in ("neighbours", "fdb", "routes"))
    assert delta.links["l1"]["state"] == "missing"


def test_a_gone_namespace():
    state, delta = folded(Gone("n1", ADDRESS), NamespaceGone("n1"))
    assert delta.nodes["n1"]["present"] is False
    assert delta.links["l1"]["state"] == "missing"
    state, delta = folded(DUMPS[0], state=state)
    assert delta.links["l1"]["state"] == "up"


def test_stopping_removes_everything():
    state, delta = live.draw(running(), Drawn(), 3.0)
    assert delta.nodes == {"n1": None, "n2": None}
    assert delta.links == {"l1": None}
    assert state.nodes == state.links == {}


def test_an_undrawn_link_is_removed():
    shrunk = Topology(nodes=TOPOLOGY.nodes)
    state, delta = live.draw(running(), Drawn.of(shrunk, expand(1, shrunk)), 3.0)
    assert delta.links == {"l1": None}
    assert state.links == {}


@pytest.mark.parametrize(
    ("event", "stale"),
    [
        (Stale("n1"), True),
        (Gone("n1", ADDRESS), True),
        (Gone("n1", ETH0), True),
        (Seen("n1", device(10, "eth0", up=False)), True),
        (Seen("n1", device(10, "eth0", mtu=1400)), False),
        (Seen("n1", ADDRESS), False),
    ],
)
def test_routes_that_may_have_gone_silently(event, stale):
    state, _ = folded(event)
    assert state.stale == ({"n1"} if stale else set())
    state, _ = folded(Dump("n1", frozenset({RouteRecord}), ()), state=state)
    assert not state.stale
    assert state.nodes["n1"]["routes"] == []
    assert "lo" in state.nodes["n1"]["interfaces"]  # other tables stay


def test_overrun_is_remembered():
    state, delta = folded(Overrun())
    assert state.overrun
    assert not delta


def test_a_port_that_blocks_blocks_the_link():
    state, delta = folded(Seen("n2", PortRecord(index=10, stp_state="blocking")))
    assert delta.links["l1"]["state"] == "blocked"
    assert delta.nodes["n2"]["interfaces"]["p1"]["stp"] == "blocking"
    _, delta = folded(Seen("n2", PortRecord(index=99, stp_state="blocking")), state=state)
    assert not delta


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({}, "up"),
        ({"up": False, "carrier": False, "oper": "down"}, "off"),
        ({"carrier": False, "oper": "lowerlayerdown"}, "nocarrier"),
        ({"oper": "unknown"}, "unknown"),
        ({"oper": "dormant"}, "down"),
    ],
)
def test_interface_states(changes, state):
    assert interface_state(device(1, "x", **changes)) == state
    assert interface_state(None) == "missing"


UP, OFF, DARK = device(1, "x"), device(1, "x", up=False), device(1, "x", carrier=False)


@pytest.mark.parametrize(
    ("ends", "drawn_up", "state"),
    [
        ((UP, UP), True, "up"),
        ((UP, None), True, "missing"),
        ((OFF, OFF), False, "off"),
        ((OFF, DARK), True, "down"),
        ((DARK, OFF), False, "off"),
        ((UP, UP), False, "up"),
        ((UP, DARK), True, "down"),
        ((UP, device(1, "x", stp_state="listening")), True, "blocked"),
        ((UP, device(1, "x", stp_state="learning")), True, "blocked"),
        ((UP, device(1, "x", stp_state="forwarding")), True, "up"),
    ],
)
def test_link_states(ends, drawn_up, state):
    assert link_state(ends, drawn_up) == state


@pytest.mark.parametrize(("node", "index", "mirrored"), [("n1", 10, False), ("n2", 10, True)])
def test_rates_from_either_end(node, index, mirrored):
    first = Sample(10.0, {node: {index: Counters(0, 0, 0, 0)}})
    rx, tx = (20, 1000), (40, 5000)
    second = Sample(12.0, {node: {index: Counters(rx[0], tx[0], rx[1], tx[1])}})
    state, delta = live.sample(running(), first, 1.0)
    assert not delta
    state, delta = live.sample(state, second, 2.0)
    here, there = ("ba", "ab") if mirrored else ("ab", "ba")
    link = delta.links["l1"]
    assert (link[f"rate_{here}"], link[f"pps_{here}"]) == (20_000, 20.0)
    assert (link[f"rate_{there}"], link[f"pps_{there}"]) == (4000, 10.0)
    reborn = Sample(13.0, {node: {index: Counters(0, 0, 0, 0)}})
    _, delta = live.sample(state, reborn, 3.0)
    assert delta.links["l1"]["rate_ab"] == delta.links["l1"]["rate_ba"] == 0


def test_one_end_of_a_star_counts_for_all():
    hosts = {f"h{i}": Node(kind="host", name=f"h{i}") for i in range(50)}
    star = Topology(
        nodes={**hosts, "s": Node(kind="switch", name="s"), "x": Node(kind="host", name="x")},
        interfaces={
            **{f"h{i}": Interface(node=f"h{i}", name="eth0") for i in range(50)},
            **{f"s{i}": Interface(node="s", name=f"p{i}") for i in range(50)},
        },
        links={f"l{i}": Link(a=f"h{i}", b=f"s{i}") for i in range(50)},
    )
    assert live.counting_nodes(Drawn.of(star, None)) == {"s"}


def test_merged_deltas_equal_the_sum():
    def delta(rev, nodes, links=None, full=False):
        return Delta(rev, full, float(rev), nodes, links or {})

    a, b, c = {"x": 1}, {"x": 2}, {"x": 3}
    assert live.merge(delta(1, {"n1": a}), delta(2, {"n1": b, "n2": c})) == delta(
        2, {"n1": b, "n2": c}
    )
    assert live.merge(delta(1, {"n1": a}), delta(2, {"n1": None})) == delta(2, {"n1": None})
    assert live.merge(delta(1, {"n1": a}, full=True), delta(2, {"n1": None})) == delta(
        2, {}, full=True
    )
    newest = delta(2, {"n2": b}, full=True)
    assert live.merge(delta(1, {"n1": a}), newest) == newest


def test_a_large_message_is_sent_in_parts_that_add_up():
    nodes = {f"n{i}": {"text": "x" * 1000} for i in range(3000)}
    whole = Delta(9, True, 1.0, nodes, {"l1": {"state": "up"}})
    parts = [msgspec.json.decode(part) for part in _encode(whole)]
    assert len(parts) > 4
    assert all(len(part) <= 1 << 20 for part in _encode(whole))
    assert [part["full"] for part in parts] == [True] + [False] * (len(parts) - 1)
    assert {k: v for part in parts for k, v in part["nodes"].items()} == nodes
    assert {k: v for part in parts for k, v in part["links"].items()} == {"l1": {"state": "up"}}


def test_a_flood_in_a_lab_fits_one_frame():
    flood = [FdbRecord(index=10, mac=f"02:00:00:{i:06x}", age=0) for i in range(70_000)]
    addresses = [AddressRecord(index=10, address=f"2001:db8::{i:x}/64") for i in range(60_000)]
    _state, delta = folded(*(Seen("n1", record) for record in (*flood, *addresses)))
    assert all(len(part) < 1 << 20 for part in _encode(delta))


def test_services_of_a_node_are_told_when_they_change():
    state, _ = live.draw(LiveState(), DRAWN, 1.0)
    running = {"n1": {"s1": {"state": "running", "message": "", "since": 1.0, "restarts": 0}}}
    state, delta = live.serve(state, running, 2.0)
    assert delta.nodes["n1"]["services"] == running["n1"]
    assert set(delta.nodes) == {"n1"}
    _, again = live.serve(state, dict(running), 3.0)
    assert not again
    _, delta = live.serve(state, {}, 4.0)
    assert "services" not in delta.nodes["n1"]


def test_what_daemons_and_leases_bring_is_no_drift():
    records = [
        ForwardingRecord(family=4, on=False),
        LO,
        ETH0,
        AddressRecord(index=10, address="10.0.0.1/24"),
        AddressRecord(index=10, address="10.0.0.50/24", drawable=False),
        *(
            RouteRecord(prefix=f"10.{n}.0.0/16", via="10.0.0.2", index=10, metric=0, proto=word)
            for n, word in enumerate(sorted(LEARNED))
        ),
    ]
    state, _ = live.draw(LiveState(), DRAWN, 1.0)
    state, _ = live.fold(state, [Dump("n1", ALL_RECORDS, tuple(records))], 2.0)
    shown = state.nodes["n1"]
    assert not [entry for entry in shown["drift"] if "peer" not in entry["path"]]
    assert "10.0.0.50/24" in shown["interfaces"]["eth0"]["addresses"]
    assert {"ospf", "bgp", "rip", "dhcp", "zebra", "ra"} <= {r["proto"] for r in shown["routes"]}


def test_every_learned_origin_is_known_to_the_kernel_side():
    assert set(LEARNED_ROUTES.values()) == LEARNED
