"""Display filters in the tracer's process, over real packets; tshark chooses the same ones."""

# ruff: noqa: F811 - fixtures are imported
from __future__ import annotations

import json
import os
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from tests.kernel.test_tracer import (  # noqa: F401 - fixtures
    Tracer,
    _get,
    _put,
    echoes,
    lab,
    tracer,
)
from topoweb.protocol.frames import Frame, Kind, Stream

if TYPE_CHECKING:
    from pathlib import Path

    from tests.kernel.tracelab import TraceLab

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root or a user namespace")
TARGET = "10.9.2.2"  # of n2, behind the router n1
FILTERS = [
    "icmp.type == 8", "ip.ttl < 64", "arp || icmp.type == 0", "ip.src == 10.9.0.0/16 && icmp",
    'eth.type in {0x806, 0x800} and not ip.ttl == 63', 'icmp contains "abc"', "arp.opcode == 1",
]  # fmt: skip


def test_the_stream_carries_what_a_filter_lets_through(lab: TraceLab, tracer: Tracer) -> None:
    wanted = {"filter": 'icmp.type == 8 && node == "far"', "objects": {"node": {"far": ["n2"]}}}
    client = tracer.open(Stream.PACKETS, wanted)
    _get(client)
    lab.inside(0, ["ping", "-c2", "-i0.2", "-W5", TARGET])
    rows = echoes(client, 2)
    client.close()
    assert [(row[2], row[3]) for row in rows] == [("l1", "ab")] * 2
    assert all("echo request" in row[8] and row[8].endswith("ttl 63") for row in rows)


def numbers(tracer: Tracer, expression: str) -> list[int]:
    params = {"what": "packets", "limit": 1000, "filter": expression}
    return [row[0] for row in json.loads(tracer.whole(Stream.QUERY, params))["rows"]]


@pytest.mark.skipif(not shutil.which("tshark"), reason="tshark is not installed")
def test_tshark_chooses_the_same_packets_from_our_file(
    lab: TraceLab, tracer: Tracer, tmp_path: Path
) -> None:
    client = tracer.open(Stream.PACKETS, {})
    _get(client)
    lab.inside(0, ["ping", "-c3", "-i0.2", "-W5", "-p", "616263", TARGET])
    echoes(client, 12)
    path = tmp_path / "all.pcapng"
    path.write_bytes(tracer.whole(Stream.PCAP, {}))
    everything = numbers(tracer, "")
    for expression in FILTERS:
        command = [
            "tshark",
            "-n",
            "-r",
            path,
            "-Y",
            expression,
            "-T",
            "fields",
            "-e",
            "frame.comment",
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        theirs = [int(line.split()[1].rstrip(":")) for line in done.stdout.splitlines()]
        ours = [number for number in numbers(tracer, expression) if number in everything]
        assert ours == [number for number in theirs if number in everything], expression
        assert ours, expression
    client.close()


def test_what_was_dropped(lab: TraceLab, tracer: Tracer) -> None:
    if tracer.tier != "bpf":
        pytest.skip("drops are seen by the kernel's tracepoints")
    lab.sysctl(1, "net/ipv4/ip_forward", "0")
    client = tracer.open(Stream.PACKETS, {"filter": "dropped && icmp"})
    _get(client)
    lab.inside(0, ["ping", "-c3", "-i0.2", "-W1", TARGET], False)
    rows: list[Any] = []
    while len(rows) < 3:
        rows += json.loads(_get(client).payload)["rows"]
        _put(client, Frame(Stream.PACKETS, Kind.CREDIT, 0, b'{"credit": 1}'))
    client.close()
    assert {(row[2], row[3]) for row in rows} == {("l0", "ab")}
    assert len({row[0] for row in rows}) == 3
    assert numbers(tracer, 'verdict == "forwarding-off"') == sorted(row[0] for row in rows)
    assert numbers(tracer, "icmp && not dropped") == []
