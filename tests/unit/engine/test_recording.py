"""What is kept of a lab's last minutes stays bounded, and a recording has all of it."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from msgspec.structs import replace

from tests.unit.tracer_bench import Bench, running, sighting
from tests.unit.tracing.recordings import DOCUMENT, END
from topoweb.core.errors import ErrorKind, TopowebError
from topoweb.core.tracing.live import Delta
from topoweb.core.tracing.recording import Capture, Recording
from topoweb.core.tracing.recording_file import pack, unpack
from topoweb.core.tracing.recording_play import Player
from topoweb.core.tracing.trace import Exchange
from topoweb.engine.holds import Holds
from topoweb.engine.packetlog import Recorded
from topoweb.engine.recording import SIGHTING_BYTES, Recordings, Tape, ways
from topoweb.engine.recording_live import NODE_BYTES, LiveTape, LiveTapes
from topoweb.protocol.frames import Stream

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from topoweb.core.tracing.observation import Observation

SECOND = 1_000_000_000


def recorded(at_ns: int, packet: int = 1, **more: Any) -> Recorded:
    seen = replace(sighting(packet), time_ns=at_ns, **more)
    return Recorded(seen, packet, None, ended=False)


def exchange(number: int, state: str = "open") -> Exchange:
    return Exchange(number, "echo", "10.0.0.1", "10.0.0.2", number, 1, 0, (number,), 1, 1, state)


def test_a_tape_keeps_the_last_minutes_and_no_more_bytes_than_it_may() -> None:
    size = SIGHTING_BYTES + len(sighting(1).data)
    tape = Tape(seconds=10, memory=100 * size)
    for second in range(50):
        tape.keep([recorded(second * SECOND, n) for n in range(4)])
    assert len(tape) == 44  # of seconds 39 to 49
    tape.keep([recorded(50 * SECOND, n) for n in range(1000)])
    assert len(tape) == 100
    assert [one.packet for one in tape.since(0).sightings] == list(range(900, 1000))
    tape.keep([])
    tape.expire(59.0)
    assert len(tape) == 100
    tape.expire(61.0)
    assert len(tape) == 0


def test_noise_of_packets_that_were_sampled_away_is_left_out() -> None:
    tape = Tape()

    def drop(packet: int, reason: str, symbol: str) -> Recorded:
        seen = replace(sighting(packet), direction="drop", link="", reason=reason, symbol=symbol)
        return Recorded(seen, packet, None, ended=True)

    noise, fault = ("NO_SOCKET", "ping_rcv"), ("IP_INADDRERRORS", "ip_error")
    tape.keep([recorded(sighting(1).time_ns, 1), drop(1, *noise), drop(2, *noise), drop(3, *fault)])
    tape.keep([drop(4, *noise), drop(3, *noise)])
    kept = [(one.packet, one.seen.reason) for one in tape.since(0).sightings]
    assert kept == [(1, ""), (1, "NO_SOCKET"), (3, "IP_INADDRERRORS"), (3, "NO_SOCKET")]


def test_keeping_costs_a_microsecond_at_most() -> None:
    tape = Tape(memory=1 << 20)
    batch = [recorded(SECOND, n) for n in range(1000)]
    tape.keep(batch * 10)
    spent = []
    for _ in range(20):
        began = time.thread_time()
        tape.keep(batch)
        spent.append(time.thread_time() - began)
    assert min(spent) / len(batch) < 1e-6


def test_exchanges_are_kept_as_they_were_first_and_last() -> None:
    tape = Tape()
    for state in ("open", "unanswered", "answered"):
        tape.exchanged(exchange(1, state), {"code": "x"} if state == "unanswered" else None)
    tape.exchanged(exchange(2), None)
    told = [(one.exchange.id, one.exchange.state) for one in tape.since(0).exchanges]
    assert sorted(told) == [(1, "answered"), (1, "open"), (2, "open")]
    for number in range(3, 5000):
        tape.exchanged(exchange(number), None)
    assert {one.exchange.id for one in tape.since(0).exchanges} == set(range(2952, 5000))
    assert not tape.since(time.time() + 1).exchanges


def test_ends_are_bounded_by_bytes() -> None:
    tape = Tape()
    words = {"en": "x" * 100_000, "zh-CN": ""}
    for number in range(100):
        tape.ended({**END, "packet": number, "verdict": {**END["verdict"], "text": words}})
    kept = [msgspec.json.decode(end)["packet"] for end in tape.since(0).ends]
    assert 20 < len(kept) < 60
    assert kept[-1] == 99


def test_ways_of_packets_that_the_stories_have_forgotten() -> None:
    kept = [
        recorded(1000, direction="tx"),
        recorded(2000, 2),
        recorded(3000, direction="rx", namespace="n2", peer="n1"),
    ]
    found = {way.packet: way for way in ways(kept, {})}
    assert [(one.sighting, one.parent) for one in found[1].stations] == [(0, -1), (2, 0)]
    assert [one.sighting for one in found[2].stations] == [1]


@asynccontextmanager
async def taping(tmp_path: Path) -> AsyncIterator[tuple[Bench, Recordings]]:
    recordings = Recordings()
    questions = {"recording": recordings.save, "recorded": recordings.recorded}
    options = {"keepers": recordings.keeper, "questions": questions}
    async with running(tmp_path, **options) as bench:
        recordings.attach(bench.tracing)
        try:
            yield bench, recordings
        finally:
            await recordings.stop()


def fresh(sequence: int, link: str = "l1", ttl: int = 64) -> Observation:
    return replace(sighting(sequence, link, ttl=ttl), time_ns=time.time_ns())


async def ask(bench: Bench, **params: Any) -> bytes:
    client = await bench.open(Stream.QUERY, params, credit=64)
    body, close = await client.whole()
    assert close["code"] == "done", close
    return body


async def test_what_was_seen_can_be_saved_and_played(tmp_path: Path) -> None:
    async with taping(tmp_path) as (bench, _):
        client = await bench.watch()
        for number in (1, 2, 3):
            bench.source.see(fresh(number), fresh(number, "l2", ttl=63))
        rows = await client.rows(6)
        found = msgspec.msgpack.decode(await ask(bench, what="recording"), type=Capture)
        assert found.tier == "scripted"
        assert len(found.sightings) == 6
        assert all((one.seen.lab, one.seen.skb) == (0, 0) for one in found.sightings)
        again = unpack(pack(Recording("x", DOCUMENT, (), found)))
        player = Player(again)
        played = [row for _, one in player.content(0)["packets"] for row in _rows(one)]
        assert played == rows
        trace = player.trace(1)
        assert trace is not None
        live, _ = await bench.query(what="trace", packet=1)
        assert msgspec.json.decode(msgspec.json.encode(trace["hops"])) == live["hops"]


def _rows(raw: msgspec.Raw) -> list[list[Any]]:
    rows: list[list[Any]] = msgspec.json.decode(raw)["rows"]
    return rows


async def test_only_the_last_seconds_are_asked_for(tmp_path: Path) -> None:
    async with taping(tmp_path) as (bench, _):
        client = await bench.watch()
        old = replace(sighting(1), time_ns=time.time_ns() - 100 * SECOND)
        bench.source.see(old, fresh(2))
        await client.rows(2)
        found = msgspec.msgpack.decode(await ask(bench, what="recording", seconds=50), type=Capture)
        assert [one.row for one in found.sightings] == [2]
        assert 0 <= found.ended - found.began <= 50
        told = msgspec.json.decode(await ask(bench, what="recorded"))
        assert (told["packets"], told["until"], told["tier"]) == (2, 0, "scripted")
        assert 100 <= told["seconds"] < 200
        for wrong in (0, -1, 601, "all"):
            refused = await bench.open(Stream.QUERY, {"what": "recording", "seconds": wrong})
            assert (await refused.whole())[1]["code"] == "invalid"


async def test_another_labs_packets_are_not_in_it(tmp_path: Path) -> None:
    async with taping(tmp_path) as (bench, _):
        mine, other = await bench.watch(lab=7), await bench.watch(lab=8)
        bench.source.see(replace(fresh(1), lab=8), fresh(2))
        await mine.rows(1)
        await other.rows(1)
        found = msgspec.msgpack.decode(await ask(bench, what="recording"), type=Capture)
        assert len(found.sightings) == 1
        never = msgspec.json.decode(await ask(bench, what="recorded"))
        assert never["packets"] == 1


async def test_a_lab_is_kept_recording_while_nobody_looks(tmp_path: Path) -> None:
    async with taping(tmp_path) as (bench, _):
        await ask(bench, what="recorded")
        assert not bench.source.watched  # to ask begins nothing
        until = time.time() + 100
        told = msgspec.json.decode(await ask(bench, what="recorded", until=until))
        assert told["until"] == until
        assert bench.source.watched == {7}  # at once
        bench.source.see(fresh(1))

        async def seen() -> None:
            while not msgspec.json.decode(await ask(bench, what="recorded"))["packets"]:  # noqa: ASYNC110
                await asyncio.sleep(0.005)

        await asyncio.wait_for(seen(), 10)
        told = msgspec.json.decode(await ask(bench, what="recorded", until=0))
        assert told["until"] == 0
        await bench.until(lambda: not bench.source.watched)


class Watched:
    """Counts who watches."""

    def __init__(self) -> None:
        self.labs: list[int] = []
        self.least = 1  # watchers of lab 7 since the first came

    @asynccontextmanager
    async def watching(self, lab: int) -> AsyncIterator[None]:
        self.labs.append(lab)
        try:
            yield
        finally:
            self.labs.remove(lab)
            self.least = min(self.least, self.labs.count(7))


async def test_what_cannot_be_watched_is_not_held() -> None:
    @asynccontextmanager
    async def watching(lab: int) -> AsyncIterator[None]:
        raise TopowebError(ErrorKind.BUSY, "the tracer is stopping")
        yield

    holds = Holds(watching)
    with pytest.raises(TopowebError, match="stopping"):
        await holds.hold(7, time.time() + 60)
    assert holds.until(7) == 0
    await holds.stop()


async def test_holds_end_by_themselves_and_go_on_without_a_gap() -> None:
    watched = Watched()
    holds = Holds(watched.watching)
    now = time.time()
    await holds.hold(7, now + 100)
    assert watched.labs == [7]  # at once
    await holds.hold(7, now + 3600 * 24)
    await asyncio.sleep(0)
    assert (watched.labs, watched.least) == ([7], 1)
    assert holds.until(7) <= time.time() + 30 * 60
    await holds.hold(8, time.time() + 0.01)
    async with asyncio.timeout(10):
        while holds.until(8):  # noqa: ASYNC110 - it ends by the clock
            await asyncio.sleep(0.005)
    assert watched.labs == [7]
    await holds.stop()
    assert watched.labs == []
    for lab in range(64):
        await holds.hold(lab, time.time() + 60)
    with pytest.raises(TopowebError, match="too many"):
        await holds.hold(99, time.time() + 60)
    await holds.stop()


def delta(rev: int, moment: float, nodes: dict[str, Any], *, full: bool = False) -> Delta:
    return Delta(rev, full, moment, nodes, {})


def played(tape: LiveTape, since: float) -> dict[str, Any]:
    """Return the state after all messages."""
    state: dict[str, Any] = {}
    for _, one in tape.since(since):
        state = dict(one.nodes) if one.full else {**state, **one.nodes}
    return {key: value for key, value in state.items() if value is not None}


def test_live_state_is_whole_from_any_moment_on() -> None:
    tape = LiveTape(seconds=10, memory=20 * NODE_BYTES)
    state: dict[str, Any] = {}
    for second in range(100):
        node = f"n{second % 7}"
        state = {**state, node: {"at": second}}
        if second % 5 == 0:
            state.pop(f"n{second % 3}", None)
        change = {node: {"at": second}} | {
            key: None for key in (f"n{second % 3}",) if second % 5 == 0 and key != node
        }
        if second % 5 == 0 and f"n{second % 3}" == node:
            change[node] = None  # type: ignore[assignment]
        whole = delta(second, second, dict(state), full=True)
        tape.take(delta(second, second, change), lambda whole=whole: whole)
        messages = tape.since(max(0, second - 5))
        assert messages[0][1].full
        assert all(not one.full for _, one in messages[1:])
        assert all(moment >= max(0, second - 5) for moment, _ in messages)
        assert played(tape, second - 5) == state
        assert len(tape.since(-1000)) <= 12


def test_a_pause_in_watching_begins_with_all_there_is() -> None:
    tape = LiveTape()
    tape.begin()
    tape.take(delta(1, 10, {"n1": {}}), lambda: delta(1, 10, {"n1": {}}, full=True))
    tape.take(delta(2, 11, {}), lambda: delta(2, 11, {}, full=True))  # only says that it lives
    assert len(tape.since(0)) == 1
    tape.end()
    assert tape.since(time.time() + 1) == []  # nothing was heard since then
    tape.begin()
    tape.take(delta(9, 20, {}), lambda: delta(9, 20, {"n2": {}}, full=True))
    assert played(tape, 0) == {"n2": {}}


async def test_the_tapes_of_the_worker_answer() -> None:
    watched = Watched()
    tapes = LiveTapes(watched.watching)
    assert await tapes.answer(7, {"seconds": 60}) == {"live": []}
    tape = tapes.of(7)
    whole = delta(1, time.time(), {"n1": {"present": True}}, full=True)
    tape.take(whole, lambda: whole)
    answer = msgspec.json.decode(msgspec.json.encode(await tapes.answer(7, {"seconds": 60})))
    ((moment, payload),) = answer["live"]
    assert (moment, payload["nodes"], payload["full"]) == (
        whole.time,
        {"n1": {"present": True}},
        True,
    )
    await tapes.answer(7, {"until": time.time() + 60})
    assert watched.labs == [7]
    await tapes.stop()
    assert watched.labs == []
    for lab in range(200):
        tapes.of(lab)
    assert await tapes.answer(7, {"seconds": 60}) == {"live": []}
