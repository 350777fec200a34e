"""Captures on real cables: both directions, kernel time, real bytes, and loss."""

from __future__ import annotations

import os
import socket
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.kernel.privilege import needs_uid_ranges
from tests.kernel.tracelab import DEADLINE, TraceLab, capturing, collect, udp
from topoweb.core.packets import decode, summary
from topoweb.core.tracing.stories import Stories
from topoweb.kernel.manifest import Manifest
from topoweb.kernel.trace.afpacket import AfPacketSource
from topoweb.kernel.trace.points import Point, choose
from topoweb.kernel.trace.tap import Tap

if TYPE_CHECKING:
    from collections.abc import Iterator

    from topoweb.core.tracing.observation import Observation

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root or a user namespace")


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[TraceLab]:
    lab = TraceLab(tmp_path, nodes=3)
    yield lab
    lab.close()


@pytest.fixture
def source(tmp_path: Path) -> Iterator[AfPacketSource]:
    with capturing(tmp_path) as source:
        yield source


def test_a_packet_is_seen_once_on_every_cable_in_order(
    lab: TraceLab, source: AfPacketSource
) -> None:
    source.watch(lab.lab)
    assert source.points(lab.lab) == 2
    before = time.time_ns()
    lab.send(0, "10.9.2.2", [b"one", b"two"])
    seen = udp(collect(source, lambda all_seen: len(udp(all_seen)) >= 4))
    assert before < seen[0].time_ns < time.time_ns()
    assert [one.time_ns for one in seen] == sorted(one.time_ns for one in seen)
    stories = Stories()
    rows = [
        (
            stories.add(one).packet,
            one.link,
            one.along,
            one.data[22],
        )
        for one in seen
    ]
    assert sorted(rows) == [
        (1, "l0", "ab", 64),
        (1, "l1", "ab", 63),
        (2, "l0", "ab", 64),
        (2, "l1", "ab", 63),
    ]
    assert {one.lab for one in seen} == {lab.lab}


def test_both_directions_of_a_cable(lab: TraceLab, source: AfPacketSource) -> None:
    source.watch(lab.lab)
    lab.inside(0, ["ping", "-c1", "-W5", "10.9.1.2"])
    seen = collect(source, lambda all_seen: sum(one.data[23] == 1 for one in all_seen) >= 2)
    echoes = [one for one in seen if one.data[12:14] == b"\x08\0" and one.data[23] == 1]
    assert [(one.along, one.data[34]) for one in echoes] == [("ab", 8), ("ba", 0)]
    tap_at = {(one.namespace, one.interface, one.direction) for one in echoes}
    assert tap_at == {("n0", "right", "tx"), ("n0", "right", "rx")}


def test_long_packets_are_cut_and_keep_their_length(lab: TraceLab, tmp_path: Path) -> None:
    (tmp_path / "cut").mkdir()
    source = AfPacketSource(tmp_path, snaplen=64)
    try:
        source.watch(lab.lab)
        lab.send(0, "10.9.1.2", [b"x" * 1000])
        seen = udp(collect(source, lambda all_seen: len(udp(all_seen)) >= 1))
        assert (len(seen[0].data), seen[0].length) == (64, 14 + 20 + 8 + 1000)
    finally:
        source.close()


def test_vlan_tag_that_the_kernel_took_out_is_back() -> None:
    point = Point("l0", "n0", "left", "ab", "n1")
    tap = Tap.__new__(Tap)
    tap.lab, tap.point = 1, point
    frame = bytes(12) + b"\x08\0" + b"rest"
    auxiliary = struct.pack("=IIIHHHH", 0x51, len(frame), len(frame), 0, 14, 0x6064, 0x88A8)
    seen = tap._observation(frame, [(263, 8, auxiliary)], sent=True)
    assert seen.data == bytes(12) + b"\x88\xa8\x60\x64\x08\0rest"
    assert seen.length == len(frame) + 4


def test_loss_is_counted(lab: TraceLab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("topoweb.kernel.trace.afpacket.LAB_BUFFER", 0)
    monkeypatch.setattr("topoweb.kernel.trace.afpacket.TAP_BUFFER_MIN", 8192)
    source = AfPacketSource(tmp_path)
    try:
        source.watch(lab.lab)
        lab.send(0, "10.9.1.2", [b"x" * 500] * 200)
        seen: list[Observation] = []
        end = time.monotonic() + DEADLINE
        while len(udp(seen)) + source.lost(lab.lab) < 200:
            assert time.monotonic() < end
            seen += source.poll(0.1)
        assert source.lost(lab.lab) > 0
        assert len(udp(seen)) < 200
    finally:
        source.close()


def test_packets_after_the_horizon_wait_for_the_next_poll(lab: TraceLab, tmp_path: Path) -> None:
    """An earlier one may still be under way at another socket."""
    now = [0]
    source = AfPacketSource(tmp_path, clock=lambda: now[0])
    try:
        source.watch(lab.lab)
        lab.send(0, "10.9.2.2", [b"early"])
        for _ in range(5):
            assert source.poll(0.05) == []
        now[0] = time.time_ns() + 10**9
        assert len(udp(collect(source, lambda seen: len(udp(seen)) >= 2))) == 2
    finally:
        source.close()


def markers(seen: list[Observation]) -> set[str]:
    layers = [layer for one in seen for layer in decode(one.data, one.length)]
    return {field.name for layer in layers for field in layer.fields} & {"malformed", "cut_off"}


def checksums(seen: list[Observation], protocol: str) -> set[str]:
    return {
        field.fields[0].value
        for one in seen
        for layer in decode(one.data, one.length)
        if layer.protocol == protocol
        for field in layer.fields
        if field.name == "checksum"
    }


def test_real_tcp_is_decoded_and_its_offloaded_checksums_are_not_called_bad(
    lab: TraceLab, tmp_path: Path
) -> None:
    """The kernel's own handshake, a segment of 60,000 bytes over veth, and ARP and ND around it."""
    source = AfPacketSource(tmp_path, snaplen=65_535)
    listener = lab.within(1, lambda: socket.create_server(("10.9.1.2", 80)))
    assert isinstance(listener, socket.socket)
    try:
        source.watch(lab.lab)
        client = lab.within(0, lambda: socket.create_connection(("10.9.1.2", 80), DEADLINE))
        assert isinstance(client, socket.socket)
        server, _ = listener.accept()
        with client, server:
            client.sendall(b"GET / HTTP/1.1\r\n\r\n" + b"x" * 60_000)
            left = 60_018
            while left:
                left -= len(server.recv(left))

        def rows(seen: list[Observation]) -> list[tuple[str, str]]:
            return [summary(one.data, one.length)[0::3][:2] for one in seen]  # protocol, info

        seen = collect(
            source, lambda all_seen: sum("FIN" in info for _, info in rows(all_seen)) >= 2
        )
    finally:
        listener.close()
        source.close()
    assert ("HTTP", "GET / HTTP/1.1") in rows(seen)
    assert any("[SYN, ACK]" in info for _, info in rows(seen))
    assert "ARP" in {protocol for protocol, _ in rows(seen)}
    assert max(one.length for one in seen) > 1514
    assert markers(seen) == set()
    statuses = checksums(seen, "TCP")
    assert statuses <= {"good", "not filled in yet (offload)"}
    assert "not filled in yet (offload)" in statuses
    assert checksums(seen, "IPv4") == {"good"}


def test_the_end_away_from_the_switch_is_chosen() -> None:
    links = {f"l{i}": (("switch", f"p{i}"), (f"h{i}", "eth0")) for i in range(3)}
    points = choose(Manifest(lab=1, boot_id="", links=links))
    assert [ends[0] for ends in points.values()] == [
        Point(f"l{i}", f"h{i}", "eth0", "ba", "switch") for i in range(3)
    ]
    assert len(choose(Manifest(lab=1, boot_id="", links=links), 2)) == 2


ROOTLESS = """
import os, sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from tests.kernel.tracelab import TraceLab
from topoweb.kernel.trace.afpacket import AfPacketSource
run = Path(sys.argv[2])
source = AfPacketSource(run)
lab = TraceLab(run, nodes=2)
try:
    source.watch(lab.lab)
    lab.send(0, "10.9.1.2", [b"rootless"])
    seen = []
    for _ in range(50):
        seen += source.poll(0.1)
        if any(b"rootless" in one.data for one in seen):
            print("captured", source.points(lab.lab))
            break
finally:
    lab.close()
    source.close()
"""


@needs_uid_ranges
def test_without_root(tmp_path: Path) -> None:
    """As uid 65534 in a user namespace of its own, like `serve` for an ordinary user."""
    root = Path(__file__).parents[2]
    with tempfile.TemporaryDirectory(prefix="tw") as run:
        os.chown(run, 65534, 65534)
        # The interpreter may lie under a home that others cannot enter.
        reads = [f"--read={path}" for path in (root, sys.prefix, sys.base_prefix)]
        jail = [sys.executable, "-m", "topoweb.worker.launch.jail", "65534", "65534", *reads, "--"]
        inner = [sys.executable, "-c", ROOTLESS, str(root), run]
        done = subprocess.run(
            [*jail, "unshare", "-U", "-r", "-n", "-m", *inner],
            cwd=root,
            capture_output=True,
            text=True,
            timeout=60,
        )
    assert done.stdout == "captured 1\n", done.stderr
