"""Plans against the real kernel: what is asked for exists, and errors land on their step."""

from __future__ import annotations

import errno
import os
import subprocess
import threading
import time
from pathlib import Path
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
    pings,
    route,
    star,
    steps,
    two_hosts,
    up,
)
from tests.kernel.privilege import needs_uid_ranges
from topoweb.core.errors import ErrorKind, TopowebError
from topoweb.core.plan.actions import (
    AddNamespace,
    RemoveAddress,
    RemoveDevice,
    RemoveNamespace,
    RemoveRoute,
    SetDevice,
    SetForwarding,
)
from topoweb.core.plan.state import Endpoint, LabState, RouteState
from topoweb.kernel import spaces
from topoweb.kernel.lab import LinuxKernel

if TYPE_CHECKING:
    from topoweb.kernel.holder import Holder


def test_two_hosts_and_a_cable(kernel: LinuxKernel) -> None:
    result = apply(kernel, *two_hosts())
    assert (result.done, errors(result)) == (7, [])
    pings(kernel, "n1", "10.0.1.2")
    state = kernel.observe(LAB)
    eth0 = state.namespaces["n1"].devices["eth0"]
    assert eth0.peer == Endpoint(namespace="n2", name="eth0")
    assert eth0.addresses == {"10.0.1.1/24"}
    assert eth0.tag == f"topoweb:{LAB}:l1:a"
    assert state.namespaces["n1"].devices["lo"].up


def test_nothing_of_a_lab_is_visible_on_the_host(kernel: LinuxKernel) -> None:
    before = subprocess.check_output(["ip", "-o", "link"], text=True)
    apply(kernel, *two_hosts())
    assert subprocess.check_output(["ip", "-o", "link"], text=True) == before
    named = subprocess.check_output(["ip", "netns"], text=True)
    assert "n1" not in named.split()


def test_destroy_leaves_nothing(kernel: LinuxKernel, tmp_path: Path) -> None:
    apply(kernel, *two_hosts())
    found = kernel.manifest(LAB)
    assert found
    assert kernel.labs() == [LAB]
    kernel.destroy(LAB)
    assert kernel.labs() == []
    assert kernel.observe(LAB) == LabState()
    assert not found.holder.alive()
    assert list((tmp_path / "labs").iterdir()) == []
    kernel.destroy(LAB)  # again: nothing to do


def test_a_routed_path_with_both_families(kernel: LinuxKernel) -> None:
    plan = [*node("h1"), *node("r1", ipv4=True, ipv6=True), *node("h2")]
    plan.sort(key=lambda action: not isinstance(action, AddNamespace))
    plan += [cable("l1", "h1 eth0", "r1 eth0"), cable("l2", "r1 eth1", "h2 eth0")]
    plan += up("h1 lo", "r1 lo", "h2 lo")
    for place, four, six in (
        ("h1 eth0", "10.0.1.11/24", "2001:db8:1::11/64"),
        ("r1 eth0", "10.0.1.1/24", "2001:db8:1::1/64"),
        ("r1 eth1", "10.0.2.1/24", "2001:db8:2::1/64"),
        ("h2 eth0", "10.0.2.11/24", "2001:db8:2::11/64"),
    ):
        plan += [address(place, four), address(place, six)]
    plan += [
        route("h1", "0.0.0.0/0", "10.0.1.1"),
        route("h2", "0.0.0.0/0", "10.0.2.1"),
        route("h1", "::/0", "2001:db8:1::1", 1024),
        route("h2", "::/0", "2001:db8:2::1", 1024),
    ]
    assert errors(apply(kernel, *plan)) == []
    assert "ttl=63" in inside(kernel, "h1", "ping -c1 -W5 10.0.2.11")
    inside(kernel, "h1", "ping -c1 -W10 2001:db8:2::11")
    router = kernel.observe(LAB).namespaces["r1"]
    assert (router.forward_ipv4, router.forward_ipv6) == (True, True)
    assert "proto 200" in inside(kernel, "h1", "ip route show default")


def test_forwarding_is_explicit_whatever_the_host_has(kernel: LinuxKernel) -> None:
    apply(kernel, *node("n1"))
    inside(kernel, "n1", "sysctl -w net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1")
    apply(kernel, SetForwarding(namespace="n1", ipv4=False))
    assert inside(kernel, "n1", "sysctl -n net.ipv4.ip_forward") == "0\n"
    assert inside(kernel, "n1", "sysctl -n net.ipv6.conf.all.forwarding") == "1\n"


def test_a_switch_forwards_without_speaking_ipv6(kernel: LinuxKernel) -> None:
    assert errors(apply(kernel, *star(3))) == []
    pings(kernel, "h1", "10.0.0.3")
    assert "inet6" not in inside(kernel, "sw", "ip -6 addr show dev p1")
    assert "inet6 fe80" in inside(kernel, "h1", "ip -6 addr show dev eth0")
    port = kernel.observe(LAB).namespaces["sw"].devices["p2"]
    assert (port.master, port.stp_state) == ("br0", "forwarding")


def test_a_switch_may_be_drawn_with_an_ipv6_address(kernel: LinuxKernel) -> None:
    plan = [*star(1), address("sw br0", "2001:db8::1/64"), address("h1 eth0", "2001:db8::2/64")]
    assert errors(apply(kernel, *plan)) == []
    inside(kernel, "h1", "ping -c1 -W10 2001:db8::1")


def test_two_switches_are_cabled_port_to_port(kernel: LinuxKernel) -> None:
    plan = [AddNamespace(namespace="s1"), AddNamespace(namespace="s2"), bridge("s1"), bridge("s2")]
    plan += [cable("l1", "s1 p1", "s2 p1", "br0", "br0")]
    assert errors(apply(kernel, *plan)) == []
    state = kernel.observe(LAB)
    for name in ("s1", "s2"):
        assert state.namespaces[name].devices["p1"].master == "br0"
        assert state.namespaces[name].devices["p1"].up


def test_properties_change_in_place(kernel: LinuxKernel) -> None:
    apply(kernel, *star(1))
    mac = "02:00:00:00:00:2a"
    result = apply(
        kernel,
        SetDevice(at=at("h1 eth0"), mtu=1400, mac=mac),
        SetDevice(at=at("sw p1"), mtu=1400, master=""),
        SetDevice(at=at("sw br0"), stp=True, ageing=42),
    )
    assert errors(result) == []
    state = kernel.observe(LAB).namespaces
    assert (state["h1"].devices["eth0"].mtu, state["h1"].devices["eth0"].mac) == (1400, mac)
    assert state["sw"].devices["p1"].master is None
    assert (state["sw"].devices["br0"].stp, state["sw"].devices["br0"].ageing) == (True, 42)
    apply(kernel, SetDevice(at=at("sw p1"), master="br0", up=False))
    port = kernel.observe(LAB).namespaces["sw"].devices["p1"]
    assert (port.master, port.up, port.stp_state) == ("br0", False, "disabled")


def test_removal_of_address_route_and_devices(kernel: LinuxKernel) -> None:
    apply(kernel, *star(3), route("h1", "10.9.0.0/16", "10.0.0.2"))
    stale = RouteState(prefix="10.9.0.0/16", via="10.0.0.2", device="eth0")
    result = apply(
        kernel,
        RemoveRoute(namespace="h1", route=stale),
        RemoveAddress(at=at("h1 eth0"), address="10.0.0.1/16"),
        RemoveDevice(at=at("sw p2")),
        RemoveDevice(at=at("sw p3")),
    )
    assert errors(result) == []
    state = kernel.observe(LAB).namespaces
    assert state["h1"].routes == frozenset()
    assert state["h1"].devices["eth0"].addresses == frozenset()
    assert set(state["sw"].devices) == {"lo", "br0", "p1"}
    assert "eth0" not in state["h2"].devices
    found = kernel.manifest(LAB)
    assert found
    assert set(found.links) == {"l1"}


def test_what_holds_already_is_no_failure(kernel: LinuxKernel) -> None:
    apply(kernel, *two_hosts(), route("n1", "0.0.0.0/0", "10.0.1.2"))
    gone = RouteState(prefix="10.7.0.0/16", via="10.0.1.2", device="eth0")
    result = apply(
        kernel,
        AddNamespace(namespace="n1"),
        address("n1 eth0", "10.0.1.1/24"),
        route("n1", "0.0.0.0/0", "10.0.1.2"),
        RemoveRoute(namespace="n1", route=gone),
        RemoveAddress(at=at("n1 eth0"), address="10.7.7.7/8"),
        RemoveDevice(at=at("n1 nothing")),
    )
    assert (result.done, errors(result)) == (6, [])


def test_a_refusal_lands_on_its_step_and_the_rest_runs(kernel: LinuxKernel) -> None:
    apply(kernel, *two_hosts())
    plan = steps(
        route("n1", "10.5.0.0/16", "192.168.1.1"),  # off link
        address("n1 eth9", "10.0.9.1/24"),
        address("n2 eth0", "10.0.9.2/24"),
        cable("l2", "n1 eth0", "n2 eth5"),  # the name is taken
        address("n2 eth5", "10.0.8.1/24"),  # needs the refused cable: left out
        SetDevice(at=at("n2 lo"), mtu=2**31),
    )
    result = kernel.apply(LAB, plan, lambda done: None, lambda: False)
    assert [failure.step.subject for failure in result.failures] == ["s0", "s1", "s3", "s5"]
    codes = [failure.errno for failure in result.failures]
    assert codes == [errno.ENETUNREACH, errno.ENODEV, errno.EEXIST, errno.EINVAL]
    assert "Nexthop has invalid gateway" in result.failures[0].message
    assert [failure.retryable for failure in result.failures] == [False, True, False, False]
    assert result.done == 1
    assert "10.0.9.2/24" in kernel.observe(LAB).namespaces["n2"].devices["eth0"].addresses


def test_a_running_lab_grows_and_shrinks(kernel: LinuxKernel) -> None:
    apply(kernel, *star(3))
    first = kernel.manifest(LAB)
    assert errors(apply(kernel, *star(2, first=4))) == []
    second = kernel.manifest(LAB)
    assert first
    assert second
    assert second.userns == first.userns
    dies(first.holder)
    for name, place in first.namespaces.items():
        assert second.namespaces[name] == place  # the very same namespaces
    pings(kernel, "h5", "10.0.0.1")
    assert errors(apply(kernel, *map(_removed, ("h1", "h4")))) == []
    state = kernel.observe(LAB).namespaces
    assert set(state) == {"sw", "h2", "h3", "h5"}
    assert set(state["sw"].devices) == {"lo", "br0", "p2", "p3", "p5"}
    pings(kernel, "h5", "10.0.0.2")
    third = kernel.manifest(LAB)
    assert third
    assert set(third.links) == {"l2", "l3", "l5"}


def dies(holder: Holder) -> None:
    """The one that was succeeded is told to end; nobody waits for it."""
    deadline = time.monotonic() + 10
    while holder.alive():
        assert time.monotonic() < deadline, f"holder {holder.pid} lives on"
        time.sleep(0.01)


def _removed(name: str) -> RemoveNamespace:
    return RemoveNamespace(namespace=name)


def test_slots_are_used_again(kernel: LinuxKernel) -> None:
    apply(kernel, *star(2))
    apply(kernel, _removed("h1"))
    apply(kernel, *star(2, first=3))
    found = kernel.manifest(LAB)
    assert found
    assert sorted(place.slot for place in found.namespaces.values()) == [0, 1, 2, 3]


def test_a_cable_can_be_moved_in_one_plan(kernel: LinuxKernel) -> None:
    apply(kernel, *star(2), AddNamespace(namespace="s2"), bridge("s2"))
    moved = cable("l1", "s2 p1", "h1 eth0", a_master="br0")
    assert errors(apply(kernel, RemoveDevice(at=at("sw p1")), moved)) == []
    assert kernel.observe(LAB).namespaces["h1"].devices["eth0"].peer == at("s2 p1")
    found = kernel.manifest(LAB)
    assert found
    assert found.links["l1"] == (("s2", "p1"), ("h1", "eth0"))


def test_cancel_stops_between_batches(kernel: LinuxKernel) -> None:
    asked = threading.Event()

    def cancelled() -> bool:
        if asked.is_set():
            return True
        asked.set()  # the first question comes before the start, the next while it runs
        return False

    plan = steps(*star(300))
    result = kernel.apply(LAB, plan, lambda done: None, cancelled)
    assert result.cancelled
    assert result.done < len(plan)


def test_a_cancelled_apply_touches_nothing(kernel: LinuxKernel) -> None:
    result = kernel.apply(LAB, steps(*two_hosts()), lambda done: None, lambda: True)
    assert (result.done, result.cancelled) == (0, True)
    assert kernel.labs() == []


def test_progress_rises_to_the_end(kernel: LinuxKernel) -> None:
    seen: list[int] = []
    plan = steps(*star(100))
    result = kernel.apply(LAB, plan, seen.append, lambda: False)
    assert result.done == len(plan)
    assert seen == sorted(seen)
    assert seen[-1] == len(plan)


def test_destroy_names_the_namespace_that_stays(
    kernel: LinuxKernel, monkeypatch: pytest.MonkeyPatch
) -> None:
    apply(kernel, *two_hosts())
    fd = kernel.open_namespace(LAB, "n2")
    monkeypatch.setattr(spaces, "GONE_TIMEOUT", 0.3)
    try:
        with pytest.raises(TopowebError, match="namespace of n2 stays") as caught:
            kernel.destroy(LAB)
        assert caught.value.kind is ErrorKind.BUSY
    finally:
        os.close(fd)
    monkeypatch.undo()
    kernel.destroy(LAB)
    assert kernel.labs() == []


def test_a_forker_started_from_inside_a_namespace_does_not_keep_it(
    kernel: LinuxKernel, tmp_path: Path
) -> None:
    apply(kernel, *star(2))
    later = LinuxKernel(tmp_path)  # its forker starts when the first namespace is to go
    plan = [SetDevice(at=at("h1 lo"), up=False), _removed("h1")]
    assert errors(apply(later, *plan)) == []
    later.destroy(LAB)
    later.close()


def test_many_bridges_are_drained(kernel: LinuxKernel) -> None:
    plan = [AddNamespace(namespace=f"s{number}") for number in range(12)]
    apply(kernel, *plan, *(bridge(f"s{number}") for number in range(12)))
    kernel.destroy(LAB)
    assert kernel.labs() == []


@needs_uid_ranges
def test_labs_have_uid_ranges_of_their_own(kernel: LinuxKernel) -> None:
    apply(kernel, *node("n1"), lab=1)
    apply(kernel, *node("n1"), lab=65_001)  # the same preferred range
    maps = set()
    for lab in (1, 65_001):
        found = kernel.manifest(lab)
        assert found
        first = int(Path(f"/proc/{found.holder.pid}/uid_map").read_text().split()[1])
        assert first == found.uid_base
        maps.add(first)
    assert len(maps) == 2
    assert min(maps) >= 100_000
