"""Probes tell a reply, silence, a refusal and an unreachable target apart."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from tests.kernel.plans import (
    LAB,
    address,
    apply,
    at,
    cable,
    errors,
    inside,
    node,
    route,
    two_hosts,
    up,
)
from topoweb.core.errors import ErrorKind, TopowebError
from topoweb.core.plan.actions import AddNamespace, SetDevice, SetForwarding
from topoweb.kernel import icmp
from topoweb.kernel.netns import run_inside
from topoweb.kernel.probe import probe

if TYPE_CHECKING:
    from collections.abc import Iterator

    from topoweb.kernel.lab import LinuxKernel


def ask(kernel: LinuxKernel, source: str, kind: str, target: str, **options: Any) -> dict[str, Any]:
    fd = kernel.open_namespace(LAB, source)
    try:
        return probe(fd, kind, target, **options)
    finally:
        os.close(fd)


def chain(kernel: LinuxKernel) -> None:
    """h1 - r1 - r2 - h2, all routes in place."""
    plan = [*node("h1"), *node("r1", True, True), *node("r2", True, True), *node("h2")]
    plan.sort(key=lambda action: not isinstance(action, AddNamespace))
    plan += [cable("l1", "h1 eth0", "r1 eth0"), cable("l2", "r1 eth1", "r2 eth0")]
    plan += [cable("l3", "r2 eth1", "h2 eth0"), *up("h1 lo", "r1 lo", "r2 lo", "h2 lo")]
    for place, last in (("h1 eth0", "1.11"), ("r1 eth0", "1.1"), ("r1 eth1", "2.1")):
        plan += [address(place, f"10.0.{last}/24"), address(place, _six(last))]
    for place, last in (("r2 eth0", "2.2"), ("r2 eth1", "3.1"), ("h2 eth0", "3.11")):
        plan += [address(place, f"10.0.{last}/24"), address(place, _six(last))]
    for name, via in (("h1", "1.1"), ("r1", "2.2"), ("r2", "2.1"), ("h2", "3.1")):
        plan.append(route(name, "0.0.0.0/0", f"10.0.{via}"))
        plan.append(route(name, "::/0", _six(via).split("/")[0], 1024))
    assert errors(apply(kernel, *plan)) == []


def _six(last: str) -> str:
    net, host = last.split(".")
    return f"2001:db8:{net}::{host}/64"


@contextmanager
def listening(kernel: LinuxKernel, name: str, port: int) -> Iterator[None]:
    fd = kernel.open_namespace(LAB, name)
    try:
        server = run_inside(fd, lambda: socket.create_server(("", port)))
        with server:
            yield
    finally:
        os.close(fd)


def test_ping_counts_hops_by_ttl(kernel: LinuxKernel) -> None:
    chain(kernel)
    result = ask(kernel, "h1", "ping", "10.0.3.11", count=2)
    assert (result["verdict"], result["sent"], result["received"]) == ("reply", 2, 2)
    assert result["ttl"] == 62
    assert len(result["rtt_ms"]) == 2
    assert 0 < min(result["rtt_ms"]) < 1000
    assert "icmp_seq=2 ttl=62" in result["output"]


def test_ping_of_ipv6(kernel: LinuxKernel) -> None:
    chain(kernel)
    result = ask(kernel, "h1", "ping", "2001:db8:3::11", count=1)
    assert (result["verdict"], result["ttl"]) == ("reply", 62)


def test_silence_is_no_answer(kernel: LinuxKernel) -> None:
    chain(kernel)
    apply(kernel, SetForwarding(namespace="r2", ipv4=False))
    result = ask(kernel, "h1", "ping", "10.0.3.11", count=1)
    assert (result["verdict"], result["received"]) == ("no_answer", 0)
    assert "100% packet loss" in result["output"]


def test_no_route_is_unreachable_at_once(kernel: LinuxKernel) -> None:
    apply(kernel, *two_hosts())
    result = ask(kernel, "n1", "ping", "10.9.9.9")
    assert (result["verdict"], result["sent"]) == ("unreachable", 0)
    assert "Network is unreachable" in result["message"]


def test_a_lonely_node_with_lo_down_cannot_reach_itself(kernel: LinuxKernel) -> None:
    apply(kernel, *node("n1"))
    assert ask(kernel, "n1", "ping", "127.0.0.1")["verdict"] == "unreachable"
    apply(kernel, SetDevice(at=at("n1 lo"), up=True))
    assert ask(kernel, "n1", "ping", "127.0.0.1", count=1)["verdict"] == "reply"


def test_a_routers_word_names_the_router(kernel: LinuxKernel) -> None:
    chain(kernel)
    inside(kernel, "r2", "ip route add unreachable 10.7.0.0/16")
    result = ask(kernel, "h1", "ping", "10.7.0.1", count=1)
    assert result["verdict"] == "unreachable"
    assert result["message"] == "10.0.2.2 reports: Destination Host Unreachable"


def test_nobody_answers_arp(kernel: LinuxKernel) -> None:
    apply(kernel, *two_hosts())
    result = ask(kernel, "n1", "ping", "10.0.1.77", count=1)
    assert result["verdict"] == "unreachable"
    assert result["message"] == "10.0.1.1 reports: Destination Host Unreachable"


def test_a_routing_loop_expires(kernel: LinuxKernel) -> None:
    chain(kernel)
    result = ask(kernel, "h1", "ping", "192.0.2.1", count=1)
    assert result["verdict"] == "unreachable"
    assert "Time to live exceeded" in result["message"]


def test_tcp_connects_is_refused_or_has_no_way(kernel: LinuxKernel) -> None:
    chain(kernel)
    with listening(kernel, "h2", 8080):
        result = ask(kernel, "h1", "tcp", "10.0.3.11", port=8080)
        assert (result["verdict"], len(result["rtt_ms"])) == ("connected", 1)
    assert ask(kernel, "h1", "tcp", "10.0.3.11", port=8081)["verdict"] == "refused"
    assert ask(kernel, "h1", "tcp", "2001:db8:3::11", port=8081)["verdict"] == "refused"
    inside(kernel, "r1", "ip route add unreachable 10.7.0.0/16")
    assert ask(kernel, "h1", "tcp", "10.7.0.1", port=80)["verdict"] == "unreachable"


def test_tcp_without_an_answer(kernel: LinuxKernel, monkeypatch: pytest.MonkeyPatch) -> None:
    chain(kernel)
    monkeypatch.setattr("topoweb.kernel.probe.CONNECT_TIMEOUT", 1.2)
    apply(kernel, SetForwarding(namespace="r2", ipv4=False))
    assert ask(kernel, "h1", "tcp", "10.0.3.11", port=80)["verdict"] == "no_answer"


@contextmanager
def echoing(kernel: LinuxKernel, name: str, port: int, *, answer: bool) -> Iterator[None]:
    """A UDP socket in a node; with ``answer`` it sends the first datagram back."""
    fd = kernel.open_namespace(LAB, name)

    def make() -> socket.socket:
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        udp.bind(("", port))
        udp.settimeout(10)
        return udp

    def serve(udp: socket.socket) -> None:
        data, sender = udp.recvfrom(64)
        udp.sendto(data, sender)

    try:
        with run_inside(fd, make) as udp:
            thread = threading.Thread(target=serve, args=(udp,))
            if answer:
                thread.start()
            yield
            if answer:
                thread.join()
    finally:
        os.close(fd)


def test_a_datagram_is_answered_refused_or_has_no_way(
    kernel: LinuxKernel, monkeypatch: pytest.MonkeyPatch
) -> None:
    chain(kernel)
    with echoing(kernel, "h2", 9000, answer=True):
        result = ask(kernel, "h1", "udp", "10.0.3.11", port=9000)
    assert (result["verdict"], result["sent"], result["received"]) == ("reply", 1, 1)
    assert len(result["rtt_ms"]) == 1
    for target in ("10.0.3.11", "2001:db8:3::11"):
        result = ask(kernel, "h1", "udp", target, port=9001)
        assert (result["verdict"], result["received"]) == ("refused", 1)
        assert result["message"] == f"{target} refuses: nothing listens on port 9001"
    inside(kernel, "r2", "ip route add unreachable 10.7.0.0/16")
    inside(kernel, "r2", "ip route add prohibit 10.8.0.0/16")
    result = ask(kernel, "h1", "udp", "10.7.0.1", port=9)
    assert result["verdict"] == "unreachable"
    assert result["message"] == "10.0.2.2 reports: Destination Host Unreachable"
    assert ask(kernel, "h1", "udp", "10.8.0.1", port=9)["verdict"] == "unreachable"
    inside(kernel, "h1", "ip route add unreachable 10.9.0.0/16")
    assert ask(kernel, "h1", "udp", "10.9.0.1", port=9)["sent"] == 0
    monkeypatch.setattr("topoweb.kernel.datagram.PATIENCE", 0.2)
    with echoing(kernel, "h2", 9000, answer=False):
        result = ask(kernel, "h1", "udp", "10.0.3.11", port=9000)
    assert (result["verdict"], result["received"], result["rtt_ms"]) == ("no_answer", 0, [])


@pytest.mark.parametrize(
    ("target", "ways"),
    [
        ("10.0.3.11", ["10.0.1.1", "10.0.2.2", "10.0.3.11"]),
        ("2001:db8:3::11", ["2001:db8:1::1", "2001:db8:2::2", "2001:db8:3::11"]),
    ],
)
def test_traceroute_names_every_hop(kernel: LinuxKernel, target: str, ways: list[str]) -> None:
    chain(kernel)
    result = ask(kernel, "h1", "traceroute", target)
    assert result["verdict"] == "reply"
    assert [hop["address"] for hop in result["hops"]] == ways
    assert [hop["ttl"] for hop in result["hops"]] == [1, 2, 3]


def test_traceroute_shows_where_it_ends(
    kernel: LinuxKernel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("topoweb.kernel.traceroute.WAIT", 0.1)
    chain(kernel)
    apply(kernel, SetForwarding(namespace="r2", ipv4=False))
    result = ask(kernel, "h1", "traceroute", "10.0.3.11")
    assert result["verdict"] == "no_answer"
    assert [hop["address"] for hop in result["hops"]][:2] == ["10.0.1.1", None]
    assert "*" in result["output"]


def test_traceroute_without_a_route(kernel: LinuxKernel) -> None:
    apply(kernel, *two_hosts())
    assert ask(kernel, "n1", "traceroute", "10.9.9.9")["verdict"] == "unreachable"


def test_probes_run_beside_each_other(kernel: LinuxKernel) -> None:
    chain(kernel)
    verdicts: list[str] = []
    threads = [
        threading.Thread(
            target=lambda: verdicts.append(ask(kernel, "h1", "ping", "10.0.3.11")["verdict"])
        )
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert verdicts == ["reply"] * 4


@pytest.mark.parametrize(
    ("kind", "target", "port"),
    [
        ("ping", "10.0.0.1; reboot", None),
        ("ping", "h2", None),
        ("ping", "-c1", None),
        ("shell", "10.0.0.1", None),
        ("tcp", "10.0.0.1", None),
        ("tcp", "10.0.0.1", 65536),
        ("udp", "10.0.0.1", None),
    ],
)
def test_anything_else_is_refused(kind: str, target: str, port: int | None) -> None:
    with pytest.raises(TopowebError) as caught:
        probe(-1, kind, target, port=port)
    assert caught.value.kind is ErrorKind.INVALID


def test_checksum_is_that_of_rfc_1071() -> None:
    assert icmp.checksum(bytes.fromhex("0001f203f4f5f6f7")) == 0x220D
    packet = icmp.echo_request(socket.AF_INET, 7, 1, b"odd")
    assert icmp.checksum(packet) == 0


@pytest.mark.skipif(not shutil.which("ping"), reason="no ping program to compare with")
def test_our_ping_agrees_with_the_program(kernel: LinuxKernel) -> None:
    apply(kernel, *two_hosts())
    found = kernel.manifest(LAB)
    assert found
    path = found.holder.descriptor_path(found.namespaces["n1"].slot)
    expected = {"10.0.1.2": "reply", "10.0.1.1": "reply", "10.9.9.9": "unreachable"}
    for target, verdict in expected.items():
        command = ["nsenter", f"--net={path}", "ping", "-c1", "-W2", target]
        done = subprocess.run(command, capture_output=True)
        assert (done.returncode == 0) == (verdict == "reply")
        assert ask(kernel, "n1", "ping", target, count=1)["verdict"] == verdict
