"""The tracer's streams over a real socket, fed by a scripted source."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import pytest

from tests.unit.tracer_bench import ARP, frame, running, sighting
from topoweb.core.tracing.observation import Observation
from topoweb.engine import tracing as engine_tracing
from topoweb.protocol.frames import Kind, Stream

if TYPE_CHECKING:
    from pathlib import Path


async def test_rows_come_as_the_contract_says(tmp_path: Path) -> None:
    async with running(tmp_path) as bench:
        client = await bench.watch()
        bench.source.see(sighting(1), sighting(1, "l2", ttl=63))
        rows = await client.rows(2)
        length = len(frame(1))
        text = "echo request id 3 seq 1 ttl "
        ends = ["ICMP", "10.0.1.11", "10.0.2.11"]
        assert rows == [
            [1, 1763871000.123457, "l1", "ab", 1, *ends, text + "64", length, ""],
            [2, 1763871000.123457, "l2", "ab", 1, *ends, text + "63", length, ""],
        ]


async def test_who_comes_late_is_given_the_newest_that_are_kept(tmp_path: Path) -> None:
    async with running(tmp_path) as bench:
        early = await bench.watch()
        bench.source.see(*(sighting(i) for i in range(1, 6)))
        await early.rows(5)
        late = await bench.open(Stream.PACKETS, {"backlog": 2})
        first = await late.message()
        assert first["kept"] is True
        assert [row[0] for row in first["rows"]] == [4, 5]
        bench.source.see(sighting(6))
        assert [row[0] for row in await late.rows(1)] == [6]
        wrong = await bench.open(Stream.PACKETS, {"backlog": "all"})
        assert (await wrong.frame()).kind is Kind.CLOSE


async def test_nothing_runs_unwatched_and_a_capture_outlives_its_viewer_a_while(
    tmp_path: Path,
) -> None:
    async with running(tmp_path, linger=0.3) as bench:
        assert not bench.source.watched
        client = await bench.watch()
        assert bench.source.watched == {7}
        client.writer.close()
        await asyncio.sleep(0)
        again = await bench.watch()  # within the linger: never stopped
        assert bench.source.watched == {7}
        again.writer.close()
        await bench.until(lambda: not bench.source.watched)


async def test_a_token_sees_its_lab_alone(tmp_path: Path) -> None:
    async with running(tmp_path) as bench:
        mine, other = await bench.watch(lab=7), await bench.watch(lab=8)
        bench.source.see(sighting(1, lab=8), sighting(2, lab=7))
        assert [row[8] for row in await mine.rows(1)] == ["echo request id 3 seq 2 ttl 64"]
        assert [row[8] for row in await other.rows(1)] == ["echo request id 3 seq 1 ttl 64"]


async def test_filters_by_node_and_protocol(tmp_path: Path) -> None:
    async with running(tmp_path) as bench:
        by_node = await bench.watch({"nodes": ["n3"]})
        by_protocol = await bench.watch({"protocols": ["arp"]})
        nonsense = await bench.watch({"nodes": "n1", "protocols": [1, None]})
        arp = Observation(1, "n1", "eth0", "rx", ARP, len(ARP), 7, "l1", "ba", "n2")
        bench.source.see(sighting(1), arp, sighting(1, "l2", ttl=63))
        assert [row[2] for row in await by_node.rows(1)] == ["l2"]
        assert [row[5] for row in await by_protocol.rows(1)] == ["ARP"]
        assert len(await nonsense.rows(3)) == 3


async def test_a_slow_reader_misses_the_oldest_and_is_told_how_many(tmp_path: Path) -> None:
    async with running(tmp_path) as bench:
        slow = await bench.watch(credit=1)
        quick = await bench.watch(credit=64)
        total = 6000
        for start in range(0, total, 500):
            bench.source.see(*(sighting(i) for i in range(start, start + 500)))
        got = 0
        while got < total:  # so everything has been published
            message = await quick.message()
            quick.credit()
            got += len(message["rows"]) + message["gap"]
        slow.credit(64)
        message = await slow.message()
        assert message["gap"] > 0
        assert message["rows"][0][0] == message["gap"] + 1
        assert len(message["rows"]) == engine_tracing.BATCH_ROWS


async def test_batches_are_bounded_in_size_and_rate(tmp_path: Path) -> None:
    async with running(tmp_path) as bench:
        client = await bench.watch(credit=64)
        bench.source.see(*(sighting(i) for i in range(2000)))
        start, sizes = time.monotonic(), []
        while sum(sizes) < 2000:
            sizes.append(len((await client.message())["rows"]))
        assert max(sizes) <= engine_tracing.BATCH_ROWS
        assert time.monotonic() - start >= (len(sizes) - 1) * engine_tracing.BATCH_EVERY * 0.9


async def test_kernel_losses_are_told(tmp_path: Path) -> None:
    async with running(tmp_path) as bench:
        client = await bench.watch()
        bench.source.lost_packets = 12
        bench.source.see(sighting(1))
        assert (await client.message())["lost"] == 12
        bench.source.see(sighting(2))
        client.credit()
        assert (await client.message())["lost"] == 0


async def test_query_of_rows_and_of_one_packet(tmp_path: Path) -> None:
    async with running(tmp_path) as bench:
        client = await bench.watch()
        bench.source.see(*(sighting(i) for i in range(10)))
        await client.rows(10)
        answer, close = await bench.query(what="packets", after=4, limit=3)
        assert [row[0] for row in answer["rows"]] == [5, 6, 7]
        assert close["code"] == "done"
        packet, _ = await bench.query(what="packet", number=5)
        assert packet["hex"] == frame(4).hex()
        assert packet["row"][0] == 5
        assert [layer["protocol"] for layer in packet["layers"]] == [
            "Ethernet",
            "IPv4",
            "ICMP",
            "Data",
        ]
        ttl = next(one for one in packet["layers"][1]["fields"] if one["name"] == "ttl")
        assert ttl == {
            "name": "ttl",
            "label": "Time to live",
            "value": "64",
            "start": 22,
            "end": 23,
            "fields": [],
            "filter": "ip.ttl == 64",
        }


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"what": "packet", "number": 99}, "not_found"),
        ({"what": "packet", "number": "1"}, "invalid"),
        ({"what": "packets", "after": -1}, "invalid"),
        ({"what": "secrets"}, "invalid"),
        ({}, "invalid"),
    ],
)
async def test_bad_queries_are_refused(
    tmp_path: Path, params: dict[str, object], code: str
) -> None:
    async with running(tmp_path) as bench:
        body, close = await bench.query(**params)
        assert (body, close["code"]) == (None, code)


async def test_pcap_holds_what_is_kept_and_wanted(tmp_path: Path) -> None:
    async with running(tmp_path) as bench:
        client = await bench.watch()
        bench.source.see(sighting(1), sighting(1, "l2", ttl=63))
        await client.rows(2)
        file = await bench.open(
            Stream.PCAP, {"nodes": ["n1"], "names": {"n1": "h1", "n2": 5}}, credit=64
        )
        body, _ = await file.whole()
        assert body.startswith(b"\x0a\x0d\x0d\x0a")
        assert b"h1 eth0" in body
        assert frame(1) in body
        assert frame(1, 63) not in body
        nothing, close = await (await bench.open(Stream.PCAP, lab=99, credit=64)).whole()
        assert nothing.startswith(b"\x0a\x0d\x0d\x0a")
        assert close["code"] == "done"


async def test_the_ring_keeps_the_last_packets(tmp_path: Path) -> None:
    async with running(tmp_path) as bench:
        client = await bench.watch(credit=64)
        for start in range(0, 5000, 250):
            bench.source.see(*(sighting(i) for i in range(start, start + 250)))
            got = 0
            while got < 250:
                message = await client.message()
                client.credit()
                got += len(message["rows"]) + message["gap"]
        answer, _ = await bench.query(what="packets", after=0, limit=1)
        assert answer["rows"][0][0] == 5000 - 4096 + 1


async def test_a_failing_poll_does_not_end_the_capture(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with running(tmp_path) as bench:
        client = await bench.watch()
        bench.source.failures = 1
        bench.source.see(sighting(1))
        assert len(await client.rows(1)) == 1
        assert "capture failed" in caplog.text


async def test_rows_stay_small_whatever_the_packet_says(tmp_path: Path) -> None:
    """500 rows of the worst names fit a frame."""
    async with running(tmp_path) as bench:
        client = await bench.watch()
        name = b"".join(b"\x3f" + bytes([1]) * 63 for _ in range(3)) + b"\0"
        dns = b"\0\1\x81\x80\0\1\0\0\0\0\0\0" + name + b"\0\1\0\1"
        udp = b"\0\x35\x10\0" + (8 + len(dns)).to_bytes(2, "big") + b"\0\0" + dns
        header = b"\x45\0" + (20 + len(udp)).to_bytes(2, "big") + bytes(4) + b"\x40\x11" + bytes(10)
        data = bytes(12) + b"\x08\0" + header + udp
        bench.source.see(
            *(
                Observation(i, "n1", "e", "tx", data, len(data), 7, "l1", "ab", "n2")
                for i in range(500)
            )
        )
        rows = await client.rows(500)
        assert all(row[5] == "DNS" and len(row[8]) <= 200 for row in rows)
