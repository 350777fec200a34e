"""What a recording is given of a watched lab, and the questions that others answer."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any

from tests.unit.engine.sightings import arriving, drop, not_forwarding, until
from tests.unit.tracer_bench import running, sighting

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from topoweb.core.tracing.trace import Exchange
    from topoweb.engine.packetlog import Recorded


class Keeping:
    """Keeps all, and in which thread it came."""

    def __init__(self) -> None:
        self.taken: list[Recorded] = []
        self.exchanges: dict[int, tuple[Exchange, Mapping[str, Any] | None]] = {}
        self.ends: list[Mapping[str, Any]] = []
        self.threads: set[str] = set()

    def keep(self, taken: Sequence[Recorded]) -> None:
        self.threads.add(threading.current_thread().name)
        self.taken += taken

    def exchanged(self, exchange: Exchange, verdict: Mapping[str, Any] | None) -> None:
        self.threads.add(threading.current_thread().name)
        self.exchanges[exchange.id] = exchange, verdict

    def ended(self, end: Mapping[str, Any]) -> None:
        self.threads.add(threading.current_thread().name)
        self.ends.append(end)


async def test_a_keeper_gets_what_is_seen_and_what_is_said_of_it(tmp_path: Path) -> None:
    keepers: dict[int, Keeping] = {}
    async with running(
        tmp_path, facts=not_forwarding, keepers=lambda lab: keepers.setdefault(lab, Keeping())
    ) as bench:
        client = await bench.watch()
        seen = sighting(1), arriving(1), drop(1)
        bench.source.see(*seen)
        (end,) = (await until(client, lambda message: message.get("ends")))["ends"]
        kept = keepers[7]
        assert [one.seen for one in kept.taken] == list(seen)
        assert {one.packet for one in kept.taken} == {1}
        assert [one.ended for one in kept.taken] == [False, False, True]
        rows = [json.loads(bytes(one.row.raw)) for one in kept.taken if one.row is not None]
        assert rows[0][:5] == [1, 1763871000.123457, "l1", "ab", 1]
        assert kept.ends == [end]
        assert kept.exchanges[1][0].request == 1
        assert kept.threads == {"capture", threading.current_thread().name}


async def test_a_keeper_stays_while_its_lab_is_remembered(tmp_path: Path) -> None:
    made: list[int] = []

    def keeper(lab: int) -> Keeping:
        made.append(lab)
        return Keeping()

    async with running(tmp_path, linger=0, keepers=keeper) as bench:
        for _ in range(2):
            async with bench.tracing.watching(7):
                assert bench.source.watched == {7}
            await bench.until(lambda: not bench.source.watched)
        async with bench.tracing.watching(8):
            assert made == [7, 8]


async def test_other_questions_are_answered_by_who_was_named_for_them(tmp_path: Path) -> None:
    async def recording(lab: int, params: Mapping[str, Any]) -> bytes:
        return json.dumps([lab, params["name"]]).encode()

    async with running(tmp_path, questions={"recording": recording}) as bench:
        assert (await bench.query(what="recording", name="one"))[0] == [7, "one"]
        _, close = await bench.query(what=["recording"])
        assert close["code"] == "invalid"


async def test_frames_are_whole_while_somebody_wants_them_so(tmp_path: Path) -> None:
    async with running(tmp_path) as bench:
        async with bench.tracing.whole(7):
            async with bench.tracing.whole(7):
                assert (bench.source.whole, bench.source.watched) == ({7}, {7})
            async with bench.tracing.watching(7):
                assert bench.source.whole == {7}
        await bench.until(lambda: not bench.source.whole)
        async with bench.tracing.watching(7):
            assert not bench.source.whole
