"""The dry run foretells where a packet goes and how it ends, from state alone."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.fakes.facts import FakeFacts
from topoweb.core.tracing.explain.dryrun import Foretold, Request, compare, walk
from topoweb.core.tracing.explain.facts import Port, Rule
from topoweb.core.tracing.observation import Observation
from topoweb.core.tracing.trace import Hop, Trace


@pytest.fixture
def lab() -> FakeFacts:
    """h1 - sw - r1 - r2 - h2, and h3 on the switch."""
    lab = FakeFacts()
    lab.node("h1", eth0="10.0.1.11/24 2001:db8:1::11/64")
    lab.node("h3", eth0="10.0.1.13/24")
    lab.switch("sw", "p1", "p2", "p3")
    lab.node(
        "r1", forward=True, eth0="10.0.1.1/24 2001:db8:1::1/64", eth1="10.0.2.1/24 2001:db8:2::1/64"
    )
    lab.node(
        "r2", forward=True, eth0="10.0.2.2/24 2001:db8:2::2/64", eth1="10.0.3.1/24 2001:db8:3::1/64"
    )
    lab.node("h2", eth0="10.0.3.11/24 2001:db8:3::11/64")
    lab.cable("l1", "h1/eth0", "sw/p1")
    lab.cable("l2", "sw/p2", "r1/eth0")
    lab.cable("l3", "r1/eth1", "r2/eth0")
    lab.cable("l4", "r2/eth1", "h2/eth0")
    lab.cable("l5", "sw/p3", "h3/eth0")
    for node, last in (("h1", "1.1"), ("h3", "1.1"), ("r1", "2.2"), ("r2", "2.1"), ("h2", "3.1")):
        lab.add_route(node, "0.0.0.0/0", f"10.0.{last}")
    for node, last in (("h1", "1::1"), ("r1", "2::2"), ("r2", "2::1"), ("h2", "3::1")):
        lab.add_route(node, "::/0", f"2001:db8:{last}")
    return lab


def ping(lab: FakeFacts, source: str = "h1", target: str = "10.0.3.11") -> Foretold:
    return walk(lab, Request(source=source, target=target))


def way(foretold: Foretold, leg: str = "there") -> list[str]:
    return [
        f"{step.action} {step.node}/{step.interface} {step.direction}"
        for step in foretold.steps
        if step.leg == leg and step.action != "resolve"
    ]


def end(foretold: Foretold) -> tuple[str, str]:
    return foretold.verdict.code, foretold.verdict.node


THERE = [
    "send h1/eth0 tx",
    "bridge sw/p1 rx",
    "bridge sw/p2 tx",
    "forward r1/eth0 rx",
    "forward r1/eth1 tx",
    "forward r2/eth0 rx",
    "forward r2/eth1 tx",
    "deliver h2/eth0 rx",
]


@pytest.mark.parametrize("target", ["10.0.3.11", "2001:db8:3::11"])
def test_a_healthy_ping_goes_there_and_back(lab: FakeFacts, target: str) -> None:
    found = ping(lab, target=target)
    assert way(found) == THERE
    back = way(found, "back")
    assert back[0] == "reply h2/eth0 tx"
    assert back[-1] == "deliver h1/eth0 rx"
    assert len(back) == 8
    assert (found.verdict.code, found.verdict.kind, found.verdict.seen) == (
        *("delivered", "delivered"),
        False,
    )
    sent = [s for s in found.steps if (s.direction, s.leg) == ("tx", "there")]
    cables = [(s.link, s.along) for s in sent if s.action != "resolve"]
    assert cables == [("l1", "ab"), ("l2", "ab"), ("l3", "ab"), ("l4", "ab")]
    for step in found.steps:
        assert set(step.as_json()["text"]) == {"en", "zh-CN"}


def test_a_known_neighbour_is_not_asked_for(lab: FakeFacts) -> None:
    asked = [step.node for step in ping(lab).steps if step.action == "resolve"]
    assert asked == ["h1", "r1", "r2", "h2", "r2", "r1"]
    mac = lab.devices["r1"]["eth0"].mac
    lab.neighbours["h1", "eth0", "10.0.1.1"] = ("stale", mac)
    assert "h1" not in [step.node for step in ping(lab).steps if step.action == "resolve"]


def test_forwarding_is_off(lab: FakeFacts) -> None:
    lab.settings["r2", "net.ipv4.ip_forward"] = "0"
    lab.settings["r1", "net.ipv6.conf.all.forwarding"] = "0"
    found = ping(lab)
    assert end(found) == ("forwarding-off", "r2")
    assert way(found) == [*THERE[:6], "drop r2/eth0 end"]
    assert end(ping(lab, target="2001:db8:3::11")) == ("forwarding-off", "r1")


def test_no_route_there_and_back(lab: FakeFacts) -> None:
    lab.tables["r1"].clear()
    assert end(ping(lab)) == ("no-route", "r1")
    lab.tables["h1"].clear()
    assert end(ping(lab)) == ("source-no-route", "h1")
    assert way(ping(lab)) == ["drop h1/ end"]


def test_the_target_knows_no_way_back(lab: FakeFacts) -> None:
    lab.tables["h2"].clear()
    found = ping(lab)
    assert end(found) == ("no-return-route", "h2")
    assert way(found) == THERE
    assert way(found, "back") == ["drop h2/ end"]


def test_a_router_on_the_way_back_knows_no_way(lab: FakeFacts) -> None:
    lab.tables["r2"] = []
    found = ping(lab)
    assert found.verdict.node == "r2"
    assert found.verdict.code in ("no-route", "no-route-for-reply")
    assert way(found, "back")[-1] == "drop r2/eth1 end"


@pytest.mark.parametrize("kind", ["blackhole", "prohibit", "unreachable"])
def test_routes_that_reject(lab: FakeFacts, kind: str) -> None:
    lab.add_route("r1", "10.0.3.0/24", kind=kind)
    assert end(ping(lab)) == (f"route-{kind}", "r1")


def test_strict_reverse_path_filtering(lab: FakeFacts) -> None:
    lab.add_route("r2", "10.0.1.0/24", "10.0.3.11")
    lab.settings["r2", "net.ipv4.conf.eth0.rp_filter"] = "1"
    assert end(ping(lab)) == ("rp-filter", "r2")


def test_the_time_to_live_is_too_short(lab: FakeFacts) -> None:
    lab.settings["h1", "net.ipv4.ip_default_ttl"] = "1"
    found = ping(lab)
    assert found.verdict.node == "r1"
    assert found.verdict.code == "ttl-exceeded"


def test_a_routing_loop_ends(lab: FakeFacts) -> None:
    found = ping(lab, target="192.0.2.1")
    assert found.verdict.code in ("routing-loop", "ttl-exceeded")
    assert len(found.steps) < 300


def test_nobody_has_the_address(lab: FakeFacts) -> None:
    assert end(ping(lab, target="10.0.3.77")) == ("neighbour-failed", "r2")
    assert end(ping(lab, target="10.0.1.77")) == ("neighbour-failed", "h1")
    lab.tables["h1"].clear()
    lab.add_route("h1", "0.0.0.0/0", "10.0.1.99")
    assert end(ping(lab)) == ("gateway-unowned", "h1")


def test_who_has_the_address_does_not_answer_or_is_not_alone(lab: FakeFacts) -> None:
    lab.change("h3", "eth0", arp=False)
    assert end(ping(lab, target="10.0.1.13")) == ("arp-off", "h1")
    lab.change("h3", "eth0", arp=True)
    lab.settings["h3", "net.ipv4.conf.all.arp_ignore"] = "8"
    assert end(ping(lab, target="10.0.1.13")) == ("arp-ignored", "h1")
    lab.change("r1", "eth0", addresses=("10.0.1.1/24", "10.0.1.13/24"))
    assert end(ping(lab, target="10.0.1.13")) == ("delivered", "r1")  # h3 keeps silent
    lab.settings["h3", "net.ipv4.conf.all.arp_ignore"] = "1"
    found = ping(lab, target="10.0.1.13").verdict
    assert found.code == "duplicate-address"
    assert {found.params["node"], found.params["other"]} == {"h3", "r1"}


def test_a_mask_too_wide_and_a_gateway_elsewhere(lab: FakeFacts) -> None:
    lab.change("h1", "eth0", addresses=("10.0.1.11/8",))
    assert end(ping(lab)) == ("wrong-mask", "h1")
    lab.change("h1", "eth0", addresses=("10.0.1.11/24",))
    lab.tables["h1"].clear()
    lab.add_route("h1", "0.0.0.0/0", "10.0.2.1", device="eth0")
    assert end(ping(lab))[1] == "h1" or end(ping(lab))[0] == "delivered"  # r1 answers for its other
    lab.tables["h1"].clear()
    lab.add_route("h1", "0.0.0.0/0", "10.0.3.1", device="eth0")
    assert end(ping(lab)) == ("gateway-off-link", "h1")


def test_ports_of_a_switch(lab: FakeFacts) -> None:
    lab.change("sw", "p1", port=Port(bridge="br0", isolated=True))
    assert end(ping(lab))[0] == "delivered"
    lab.change("sw", "p2", port=Port(bridge="br0", isolated=True))
    found = ping(lab)
    assert end(found) == ("port-isolated", "sw")
    assert way(found) == ["drop sw/p1 end"]
    lab.change("sw", "p1", port=Port(bridge="br0", state="blocking"))
    assert end(ping(lab)) == ("stp-blocking", "sw")
    lab.change("sw", "p1", port=Port(bridge="br0", state="listening"))
    assert end(ping(lab)) == ("stp-learning", "sw")
    assert end(ping(lab, "h3"))[0] == "delivered"


def test_a_switch_that_may_not_flood(lab: FakeFacts) -> None:
    lab.change("sw", "p2", port=Port(bridge="br0", flood=False))
    assert end(ping(lab))[0] == "delivered"  # the answer to ARP teaches the switch
    lab.change("sw", "p2", port=Port(bridge="br0", flood=False, learning=False))
    assert end(ping(lab)) == ("flooding-off", "sw")
    lab.learned["sw", "br0", lab.devices["r1"]["eth0"].mac] = "p2"
    assert end(ping(lab))[0] == "delivered"


def test_what_goes_to_many_is_not_foretold(lab: FakeFacts) -> None:
    found = walk(lab, Request(source="h1", target="255.255.255.255", protocol="udp", port=67))
    assert (found.verdict.code, found.verdict.kind) == ("not-foretold", "unknown")


def test_a_blocked_side_of_a_loop_is_no_obstacle() -> None:
    lab = FakeFacts()
    lab.node("h1", eth0="10.0.0.1/24")
    lab.node("h2", eth0="10.0.0.2/24")
    lab.switch("s1", "p1", "p2", "p3")
    lab.switch("s2", "p1", "p2", "p3")
    lab.cable("l1", "h1/eth0", "s1/p1")
    lab.cable("l2", "s1/p2", "s2/p2")
    lab.cable("l3", "s1/p3", "s2/p3")
    lab.cable("l4", "s2/p1", "h2/eth0")
    lab.change("s2", "p2", port=Port(bridge="br0", state="blocking"))
    found = ping(lab, target="10.0.0.2")
    assert end(found)[0] == "delivered"
    assert "bridge s1/p3 tx" in way(found)


def test_interfaces_that_are_off(lab: FakeFacts) -> None:
    lab.change("h2", "eth0", up=False)
    lab.change("r2", "eth1", carrier=False)
    assert end(ping(lab)) == ("no-carrier", "r2")
    lab.change("h1", "eth0", up=False)
    assert end(ping(lab)) == ("interface-down", "h1")
    lab.change("h3", "lo", up=False)
    assert end(ping(lab, "h3", "10.0.1.13")) == ("lo-down", "h3")


def test_sizes_that_do_not_fit(lab: FakeFacts) -> None:
    lab.change("r1", "eth1", mtu=70)
    assert end(ping(lab)) == ("mtu-too-big", "r1")
    lab.change("r1", "eth1", mtu=1500)
    lab.change("r2", "eth0", mtu=70)
    assert end(ping(lab)) == ("peer-mtu", "r1")
    lab.change("r2", "eth0", mtu=1500)
    lab.change("sw", "p2", mtu=70)
    assert end(ping(lab)) == ("port-mtu", "sw")


def test_programs_and_settings_of_the_target(lab: FakeFacts) -> None:
    def tcp(port: int) -> Foretold:
        return walk(lab, Request(source="h1", target="10.0.3.11", protocol="tcp", port=port))

    assert end(tcp(80)) == ("no-listener", "h2")
    lab.sockets["h2", "tcp", 80] = ("127.0.0.1",)
    assert end(tcp(80)) == ("listens-elsewhere", "h2")
    lab.sockets["h2", "tcp", 80] = ("0.0.0.0",)
    assert end(tcp(80)) == ("delivered", "h2")
    lab.sockets["h2", "udp", 53] = ("10.0.3.11",)
    udp = walk(lab, Request(source="h1", target="10.0.3.11", protocol="udp", port=53))
    assert end(udp) == ("delivered", "h2")
    lab.settings["h2", "net.ipv4.icmp_echo_ignore_all"] = "1"
    assert end(ping(lab)) == ("echo-ignored", "h2")


def rule(text: str, hook: str = "forward", *, chain: str = "c", policy: bool = False) -> Rule:
    words = text.partition(" with")[0]
    last = next((v for v in ("drop", "reject", "accept") if words.endswith(v)), "other")
    return Rule(
        table="inet t",
        chain=chain,
        hook=hook,
        text=text,
        verdict=last,
        policy=policy,  # type: ignore[arg-type]
    )


def test_rules_that_certainly_match(lab: FakeFacts) -> None:
    lab.filters["r1"] = [rule("ip saddr 10.0.9.0/24 drop"), rule("tcp dport 80 drop")]
    assert end(ping(lab))[0] == "delivered"
    lab.filters["r1"].append(rule("ip protocol icmp counter packets 3 bytes 252 drop"))
    assert end(ping(lab)) == ("filter-drop", "r1")
    lab.filters["r1"] = [rule("icmp type echo-reply reject")]
    found = ping(lab)
    assert found.verdict.code.startswith("filter-")
    assert way(found) == THERE
    lab.filters["r1"] = [
        rule("ct state established,related accept"),
        rule("policy drop", policy=True),
    ]
    assert end(ping(lab)) == ("filter-policy", "r1")


def test_an_address_that_is_translated_finds_back(lab: FakeFacts) -> None:
    lab.tables["r2"] = []
    lab.filters["r1"] = [rule('oifname "eth1" masquerade', "postrouting")]
    found = ping(lab)
    assert end(found) == ("delivered", "h2")
    assert way(found, "back")[-1] == "deliver h1/eth0 rx"
    lab.filters["r1"].append(
        rule("tcp dport 8080 dnat ip to 10.0.3.11:80", "prerouting", chain="d")
    )
    lab.sockets["h2", "tcp", 80] = ("0.0.0.0",)
    nat = walk(lab, Request(source="h1", target="10.0.1.1", protocol="tcp", port=8080))
    assert end(nat) == ("delivered", "h2")
    assert "deliver h2/eth0 rx" in way(nat)


def test_an_answer_that_goes_past_the_translator_is_none(lab: FakeFacts) -> None:
    lab.filters["r1"] = [rule("tcp dport 8080 dnat ip to 10.0.1.13:80", "prerouting")]
    lab.sockets["h3", "tcp", 80] = ("0.0.0.0",)
    request = Request(source="h1", target="10.0.1.1", protocol="tcp", port=8080)
    found = walk(lab, request)
    assert end(found) == ("hairpin-nat", "r1")
    assert way(found, "back")[-2:] == ["deliver h1/eth0 rx", "drop h1/eth0 end"]
    lab.filters["r1"].append(rule("ip daddr 10.0.1.13 masquerade", "postrouting", chain="d"))
    assert end(walk(lab, request)) == ("delivered", "h3")


def trace_of(found: Foretold, *, upto: int | None = None, only: str = "") -> list[Trace]:
    hops = []
    for step in found.steps[:upto]:
        if step.direction == "end" or step.action == "resolve" or (only and step.direction != only):
            continue
        seen = Observation(
            time_ns=len(hops), namespace=step.node, interface=step.interface,
            direction=step.direction, data=b"", length=0, link=step.link, along=step.along,
        )  # fmt: skip
        hops.append(Hop(seen, len(hops) - 1, "buffer"))
    return [Trace(1, tuple(hops))]


def test_what_was_seen_agrees_or_differs(lab: FakeFacts) -> None:
    found = ping(lab)
    assert compare(found, trace_of(found)) == (True, None)
    assert compare(found, trace_of(found, only="tx")) == (True, None)  # one end of each cable
    missing = next(
        i
        for i, s in enumerate(found.steps)
        if (s.node, s.action, s.direction) == ("r2", "forward", "tx")
    )
    assert compare(found, trace_of(found, upto=missing)) == (False, missing)
    assert compare(found, []) == (
        False,
        next(i for i, s in enumerate(found.steps) if s.action == "send"),
    )
    lab.settings["r2", "net.ipv4.ip_forward"] = "0"
    lost = ping(lab)
    assert compare(lost, trace_of(lost)) == (True, None)
    assert compare(lost, trace_of(found)) == (False, len(lost.steps) - 1)


def test_nothing_is_invented_of_a_node_that_is_not_there() -> None:
    found = ping(FakeFacts(), "h1", "10.0.0.1")
    assert end(found) == ("source-no-route", "h1")
    assert replace(found.verdict, evidence=()).seen is False
