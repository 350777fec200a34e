"""Exchanges: addresses, sizes, translation, services; and healthy twins."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from msgspec import structs

from tests.fakes.traces import (
    Sent,
    Way,
    arp,
    datagram,
    exchange,
    ip,
    ping,
    segment,
)
from tests.unit.explain.asking import ACROSS, BACK, ON_CABLES, THERE, commands, judge, operation
from tests.unit.explain.labs import H1, H2, campus, routed, switched
from tests.unit.packets import wire
from topoweb.core.tracing.explain import of_silence
from topoweb.core.tracing.explain.facts import Port

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.mark.parametrize(
    ("asked", "code", "node"),
    [("10.0.1.77", "neighbour-failed", "h1"), ("10.0.1.3", "no-carrier", "sw")],
)
def test_arp_without_an_answer(asked: str, code: str, node: str) -> None:
    lab = switched("10.0.1.2/24", "10.0.1.3/24")
    lab.change("h2", "eth0", up=code != "no-carrier")
    lab.neighbours["h1", "eth0", asked] = ("failed", "")
    sent = arp(H1, asked)
    judge(lab, "arp", sent, Way(lab, sent).go("h1/eth0>", "sw/p1"), code=code, node=node)


def test_arp_for_what_is_elsewhere() -> None:
    lab = routed()
    lab.change("h1", "eth0", addresses=(f"{H1}/16",))
    sent = arp(H1, H2)
    judge(lab, "arp", sent, Way(lab, sent).go("h1/eth0>", "r1/eth0"), code="wrong-mask", node="h1")


def test_arp_for_a_gateway_that_nobody_has() -> None:
    lab = routed()
    lab.tables["h1"].clear()
    lab.add_route("h1", "0.0.0.0/0", "10.0.1.254")
    sent = arp(H1, "10.0.1.254")
    judge(lab, "arp", sent, Way(lab, sent).go("h1/eth0>"), code="gateway-unowned", node="h1")


def test_arp_stopped_by_spanning_tree() -> None:
    lab = switched("10.0.1.2/24", "10.0.1.3/24")
    lab.change("sw", "p2", port=Port(bridge="br0", state="listening"))
    sent = arp(H1, "10.0.1.3")
    judge(lab, "arp", sent, Way(lab, sent).go("h1/eth0>", "sw/p1"), code="stp-learning", node="sw",
          verdict="expected")  # fmt: skip


def test_mask_too_narrow() -> None:
    lab = switched("10.0.1.2/28", "10.0.1.77/24")
    found = judge(lab, "echo", ping(H1, "10.0.1.77"), code="wrong-mask-narrow", node="h1")
    assert operation(found)["patch"] == {"addresses": ["10.0.1.2/24"]}


def test_mask_too_wide_at_the_target() -> None:
    lab = routed()
    lab.change("h2", "eth0", addresses=(f"{H2}/8",))
    lab.neighbours["h2", "eth0", H1] = ("failed", "")
    sent = ping(H1, H2)
    judge(lab, "echo", sent, Way(lab, sent).go(*ACROSS), code="wrong-mask", node="h2")


def test_two_nodes_have_one_address() -> None:
    lab = switched("10.0.1.2/24", "10.0.1.3/24", "10.0.1.3/24")
    sent = arp(H1, "10.0.1.3")
    answers = [
        Way(lab, arp("10.0.1.3", H1, lab.devices[node]["eth0"].mac, reply=True), number)
        .go(f"{node}/eth0>", "h1/eth0")
        for number, node in ((2, "h2"), (3, "h3"))
    ]  # fmt: skip
    asked = Way(lab, sent, 1).go("h1/eth0>")
    found = judge(lab, "arp", sent, asked, *answers, code="duplicate-address", node="h2",
                  state="answered")  # fmt: skip
    assert (found.params["node"], found.params["other"]) == ("h2", "h3")


def test_the_wrong_one_of_two_refuses() -> None:
    lab = switched("10.0.1.2/24", "10.0.1.3/24", "10.0.1.3/24")
    lab.sockets["h2", "tcp", 80] = ("0.0.0.0",)
    sent, reset = segment(H1, "10.0.1.3", (40000, 80)), segment("10.0.1.3", H1, (80, 40000), 0x14)
    judge(lab, "tcp", sent, Way(lab, sent, 1).go("h1/eth0>", "h3/eth0"),
          Way(lab, reset, 2).go("h3/eth0>", "h1/eth0"), code="duplicate-address", node="h2",
          state="refused", port=80)  # fmt: skip


def test_source_that_nobody_has() -> None:
    lab = routed()
    sent = ping("10.0.1.99", H2)
    lab.add_route("h2", "10.0.1.0/24", "10.0.2.1")
    found = judge(
        lab, "echo", sent, Way(lab, sent).go("h1/eth0>"), code="source-not-own", node="r1"
    )
    assert found.params["node"] == "h1"


def test_mtu_black_hole() -> None:
    lab = routed()
    lab.change("r1", "eth1", mtu=1000)
    small = Way(lab, segment(H1, H2, (40000, 80), 0x18, size=100), 1).go(*ACROSS)
    large = segment(H1, H2, (40000, 80), 0x18, sequence=1100, size=1400)
    lost = [Way(lab, large, number).go(*THERE) for number in (2, 3)]
    found = judge(lab, "tcp", large, small, *lost, code="mtu-black-hole", node="r1", port=80)
    assert (found.params["size"], found.params["mtu"]) == (1440, 1000)
    assert operation(found) == {
        "kind": "set", "collection": "interfaces", "id": "r1/eth1", "patch": {"mtu": 1500},
    }  # fmt: skip


def test_hairpin_translation() -> None:
    lab = campus()
    lab.sockets["h3", "tcp", 80] = ("0.0.0.0",)
    sent = segment(H1, "10.0.2.1", (40000, 80))
    there = Way(lab, sent, 1).go("h1/eth0>", "s1/p1", "s1/p2>", "r1/eth0")
    there.now(segment(H1, "10.0.1.3", (40000, 80))).go("r1/eth0>", "s1/p2", "s1/p3>", "h3/eth0")
    answer = Way(lab, segment("10.0.1.3", H1, (80, 40000), 0x12), 2)
    answer.go("h3/eth0>", "s1/p3", "s1/p1>", "h1/eth0",
              drop=("h1/eth0", "NO_SOCKET", "tcp_v4_rcv"))  # fmt: skip
    asked = exchange("tcp", sent, there, answer, port=80)
    found = of_silence(asked, [there.trace, answer.trace], lab)
    assert (found.code, found.params["node"], found.params["asker"]) == ("hairpin-nat", "r1", "h1")
    assert "masquerade" in commands(found)[0]


def dhcp(message: int, source: str = "0.0.0.0", *, op: int = 1) -> Sent:
    ports = (68, 67) if op == 1 else (67, 68)
    body = wire.dhcp(message, op=op, your="10.0.1.50" if message in {2, 5} else "0.0.0.0")
    return ip(source, "255.255.255.255", 17, wire.udp(*ports, body, source, "255.255.255.255"))


def whole(way: Way) -> Way:
    """Give the packets all their bytes: the server's options lie behind the first 128."""
    way._hops = [
        replace(h, seen=structs.replace(h.seen, data=way.sent.frame(64, wire.A, wire.BROADCAST)))
        for h in way._hops
    ]
    return way


def test_dhcp_without_a_server() -> None:
    lab = switched("", "10.0.1.3/24")
    sent = dhcp(1)
    found = judge(lab, "dhcp", sent, Way(lab, sent).go("h1/eth0>", "sw/p1", "sw/p2>", "h2/eth0"),
                  code="dhcp-no-server", node="h1")  # fmt: skip
    assert found.params["node"] == "h1"


def test_dhcp_server_that_is_silent() -> None:
    lab = switched("", "10.0.1.3/24")
    lab.sockets["h2", "udp", 67] = ("0.0.0.0",)
    sent = dhcp(1)
    found = judge(lab, "dhcp", sent, Way(lab, sent).go("h1/eth0>", "sw/p1", "sw/p2>", "h2/eth0"),
                  code="dhcp-server-silent", node="h1")  # fmt: skip
    assert found.params["server"] == "h2"


def cut(way: Way) -> Way:
    """Leave the packets the first bytes only, as the tracer does."""
    return way


@pytest.mark.parametrize("captured", [whole, cut])
def test_rogue_dhcp_server(captured: Callable[[Way], Way]) -> None:
    lab = switched("", "10.0.1.3/24", "10.0.1.4/24")
    lab.settings["h2", "net.ipv4.ip_forward"] = "1"
    sent = dhcp(1)
    offers = [
        captured(Way(lab, dhcp(2, source, op=2), number).go(f"{node}/eth0>", "h1/eth0"))
        for number, node, source in ((2, "h2", "10.0.1.3"), (3, "h3", "10.0.1.4"))
    ]
    asked = captured(Way(lab, sent, 1).go("h1/eth0>"))
    found = judge(lab, "dhcp", sent, asked, *offers, code="dhcp-rogue", node="h1", state="answered")
    assert found.remedy is not None
    assert found.remedy.node == "h3"  # the one that does not route


@pytest.mark.parametrize("captured", [whole, cut])
def test_dhcp_server_that_refuses(captured: Callable[[Way], Way]) -> None:
    lab = switched("", "10.0.1.3/24")
    sent = dhcp(3)
    asked = captured(Way(lab, sent, 1).go("h1/eth0>"))
    refusal = captured(Way(lab, dhcp(6, "10.0.1.3", op=2), 2).go("h2/eth0>", "h1/eth0"))
    judge(lab, "dhcp", sent, asked, refusal, code="dhcp-refused", node="h1", state="answered")


def test_a_second_server_that_refuses_is_rogue() -> None:
    lab = switched("", "10.0.1.3/24", "10.0.1.4/24")
    sent = dhcp(3)
    said = [
        whole(Way(lab, dhcp(kind, source, op=2), kind).go(f"{node}/eth0>", "h1/eth0"))
        for kind, node, source in ((5, "h2", "10.0.1.3"), (6, "h3", "10.0.1.4"))
    ]
    asked = whole(Way(lab, sent, 1).go("h1/eth0>"))
    judge(lab, "dhcp", sent, asked, *said, code="dhcp-rogue", node="h1", state="answered")


def test_dhcp_that_works() -> None:
    lab = switched("10.0.1.9/24", "10.0.1.3/24")
    sent = dhcp(1)
    ways = [whole(Way(lab, sent, 1).go("h1/eth0>"))]
    ways += [whole(Way(lab, dhcp(kind, "10.0.1.3", op=2), kind).go("h2/eth0>")) for kind in (2, 5)]
    judge(lab, "dhcp", sent, *ways, code="delivered", node="h2", verdict="delivered",
          state="answered")  # fmt: skip


@pytest.mark.parametrize(
    ("rcode", "code", "kind"),
    [
        (0, "delivered", "delivered"),
        (2, "dns-server-failure", "fault"),
        (3, "dns-no-such-name", "expected"),
        (5, "dns-refused", "fault"),
    ],
)
def test_dns_answers(rcode: int, code: str, kind: str) -> None:
    lab = routed()
    question = wire.dns_query()
    sent = datagram(H1, H2, (40000, 53), question)
    body = question[:2] + bytes([0x81, 0x80 | rcode]) + question[4:]
    there = Way(lab, sent, 1).go(*ACROSS)
    back = Way(lab, datagram(H2, H1, (53, 40000), body), 2).go(*BACK)
    node = "h2"
    found = judge(lab, "dns", sent, there, back, code=code, node=node, verdict=kind,
                  state="answered", port=53)  # fmt: skip
    assert kind == "delivered" or found.params["name"] == "www.example.org"


@pytest.mark.parametrize("seen", [ACROSS, ON_CABLES])
def test_an_answered_exchange_is_delivered(seen: tuple[str, ...]) -> None:
    lab = routed()
    sent, reply = ping(H1, H2), ping(H2, H1, reply=True)
    there, back = Way(lab, sent, 1).go(*seen), Way(lab, reply, 2).go(*BACK)
    found = judge(lab, "echo", sent, there, back, code="delivered", node="h2",
                  verdict="delivered", state="answered")  # fmt: skip
    assert found.params["node"] == "h2"


def test_an_answered_arp_is_delivered() -> None:
    lab = switched("10.0.1.2/24", "10.0.1.3/24")
    sent, mac = arp(H1, "10.0.1.3"), lab.devices["h2"]["eth0"].mac
    reply = arp("10.0.1.3", H1, mac, reply=True)
    judge(lab, "arp", sent, Way(lab, sent, 1).go("h1/eth0>", "sw/p1", "sw/p2>", "h2/eth0"),
          Way(lab, reply, 2).go("h2/eth0>", "sw/p2", "sw/p1>", "h1/eth0"), code="delivered",
          node="h2", verdict="delivered", state="answered")  # fmt: skip


@pytest.mark.parametrize("seen", [("h1/eth0>",), THERE, ACROSS])
def test_what_the_state_does_not_explain_is_unknown(seen: tuple[str, ...]) -> None:
    lab = routed()
    sent = ping(H1, H2)
    found = of_silence(exchange("echo", sent, way := Way(lab, sent).go(*seen)), [way.trace], lab)
    assert found.kind == "unknown"
    assert found.remedy is None


@pytest.mark.parametrize("source", ["0.0.0.0", "10.0.1.9"])
def test_a_probe_for_a_free_address_hopes_for_silence(source: str) -> None:
    lab = switched("10.0.1.2/24", "10.0.1.3/24")
    sent = arp(source, "10.0.1.9", lab.devices["h1"]["eth0"].mac)
    judge(lab, "arp", sent, Way(lab, sent).go("h1/eth0>", "sw/p1", "sw/p2>", "h2/eth0"),
          code="address-free", node="h1", verdict="expected")  # fmt: skip


def test_datagrams_need_no_answer() -> None:
    lab = routed()
    lab.sockets["h2", "udp", 514] = ("0.0.0.0",)
    sent = datagram(H1, H2, (40000, 514))
    judge(lab, "udp", sent, Way(lab, sent).go(*ACROSS), code="delivered", node="h2",
          verdict="delivered", port=514)  # fmt: skip
    group = datagram(H1, "239.1.1.1", (40000, 5000))
    judge(lab, "udp", group, Way(lab, group).go("h1/eth0>", "r1/eth0"), code="group-unanswered",
          node="r1", verdict="expected", port=5000)  # fmt: skip


def test_some_answers_of_dhcp_prove_no_refusal() -> None:
    lab = switched("", "10.0.1.3/24")
    sent = dhcp(3)
    asked = whole(Way(lab, sent, 1).go("h1/eth0>"))
    refusal = whole(Way(lab, dhcp(6, "10.0.1.3", op=2), 2).go("h2/eth0>", "h1/eth0"))
    known = exchange("dhcp", sent, asked, refusal, state="answered")
    partly = replace(known, replies=3)
    assert of_silence(partly, [asked.trace, refusal.trace], lab).kind == "delivered"


def test_nothing_sent_and_nothing_wrong_is_unknown() -> None:
    judge(routed(), "echo", ping(H1, H2), code="not-sent", node="h1", verdict="unknown")
    judge(routed(), "echo", ping("10.9.9.9", H2), code="sender-unknown", node="",
          verdict="unknown")  # fmt: skip


def test_a_flooded_copy_is_not_the_end() -> None:
    """The copy for somebody else ends in a drop; the packet itself arrived and was answered."""
    lab = switched("10.0.1.2/24", "10.0.1.3/24", "10.0.1.4/24")
    sent, reply = ping(H1, "10.0.1.3"), ping("10.0.1.3", H1, reply=True)
    there = Way(lab, sent, 1).go("h1/eth0>", "sw/p1", "sw/p2>", "h2/eth0").fork(2)
    there.go("sw/p3>", "h3/eth0", drop=("h3/eth0", "OTHERHOST", "ip_rcv_core"))
    back = Way(lab, reply, 2).go("h2/eth0>", "sw/p2", "sw/p1>", "h1/eth0")
    asked = exchange("echo", sent, there, back, state="answered")
    assert of_silence(asked, [there.trace, back.trace], lab).kind == "delivered"
