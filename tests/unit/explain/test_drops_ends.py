"""Drops by size, at the end of the way, on cables; and what is no fault."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fakes.traces import Way, arp, datagram, ip, ping, segment
from tests.unit.explain.judging import ACROSS, THERE, commands, judge, operation
from tests.unit.explain.labs import H1, H2, routed, switched
from tests.unit.packets import wire
from topoweb.core.topology.operations import apply
from topoweb.core.tracing.explain import classify


def test_too_big_for_the_way_on() -> None:
    lab = routed()
    lab.change("r1", "eth1", mtu=1000)
    way = Way(lab, ping(H1, H2, size=1400))
    way.go(*THERE, drop=("r1/eth0", "PKT_TOO_BIG", "ip_forward"))
    verdict = judge(lab, way, "mtu-too-big", "r1")
    assert (verdict.params["size"], verdict.params["mtu"]) == (1428, 1000)
    assert operation(verdict)["patch"] == {"mtu": 1500}


def test_too_big_for_a_cable_that_is_meant_to_be_narrow() -> None:
    lab = routed()
    lab.change("r1", "eth1", mtu=1000)
    lab.change("h2", "eth0", mtu=1000)
    way = Way(lab, ping(H1, H2, size=1400))
    way.go(*THERE, drop=("r1/eth0", "PKT_TOO_BIG", "ip_forward"))
    verdict = judge(lab, way, "mtu-too-big", "r1")
    assert verdict.remedy is not None
    assert verdict.remedy.code == "send-smaller"


@pytest.mark.parametrize("symbol", ["br_nf_dev_queue_xmit", "br_dev_queue_push_xmit"])
def test_too_big_for_a_bridge_port(symbol: str) -> None:
    lab = switched("10.0.1.2/24", "10.0.1.3/24")
    lab.change("sw", "p2", mtu=1000)
    way = Way(lab, ping(H1, "10.0.1.3", size=1400))
    way.go("h1/eth0>", "sw/p1", drop=("sw/p2", "NOT_SPECIFIED", symbol))
    verdict = judge(lab, way, "port-mtu", "sw")
    assert operation(verdict)["id"] == "sw/p2"


def test_too_big_for_the_other_end() -> None:
    lab = routed()
    lab.change("h2", "eth0", mtu=1000)
    way = Way(lab, ping(H1, H2, size=1400)).go(*THERE, "r1/eth1>")
    way.go(drop=("r1/eth1", "NOT_SPECIFIED", "__dev_forward_skb2"))
    verdict = judge(lab, way, "peer-mtu", "r1")
    assert (verdict.params["peer"], operation(verdict)["id"]) == ("h2", "h2/eth0")


def test_lost_fragment() -> None:
    lab = routed()
    lab.counts["h2"]["IpReasmFails"] = 1
    way = Way(lab, ip(H1, H2, 1, wire.echo(), fragment=0x2000))
    way.go(*ACROSS, drop=("h2/eth0", "FRAG_REASM_TIMEOUT", "ip_expire"))
    judge(lab, way, "fragment-lost", "h2")


def test_closed_ports() -> None:
    lab = routed()
    way = Way(lab, datagram(H1, H2, (44006, 9)))
    way.go(*ACROSS, drop=("h2/eth0", "NO_SOCKET", "__udp4_lib_rcv"))
    assert judge(lab, way, "no-listener", "h2").params["protocol"] == "UDP"
    way = Way(lab, segment(H1, H2, (52912, 80)))
    way.go(*ACROSS, drop=("h2/eth0", "NO_SOCKET", "tcp_v4_rcv"))
    verdict = judge(lab, way, "no-listener", "h2")
    assert operation(verdict)["value"] == {"node": "h2", "kind": "http", "options": {}}
    assert commands(verdict) == ("ncat -lk 80",)


def test_program_listens_at_another_address() -> None:
    lab = routed()
    lab.sockets["h2", "tcp", 8080] = ("127.0.0.1",)
    way = Way(lab, segment(H1, H2, (52912, 8080)))
    way.go(*ACROSS, drop=("h2/eth0", "NO_SOCKET", "tcp_v4_rcv"))
    assert judge(lab, way, "listens-elsewhere", "h2").params["addresses"] == "127.0.0.1"


def test_late_answer_is_expected() -> None:
    lab = routed()
    way = Way(lab, datagram(H2, H1, (53, 44006), wire.dns_response()))
    way.go("h2/eth0>", "r1/eth1", "r1/eth0>", "h1/eth0",
           drop=("h1/eth0", "NO_SOCKET", "__udp4_lib_rcv"))  # fmt: skip
    judge(lab, way, "late-answer", "h1", "expected")


@pytest.mark.parametrize(
    ("reason", "symbol", "code"),
    [
        ("SOCKET_RCVBUFF", "udp_queue_rcv_one_skb", "buffer-full"),
        ("IP_NOPROTO", "ip_local_deliver_finish", "protocol-unknown"),
        ("UNHANDLED_PROTO", "__netif_receive_skb_core.constprop.0", "ethertype-unknown"),
        ("IP_CSUM", "ip_rcv_core", "bad-checksum"),
        ("UDP_CSUM", "__udp4_lib_rcv", "bad-checksum"),
        ("IP_INHDR", "ip_rcv_core", "bad-header"),
        ("CPU_BACKLOG", "enqueue_to_backlog", "overloaded"),
        ("TCP_LISTEN_OVERFLOW", "tcp_conn_request", "queue-of-listener-full"),
    ],
)
def test_at_the_receiver(reason: str, symbol: str, code: str) -> None:
    lab = routed()
    way = Way(lab, datagram(H1, H2, (44006, 7777)))
    judge(lab, way.go(*ACROSS, drop=("h2/eth0", reason, symbol)), code, "h2")


def test_ipv6_is_disabled() -> None:
    lab = routed()
    lab.settings["h2", "net.ipv6.conf.eth0.disable_ipv6"] = "1"
    way = Way(lab, ping("2001:db8:2::1", "2001:db8:2::2"))
    way.go("r1/eth1>", "h2/eth0", drop=("h2/eth0", "IPV6DISABLED", "ip6_rcv_core"))
    assert commands(judge(lab, way, "ipv6-disabled", "h2")) == (
        "sysctl -w net.ipv6.conf.eth0.disable_ipv6=0",
    )


def test_the_other_end_is_off() -> None:
    lab = routed()
    lab.change("h2", "eth0", up=False)
    lab.change("r1", "eth1", carrier=False)
    way = Way(lab, arp("10.0.2.1", H2)).go(drop=("r1/eth1", "QDISC_DROP", "__dev_queue_xmit"))
    verdict = judge(lab, way, "no-carrier", "r1")
    assert operation(verdict) == {
        "kind": "set", "collection": "interfaces", "id": "h2/eth0", "patch": {"up": True},
    }  # fmt: skip


def test_shaper() -> None:
    lab = routed()
    lab.change("r1", "eth1", qdisc="tbf")
    way = Way(lab, ping(H1, H2)).go(*THERE).routed()
    way.go(drop=("r1/eth1", "QDISC_DROP", "__dev_queue_xmit"))
    assert judge(lab, way, "queue-full", "r1").params["qdisc"] == "tbf"


def test_unknown_pairs_are_shown_as_they_are() -> None:
    lab = routed()
    way = Way(lab, ping(H1, H2)).go(*THERE, drop=("r1/eth0", "DUALPI2_STEP_DROP", "dualpi2_x"))
    verdict = judge(lab, way, "unknown-drop", "r1", "unknown")
    assert verdict.params["reason"] == "DUALPI2_STEP_DROP"
    assert verdict.remedy is None


NOISE = [
    ("NO_SOCKET", "ping_rcv", ping(H2, H1, reply=True)),
    ("NO_SOCKET", "ping_rcv+0xab", ping(H2, H1, reply=True)),
    ("QUEUE_PURGE", "inet_sock_destruct", ping(H2, H1, reply=True)),
    ("QUEUE_PURGE", "sk_stream_kill_queues", segment(H2, H1, (80, 40000), 0x10)),
    ("NOT_SPECIFIED", "ip_rcv_finish_core", ip("0.0.0.0", "224.0.0.22", 2, bytes(8), ttl=1)),
    ("TCP_ABORT_ON_DATA", "tcp_rcv_state_process", segment(H2, H1, (80, 40000), 0x11)),
    ("NO_SOCKET", "tcp_v4_rcv", segment(H2, H1, (80, 40000), 0x10)),
    ("NO_SOCKET", "tcp_v4_rcv", segment(H2, H1, (80, 40000), 0x04)),
    ("IPV6DISABLED", "ip6_output", ping("fe80::1", "ff02::16")),
    ("IP_OUTNOROUTES", "ip6_pkt_drop", ping("fe80::1", "ff02::16")),
    ("NOT_SPECIFIED", "icmpv6_rcv", ping("fe80::1", "fe80::2", reply=True)),
    ("OTHERHOST", "ip_rcv_core", arp(H1, H2)),
    ("IP_INADDRERRORS", "ip_error", datagram(H2, "10.0.1.50", (67, 68))),
    ("NOT_SPECIFIED", "tcp_v4_rcv", segment(H2, H1, (80, 40000), 0x04)),
]


@pytest.mark.parametrize(("reason", "symbol", "sent"), NOISE)
def test_noise(reason: str, symbol: str, sent: Any) -> None:
    frame = sent.frame(sent.ttl, wire.A, wire.B)
    assert classify(reason, symbol, frame[:128]) == "noise"
    lab = routed()
    way = Way(lab, sent).go("r1/eth0>", "h1/eth0", drop=("h1/eth0", reason, symbol))
    judge(lab, way, "noise", "h1", "noise")


@pytest.mark.parametrize("data", [b"", b"\0" * 13, b"\0" * 14, wire.llc(bytes(35))])
def test_odd_frames_are_classified(data: bytes) -> None:
    for reason in ("NO_SOCKET", "UNHANDLED_PROTO", "NETFILTER_DROP", "NOT_SPECIFIED"):
        assert classify(reason, "", data) in {"noise", "fault", "unknown"}


def test_operations_are_accepted_by_the_drawing() -> None:
    """What a remedy says of nodes can be applied as it is."""
    lab = routed()
    lab.settings["r1", "net.ipv4.ip_forward"] = "0"
    way = Way(lab, ping(H1, H2)).go(*THERE, drop=("r1/eth0", "IP_INADDRERRORS", "ip_error"))
    from topoweb.core.topology.model import Node, Topology

    drawing = Topology(nodes={"r1": Node(kind="router", name="r1")})
    changed, _ = apply(drawing, operation(judge(lab, way, "forwarding-off", "r1")))
    assert changed.nodes["r1"].forward_ipv4
