"""Observing reads what is there, whoever made it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from tests.kernel.plans import (
    LAB,
    address,
    apply,
    at,
    bridge,
    cable,
    errors,
    inside,
    node,
    route,
    star,
    two_hosts,
)
from topoweb.core.errors import ErrorKind, TopowebError
from topoweb.core.plan.actions import AddNamespace
from topoweb.core.plan.state import LabState, RouteState
from topoweb.kernel.observe import observe

if TYPE_CHECKING:
    from topoweb.kernel.lab import LinuxKernel


def test_nothing_is_an_empty_state(kernel: LinuxKernel) -> None:
    assert kernel.observe(LAB) == LabState()


def test_a_fresh_namespace_has_lo_down_and_no_routes(kernel: LinuxKernel) -> None:
    apply(kernel, *node("n1"))
    state = kernel.observe(LAB).namespaces["n1"]
    assert not state.devices["lo"].up
    assert state.devices["lo"].kind == "loopback"
    assert state.routes == frozenset()
    assert (state.forward_ipv4, state.forward_ipv6) == (False, False)


def test_what_a_user_types_is_seen(kernel: LinuxKernel) -> None:
    apply(kernel, *two_hosts())
    inside(kernel, "n1", "ip addr add 10.7.0.1/16 dev eth0")
    inside(kernel, "n1", "ip link set eth0 mtu 1300")
    inside(kernel, "n1", "ip route add 10.8.0.0/16 via 10.0.1.2 metric 7")
    inside(kernel, "n1", "ip route add 10.9.0.0/16 nexthop via 10.0.1.2 nexthop via 10.7.0.9")
    inside(kernel, "n1", "ip link add veth7 type veth peer name veth8")
    inside(kernel, "n2", "ip link set eth0 down")
    state = kernel.observe(LAB).namespaces
    eth0 = state["n1"].devices["eth0"]
    assert eth0.addresses == {"10.0.1.1/24", "10.7.0.1/16"}
    assert (eth0.mtu, eth0.up) == (1300, True)
    assert not state["n2"].devices["eth0"].up
    assert state["n1"].devices["veth7"].peer == at("n1 veth8")
    assert state["n1"].devices["veth7"].tag == ""


def test_routes_of_users_are_seen_and_the_kernels_own_are_not(kernel: LinuxKernel) -> None:
    apply(kernel, *two_hosts(), address("n1 eth0", "2001:db8::1/64"))
    inside(kernel, "n1", "ip route add 10.8.0.0/16 via 10.0.1.2 metric 7")
    inside(kernel, "n1", "ip route add 10.9.0.0/16 nexthop via 10.0.1.2 nexthop via 10.0.1.3")
    inside(kernel, "n1", "ip -6 route add 2001:db8:9::/48 via 2001:db8::9")
    inside(kernel, "n1", "ip route add blackhole 10.66.0.0/16")
    inside(kernel, "n1", "ip route add 10.77.0.0/16 via 10.0.1.2 table 100")
    assert kernel.observe(LAB).namespaces["n1"].routes == {
        RouteState(prefix="10.8.0.0/16", via="10.0.1.2", device="eth0", metric=7),
        RouteState(prefix="10.9.0.0/16", via="10.0.1.2", device="eth0"),
        RouteState(prefix="10.9.0.0/16", via="10.0.1.3", device="eth0"),
        RouteState(prefix="2001:db8:9::/48", via="2001:db8::9", device="eth0", metric=1024),
    }


def test_link_locals_of_the_kernel_are_left_out(kernel: LinuxKernel) -> None:
    apply(kernel, *two_hosts(), address("n1 eth0", "fe80::77/64"))
    eth0 = kernel.observe(LAB).namespaces["n1"].devices["eth0"]
    assert eth0.addresses == {"10.0.1.1/24", "fe80::77/64"}  # the drawn one stays in
    assert inside(kernel, "n1", "ip -6 -o addr show dev eth0 scope link").count("fe80") == 2


def test_ipv6_text_is_canonical(kernel: LinuxKernel) -> None:
    apply(kernel, *two_hosts(), address("n1 eth0", "2001:DB8:0:0::0:a/64"))
    assert "2001:db8::a/64" in kernel.observe(LAB).namespaces["n1"].devices["eth0"].addresses


def test_peers_are_told_apart_although_indexes_repeat(kernel: LinuxKernel) -> None:
    names = [f"s{number}" for number in range(4)]
    plan = [AddNamespace(namespace=name) for name in (*names, *(f"h{n}" for n in range(8)))]
    plan += [bridge(name) for name in names]
    for number in range(8):
        plan.append(
            cable(f"l{number}", f"s{number // 2} p{number}", f"h{number} eth0", a_master="br0")
        )
    assert errors(apply(kernel, *plan)) == []
    state = kernel.observe(LAB).namespaces
    for number in range(8):
        switch = f"s{number // 2}"
        assert state[f"h{number}"].devices["eth0"].peer == at(f"{switch} p{number}")
        assert state[switch].devices[f"p{number}"].peer == at(f"h{number} eth0")


def test_spanning_tree_blocks_a_loop(kernel: LinuxKernel) -> None:
    plan = [AddNamespace(namespace="s1"), AddNamespace(namespace="s2")]
    plan += [bridge("s1", stp=True), bridge("s2", stp=True)]
    plan += [cable(f"l{n}", f"s1 p{n}", f"s2 p{n}", "br0", "br0") for n in (1, 2)]
    apply(kernel, *plan)
    deadline = time.monotonic() + 10
    while "blocking" not in _port_states(kernel):
        assert time.monotonic() < deadline, _port_states(kernel)
    assert kernel.observe(LAB).namespaces["s1"].devices["br0"].stp is True


def test_the_shorter_ageing_of_a_topology_change_is_not_taken_for_the_bridges_own(
    kernel: LinuxKernel,
) -> None:
    apply(kernel, *node("s1"), bridge("s1", stp=True), *node("h1"))
    # Two seconds is the least that the kernel takes; the port forwards after twice that.
    inside(kernel, "s1", "ip link set br0 type bridge forward_delay 200")
    apply(kernel, cable("l1", "s1 p1", "h1 eth0", "br0"))
    deadline = time.monotonic() + 15
    while True:
        seen = kernel.observe(LAB).namespaces["s1"].devices["br0"].ageing  # before: it may begin
        if "topology_change 1" in inside(kernel, "s1", "ip -d link show br0"):
            break
        assert seen == 300
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert "ageing_time 400" in inside(kernel, "s1", "ip -d link show br0")
    assert kernel.observe(LAB).namespaces["s1"].devices["br0"].ageing is None


def _port_states(kernel: LinuxKernel) -> list[str | None]:
    state = kernel.observe(LAB).namespaces
    return [state[s].devices[p].stp_state for s in ("s1", "s2") for p in ("p1", "p2")]


def test_a_route_and_its_device_go_together(kernel: LinuxKernel) -> None:
    apply(kernel, *two_hosts(), route("n1", "0.0.0.0/0", "10.0.1.2"))
    inside(kernel, "n1", "ip link set eth0 down")
    assert kernel.observe(LAB).namespaces["n1"].routes == frozenset()


def test_a_holder_that_dies_meanwhile_is_lost(kernel: LinuxKernel) -> None:
    apply(kernel, *two_hosts())
    found = kernel.manifest(LAB)
    assert found
    found.holder.kill()
    with pytest.raises(TopowebError) as caught:
        observe(found)
    assert caught.value.kind is ErrorKind.LOST


def test_two_hundred_namespaces_are_read_in_full(kernel: LinuxKernel) -> None:
    apply(kernel, *star(200))
    state = kernel.observe(LAB).namespaces
    assert len(state) == 201
    assert len(state["sw"].devices) == 202
    for number in range(1, 201):
        assert state[f"h{number}"].devices["eth0"].peer == at(f"sw p{number}")
        assert state[f"h{number}"].devices["eth0"].addresses == {f"10.0.0.{number}/16"}
