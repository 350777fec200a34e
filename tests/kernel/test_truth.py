"""Traces tell the truth: what they say of single packets is what packet sockets everywhere saw."""

from __future__ import annotations

import os
import secrets
import signal
import socket
import struct
import subprocess
import time
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from tests.kernel.bpflab import needs_bpf, tracing
from tests.kernel.graphlab import campus
from tests.kernel.tracelab import eventually
from tests.kernel.witness import watching
from tests.unit.packets.wire import internet_checksum
from topoweb.core.tracing.stories import Stories

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.kernel.graphlab import GraphLab
    from tests.kernel.witness import Place, Witness
    from topoweb.core.tracing.observation import Observation
    from topoweb.core.tracing.trace import Hop, Trace
    from topoweb.kernel.trace.bpf.source import BpfSource

pytestmark = [pytest.mark.skipif(os.geteuid() != 0, reason="needs root"), needs_bpf]
SLACK_NS = 100_000
ERRORS = (3, 11)  # ICMP types that quote a packet: not the packet itself


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[GraphLab]:
    made = campus(tmp_path)
    yield made
    made.close()


@pytest.fixture
def source(tmp_path: Path) -> Iterator[BpfSource]:
    with tracing(tmp_path, hop_ring=8 << 20) as made:
        yield made


class Mark:
    """A payload by which a packet is known everywhere, also behind NAT."""

    def __init__(self) -> None:
        self.payload = secrets.token_bytes(16)

    def __call__(self, data: bytes) -> bool:
        if self.payload not in data:
            return False
        return data[23] != 1 or data[34] not in ERRORS


def udp(
    lab: GraphLab, node: str, target: str, size: int = 32, ttl: int = 64, port: int = 9
) -> Callable[[bytes], bool]:
    """Send one datagram."""
    mark = Mark()

    def work() -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
            one.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, ttl)
            one.sendto(mark.payload.ljust(size, b"."), (target, port))

    lab.within(node, work)
    return mark


def echo(lab: GraphLab, node: str, target: str, ttl: int = 64) -> list[Callable[[bytes], bool]]:
    """Send one echo request; return what tells it and its reply."""
    mark = Mark()
    body = struct.pack(">BBHHH", 8, 0, 0, secrets.randbelow(65_535), 1) + mark.payload
    body = body[:2] + struct.pack(">H", internet_checksum(body)) + body[4:]

    def work() -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP) as one:
            one.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, ttl)
            one.sendto(body, (target, 0))

    lab.within(node, work)
    return [lambda data: mark(data) and data[34] == 8, lambda data: mark(data) and data[34] == 0]


def asks_for(address: str) -> Callable[[bytes], bool]:
    """What tells ARP requests for an address."""
    packed = socket.inet_aton(address)
    return lambda data: data[12:14] == b"\x08\x06" and data[21] == 1 and data[38:42] == packed


def prepare(lab: GraphLab) -> None:
    """Resolve all neighbours; drop port 5001 on r1; let r1 forward directed broadcasts."""
    for node, address in (("h1", "10.3.0.2"), ("h3", "10.3.0.2"), ("h1", "10.1.0.3"),
                          ("h1", "10.1.0.9"), ("sw", "10.3.0.2"), ("h2", "10.1.0.3")):  # fmt: skip
        lab.run_in(node, f"ping -c1 -W2 {address}")
    lab.run_in(
        "r1",
        "nft add table ip f; nft add chain ip f f '{ type filter hook forward priority 0; }';"
        "nft add rule ip f f udp dport 5001 drop;"
        "sysctl -qw net.ipv4.conf.all.bc_forwarding=1 net.ipv4.conf.eth1.bc_forwarding=1",
    )


def send_all(lab: GraphLab) -> dict[str, Callable[[bytes], bool]]:
    """Send the single packets one after the other; return what tells each."""
    sent = {f"nat {size}": udp(lab, "h1", "10.3.0.2", size) for size in (16, 100, 700, 1400)}
    sent |= {f"nat from {node}": udp(lab, node, "10.3.0.2") for node in ("h3", "sw", "r1")}
    sent |= {f"back {size}": udp(lab, "h2", "10.1.0.1", size) for size in (16, 1000)}
    sent |= {f"back to {to}": udp(lab, "h2", to) for to in ("10.1.0.3", "10.1.0.9", "10.2.0.1")}
    sent |= {f"bridge {to}": udp(lab, "h1", to) for to in ("10.1.0.3", "10.1.0.9", "10.1.0.254")}
    sent |= {"from the bridge": udp(lab, "sw", "10.1.0.1"), "lo": udp(lab, "h1", "127.0.0.1")}
    for node, target in (("h1", "10.3.0.2"), ("h3", "10.2.0.2"), ("sw", "10.1.0.1")):
        sent[f"request {node}"], sent[f"reply {node}"] = echo(lab, node, target)
    sent |= {f"filtered {node}": udp(lab, node, "10.3.0.2", port=5001) for node in ("h1", "h3")}
    sent |= {f"ttl {ttl}": udp(lab, "h1", "10.3.0.2", ttl=ttl) for ttl in (1, 2, 3)}
    sent["request ttl"], _ = echo(lab, "h1", "10.3.0.2", ttl=2)
    sent["unresolved"] = udp(lab, "h1", "10.2.0.77")
    sent["unresolved at home"] = udp(lab, "h1", "10.1.0.77")
    sent["broadcast"] = udp(lab, "h1", "10.1.0.255")
    sent["broadcast to all"] = udp(lab, "sw", "10.1.0.255")
    sent["forwarded broadcast"] = udp(lab, "h2", "10.1.0.255")
    return sent


class Told:
    """What the tracer makes of it."""

    def __init__(self, source: BpfSource) -> None:
        self._source = source
        self.stories = Stories()
        self.seen: list[Observation] = []

    def listen(self, until: Callable[[list[Observation]], bool]) -> None:
        end = time.monotonic() + 10
        while not until(self.seen):
            assert time.monotonic() < end
            self.take(0.1)
        while self.take(0.3):
            pass

    def take(self, timeout: float) -> bool:
        new = self._source.poll(timeout)
        for one in new:
            self.stories.add(one)
        self.seen += new
        return bool(new)

    def traces(self, wanted: Callable[[bytes], bool]) -> list[Trace]:
        every = (self.stories.trace(n) for n in range(1, len(self.stories) + 1))
        found = [one for one in every if one and any(wanted(hop.seen.data) for hop in one.hops)]
        assert all(wanted(hop.seen.data) for one in found for hop in one.hops), found
        return found


def places(traces: list[Trace]) -> Counter[Place]:
    hops = (hop.seen for one in traces for hop in one.hops)
    return Counter((s.namespace, s.interface, s.direction) for s in hops if s.direction != "drop")


def check_causality(lab: GraphLab, trace: Trace) -> None:
    """Each hop follows one from which it is possible, and not before it."""
    other = {a: b for ends in lab.cables.values() for a, b in (ends, ends[::-1])}
    for number, hop in enumerate(trace.hops):
        assert hop.parent < number
        if hop.parent < 0:
            assert number == 0, trace
            continue
        check_step(trace.hops[hop.parent], hop, other)


def check_step(before: Hop, after: Hop, other: dict[tuple[str, str], tuple[str, str]]) -> None:
    first, then = before.seen, after.seen
    assert first.time_ns <= then.time_ns + SLACK_NS
    assert first.direction != "drop"
    cable = (first.namespace, first.interface)
    if first.direction == "tx" and then.direction == "rx" and cable in other:
        assert other[cable] == (then.namespace, then.interface)
    else:
        assert first.namespace == then.namespace


def test_single_packets_are_seen_where_packet_sockets_see_them(
    lab: GraphLab, source: BpfSource
) -> None:
    prepare(lab)
    source.watch(lab.lab)
    told = Told(source)
    with watching(lab) as witness:
        sent = send_all(lab)
        told.listen(lambda seen: sum(one.reason == "NEIGH_FAILED" for one in seen) >= 2)
        witness.read()
    assert len(sent) >= 30
    assert source.unseen(lab.lab) == (0, 0, 0)
    check_all(lab, told, witness, sent)
    ends = {name: end_of(told, wanted) for name, wanted in sent.items()}
    assert ends["nat 100"] == ("h2", "NO_SOCKET")
    assert ends["filtered h1"] == ends["filtered h3"] == ("r1", "NETFILTER_DROP")
    assert (ends["ttl 1"], ends["ttl 2"]) == (("r1", "IP_INHDR"), ("r2", "IP_INHDR"))
    assert ends["unresolved"] == ("r1", "NEIGH_FAILED")
    assert ends["unresolved at home"] == ("h1", "NEIGH_FAILED")
    for address in ("10.2.0.77", "10.1.0.77"):
        requests = told.traces(asks_for(address))
        assert places(requests) == witness.places(asks_for(address))
        assert len({frozenset(places([one])) for one in requests}) == 1
        assert len(requests) >= 3


def check_all(
    lab: GraphLab, told: Told, witness: Witness, sent: dict[str, Callable[[bytes], bool]]
) -> None:
    for name, wanted in sent.items():
        traces = told.traces(wanted)
        assert len(traces) == 1, name
        assert places(traces) == witness.places(wanted), name
        check_causality(lab, traces[0])


def end_of(told: Told, wanted: Callable[[bytes], bool]) -> tuple[str, str]:
    (trace,) = told.traces(wanted)
    last = trace.hops[-1].seen
    return last.namespace, last.reason


def test_tcpdump_sees_the_same(lab: GraphLab, source: BpfSource, tmp_path: Path) -> None:
    prepare(lab)
    source.watch(lab.lab)
    points = [("h1", "eth0"), ("sw", "p1"), ("sw", "p2"), ("sw", "p3"), ("sw", "br0"),
              ("r1", "eth0"), ("r1", "eth1"), ("r2", "eth0"), ("r2", "eth1"), ("h2", "eth0"),
              ("h3", "eth0")]  # fmt: skip
    ways = [(*point, way) for point in points for way in ("rx", "tx")]
    dumps = {place: start_tcpdump(lab, place, tmp_path) for place in ways}
    try:
        for place, dump in dumps.items():
            wait_for_tcpdump(tmp_path / f"{'-'.join(place)}.log", dump)
        told = Told(source)
        sent = [udp(lab, "h1", "10.3.0.2"), udp(lab, "h2", "10.1.0.1"), udp(lab, "h1", "10.1.0.3")]
        told.listen(bool)
    finally:
        for dump in dumps.values():
            dump.send_signal(signal.SIGINT)
            dump.wait(10)
    files = {place: (tmp_path / f"{'-'.join(place)}.pcap").read_bytes() for place in ways}
    for mark in sent:
        (trace,) = told.traces(mark)
        seen = Counter({p: files[p].count(mark.payload) for p in ways if mark.payload in files[p]})
        assert places([trace]) == seen


def wait_for_tcpdump(log: Path, dump: subprocess.Popen[bytes]) -> None:
    eventually(lambda: "listening on" in log.read_text(), f"{log.name}: {dump.poll()}")


def start_tcpdump(lab: GraphLab, place: Place, folder: Path) -> subprocess.Popen[bytes]:
    node, interface, way = place
    name = folder / "-".join(place)
    argv = ["tcpdump", "-i", interface, "-n", "--immediate-mode", "-U", "-Z", "root",
            "-Q", "in" if way == "rx" else "out", "-w", f"{name}.pcap", "udp"]  # fmt: skip
    with name.with_suffix(".log").open("wb") as log:
        return subprocess.Popen(["nsenter", f"--net={lab.path(node)}", *argv], stderr=log)
