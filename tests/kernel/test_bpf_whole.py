"""Frames that are recorded with all their bytes: of followed flows, and of recorded labs."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

from tests.kernel.bpflab import hops, needs_bpf, settle, tracing, without_ipv6
from tests.kernel.tracelab import TraceLab, udp
from topoweb.core.tracing.stories import Stories
from topoweb.kernel.trace.bpf.program import WHOLE_RING
from topoweb.kernel.trace.bpf.ring import DATA, WHOLE, WHOLES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from topoweb.core.tracing.observation import Observation
    from topoweb.kernel.trace.bpf.source import BpfSource

pytestmark = needs_bpf
HEADERS = 42  # bytes before a UDP payload
PAYLOAD = bytes(range(256)) * 5  # 1,280 bytes
TARGET = "10.9.2.2"


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[TraceLab]:
    lab = TraceLab(tmp_path, nodes=3)
    without_ipv6(lab)
    yield lab
    lab.close()


@pytest.fixture
def source(tmp_path: Path, lab: TraceLab) -> Iterator[BpfSource]:
    with tracing(tmp_path, hop_ring=64 << 20, hop_rate=0) as source:
        source.watch(lab.lab)
        yield source


def sent(lab: TraceLab, source: BpfSource, count: int = 1) -> list[Observation]:
    """Send datagrams over two cables; return their hops."""
    lab.send(0, TARGET, [PAYLOAD] * count)
    return [one for one in udp(settle(source, hops(4 * count))) if one.direction != "drop"]


def test_a_followed_flow_is_recorded_whole(lab: TraceLab, source: BpfSource) -> None:
    assert {one.data[HEADERS:] for one in sent(lab, source)} == {PAYLOAD[: DATA - HEADERS]}
    source.follow(lab.lab, "", TARGET, socket.IPPROTO_UDP)
    followed = sent(lab, source)
    assert [one.data[HEADERS:] for one in followed] == [PAYLOAD] * 4
    assert [one.length for one in followed] == [HEADERS + len(PAYLOAD)] * 4
    source.unfollow(lab.lab, "", TARGET, socket.IPPROTO_UDP)
    assert {len(one.data) for one in sent(lab, source)} == {DATA}


def test_a_recorded_lab_s_frames_are_whole(lab: TraceLab, source: BpfSource) -> None:
    source.take_whole(lab.lab, True)
    assert [one.data[HEADERS:] for one in sent(lab, source)] == [PAYLOAD] * 4
    source.take_whole(lab.lab, False)
    assert {len(one.data) for one in sent(lab, source)} == {DATA}
    source.take_whole(99, True)


def test_a_payload_in_pages_is_read_too(lab: TraceLab, source: BpfSource) -> None:
    """A super-packet of TCP is cut at the room that there is."""
    source.take_whole(lab.lab, True)
    received: list[bytes] = []

    def serve() -> socket.socket:
        listener = socket.create_server((TARGET, 80))
        listener.settimeout(10)
        return listener

    listener = lab.within(2, serve)
    assert isinstance(listener, socket.socket)

    def ask() -> socket.socket:
        return socket.create_connection((TARGET, 80), 10)

    with listener:
        client = lab.within(0, ask)
        assert isinstance(client, socket.socket)
        server, _ = listener.accept()
        with client, server:
            client.sendall(PAYLOAD * 2)
            while sum(map(len, received)) < 2 * len(PAYLOAD):
                received.append(server.recv(65536))
    seen = settle(source)
    largest = max(seen, key=lambda one: one.length)
    assert largest.length > WHOLE
    assert len(largest.data) == WHOLE
    assert largest.data.endswith((PAYLOAD * 2)[: WHOLE - 66][-256:])


def test_what_does_not_fit_is_recorded_in_short(lab: TraceLab, source: BpfSource) -> None:
    """A burst beyond the ring for whole frames loses bytes, not packets, and stays one packet."""
    source.take_whole(lab.lab, True)
    count = WHOLE_RING // WHOLES.record.size // 2
    lab.send(0, TARGET, [number.to_bytes(4, "big") + PAYLOAD for number in range(count)])
    stories = Stories()
    seen = [one for one in udp(settle(source, hops(4 * count))) if one.direction != "drop"]
    assert len(seen) == 4 * count
    sizes = {len(one.data) for one in seen}
    assert sizes == {DATA, HEADERS + 4 + len(PAYLOAD)}
    packets = {placed.packet for one in seen if (placed := stories.add(one)) is not None}
    assert len(packets) == count
    assert source.unseen(lab.lab).hops == 0
