"""The TRACE stream: foretold, armed, followed, judged. The packet is the test's to send."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from tests.unit.engine.sightings import (
    crossing,
    drop,
    no_return,
    not_forwarding,
    reply,
)
from tests.unit.tracer_bench import ARP, Bench, BenchFacts, Client, running, sighting
from topoweb.core.tracing.observation import Observation
from topoweb.engine import tracerun
from topoweb.protocol.frames import Kind, Stream

if TYPE_CHECKING:
    from pathlib import Path

WISH = {"source": "n1", "target": "10.0.2.11", "protocol": "icmp", "port": None}


def now(*seen: Observation) -> list[Observation]:
    """The same as if it happened now."""
    shift = time.time_ns() - seen[0].time_ns
    return [replace(one, time_ns=one.time_ns + shift) for one in seen]


async def armed(bench: Bench, wish: dict[str, Any] = WISH) -> tuple[Client, dict[str, Any]]:
    """Open a trace and read on until the packet may be sent."""
    client = await bench.open(Stream.TRACE, wish, credit=64)
    dry = await client.message()
    assert dry.pop("type") == "dry"
    assert await client.message() == {"type": "armed"}
    return client, dry


async def rest(client: Client) -> tuple[dict[int, Any], dict[str, Any]]:
    """Return the packets, each as it was told last, and the verdict's message."""
    traces: dict[int, Any] = {}
    while (message := await client.message())["type"] == "trace":
        traces[message["trace"]["packet"]] = message["trace"]
    assert message.pop("type") == "verdict"
    assert (await client.frame()).kind is Kind.CLOSE
    return traces, message


async def test_a_packet_that_is_dropped(tmp_path: Path) -> None:
    async with running(tmp_path, facts=not_forwarding) as bench:
        client, dry = await armed(bench)
        assert dry["tier"] == "scripted"
        assert dry["verdict"]["code"] == "forwarding-off"
        assert bench.source.followed == {(7, "", "10.0.2.11", 1)}
        bench.source.see(*now(sighting(1), drop(1)))
        traces, end = await rest(client)
        assert [hop["direction"] for hop in traces[1]["hops"]] == ["tx", "drop"]
        assert (end["verdict"]["code"], end["verdict"]["node"]) == ("forwarding-off", "n2")
        assert end["exchange"]["packets"] == [1]
        await bench.until(lambda: not bench.source.followed)


async def test_a_packet_that_is_answered(tmp_path: Path) -> None:
    async with running(tmp_path) as bench:
        client, dry = await armed(bench)
        assert dry["verdict"]["kind"] == "delivered"
        bench.source.see(*now(sighting(1), sighting(1, "l2", ttl=63), reply(1)))
        traces, end = await rest(client)
        assert set(traces) == {1, 2}
        assert end["verdict"]["kind"] == "delivered"
        assert end["exchange"]["state"] == "answered"


async def test_a_packet_that_nobody_answers(tmp_path: Path) -> None:
    async with running(tmp_path, facts=no_return) as bench:
        client, _ = await armed(bench)
        bench.source.see(*now(*crossing(1)))
        _, end = await rest(client)
        assert (end["verdict"]["code"], end["verdict"]["node"]) == ("no-return-route", "n3")
        assert end["verdict"]["seen"] is False


async def test_a_packet_that_never_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracerun, "NOTHING_FORETOLD", 0.2)

    def no_route(lab: int) -> BenchFacts:
        facts = BenchFacts()
        facts.tables["n1"].clear()
        return facts

    async with running(tmp_path, facts=no_route) as bench:
        client, dry = await armed(bench)
        traces, end = await rest(client)
        assert traces == {}
        assert end["exchange"] is None
        assert end["verdict"] == dry["verdict"]
        assert (end["verdict"]["node"], end["verdict"]["seen"]) == ("n1", False)


async def test_what_the_source_asks_for_first_is_told_too(tmp_path: Path) -> None:
    async with running(tmp_path, facts=not_forwarding) as bench:
        client, _ = await armed(bench)
        arp = Observation(0, "n1", "eth0", "tx", ARP, len(ARP), 7, "l1", "ab", "n2")
        bench.source.see(*now(arp, sighting(1)), *now(drop(1)))
        traces, _ = await rest(client)
        protocols = [trace["hops"][0]["layers"][1]["protocol"] for trace in traces.values()]
        assert protocols == ["ARP", "IPv4"]


async def test_other_packets_are_not_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tracerun, "NOTHING", 0.3)
    async with running(tmp_path) as bench:
        client, _ = await armed(bench)
        old = sighting(1)  # seen long before
        back = replace(now(reply(2))[0], namespace="n2", peer="n1")
        bench.source.see(old, back)
        traces, end = await rest(client)
        assert traces == {}
        assert end["verdict"]["kind"] != "delivered"


@pytest.mark.parametrize(
    "wrong",
    [
        {"source": ""}, {"source": 7}, {"target": "h2"}, {"target": None}, {"protocol": "sctp"},
        {"protocol": ["icmp"]}, {"port": 80}, {"protocol": "tcp"},
        {"protocol": "udp", "port": 0}, {"protocol": "udp", "port": True},
    ],
)  # fmt: skip
async def test_wishes_that_are_none(tmp_path: Path, wrong: dict[str, Any]) -> None:
    async with running(tmp_path) as bench:
        for stream, more in (Stream.TRACE, {}), (Stream.QUERY, {"what": "dry-run"}):
            client = await bench.open(stream, {**WISH, **wrong, **more})
            body, close = await client.whole()
            assert (body, close["code"]) == (b"", "invalid")


async def test_who_leaves_is_followed_no_more(tmp_path: Path) -> None:
    async with running(tmp_path) as bench:
        client, _ = await armed(bench)
        client.writer.close()
        await bench.until(lambda: not bench.source.followed and not bench.source.watched)
