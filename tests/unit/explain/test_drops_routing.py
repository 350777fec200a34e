"""Drops of routers: forwarding, routes, reverse path filters, time to live."""

from __future__ import annotations

import pytest

from tests.fakes.traces import Way, ping
from tests.unit.explain.judging import ACROSS, THERE, commands, judge, operation
from tests.unit.explain.labs import H1, H2, campus, routed


def test_forwarding_off() -> None:
    lab = routed()
    lab.settings["r1", "net.ipv4.ip_forward"] = "0"
    way = Way(lab, ping(H1, H2)).go(*THERE, drop=("r1/eth0", "IP_INADDRERRORS", "ip_error"))
    verdict = judge(lab, way, "forwarding-off", "r1")
    assert operation(verdict) == {
        "kind": "set", "collection": "nodes", "id": "r1", "patch": {"forward_ipv4": True},
    }  # fmt: skip
    assert commands(verdict) == ("sysctl -w net.ipv4.ip_forward=1",)
    lookup = next(e for e in verdict.evidence if e.code == "route-look-up")
    assert lookup.command == f"ip route get {H2} from {H1} iif eth0"
    assert lookup.output == "RTNETLINK answers: No route to host"


def test_forwarding_off_for_one_interface() -> None:
    lab = routed()
    lab.settings["r1", "net.ipv4.conf.eth0.forwarding"] = "0"
    way = Way(lab, ping(H1, H2)).go(*THERE, drop=("r1/eth0", "IP_INADDRERRORS", "ip_error"))
    verdict = judge(lab, way, "forwarding-off-interface", "r1")
    assert commands(verdict) == ("sysctl -w net.ipv4.conf.eth0.forwarding=1",)


def test_forwarding_off_for_ipv6() -> None:
    lab = routed()
    lab.change("h1", "eth0", addresses=("2001:db8:1::2/64",))
    lab.change("r1", "eth0", addresses=("2001:db8:1::1/64",))
    lab.change("r1", "eth1", addresses=("2001:db8:2::1/64",))
    lab.change("h2", "eth0", addresses=("2001:db8:2::2/64",))
    lab.add_route("h1", "::/0", "2001:db8:1::1")
    lab.settings["r1", "net.ipv6.conf.all.forwarding"] = "0"
    way = Way(lab, ping("2001:db8:1::2", "2001:db8:2::2"))
    way.go(*THERE, drop=("r1/eth0", "NOT_SPECIFIED", "ip6_forward"))
    verdict = judge(lab, way, "forwarding-off", "r1")
    assert operation(verdict)["patch"] == {"forward_ipv6": True}


def test_ipv6_target_without_a_way_back() -> None:
    lab = routed()
    lab.change("h1", "eth0", addresses=("2001:db8:1::2/64",))
    lab.change("r1", "eth0", addresses=("2001:db8:1::1/64",))
    lab.change("r1", "eth1", addresses=("2001:db8:2::1/64",))
    lab.change("h2", "eth0", addresses=("2001:db8:2::2/64",))
    lab.add_route("h1", "::/0", "2001:db8:1::1")
    way = Way(lab, ping("2001:db8:1::2", "2001:db8:2::2"))
    way.go(*ACROSS, drop=("h2/eth0", "NOT_SPECIFIED", "icmpv6_rcv"))
    verdict = judge(lab, way, "no-return-route", "h2")
    assert commands(verdict) == ("ip route add 2001:db8:1::/64 via 2001:db8:2::1",)
    lab.settings["h2", "net.ipv6.icmp.echo_ignore_all"] = "1"
    judge(lab, way, "echo-ignored", "h2")


def test_no_route_on_a_router() -> None:
    lab = routed()
    way = Way(lab, ping(H1, "198.51.100.9"))
    way.go(*THERE, drop=("r1/eth0", "IP_INNOROUTES", "ip_error"))
    verdict = judge(lab, way, "no-route", "r1")
    assert verdict.remedy is not None
    assert verdict.remedy.code == "add-some-route"


def test_no_route_with_a_router_that_knows_the_way() -> None:
    lab = routed()
    lab.node("r2", forward=True, eth0="10.0.2.9/24", eth1="10.0.9.1/24")
    lab.node("h9", eth0="10.0.9.2/24")
    lab.switch("sw", "p1", "p2", "p3")
    for number, end in enumerate(("r1/eth1", "h2/eth0", "r2/eth0"), 1):
        lab.cable(f"s{number}", end, f"sw/p{number}")
    lab.cable("l9", "r2/eth1", "h9/eth0")
    way = Way(lab, ping(H1, "10.0.9.2"))
    way.go(*THERE, drop=("r1/eth0", "IP_INNOROUTES", "ip_error"))
    verdict = judge(lab, way, "no-route", "r1")
    assert commands(verdict) == ("ip route add 10.0.9.0/24 via 10.0.2.9",)
    assert operation(verdict)["value"] == {"node": "r1", "prefix": "10.0.9.0/24", "via": "10.0.2.9"}


def test_no_route_because_the_way_on_is_off() -> None:
    lab = routed()
    lab.change("r1", "eth1", up=False)
    way = Way(lab, ping(H1, H2)).go(*THERE, drop=("r1/eth0", "IP_INNOROUTES", "ip_error"))
    assert operation(judge(lab, way, "interface-down", "r1"))["id"] == "r1/eth1"


def test_reply_without_a_route_on_a_router() -> None:
    lab = routed()
    way = Way(lab, ping(H2, "10.9.9.9", reply=True))
    way.go("h2/eth0>", "r1/eth1", drop=("r1/eth1", "IP_INNOROUTES", "ip_error"))
    judge(lab, way, "no-route-for-reply", "r1")


def test_wrong_next_hop() -> None:
    lab = campus()
    lab.tables["h1"].clear()
    lab.add_route("h1", "0.0.0.0/0", "10.0.1.3")  # h3, a host
    way = Way(lab, ping(H1, H2))
    way.go("h1/eth0>", "s1/p1", "s1/p3>", "h3/eth0",
           drop=("h3/eth0", "IP_INADDRERRORS", "ip_error"))  # fmt: skip
    verdict = judge(lab, way, "wrong-next-hop", "h3")
    assert verdict.params["owner"] == "r1"
    assert commands(verdict) == ("ip route replace 0.0.0.0/0 via 10.0.1.1",)
    assert operation(verdict)["id"] == "h1/0.0.0.0/0"


def test_a_second_router_does_not_excuse_forwarding_off() -> None:
    """The router knows the way, it only does not forward: not the sender's fault."""
    lab = campus()
    lab.node("r2", forward=True, eth0="10.0.1.9/24", eth1="10.0.2.9/24")
    lab.settings["r1", "net.ipv4.ip_forward"] = "0"
    way = Way(lab, ping(H1, H2))
    way.go("h1/eth0>", "s1/p1", "s1/p2>", "r1/eth0",
           drop=("r1/eth0", "IP_INADDRERRORS", "ip_error"))  # fmt: skip
    judge(lab, way, "forwarding-off", "r1")


@pytest.mark.parametrize("kind", ["blackhole", "prohibit", "unreachable"])
def test_routes_that_refuse(kind: str) -> None:
    lab = routed()
    lab.add_route("r1", "203.0.113.0/24", kind=kind)
    way = Way(lab, ping(H1, "203.0.113.1"))
    way.go(*THERE, drop=("r1/eth0", "NOT_SPECIFIED", "ip_error"))
    verdict = judge(lab, way, f"route-{kind}", "r1")
    assert commands(verdict) == (f"ip route del {kind} 203.0.113.0/24",)


def test_reverse_path_filter() -> None:
    lab = routed()
    lab.settings["r1", "net.ipv4.conf.eth0.rp_filter"] = "1"
    way = Way(lab, ping("10.0.2.77", H2))
    way.go(*THERE, drop=("r1/eth0", "IP_RPFILTER", "ip_rcv_finish_core"))
    verdict = judge(lab, way, "rp-filter", "r1")
    assert verdict.params["way"] == "eth1"
    assert commands(verdict) == ("sysctl -w net.ipv4.conf.eth0.rp_filter=2",)


def test_reverse_path_filter_without_a_way_back_at_all() -> None:
    lab = routed()
    lab.settings["r1", "net.ipv4.conf.all.rp_filter"] = "1"
    way = Way(lab, ping("10.9.9.9", H2))
    way.go(*THERE, drop=("r1/eth0", "IP_RPFILTER", "ip_rcv_finish_core"))
    verdict = judge(lab, way, "rp-filter", "r1")
    assert verdict.remedy is not None
    assert verdict.remedy.code == "add-some-route"  # loose mode would not help


def test_ttl_used_up_on_purpose() -> None:
    lab = routed()
    way = Way(lab, ping(H1, H2, ttl=1)).go(*THERE, drop=("r1/eth0", "IP_INHDR", "ip_forward"))
    verdict = judge(lab, way, "ttl-exceeded", "r1", "expected")
    assert verdict.params["ttl"] == 1


def test_routing_loop() -> None:
    lab = routed()
    lab.node("r2", forward=True, eth0="10.0.2.9/24")
    lab.cable("l2", "r1/eth1", "r2/eth0")
    lab.add_route("r1", "10.7.0.0/16", "10.0.2.9")
    lab.add_route("r2", "10.7.0.0/16", "10.0.2.1")
    way = Way(lab, ping(H1, "10.7.0.7", ttl=3))
    way.go(*THERE, "r1/eth1>", "r2/eth0", "r2/eth0>", "r1/eth1",
           drop=("r1/eth1", "IP_INHDR", "ip_forward"))  # fmt: skip
    verdict = judge(lab, way, "routing-loop", "r1")
    assert verdict.params["other"] == "r2"


def test_own_source_comes_in() -> None:
    lab = routed()
    way = Way(lab, ping("10.0.2.1", H2))
    way.go(*THERE, drop=("r1/eth0", "IP_LOCAL_SOURCE", "ip_rcv_finish_core"))
    verdict = judge(lab, way, "source-is-own", "r1")
    assert verdict.remedy is not None
    assert verdict.remedy.params["addresses"] == H1


def test_own_source_comes_in_because_two_have_it() -> None:
    lab = campus()
    lab.change("h3", "eth0", addresses=("10.0.1.1/24",))
    way = Way(lab, ping("10.0.1.1", H2))
    way.go("h3/eth0>", "s1/p3", "s1/p2>", "r1/eth0",
           drop=("r1/eth0", "IP_LOCAL_SOURCE", "ip_rcv_finish_core"))  # fmt: skip
    verdict = judge(lab, way, "duplicate-address", "r1")
    assert (verdict.params["node"], verdict.params["other"]) == ("r1", "h3")
    assert operation(verdict)["id"] == "h3/eth0"
    assert operation(verdict)["patch"]["addresses"] == ["10.0.1.3/24"]  # .2 is taken


@pytest.mark.parametrize("reason", ["IP_INVALID_SOURCE", "IP_LOCALNET", "IP_INVALID_DEST"])
def test_addresses_that_may_not_be_on_a_cable(reason: str) -> None:
    lab = routed()
    way = Way(lab, ping("127.0.0.1", H2)).go(*THERE, drop=("r1/eth0", reason, "ip_rcv_finish_core"))
    judge(lab, way, "source-invalid", "r1")
