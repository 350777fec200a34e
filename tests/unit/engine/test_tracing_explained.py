"""Ends, exchanges and stories of packets through the tracer's streams, fed by a script."""

from __future__ import annotations

import asyncio
import json
import threading
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from tests.unit.engine.sightings import (
    POINTER,
    arriving,
    crossing,
    drop,
    exchange_of,
    no_return,
    not_forwarding,
    reply,
    until,
)
from tests.unit.tracer_bench import BenchFacts, ScriptedSource, running, sighting
from topoweb.core.tracing.observation import Observation, Unseen
from topoweb.engine import capture, packetview
from topoweb.engine import explainer as explainers
from topoweb.engine.packetlog import Recorded, Recorder
from topoweb.protocol.frames import Kind, Stream

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from topoweb.engine.explainer import Case


async def test_a_drop_is_explained_where_it_happened(tmp_path: Path) -> None:
    async with running(tmp_path, facts=not_forwarding) as bench:
        client = await bench.watch()
        bench.source.see(sighting(1), arriving(1), drop(1))
        message = await until(client, lambda message: message.get("ends"))
        (end,) = message["ends"]
        verdict = end.pop("verdict")
        assert end == {
            "packet": 1, "time": 1763871000.123457, "node": "n2", "interface": "eth0",
            "link": "l1", "direction": "ab", "repeated": 0,
        }  # fmt: skip
        assert (verdict["code"], verdict["kind"], verdict["node"]) == (
            "forwarding-off", "fault", "n2"
        )  # fmt: skip
        assert verdict["text"]["en"] != verdict["text"]["zh-CN"]
        assert verdict["packet"] == 1


async def test_noise_is_no_end_and_drops_are_no_rows(tmp_path: Path) -> None:
    async with running(tmp_path, facts=not_forwarding) as bench:
        client = await bench.watch()
        bench.source.see(sighting(1), drop(1, "NO_SOCKET", "ping_rcv"), sighting(2), drop(2))
        rows: list[Any] = []
        ends: list[Any] = []
        while not ends:
            message = await client.message()
            client.credit()
            rows += message["rows"]
            ends += message.get("ends", ())
        assert [row[4] for row in rows] == [1, 2]
        assert [end["packet"] for end in ends] == [2]


async def test_a_storm_of_one_kind_is_told_once_a_second(tmp_path: Path) -> None:
    async with running(tmp_path, facts=not_forwarding) as bench:
        client = await bench.watch()
        for number in range(20):
            bench.source.see(sighting(number), drop(number))
        later = [replace(one, time_ns=one.time_ns + 1_500_000_000) for one in (drop(90),)]
        bench.source.see(*later)
        ends: list[Any] = []
        while not any(end["repeated"] for end in ends):
            ends += (await until(client, lambda message: message.get("ends")))["ends"]
        assert (ends[0]["packet"], ends[0]["repeated"]) == (1, 0)
        assert [end["repeated"] for end in ends if end["repeated"]] == [19]
        assert len(ends) <= 3  # the exchange without an answer has one of its own


async def test_an_exchange_without_answer_gets_its_reason(tmp_path: Path) -> None:
    async with running(tmp_path, facts=no_return) as bench:
        client = await bench.watch()
        bench.source.see(*crossing(1))
        message = await until(
            client, lambda one: (found := exchange_of(one, "unanswered")) and found.get("verdict")
        )
        found = exchange_of(message, "unanswered")
        assert found is not None
        assert (found["kind"], found["source"], found["target"]) == (
            "echo", "10.0.1.11", "10.0.2.11"
        )  # fmt: skip
        assert found["verdict"]["code"] == "no-return-route"
        assert found["verdict"]["seen"] is False
        ends = message.get("ends") or (await until(client, lambda one: one.get("ends")))["ends"]
        assert (ends[0]["node"], ends[0]["packet"]) == ("n3", 1)


async def test_of_what_is_forgotten_nothing_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(capture, "_traces", lambda *_: ())
    async with running(tmp_path, facts=no_return) as bench:
        client = await bench.watch()
        bench.source.see(*crossing(1))
        message = await until(client, lambda one: exchange_of(one, "unanswered"))
        bench.source.see(sighting(50), drop(50, "NO_SUCH_REASON", "nowhere"))
        message = await until(client, lambda one: one.get("ends"))
        assert [end["verdict"]["reason"] for end in message["ends"]] == ["NO_SUCH_REASON"]


async def test_an_answer_that_is_still_to_be_read_is_no_silence() -> None:
    cases: list[Any] = []

    def puzzle(case: Case) -> bool:
        cases.append(case)
        return True

    thread = capture.CaptureThread(ScriptedSource(), lambda *_: None, puzzle)
    thread.watch(7, Recorder())
    for seen in [sighting(1)], [sighting(2)], [reply(1)], [reply(2)], []:
        thread._record(seen)  # what happened long ago, read late
    assert cases == []
    thread._record([sighting(3)])
    thread._record([])
    assert [case.exchange.state for case in cases] == ["unanswered"]


async def test_an_answered_exchange_is_told(tmp_path: Path) -> None:
    async with running(tmp_path) as bench:
        client = await bench.watch()
        bench.source.see(sighting(1), reply(1))
        found = exchange_of(
            await until(client, lambda message: exchange_of(message, "answered")), "answered"
        )
        assert found is not None
        assert (found["requests"], found["replies"], found["packets"]) == (1, 1, [1, 2])
        assert found["began"] == 1763871000.123457


async def test_what_was_not_recorded_is_counted(tmp_path: Path) -> None:
    async with running(tmp_path) as bench:
        client = await bench.watch()
        bench.source.counted = Unseen(hops=40, drops=2, sampled=0)
        message = await until(client, lambda message: message.get("unseen"))
        assert message == {
            "tier": "scripted", "gap": 0, "lost": 0, "rows": [],
            "unseen": {"hops": 40, "drops": 2, "sampled": 0},
        }  # fmt: skip
        bench.source.counted = Unseen(hops=41, drops=2, sampled=7)
        message = await until(client, lambda message: message.get("unseen"))
        assert message["unseen"] == {"hops": 1, "drops": 0, "sampled": 7}


async def test_packets_do_not_crowd_out_an_end(tmp_path: Path) -> None:
    async with running(tmp_path, facts=not_forwarding) as bench:
        slow = await bench.watch(credit=1)
        quick = await bench.watch()
        bench.source.see(sighting(1), drop(1))
        await until(quick, lambda message: message.get("ends"))
        total = 9000
        for start in range(10, 10 + total, 500):
            bench.source.see(*(sighting(number) for number in range(start, start + 500)))
        seen = 0
        while seen < total:
            message = await quick.message()
            quick.credit()
            seen += len(message["rows"]) + message["gap"]
        slow.credit(1)
        message = await slow.message()
        assert message["ends"][0]["packet"] == 1
        assert message["gap"] > 0


async def test_a_batch_of_ends_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packetview, "BATCH_ENDS", 2)
    async with running(tmp_path, facts=not_forwarding) as bench:
        client = await bench.watch()
        nodes = [replace(drop(i), interface=f"eth{i}") for i in range(7)]
        bench.source.see(*(sighting(i) for i in range(7)), *nodes)
        ends: list[int] = []
        while sum(ends) < 7:
            ends.append(len((await until(client, lambda one: one.get("ends")))["ends"]))
        assert max(ends) <= 2


async def test_ends_are_filtered_by_node(tmp_path: Path) -> None:
    async with running(tmp_path, facts=not_forwarding) as bench:
        far = await bench.watch({"nodes": ["n3"]})
        near = await bench.watch({"nodes": ["n2"]})
        bench.source.see(sighting(1), drop(1))
        assert (await until(near, lambda one: one.get("ends")))["ends"]
        bench.source.see(sighting(2, "l2"))
        message = await until(far, lambda one: one["rows"])
        assert "ends" not in message


async def test_the_story_of_a_packet(tmp_path: Path) -> None:
    async with running(tmp_path, facts=not_forwarding) as bench:
        client = await bench.watch()
        bench.source.see(replace(sighting(1), skb=POINTER), arriving(1), drop(1))
        await until(client, lambda message: message.get("ends"))
        story, close = await bench.query(what="trace", packet=1)
        assert close["code"] == "done"
        first, second, third = story["hops"]
        assert [hop["time_ns"] for hop in story["hops"]] == [0, 10, 20]
        assert (first["direction"], second["direction"], third["direction"]) == ("tx", "rx", "drop")
        assert (second["parent"], third["parent"]) == (0, 1)
        assert third["reason"] == "IP_INADDRERRORS"
        assert [layer["protocol"] for layer in first["layers"]][:3] == ["Ethernet", "IPv4", "ICMP"]
        assert story["verdict"]["code"] == "forwarding-off"
        assert story["exchange"]["kind"] == "echo"
        text = json.dumps(story)
        assert "skb" not in text
        assert str(POINTER) not in text
        assert f"{POINTER:x}" not in text
        _, close = await bench.query(what="trace", packet=99)
        assert close["code"] == "not_found"
        _, close = await bench.query(what="trace", packet="1")
        assert close["code"] == "invalid"


async def test_a_story_that_was_left_out_is_explained_when_it_is_asked(tmp_path: Path) -> None:
    async with running(tmp_path, facts=not_forwarding) as bench:
        client = await bench.watch()
        bench.source.see(sighting(1), drop(1), sighting(2), drop(2))
        await until(client, lambda message: message.get("ends"))
        story, _ = await bench.query(what="trace", packet=2)
        assert story["verdict"]["code"] == "forwarding-off"
        assert story["verdict"]["packet"] == 2


async def test_a_file_says_why_a_packet_ended(tmp_path: Path) -> None:
    async with running(tmp_path, facts=not_forwarding) as bench:
        client = await bench.watch()
        bench.source.see(replace(sighting(1), skb=POINTER), arriving(1), drop(1))
        await until(client, lambda message: message.get("ends"))
        params = {"names": {"n1": "h1", "n2": "core\n"}}
        body, _ = await (await bench.open(Stream.PCAP, params, credit=64)).whole()
        assert b"packet 1: n2 received the packet for 10.0.2.11 at eth0" in body
        assert b"h1 eth0" in body


async def test_a_dry_run_sends_nothing_and_tells_all(tmp_path: Path) -> None:
    wish = {"source": "n1", "target": "10.0.2.11", "protocol": "icmp", "port": None}
    async with running(tmp_path) as bench:
        dry, close = await bench.query(what="dry-run", **wish)
        assert close["code"] == "done"
        assert dry["verdict"]["kind"] == "delivered"
        there = [step["node"] for step in dry["steps"] if step["leg"] == "there"]
        assert there[0] == "n1"
        assert there[-1] == "n3"
    async with running(tmp_path, facts=not_forwarding) as bench:
        dry, _ = await bench.query(what="dry-run", **wish)
        assert (dry["verdict"]["code"], dry["verdict"]["node"]) == ("forwarding-off", "n2")


async def test_a_riddle_that_fails_ends_no_explaining(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(lab: int) -> BenchFacts:
        facts = not_forwarding(lab)
        facts.broken = True
        return facts

    async with running(tmp_path, facts=broken) as bench:
        client = await bench.watch()
        bench.source.see(sighting(1), drop(1))
        await bench.until(lambda: "an explanation failed" in caplog.text)
        bench.source.see(sighting(2))
        await client.rows(1)
        wish = {"source": "n1", "target": "10.0.2.11", "protocol": "icmp", "port": None}
        _, close = await bench.query(what="dry-run", **wish)
        assert close["code"] == "internal"


async def test_a_packet_that_cannot_be_taken_in_costs_itself_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    record = Recorder.record

    def fragile(self: Recorder, seen: Observation) -> Recorded | None:
        if seen.interface == "evil0":
            raise IndexError("scripted")
        return record(self, seen)

    monkeypatch.setattr(Recorder, "record", fragile)
    async with running(tmp_path) as bench:
        client = await bench.watch()
        evil = [replace(sighting(i), interface="evil0") for i in range(50)]
        bench.source.see(sighting(90), *evil, sighting(91))
        assert [row[0] for row in await client.rows(2)] == [1, 2]
        assert caplog.text.count("could not be taken in") == 1


async def test_facts_are_closed_when_nobody_watches(tmp_path: Path) -> None:
    async with running(tmp_path, facts=not_forwarding) as bench:
        client = await bench.watch()
        bench.source.see(sighting(1), drop(1))
        await until(client, lambda message: message.get("ends"))
        assert BenchFacts.open == 1
        client.writer.close()
        await bench.until(lambda: BenchFacts.open == 0)


async def test_a_storm_of_cases_costs_cases_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(explainers, "WAITING", 3)
    gate = threading.Event()

    def slow(lab: int) -> BenchFacts:
        gate.wait(10)
        return not_forwarding(lab)

    async with running(tmp_path, facts=slow) as bench:
        client = await bench.watch()
        places = [replace(drop(i), interface=f"eth{i}") for i in range(20)]
        bench.source.see(*(sighting(i) for i in range(20)), *places)
        await client.rows(20)  # rows come while the explainer is stuck
        gate.set()
        ends: list[Any] = []
        while len(ends) < 3:
            ends += (await until(client, lambda one: one.get("ends")))["ends"]
        bench.source.see(sighting(50))
        message = await until(client, lambda one: one["rows"])
        assert len(ends) + len(message.get("ends", ())) <= 4


async def test_stopping_answers_who_waits(tmp_path: Path) -> None:
    gate = threading.Event()

    def stuck(lab: int) -> BenchFacts:
        gate.wait(10)
        return BenchFacts()

    async with running(tmp_path, facts=stuck) as bench:
        params = {"source": "n1", "target": "10.0.2.11", "protocol": "icmp", "port": None}
        client = await bench.open(Stream.QUERY, {"what": "dry-run", **params})
        await bench.until(lambda: bench.source.watched == {7})
        stop = asyncio.ensure_future(bench.server.stop())
        assert (await client.frame()).kind is Kind.CLOSE
        gate.set()
        await stop
