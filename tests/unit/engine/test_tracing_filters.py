"""Display filters on the tracer's streams, over a scripted source."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.unit.engine.sightings import drop, not_forwarding, until
from tests.unit.tracer_bench import ARP, Client, running, sighting
from topoweb.core.errors import TopowebError
from topoweb.core.packets.filter import Fate
from topoweb.core.tracing.observation import Observation
from topoweb.engine import packetfilter
from topoweb.engine.fates import CAPACITY, Drop, Drops, Fates
from topoweb.engine.feeds import Arrival
from topoweb.engine.packetfilter import PacketFilter, chosen
from topoweb.engine.packetlog import Packet
from topoweb.protocol.frames import Kind, Stream

if TYPE_CHECKING:
    from pathlib import Path

RESOLVE = Observation(1, "n1", "eth0", "rx", ARP, len(ARP), 7, "l1", "ba", "n2")


async def numbers(client: Client, last: int) -> list[int]:
    """Row numbers as they come, up to the row ``last``."""
    found: list[int] = []
    while last not in found:
        found += [row[0] for row in (await client.message())["rows"]]
        client.credit()
    return found


async def test_rows_that_the_filter_lets_through(tmp_path: Path) -> None:
    async with running(tmp_path) as bench:
        ttl = await bench.watch({"filter": "ip.ttl < 64 or arp"})
        both = await bench.watch({"filter": "icmp.seq in {2, 4}", "nodes": ["n3"]})
        node = await bench.watch(
            {"filter": 'node == "r2" and link == "x"',
             "objects": {"node": {"r2": ["n3"]}, "link": {"x": ["l2", "l9"]}}}
        )  # fmt: skip
        plain = await bench.watch({"filter": "   "})
        seen = [sighting(i, link, ttl=64 - (link == "l2")) for i in (1, 2) for link in ("l1", "l2")]
        bench.source.see(*seen, RESOLVE)
        assert await numbers(plain, 5) == [1, 2, 3, 4, 5]
        assert await numbers(ttl, 5) == [2, 4, 5]
        assert await numbers(both, 4) == [4]
        assert await numbers(node, 4) == [2, 4]


async def test_a_filter_over_what_is_kept(tmp_path: Path) -> None:
    async with running(tmp_path) as bench:
        first = await bench.watch()
        bench.source.see(*(sighting(i) for i in range(1, 9)))
        await first.rows(8)
        late = await bench.open(Stream.PACKETS, {"backlog": 2, "filter": "icmp.seq > 5"})
        assert [row[0] for row in (await late.message())["rows"]] == [7, 8]
        answer, close = await bench.query(what="packets", filter="icmp.seq & 1", limit=3)
        assert [row[0] for row in answer["rows"]] == [1, 3, 5]
        assert close["code"] == "done"
        asked = await bench.open(Stream.PCAP, {"filter": "frame.number == 3"}, credit=64)
        body, _ = await asked.whole()
        assert b"packet 3" in body
        assert b"packet 4" not in body


@pytest.mark.parametrize("wrong", ["ip.adr == 1.2.3.4", "((", 7, ["arp"], "a" * 600])
async def test_a_wrong_filter_is_refused_by_the_tracer_itself(tmp_path: Path, wrong: Any) -> None:
    """The web checks it for the person; the tracer believes no web."""
    async with running(tmp_path) as bench:
        for stream, params in (
            (Stream.PACKETS, {}), (Stream.PCAP, {}), (Stream.QUERY, {"what": "packets"}),
        ):  # fmt: skip
            client = await bench.open(stream, {**params, "filter": wrong})
            got = await client.frame()
            assert got.kind is Kind.CLOSE
            assert b'"invalid"' in got.payload


async def test_rows_come_late_when_their_fate_is_what_matters(tmp_path: Path) -> None:
    async with running(tmp_path, facts=not_forwarding) as bench:
        plain = await bench.watch()
        dropped = await bench.watch({"filter": "dropped"})
        judged = await bench.watch({"filter": 'verdict == "forwarding-off" && icmp'})
        other = await bench.watch({"filter": "not dropped"})
        bench.source.see(sighting(1), sighting(2))
        assert await numbers(plain, 2) == [1, 2]
        assert await numbers(other, 2) == [1, 2]
        bench.source.see(drop(2), drop(1))  # of one kind: one explanation for both
        for client in (dropped, judged):
            late: list[int] = []
            while len(late) < 2:
                late += [row[0] for row in (await client.message())["rows"]]
                client.credit()
            assert sorted(late) == [1, 2]
        again = await bench.open(Stream.PACKETS, {"backlog": 9, "filter": "dropped"})
        assert [row[0] for row in (await again.message())["rows"]] == [1, 2]
        bench.source.see(sighting(3))
        await until(plain, lambda message: any(row[0] == 3 for row in message["rows"]))


async def test_a_slow_filter_leaves_the_loop_to_others(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    class Slow(PacketFilter):
        def passes(self, packet: Packet) -> bool:
            time.sleep(0.001)
            return super().passes(packet)

    seen = sighting(1)
    packets = [Packet(number, seen, number) for number in range(1, 400)]
    slow = Slow({}, lambda packet: Fate())
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    task = asyncio.create_task(others())
    assert len(await chosen(packets, slow, 1000)) == 399
    assert turns > 3
    monkeypatch.setattr(packetfilter, "PATIENCE", 0.1)
    with pytest.raises(TopowebError, match="too long"):
        await chosen(packets, slow, 1000)
    task.cancel()
    looked = list(packetfilter.within(packets, slow))
    assert 0 < len(looked) < len(packets)


def test_fates() -> None:
    fates = Fates(Arrival())
    reader = fates.changed.subscribe()
    drops = Drops()
    drops.note("kind", 1, explained=True)
    drops.note("kind", 2, explained=False)
    drops.note("other", 3, explained=False)
    assert drops
    fates.dropped(drops.take())
    assert not drops
    assert reader.take(9) == (0, [1, 2, 3])
    assert fates.of(2) == Fate(dropped=True, verdict="")
    fates.judged(1, "no-route")
    assert reader.take(9) == (0, [1, 2])
    assert [fates.of(one) for one in (1, 2, 3, 4)] == [
        Fate(dropped=True, verdict="no-route"), Fate(dropped=True, verdict="no-route"),
        Fate(dropped=True), Fate(),
    ]  # fmt: skip
    fates.judged(2, "filter-drop")  # its own verdict says more
    assert fates.of(2).verdict == "filter-drop"
    drops.note("kind", 5, explained=False)
    fates.dropped(drops.take())
    assert fates.of(5).verdict == "no-route"
    fates.dropped(Drop(number, 1) for number in range(10, 10 + 2 * CAPACITY))
    assert fates.of(10) == Fate()
    assert fates.of(9 + 2 * CAPACITY).dropped
    assert sum(map(len, fates._similar.values())) == len(fates._like) == CAPACITY
