"""What the explainer asks, answered by the living kernel."""

from __future__ import annotations

import os
import socket
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from tests.kernel.factslab import lan
from tests.kernel.plans import (
    LAB,
    apply,
    inside,
    node,
    pings,
    two_hosts,
)
from tests.kernel.tracelab import eventually
from topoweb.core.plan.actions import RemoveNamespace, SetForwarding
from topoweb.core.tracing.explain.facts import End, Facts, Port, Route
from topoweb.kernel.netns import run_inside
from topoweb.kernel.trace import nodestate
from topoweb.kernel.trace.facts import LinuxFacts

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from topoweb.kernel.lab import LinuxKernel

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root or a user namespace")


@pytest.fixture
def facts(tmp_path: Path) -> Iterator[LinuxFacts]:
    """Facts that are never older than the question."""
    facts = LinuxFacts(tmp_path, LAB, max_age=0)
    yield facts
    facts.close()


@contextmanager
def bound(kernel: LinuxKernel, name: str, at: tuple[str, int], kind: int) -> Iterator[None]:
    family = socket.AF_INET6 if ":" in at[0] else socket.AF_INET

    def make() -> socket.socket:
        made = socket.socket(family, kind)
        made.bind(at)
        if kind == socket.SOCK_STREAM:
            made.listen()
        return made

    fd = kernel.open_namespace(LAB, name)
    try:
        with run_inside(fd, make):
            yield
    finally:
        os.close(fd)


def test_interfaces_and_their_other_ends(kernel: LinuxKernel, facts: LinuxFacts) -> None:
    keeps_the_contract: Facts = facts
    lan(kernel)
    assert sorted(keeps_the_contract.nodes()) == ["h1", "h2", "r", "sw"]
    h1 = facts.interfaces("h1")
    assert set(h1) == {"lo", "eth0"}
    assert (h1["lo"].kind, h1["lo"].up, h1["eth0"].kind, h1["eth0"].mtu) == (
        *("loopback", True),
        *("veth", 1500),
    )
    assert {"10.0.1.11/24", "2001:db8:1::11/64"} <= set(h1["eth0"].addresses)
    assert facts.peer("h1", "eth0") == End(node="sw", interface="p1", link="l1", side="a")
    assert facts.peer("sw", "p2") == End(node="r", interface="eth0", link="l2", side="b")
    assert facts.peer("h1", "lo") is None
    assert facts.peer("h1", "eth9") is None
    inside(kernel, "r", "ip link set eth0 down")
    inside(kernel, "r", "ip link set eth0 name wan")
    inside(kernel, "r", "ip link set wan mtu 1400 arp off")
    inside(kernel, "r", "ip link set wan up")
    wan = facts.interfaces("r")["wan"]
    assert (wan.mtu, wan.arp, wan.up) == (1400, False, True)
    assert facts.peer("sw", "p2") == End(node="r", interface="wan", link="l2", side="b")
    inside(kernel, "h2", "ip link set eth0 down")
    eth1 = facts.interfaces("r")["eth1"]
    assert (eth1.up, eth1.carrier) == (True, False)
    assert not facts.interfaces("h2")["eth0"].up


def test_a_pair_that_nobody_drew_and_a_macvlan(kernel: LinuxKernel, facts: LinuxFacts) -> None:
    lan(kernel)
    inside(kernel, "h1", "ip link add x1 type veth peer name x2")
    inside(kernel, "h1", "ip link add mv0 link eth0 type macvlan mode private")
    assert facts.peer("h1", "x1") == End(node="h1", interface="x2")
    assert facts.peer("h1", "mv0") is None
    child = facts.interfaces("h1")["mv0"]
    assert (child.kind, child.parent, child.mode) == ("macvlan", "eth0", "private")
    inside(kernel, "h1", "tc qdisc add dev eth0 root tbf rate 8kbit burst 1600 limit 1600")
    assert facts.interfaces("h1")["eth0"].qdisc == "tbf"


def test_ports_of_a_bridge_and_its_table(kernel: LinuxKernel, facts: LinuxFacts) -> None:
    lan(kernel)
    pings(kernel, "h1", "10.0.1.1")
    mac = facts.interfaces("h1")["eth0"].mac
    assert facts.fdb("sw", "br0", mac) == "p1"
    assert facts.fdb("sw", "br0", mac.upper()) == "p1"
    assert facts.fdb("sw", "br0", "02:00:00:00:00:99") == ""
    assert facts.fdb("sw", "br0", facts.interfaces("sw")["br0"].mac) == "br0"
    assert facts.interfaces("sw")["p1"].port == Port(bridge="br0")
    assert facts.interfaces("sw")["br0"].port is None
    for flags in ("isolated on", "flood off", "learning off", "hairpin on", "locked on"):
        inside(kernel, "sw", f"bridge link set dev p1 {flags}")
    inside(kernel, "sw", "ip link set br0 type bridge stp_state 1 forward_delay 3000")
    inside(kernel, "sw", "ip link set p1 down")
    inside(kernel, "sw", "ip link set p1 up")
    eventually(lambda: facts.interfaces("sw")["p1"].carrier, "the port does not come up")
    assert facts.interfaces("sw")["p1"].port == Port(
        bridge="br0",
        state="listening",
        isolated=True,
        locked=True,
        flood=False,
        learning=False,
        hairpin=True,
    )


def test_routes_as_the_sender_has_them(kernel: LinuxKernel, facts: LinuxFacts) -> None:
    lan(kernel)
    assert facts.route("h1", "10.0.2.11") == Route(
        kind="unicast",
        interface="eth0",
        gateway="10.0.1.1",
        source="10.0.1.11",
        prefix="0.0.0.0/0",
    )
    near = facts.route("h1", "10.0.1.1")
    assert (near.gateway, near.prefix) == ("", "10.0.1.0/24")
    assert facts.route("h1", "10.0.1.11").kind == "local"
    assert facts.route("h1", "10.0.1.255").kind == "broadcast"
    assert facts.route("sw", "10.0.2.11") == Route(kind="none", error="ENETUNREACH")
    six = facts.route("h1", "2001:db8:1::1")
    assert (six.kind, six.interface, six.prefix) == ("unicast", "eth0", "2001:db8:1::/64")
    assert facts.route("h1", "2001:db8:9::1") == Route(kind="none", error="ENETUNREACH")
    assert facts.route("h1", "nonsense").error == "EINVAL"
    assert [entry.prefix for entry in facts.routes("h1", "ipv4")] == ["10.0.1.0/24", "0.0.0.0/0"]
    inside(kernel, "h1", "ip route add 10.7.0.0/16 via 10.0.1.1 mtu 1300")
    assert facts.route("h1", "10.7.0.1").mtu == 1300


def test_routes_as_a_router_forwards(kernel: LinuxKernel, facts: LinuxFacts) -> None:
    lan(kernel)

    def forwarding(destination: str, source: str = "10.0.1.11") -> Route:
        return facts.route("r", destination, source=source, arriving="eth0")

    there = forwarding("10.0.2.11")
    assert (there.kind, there.interface) == ("unicast", "eth1")
    assert forwarding("10.0.1.1").kind == "local"
    assert forwarding("192.0.2.1") == Route(kind="none", error="ENETUNREACH")
    for kind, error in (
        ("blackhole", "EINVAL"),
        ("prohibit", "EACCES"),
        ("unreachable", "EHOSTUNREACH"),
    ):
        inside(kernel, "r", f"ip route replace {kind} 10.7.0.0/16")
        assert forwarding("10.7.0.1") == Route(kind=kind, error=error, prefix="10.7.0.0/16")  # type: ignore[arg-type]
        assert facts.route("r", "10.7.0.1").kind == kind
    inside(kernel, "r", "sysctl -qw net.ipv4.conf.eth0.rp_filter=1")
    assert forwarding("10.0.2.11", source="10.9.9.9") == Route(kind="none", error="EINVAL")
    apply(kernel, SetForwarding(namespace="r", ipv4=False))
    assert forwarding("10.0.2.11") == Route(kind="none", error="EHOSTUNREACH")
    assert facts.route("r", "10.0.2.11", source="10.0.1.11", arriving="eth9").error == "ENODEV"


def test_rejecting_routes_of_ipv6(kernel: LinuxKernel, facts: LinuxFacts) -> None:
    lan(kernel)
    for kind in ("blackhole", "prohibit", "unreachable"):
        inside(kernel, "r", f"ip -6 route replace {kind} 2001:db8:7::/48")
        assert facts.route("r", "2001:db8:7::1").kind == kind


def test_settings_are_the_nodes_own(kernel: LinuxKernel, facts: LinuxFacts) -> None:
    lan(kernel)
    assert facts.sysctl("r", "net.ipv4.ip_forward") == "1"
    assert facts.sysctl("h1", "net.ipv4.ip_forward") == "0"
    inside(kernel, "h1", "ip link add eth0.10 type veth peer name other")
    inside(kernel, "h1", "sysctl -qw net/ipv4/conf/eth0.10/rp_filter=2")
    assert facts.sysctl("h1", "net/ipv4/conf/eth0.10/rp_filter") == "2"
    assert facts.sysctl("h1", "net.ipv4.no_such_thing") == ""
    for foreign in ("kernel.hostname", "net/../kernel/hostname", "net//ipv4/ip_forward", "net.\0"):
        assert facts.sysctl("h1", foreign) == ""


def test_neighbours(kernel: LinuxKernel, facts: LinuxFacts) -> None:
    lan(kernel)
    assert facts.neighbour("h1", "eth0", "10.0.1.1") == ("none", "")
    pings(kernel, "h1", "10.0.1.1")
    state, mac = facts.neighbour("h1", "eth0", "10.0.1.1")
    assert state in ("reachable", "delay", "stale")
    assert mac == facts.interfaces("r")["eth0"].mac
    inside(kernel, "h1", "ip neigh replace 10.0.1.9 lladdr 02:00:00:00:00:09 dev eth0")
    assert facts.neighbour("h1", "eth0", "10.0.1.9") == ("permanent", "02:00:00:00:00:09")


def test_listeners(kernel: LinuxKernel, facts: LinuxFacts) -> None:
    lan(kernel)
    assert facts.listens("h2", "tcp", 8080) == ()
    with bound(kernel, "h2", ("127.0.0.1", 8080), socket.SOCK_STREAM):
        assert facts.listens("h2", "tcp", 8080) == ("127.0.0.1",)
        assert facts.listens("h2", "udp", 8080) == ()
        assert facts.listens("h1", "tcp", 8080) == ()
    with bound(kernel, "h2", ("::", 53), socket.SOCK_DGRAM):
        assert facts.listens("h2", "udp", 53) == ("::", "0.0.0.0")
    with bound(kernel, "h2", ("0.0.0.0", 53), socket.SOCK_DGRAM):
        assert facts.listens("h2", "udp", 53) == ("0.0.0.0",)


def test_counters(kernel: LinuxKernel, facts: LinuxFacts) -> None:
    lan(kernel)
    before = facts.counters("r")["IpForwDatagrams"]
    pings(kernel, "h1", "10.0.2.11")
    after = facts.counters("r")
    assert after["IpForwDatagrams"] == before + 2
    assert {"TcpExtListenDrops", "IpOutNoRoutes", "Ip6InReceives"} <= set(after)


def test_a_node_that_vanished_answers_like_an_empty_one(
    kernel: LinuxKernel, facts: LinuxFacts
) -> None:
    lan(kernel)
    apply(kernel, RemoveNamespace(namespace="r"))
    kernel.destroy(8)
    assert "r" not in facts.nodes()
    for lab_facts, name in ((facts, "r"), (LinuxFacts(kernel._run_dir, 99), "h1")):
        assert lab_facts.interfaces(name) == {}
        assert lab_facts.peer(name, "eth0") is None
        assert lab_facts.route(name, "10.0.1.1") == Route(kind="none", error="ENETUNREACH")
        assert (lab_facts.routes(name, "ipv4"), lab_facts.rules(name)) == ((), ())
        assert (lab_facts.sysctl(name, "net.ipv4.ip_forward"), lab_facts.counters(name)) == ("", {})
        assert lab_facts.neighbour(name, "eth0", "10.0.1.1") == ("none", "")
        assert lab_facts.listens(name, "tcp", 80) == ()
    assert facts.peer("sw", "p2") is None
    assert facts.interfaces("h2")["lo"].up


def test_two_labs_do_not_mix(kernel: LinuxKernel, tmp_path: Path) -> None:
    apply(kernel, *two_hosts())
    apply(kernel, *two_hosts(), lab=8)
    inside(kernel, "n1", "ip link set eth0 mtu 1400", lab=8)
    one, other = LinuxFacts(tmp_path, LAB), LinuxFacts(tmp_path, 8)
    assert one.interfaces("n1")["eth0"].mtu == 1500
    assert other.interfaces("n1")["eth0"].mtu == 1400


def test_answers_hold_for_a_moment_and_pin_nothing(kernel: LinuxKernel, tmp_path: Path) -> None:
    lan(kernel)
    facts = LinuxFacts(tmp_path, LAB, max_age=3600)
    assert facts.interfaces("h1")["eth0"].mtu == 1500
    assert facts.rules("h1") == ()
    inside(kernel, "h1", "ip link set eth0 mtu 1400")
    assert facts.interfaces("h1")["eth0"].mtu == 1500
    facts.close()
    assert facts.interfaces("h1")["eth0"].mtu == 1400
    kernel.destroy(LAB)  # returns when the namespaces have been seen gone, else it raises
    assert facts.nodes() == ()
    assert facts.interfaces("h1") == {}


def test_a_lab_that_is_built_anew_or_grows_is_read_anew(
    kernel: LinuxKernel, tmp_path: Path
) -> None:
    facts = LinuxFacts(tmp_path, LAB, max_age=3600)
    assert facts.nodes() == ()
    for mtu in (1500, 1400):
        apply(kernel, *two_hosts())
        inside(kernel, "n1", f"ip link set eth0 mtu {mtu}")
        assert facts.interfaces("n1")["eth0"].mtu == mtu
        apply(kernel, *node("n3"))  # another process holds the namespaces now
        assert set(facts.interfaces("n3")) == {"lo"}
        kernel.destroy(LAB)


def test_who_has_what_is_found_without_reading_every_node(
    kernel: LinuxKernel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An explanation in a lab of thousands reads the few nodes that it is about."""
    lan(kernel)
    facts = LinuxFacts(tmp_path, LAB, max_age=60)
    reads = []
    read = nodestate.read
    monkeypatch.setattr(nodestate, "read", lambda: reads.append(1) or read())
    (node_of,) = facts.holders("10.0.1.11")
    assert not reads
    item = next(
        one for one in facts.interfaces(node_of).values() if "10.0.1.11/24" in one.addresses
    )
    assert len(reads) == 1
    assert facts.holders(item.mac) == (node_of,)
    assert facts.holders("10.99.0.1") == facts.holders("macvlan") == ()
    assert facts.holders("bridge")
    assert len(reads) == 1
    facts.close()
