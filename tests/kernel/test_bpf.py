"""What the BPF tier sees on real networks: every hop, every drop and why, nothing else."""

from __future__ import annotations

import socket
import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.kernel.bpflab import drops, hops, needs_bpf, of_protocol, settle, stations, tracing
from tests.kernel.tracelab import DEADLINE, TraceLab, collect, udp
from topoweb.core.errors import ErrorKind, TopowebError
from topoweb.kernel.trace.bpf import program
from topoweb.kernel.trace.bpf.program import Program

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from topoweb.core.tracing.observation import Observation
    from topoweb.kernel.trace.bpf.source import BpfSource

pytestmark = needs_bpf
THERE = ["n0:right tx", "n1:left rx", "n1:right tx", "n2:left rx"]
BACK = ["n2:left tx", "n1:right rx", "n1:left tx", "n0:right rx"]


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[TraceLab]:
    lab = TraceLab(tmp_path, nodes=3)
    yield lab
    lab.close()


@pytest.fixture
def source(tmp_path: Path, lab: TraceLab) -> Iterator[BpfSource]:
    with tracing(tmp_path) as source:
        source.watch(lab.lab)
        yield source


def ends(seen: list[Observation]) -> list[tuple[str, str, str, str]]:
    return [
        (one.namespace, one.interface, one.reason, one.symbol)
        for one in seen
        if one.direction == "drop"
    ]


def test_a_ping_through_a_router_is_seen_at_every_interface(
    lab: TraceLab, source: BpfSource
) -> None:
    before = time.time_ns()
    lab.inside(0, ["ping", "-c1", "-W5", "10.9.2.2"])
    seen = [one for one in of_protocol(settle(source), "ICMP") if one.direction != "drop"]
    assert stations(seen) == THERE + BACK
    assert [one.time_ns for one in seen] == sorted(one.time_ns for one in seen)
    assert before < seen[0].time_ns < seen[-1].time_ns < time.time_ns()
    assert len({one.skb for one in seen[:4]}) == len({one.skb for one in seen[4:]}) == 1
    assert [one.data[22] for one in seen] == [64, 64, 63, 63, 64, 64, 63, 63]
    assert {(len(one.data), one.length, one.segments) for one in seen} == {(98, 98, 1)}
    cables = [(one.link, one.along, one.peer) for one in seen[:4]]
    assert cables == [
        ("l0", "ab", "n1"),
        ("l0", "ab", "n0"),
        ("l1", "ab", "n2"),
        ("l1", "ab", "n1"),
    ]
    assert {one.along for one in seen[4:]} == {"ba"}
    assert {one.lab for one in seen} == {lab.lab}


def test_forwarding_off(lab: TraceLab, source: BpfSource) -> None:
    lab.sysctl(1, "net/ipv4/ip_forward", "0")
    lab.send(0, "10.9.2.2", [b"lost"])
    seen = udp(settle(source, drops(1)))
    assert stations(seen) == [*THERE[:2], "n1:left drop"]
    assert ends(seen) == [("n1", "left", "IP_INADDRERRORS", "ip_error")]
    assert len({one.skb for one in seen}) == 1
    assert (seen[2].link, seen[2].along, seen[2].peer) == ("l0", "ab", "n0")
    assert seen[2].data[14:] == seen[1].data[14:]


def test_nobody_listens(lab: TraceLab, source: BpfSource) -> None:
    lab.send(0, "10.9.2.2", [b"hello"])
    end = udp(settle(source, drops(1)))[-1]
    assert (end.direction, end.reason, end.symbol) == ("drop", "NO_SOCKET", "__udp4_lib_rcv")
    assert (end.data[42:], end.length) == (b"hello", 47)  # whole, though UDP had it already


def test_a_firewall_drops_what_has_no_interface_yet(lab: TraceLab, source: BpfSource) -> None:
    rules = "table ip t { chain c { type filter hook output priority 0; udp dport 9 drop; }; }"
    lab.inside(0, ["nft", rules])

    def refused() -> None:
        udp4 = socket.AF_INET, socket.SOCK_DGRAM
        with socket.socket(*udp4) as client, pytest.raises(PermissionError):
            client.sendto(b"out", ("10.9.1.2", 9))

    lab.within(0, refused)
    seen = udp(settle(source, drops(1)))
    assert ends(seen) == [("n0", "", "NETFILTER_DROP", "nft_do_chain")]
    assert seen[0].data[:14] == bytes(12) + b"\x08\x00"  # it never got a link header
    assert (seen[0].link, seen[0].peer, seen[0].length) == ("", "", 14 + 20 + 8 + 3)


def test_nobody_answers_arp(lab: TraceLab, source: BpfSource) -> None:
    """The kernel gives up after three seconds."""
    lab.send(0, "10.9.1.77", [b"who"])
    seen = udp(collect(source, lambda all_seen: bool(udp(all_seen))))
    assert ends(seen) == [("n0", "right", "NEIGH_FAILED", "neigh_invalidate")]


def test_loopback_and_interfaces_made_by_hand(lab: TraceLab, source: BpfSource) -> None:
    lab.ip(0, "link add mine type veth peer name yours netns " + lab.holder.descriptor_path(1))
    lab.ip(0, "addr add 10.77.0.1/24 dev mine")
    lab.ip(1, "addr add 10.77.0.2/24 dev yours")
    lab.ip(0, "link set mine up")
    lab.ip(1, "link set yours up")
    lab.send(0, "127.0.0.1", [b"self"])
    lab.send(0, "10.77.0.2", [b"hand"])
    seen = [one for one in udp(settle(source, hops(4))) if one.direction != "drop"]
    assert stations(seen) == ["n0:lo tx", "n0:lo rx", "n0:mine tx", "n1:yours rx"]
    assert {(one.link, one.peer) for one in seen} == {("", "")}


def test_an_interface_is_called_what_it_is_called_now(lab: TraceLab, source: BpfSource) -> None:
    lab.inside(0, ["ping", "-c1", "-W5", "10.9.1.2"])
    settle(source)
    lab.ip(0, "link set right down")
    lab.ip(0, "link set right name wan")
    lab.ip(0, "link set wan up")
    lab.send(0, "10.9.1.2", [b"new"])
    assert stations(udp(settle(source, hops(1))))[0] == "n0:wan tx"


def test_a_tunnel_has_no_link_header_and_gets_an_empty_one(
    lab: TraceLab, source: BpfSource
) -> None:
    lab.ip(0, "tuntap add tun0 mode tun")
    lab.ip(0, "addr add 10.66.0.1/24 dev tun0")
    lab.ip(0, "link set tun0 up")
    lab.send(0, "10.66.0.2", [b"deep"])
    seen = udp(settle(source, drops(1)))  # nobody reads from its other side
    assert ends(seen) == [("n0", "tun0", "QDISC_DROP", "__dev_queue_xmit")]
    assert seen[0].data[:14] == bytes(12) + b"\x08\x00"
    assert seen[0].length == 14 + 20 + 8 + 4


def test_a_super_packet_says_how_many_it_stands_for(lab: TraceLab, source: BpfSource) -> None:
    listener = lab.within(1, lambda: socket.create_server(("10.9.1.2", 80)))
    assert isinstance(listener, socket.socket)
    with listener:
        client = lab.within(0, lambda: socket.create_connection(("10.9.1.2", 80), DEADLINE))
        assert isinstance(client, socket.socket)
        server, _ = listener.accept()
        with client, server:
            client.sendall(b"x" * 60_000)
            left = 60_000
            while left:
                left -= len(server.recv(left))
    seen = [one for one in settle(source) if one.direction != "drop"]
    large = [one for one in seen if one.length > 1514]
    assert large
    for one in large:
        payload = one.length - 66
        assert one.segments == -(-payload // 1448), one.length
    assert {one.segments for one in seen if one.length <= 1514} == {1}
    assert {one.data[66:] for one in large} == {b"x" * (128 - 66)}  # it lies in pages


def test_a_kernel_that_lets_nobody_read_pages(
    lab: TraceLab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def verifier(**options: Any) -> Program:
        if "on_send" in options["programs"]:
            raise TopowebError(ErrorKind.UNSUPPORTED, "no such call")
        return Program(**options)

    monkeypatch.setattr(program, "Program", verifier)
    with tracing(tmp_path) as source:
        source.watch(lab.lab)
        lab.send(0, "10.9.2.2", [b"plain"])
        seen = udp(settle(source, hops(4)))
        assert stations(seen)[:4] == THERE
        assert seen[0].data[42:] == b"plain"


def test_ipv6_is_seen_as_well(lab: TraceLab, source: BpfSource) -> None:
    lab.ip(0, "addr add fd00::1/64 dev right nodad")
    lab.ip(1, "addr add fd00::2/64 dev left nodad")
    lab.inside(0, ["ping", "-c1", "-W5", "fd00::2"])
    echoes = [one for one in settle(source) if one.data[54:55] in (b"\x80", b"\x81")]
    assert stations(echoes)[:4] == ["n0:right tx", "n1:left rx", "n1:left tx", "n0:right rx"]
