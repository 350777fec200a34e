"""Exchanges without an answer: the faults of which the kernel says nothing."""

from __future__ import annotations

import pytest

from tests.fakes.traces import (
    Way,
    datagram,
    icmp_error,
    ping,
    segment,
)
from tests.unit.explain.asking import ACROSS, BACK, ON_CABLES, commands, judge, operation
from tests.unit.explain.labs import H1, H2, routed
from topoweb.core.tracing.explain.facts import Rule


@pytest.mark.parametrize("seen", [ACROSS, ON_CABLES])
def test_no_return_route(seen: tuple[str, ...]) -> None:
    lab = routed()
    lab.tables["h2"].clear()
    sent = ping(H1, H2)
    found = judge(lab, "echo", sent, Way(lab, sent).go(*seen), code="no-return-route", node="h2")
    assert commands(found) == ("ip route add 10.0.1.0/24 via 10.0.2.1",)
    assert operation(found) | {"id": ""} == {
        "kind": "add", "collection": "routes", "id": "",
        "value": {"node": "h2", "prefix": "10.0.1.0/24", "via": "10.0.2.1"},
    }  # fmt: skip
    lookup = next(one for one in found.evidence if one.code == "route-look-up")
    assert lookup.command == f"ip route get {H1}"
    assert lookup.output == "RTNETLINK answers: Network is unreachable"
    assert any(one.code == "kernel-silent" for one in found.evidence)


def test_no_return_route_for_tcp() -> None:
    lab = routed()
    lab.tables["h2"].clear()
    lab.sockets["h2", "tcp", 80] = ("0.0.0.0",)
    lab.counts["h2"]["IpOutNoRoutes"] = 1
    sent = segment(H1, H2, (40000, 80))
    found = judge(lab, "tcp", sent, Way(lab, sent).go(*ACROSS), code="no-return-route", node="h2",
                  port=80)  # fmt: skip
    assert any(one.witness == "counters" for one in found.evidence)


@pytest.mark.parametrize(("kind", "port"), [("echo", 0), ("tcp", 80), ("udp", 53)])
def test_source_has_no_route(kind: str, port: int) -> None:
    lab = routed()
    lab.tables["h1"].clear()
    found = judge(lab, kind, ping(H1, H2), code="source-no-route", node="h1", port=port)
    assert commands(found) == ("ip route add 10.0.2.0/24 via 10.0.1.1",)


def test_source_has_no_route_and_the_router_does_not_forward_either() -> None:
    lab = routed()
    lab.tables["h1"].clear()
    lab.settings["r1", "net.ipv4.ip_forward"] = "0"
    found = judge(lab, "echo", ping(H1, H2), code="source-no-route", node="h1")
    assert found.remedy is not None
    assert found.remedy.code == "add-some-route"  # no router that would help is there


@pytest.mark.parametrize("seen", [ACROSS, ON_CABLES])
def test_echo_is_ignored(seen: tuple[str, ...]) -> None:
    lab = routed()
    lab.settings["h2", "net.ipv4.icmp_echo_ignore_all"] = "1"
    sent = ping(H1, H2)
    found = judge(lab, "echo", sent, Way(lab, sent).go(*seen), code="echo-ignored", node="h2")
    assert commands(found) == ("sysctl -w net.ipv4.icmp_echo_ignore_all=0",)


def test_own_interface_is_down() -> None:
    lab = routed()
    lab.change("h1", "eth0", up=False)
    found = judge(lab, "echo", ping(H1, H2), code="interface-down", node="h1")
    assert operation(found) == {
        "kind": "set", "collection": "interfaces", "id": "h1/eth0", "patch": {"up": True},
    }  # fmt: skip


@pytest.mark.parametrize("target", [H1, "127.0.0.1"])
def test_loopback_is_down(target: str) -> None:
    lab = routed()
    lab.change("h1", "lo", up=False, addresses=())
    found = judge(lab, "echo", ping(H1, target), code="lo-down", node="h1")
    assert operation(found)["patch"] == {"lo_up": True}


def test_forwarding_off_by_state() -> None:
    lab = routed()
    lab.settings["r1", "net.ipv4.ip_forward"] = "0"
    sent = ping(H1, H2)
    judge(lab, "echo", sent, Way(lab, sent).go("h1/eth0>"), code="forwarding-off", node="r1")


def test_no_route_by_state() -> None:
    lab = routed()
    sent = ping(H1, "198.51.100.9")
    judge(lab, "echo", sent, Way(lab, sent).go("h1/eth0>"), code="no-route", node="r1")


def test_rule_by_state() -> None:
    lab = routed()
    lab.filters["r1"] = [Rule(table="ip t", chain="f", hook="forward",
                              text=f"ip daddr {H2} drop", verdict="drop")]  # fmt: skip
    sent = ping(H1, H2)
    found = judge(lab, "echo", sent, Way(lab, sent).go("h1/eth0>"), code="filter-drop", node="r1")
    assert found.params["hook"] == "forward"


def test_reverse_path_filter_by_state() -> None:
    """Asymmetric return: the reply leaves by another router, whose filter takes it for forged."""
    lab = routed()
    lab.node("r2", forward=True, eth0="10.0.2.9/24", eth1="10.0.1.9/24")
    lab.switch("s2", "p1", "p2", "p3")
    lab.switch("s1", "p1", "p2", "p3")
    for link, a, b in (
        ("a1", "h1/eth0", "s1/p1"), ("a2", "r1/eth0", "s1/p2"), ("a3", "r2/eth1", "s1/p3"),
        ("b1", "h2/eth0", "s2/p1"), ("b2", "r1/eth1", "s2/p2"), ("b3", "r2/eth0", "s2/p3"),
    ):  # fmt: skip
        lab.cable(link, a, b)
    lab.tables["h2"].clear()
    lab.add_route("h2", "0.0.0.0/0", "10.0.2.9")
    lab.settings["r2", "net.ipv4.conf.eth0.rp_filter"] = "1"
    lab.add_route("r2", "10.0.2.2/32", "10.0.1.1")
    sent, reply = ping(H1, H2), ping(H2, H1, reply=True)
    there = Way(lab, sent, 1).go("h1/eth0>", "s1/p1", "s1/p2>", "r1/eth0", "r1/eth1>", "s2/p2",
                                 "s2/p1>", "h2/eth0")  # fmt: skip
    back = Way(lab, reply, 2).go("h2/eth0>", "s2/p1", "s2/p3>", "r2/eth0")
    found = judge(lab, "echo", sent, there, back, code="rp-filter", node="r2")
    assert found.params["way"] == "eth1"
    end = ("r2/eth0", "IP_RPFILTER", "ip_rcv_finish_core")
    dropped = Way(lab, reply, 2).go("h2/eth0>", "s2/p1", "s2/p3>", "r2/eth0", drop=end)
    judge(lab, "echo", sent, there, dropped, code="rp-filter", node="r2")


def test_reply_dies_on_the_way() -> None:
    lab = routed()
    sent, reply = ping("10.9.9.9", H2), ping(H2, "10.9.9.9", reply=True)
    lab.node("h9", eth0="10.9.9.9/24")
    lab.cable("l9", "h9/eth0", "r1/eth9")
    there = Way(lab, sent, 1).go("r1/eth1>", "h2/eth0")
    back = Way(lab, reply, 2).go("h2/eth0>", "r1/eth1")
    judge(lab, "echo", sent, there, back, code="no-route-for-reply", node="r1")


def test_closed_port_by_its_reset() -> None:
    lab = routed()
    sent, reset = segment(H1, H2, (40000, 81)), segment(H2, H1, (81, 40000), 0x14)
    there, back = Way(lab, sent, 1).go(*ON_CABLES), Way(lab, reset, 2).go(*BACK)
    judge(lab, "tcp", sent, there, back, code="no-listener", node="h2", state="refused", port=81)


def test_closed_port_by_an_icmp_error() -> None:
    lab = routed()
    sent = datagram(H1, H2, (40000, 9))
    error = icmp_error(H2, H1, 3, 3, sent)
    there, back = Way(lab, sent, 1).go(*ON_CABLES), Way(lab, error, 2).go(*BACK)
    judge(lab, "udp", sent, there, back, code="no-listener", node="h2", state="refused", port=9)


def test_router_reports_no_route() -> None:
    lab = routed()
    sent = ping(H1, "198.51.100.9")
    error = icmp_error("10.0.1.1", H1, 3, 0, sent)
    there = Way(lab, sent, 1).go("h1/eth0>")
    back = Way(lab, error, 2).go("r1/eth0>", "h1/eth0")
    judge(lab, "echo", sent, there, back, code="no-route", node="r1", state="refused")
