"""Faults that show themselves in time: circles of routers, black holes, full queues, silence."""

from __future__ import annotations

import pytest

from tests.fakes.facts import FakeFacts
from tests.fakes.traces import Way, arp, datagram, icmp_error, ip, ping, segment
from tests.unit.explain import asking, judging
from tests.unit.explain.asking import BACK
from tests.unit.explain.judging import ACROSS, THERE, commands
from tests.unit.explain.labs import H1, H2, routed, switched
from tests.unit.packets import wire
from topoweb.core.tracing.explain import of_storm
from topoweb.core.tracing.explain.facts import Rule
from topoweb.core.tracing.explain.headers import sums_up

NOWHERE = "192.0.2.1"
H6 = ("2001:db8:1::2", "2001:db8:2::2")


def circle(*routers: str) -> FakeFacts:
    """Routers with default routes each to the next, h1 at the first."""
    lab = FakeFacts()
    lab.node("h1", eth0=f"{H1}/24")
    for index, node in enumerate(routers):
        ports = {"eth1": f"10.1.{index}.1/24", "eth2": f"10.1.{(index - 1) % len(routers)}.2/24"}
        lab.node(node, forward=True, **({"eth0": "10.0.1.1/24"} if not index else {}), **ports)
    lab.cable("l0", "h1/eth0", f"{routers[0]}/eth0")
    for index, node in enumerate(routers):
        lab.cable(f"l{index + 1}", f"{node}/eth1", f"{routers[(index + 1) % len(routers)]}/eth2")
        lab.add_route(node, "0.0.0.0/0", f"10.1.{index}.2")
    lab.add_route("h1", "0.0.0.0/0", "10.0.1.1")
    return lab


def test_three_routers_in_a_circle_are_named() -> None:
    lab = circle("r1", "r2", "r3")
    way = Way(lab, ping(H1, NOWHERE, ttl=4))
    way.go("h1/eth0>", "r1/eth0", "r1/eth1>", "r2/eth2", "r2/eth1>", "r3/eth2", "r3/eth1>",
           "r1/eth2", drop=("r1/eth2", "IP_INHDR", "ip_forward"))  # fmt: skip
    verdict = judging.judge(lab, way, "routing-circle", "r1")
    assert verdict.params["routers"] == ("r1", "r2", "r3")
    assert [one.params["node"] for one in verdict.evidence if one.code == "route-look-up"] == [
        "r1", "r2", "r3",
    ]  # fmt: skip


def test_two_routers_are_each_others_loop() -> None:
    lab = circle("r1", "r2", "r3")
    lab.tables["r2"].clear()
    lab.add_route("r2", "0.0.0.0/0", "10.1.0.1")
    way = Way(lab, ping(H1, NOWHERE, ttl=2))
    way.go("h1/eth0>", "r1/eth0", "r1/eth1>", "r2/eth2", drop=("r2/eth2", "IP_INHDR", "ip_forward"))
    assert judging.judge(lab, way, "routing-loop", "r2").params["other"] == "r1"


def test_a_ttl_that_ends_on_a_way_to_a_circle_elsewhere_is_no_loop() -> None:
    """Routes that circle beyond this router are not where this packet ended."""
    lab = circle("r1", "r2", "r3")
    lab.tables["r3"].clear()
    lab.add_route("r3", "0.0.0.0/0", "10.1.1.1")  # r2 and r3 send to each other
    way = Way(lab, ping(H1, NOWHERE, ttl=1))
    way.go("h1/eth0>", "r1/eth0", drop=("r1/eth0", "IP_INHDR", "ip_forward"))
    judging.judge(lab, way, "ttl-exceeded", "r1", "expected")


def test_a_connection_that_is_told_the_mtu_is_no_fault() -> None:
    lab = routed()
    lab.change("r1", "eth1", mtu=1000)
    way = Way(lab, segment(H1, H2, (40000, 80), 0x18, size=1400))
    way.go(*THERE, drop=("r1/eth0", "PKT_TOO_BIG", "ip_forward"))
    judging.judge(lab, way, "mtu-told", "r1", "expected")


@pytest.mark.parametrize("node", ["r1", "h1"])
def test_the_word_of_the_mtu_is_filtered(node: str) -> None:
    lab = routed()
    lab.change("r1", "eth1", mtu=1000)
    hook = "output" if node == "r1" else "input"
    text = "icmp type destination-unreachable drop"
    lab.filters[node] = [
        Rule(table="inet f", chain="c", hook=hook, text=text, verdict="drop"),
    ]
    small = Way(lab, segment(H1, H2, (40000, 80), 0x18, size=100), 1).go(*ACROSS)
    large = segment(H1, H2, (40000, 80), 0x18, sequence=1100, size=1400)
    lost = [
        Way(lab, large, number).go(*THERE, drop=("r1/eth0", "PKT_TOO_BIG", "ip_forward"))
        for number in (2, 3)
    ]
    word = Way(lab, icmp_error("10.0.1.1", H1, 3, 4, large), 4)
    stations = () if node == "r1" else ("r1/eth0>", "h1/eth0")
    word.go(*stations, drop=(f"{node}/" if node == "r1" else "h1/eth0",
                             "NETFILTER_DROP", "nft_do_chain"))  # fmt: skip
    found = asking.judge(lab, "tcp", large, small, *lost, word, code="mtu-black-hole", node="r1",
                         port=80)  # fmt: skip
    assert found.remedy is not None
    assert (found.remedy.code, found.remedy.node) == ("let-too-big-pass", node)
    assert any(one.witness == "rule" and text in one.output for one in found.evidence)


def test_a_full_accept_queue() -> None:
    lab = routed()
    lab.sockets["h2", "tcp", 80] = ("0.0.0.0",)
    lab.waiting["h2", 80] = (2, 1)
    lab.counts["h2"]["TcpExtListenOverflows"] = 3
    sent = segment(H1, H2, (40000, 80))
    found = asking.judge(lab, "tcp", sent, Way(lab, sent, 1).go(*ACROSS), port=80,
                         code="queue-of-listener-full", node="h2")  # fmt: skip
    assert found.evidence[-2].params["count"] == 2


def test_an_accept_queue_with_room_explains_nothing() -> None:
    lab = routed()
    lab.sockets["h2", "tcp", 80] = ("0.0.0.0",)
    lab.waiting["h2", 80] = (1, 1)
    sent = segment(H1, H2, (40000, 80))
    asking.judge(lab, "tcp", sent, Way(lab, sent, 1).go(*ACROSS), port=80, code="no-answer",
                 node="h2", verdict="unknown")  # fmt: skip


def test_a_dns_server_that_says_nothing() -> None:
    lab = routed()
    lab.sockets["h2", "udp", 53] = ("0.0.0.0",)
    sent = datagram(H1, H2, (40000, 53), wire.dns_query())
    found = asking.judge(lab, "dns", sent, Way(lab, sent, 1).go(*ACROSS), code="dns-silent",
                         node="h2", port=53)  # fmt: skip
    assert found.params["address"] == H2


def test_an_ipv6_route_that_refuses_says_no_route() -> None:
    """ip6_pkt_drop counts prohibit and unreachable as IP_INNOROUTES."""
    lab = FakeFacts()
    lab.node("h1", eth0=f"{H6[0]}/64")
    lab.node("r1", forward=True, eth0="2001:db8:1::1/64", eth1="2001:db8:2::1/64")
    lab.cable("l1", "h1/eth0", "r1/eth0")
    lab.add_route("h1", "::/0", "2001:db8:1::1")
    lab.add_route("r1", f"{H6[1]}/128", kind="prohibit", device="lo")
    way = Way(lab, ping(*H6)).go(*THERE, drop=("r1/eth0", "IP_INNOROUTES", "ip6_pkt_drop"))
    found = judging.judge(lab, way, "route-prohibit", "r1")
    assert commands(found) == (f"ip route del prohibit {H6[1]}/128",)


def test_a_wrong_checksum_under_another_name() -> None:
    """A switch's packet filter reports the malformed header only."""
    lab = switched("10.0.1.2/24", "10.0.1.3/24")
    sent = ip(H1, "10.0.1.3", 1, wire.echo())
    broken = bytearray(sent.payload(64))
    broken[10] ^= 0xFF
    assert sums_up(sent.frame(64, wire.A, wire.B))
    way = Way(lab, type(sent)(H1, "10.0.1.3", lambda _: bytes(broken)))
    way.go("h1/eth0>", "sw/p1", drop=("sw/p1", "IP_INHDR", "br_nf_pre_routing"))
    judging.judge(lab, way, "bad-checksum", "sw")


def test_a_storm_is_seen_before_it_ends() -> None:
    lab = switched("10.0.1.2/24", "10.0.1.3/24")
    way = Way(lab, arp(H1, "10.0.1.9")).go("h1/eth0>", "sw/p1")
    assert of_storm(way.trace, lab) is None
    found = of_storm(way.go(*["sw/p2>", "sw/p2"] * 3).trace, lab)
    assert found is not None
    assert (found.code, found.node, found.params["count"]) == ("bridge-loop", "sw", 3)


def test_an_answer_that_passed_is_no_black_hole() -> None:
    lab = routed()
    lab.change("r1", "eth1", mtu=1000)
    sent = segment(H1, H2, (40000, 80), 0x18, size=1400)
    told = Way(lab, sent, 1).go(*THERE, drop=("r1/eth0", "PKT_TOO_BIG", "ip_forward"))
    answer = Way(lab, segment(H2, H1, (80, 40000), 0x10), 2).go(*BACK)
    asking.judge(lab, "tcp", sent, told, answer, code="delivered", node="h2",
                 verdict="delivered", state="answered", port=80)  # fmt: skip
