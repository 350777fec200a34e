from __future__ import annotations

from tests.unit.core.drawing import Drawing, two_hosts
from topoweb.core.plan.expand import expand, subjects
from topoweb.core.plan.state import DeviceState, Endpoint, RouteState
from topoweb.core.topology.names import (
    derived_mac,
    kernel_tag,
    next_interface_name,
    next_node_name,
)


def test_a_cable_becomes_a_tagged_pair() -> None:
    state = expand(5, two_hosts().parse())
    assert set(state.namespaces) == {"h1", "h2"}
    assert state.namespaces["h1"].devices["eth0"] == DeviceState(
        name="eth0",
        kind="veth",
        up=True,
        mac=derived_mac(5, "h1-eth0"),
        peer=Endpoint(namespace="h2", name="eth0"),
        addresses=frozenset({"10.0.0.1/24"}),
        tag="topoweb:5:l1:a",
        offloads=True,
    )
    assert state.namespaces["h2"].devices["eth0"].tag == "topoweb:5:l1:b"
    assert state.namespaces["h1"].devices["lo"].up


def test_a_switch_is_a_bridge_with_ports() -> None:
    drawing = Drawing().node("s1", stp=True, ageing=5, addresses=["10.0.0.254/24"])
    drawing.cable("h1.eth0", "s1.p1").cable("h2.eth0", "s1.p2").interface("s1.p3")
    drawing.document["interfaces"]["s1-p2"] |= {"bridged": False}
    drawing.document["interfaces"]["s1-p1"] |= {"mtu": 1400}
    devices = expand(1, drawing.parse()).namespaces["s1"].devices
    assert set(devices) == {"lo", "br0", "p1", "p2"}  # p3 has no cable
    assert (devices["p1"].master, devices["p2"].master) == ("br0", None)
    bridge = devices["br0"]
    assert (bridge.stp, bridge.ageing, bridge.mtu, bridge.mac) == (True, 5, 1400, None)
    assert bridge.addresses == {"10.0.0.254/24"}
    assert bridge.tag == "topoweb:1:s1:br0"


def test_a_cable_that_is_off_has_both_ends_down_and_no_routes() -> None:
    drawing = two_hosts().route("h1", "0.0.0.0/0", "10.0.0.2")
    drawing.document["links"]["l1"]["up"] = False
    state = expand(1, drawing.parse())
    assert not state.namespaces["h1"].devices["eth0"].up
    assert not state.namespaces["h2"].devices["eth0"].up
    assert state.namespaces["h1"].routes == frozenset()


def test_routes_name_the_device_that_the_kernel_chooses() -> None:
    drawing = (
        Drawing()
        .cable("h1.eth0 10.0.0.1/16", "h2.eth0 10.0.0.2/24")
        .cable("h1.eth1 10.0.1.1/24 2001:db8::1/64", "h3.eth0 10.0.1.3/24")
        .route("h1", "10.9.0.0/16", "10.0.1.3")  # in both networks: the longer prefix wins
        .route("h1", "10.8.0.0/16", "10.0.0.2", metric=7)
        .route("h1", "::/0", "2001:db8::3")
        .route("h1", "10.7.0.0/16", device="h1-eth0")
        .route("h1", "10.6.0.0/16", "10.7.5.5")  # on-link by the route before
        .route("h1", "10.5.0.0/16", "192.168.9.9")  # nowhere: left for the kernel to refuse
    )
    assert expand(1, drawing.parse()).namespaces["h1"].routes == {
        RouteState(prefix="10.9.0.0/16", via="10.0.1.3", device="eth1"),
        RouteState(prefix="10.8.0.0/16", via="10.0.0.2", device="eth0", metric=7),
        RouteState(prefix="::/0", via="2001:db8::3", device="eth1", metric=1024),
        RouteState(prefix="10.7.0.0/16", device="eth0"),
        RouteState(prefix="10.6.0.0/16", via="10.7.5.5", device="eth0"),
        RouteState(prefix="10.5.0.0/16", via="192.168.9.9"),
    }


def test_subjects_name_what_was_drawn() -> None:
    topology = two_hosts().route("h1", "0.0.0.0/0", "10.0.0.2").parse()
    drawn = subjects(topology)
    port = Endpoint(namespace="h1", name="eth0")
    assert drawn.devices[port] == "h1-eth0"
    assert drawn.links[port] == "l1"
    assert drawn.nodes["h1"] == "h1"
    (route,) = expand(9, topology).namespaces["h1"].routes
    assert drawn.routes["h1", route] == "t1"


def test_derived_macs_are_stable_local_unicast_and_differ() -> None:
    macs = {derived_mac(lab, f"i{n}") for lab in (1, 2) for n in range(500)}
    assert len(macs) == 1000
    assert all(int(mac[:2], 16) & 3 == 2 for mac in macs)
    assert derived_mac(1, "i1") == derived_mac(1, "i1") == "26:56:19:0b:76:42"


def test_names_and_tags() -> None:
    assert next_node_name("host", ["h1", "h3"]) == "h2"
    assert next_node_name("switch", []) == "sw1"
    assert next_interface_name("router", ["eth0", "eth1"]) == "eth2"
    assert next_interface_name("switch", ["eth0"]) == "p1"
    assert len(kernel_tag(2**63, "x" * 40, "a").encode()) <= 255
