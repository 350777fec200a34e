"""What a page is given of a recording, in the shapes of the lab's socket."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from msgspec.structs import replace

from tests.unit.tracing.recordings import DOCUMENT, END, EXCHANGE, LIVE, NOW, lost_ping, seen
from topoweb.core.tracing import recording_play
from topoweb.core.tracing.observation import Unseen
from topoweb.core.tracing.recording import Recording, Sighting, Station, Way
from topoweb.core.tracing.recording_play import Player

if TYPE_CHECKING:
    import pytest


def page(player: Player, after: int = 0) -> dict[str, Any]:
    shown: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(player.content(after)))
    return shown


def test_packets_and_states_come_with_their_times() -> None:
    shown = page(Player(lost_ping()))
    assert (shown["began"], shown["ended"], shown["tier"]) == (NOW, NOW + 10, "bpf")
    assert (shown["total"], shown["faults"], shown["next"]) == (1, 1, None)
    assert shown["document"] == DOCUMENT
    assert shown["live"][0] == [NOW, LIVE]
    assert [time for time, _ in shown["live"]] == [NOW, NOW + 5]
    row, end, exchange = (payload for _, payload in shown["packets"])
    assert [time for time, _ in shown["packets"]] == [NOW + 0.1, NOW + 0.2, NOW + 1.2]
    info = "echo request id 3 seq 1 ttl 64"
    first = [1, NOW + 0.1, "l1", "ab", 1, "ICMP", "10.0.1.11", "10.0.2.11", info, 49, ""]
    assert row == {"gap": 0, "lost": 0, "tier": "bpf", "rows": [first]}
    assert (end["rows"], end["ends"]) == ([], [END])
    assert exchange["exchanges"] == [EXCHANGE]


def many(count: int) -> Recording:
    recording = lost_ping()
    rows = tuple(Sighting(seen("n1", "tx", n / 1000), n, n) for n in range(1, count + 1))
    return replace(recording, capture=replace(recording.capture, sightings=rows, ways=()))


def test_rows_are_joined_as_on_the_socket() -> None:
    packets = page(Player(many(200)))["packets"]
    rows = [payload["rows"] for _, payload in packets if payload["rows"]]
    assert [row[0] for batch in rows for row in batch] == list(range(1, 201))
    assert all(batch[-1][1] - batch[0][1] <= recording_play.JOINED for batch in rows)
    assert 3 <= len(rows) <= 6
    for time, payload in packets:
        if payload["rows"] and "ends" not in payload and "exchanges" not in payload:
            assert time == payload["rows"][-1][1]


def test_a_large_recording_comes_in_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = page(Player(many(400)))
    monkeypatch.setattr(recording_play, "PAGE", 5000)
    player, after = Player(many(400)), 0
    pages: list[dict[str, Any]] = []
    while after is not None:
        pages.append(page(player, after))
        after = pages[-1]["next"]
    assert len(pages) > 4
    for part in "live", "packets":
        assert [one for shown in pages for one in shown[part]] == whole[part]
    assert [shown["document"] is None for shown in pages] == [False, *[True] * (len(pages) - 1)]
    times = [time for shown in pages for part in ("live", "packets") for time, _ in shown[part]]
    bounds = [max(t for part in ("live", "packets") for t, _ in one[part]) for one in pages]
    assert bounds == sorted(bounds)
    assert max(times) == bounds[-1]
    assert page(player, 10**9)["packets"] == []


def test_a_packets_bytes_and_way() -> None:
    player = Player(lost_ping())
    packet = player.packet(1)
    assert packet is not None
    assert packet["hex"] == lost_ping().capture.sightings[0].seen.data.hex()
    assert [layer["protocol"] for layer in packet["layers"]] == ["Ethernet", "IPv4", "ICMP", "Data"]
    assert player.packet(2) is None
    trace = player.trace(1)
    assert trace is not None
    stations = [(hop["node"], hop["direction"], hop["parent"]) for hop in trace["hops"]]
    assert stations == [("n1", "tx", -1), ("n2", "rx", 0), ("n2", "drop", 1)]
    assert [hop["time_ns"] for hop in trace["hops"]] == [0, 10_000_000, 100_000_000]
    assert trace["verdict"] == END["verdict"]
    assert trace["exchange"] == {key: value for key, value in EXCHANGE.items() if key != "verdict"}
    assert player.trace(2) is None


def test_without_an_end_the_exchange_has_the_verdict() -> None:
    recording = lost_ping()
    player = Player(replace(recording, capture=replace(recording.capture, ends=())))
    trace = player.trace(1)
    assert trace is not None
    assert trace["verdict"] == EXCHANGE["verdict"]


def dropped(packet: int, after: float, **more: str) -> tuple[Sighting, ...]:
    why = {"reason": "IP_INADDRERRORS", "symbol": "ip_error", **more}
    return (
        Sighting(seen("n1", "tx", after), packet, packet),
        Sighting(seen("n2", "drop", after + 0.01, **why), packet),
    )


def test_of_many_that_end_alike_one_was_explained() -> None:
    recording = lost_ping()
    packets = [dropped(1, 0.1), dropped(2, 0.3), dropped(3, 0.4, symbol="x"), dropped(4, 300.0)]
    stations = [(Station(2 * n, -1, "first"), Station(2 * n + 1, 0, "buffer")) for n in range(4)]
    capture = replace(
        recording.capture,
        sightings=tuple(one for packet in packets for one in packet),
        ways=tuple(Way(n + 1, own) for n, own in enumerate(stations)),
        exchanges=(),
    )
    player = Player(replace(recording, capture=capture))
    verdicts = [(player.trace(packet) or {})["verdict"] for packet in (1, 2, 3, 4)]
    assert verdicts[0] == END["verdict"]
    assert verdicts[1] == {**END["verdict"], "packet": 2}
    assert verdicts[2:] == [None, None]


def test_what_was_not_recorded_is_told_at_the_end() -> None:
    recording = lost_ping()
    capture = replace(recording.capture, unseen=Unseen(5, 2, 9))
    time, last = page(Player(replace(recording, capture=capture)))["packets"][-1]
    assert (time, last["rows"]) == (NOW + 10, [])
    assert last["unseen"] == {"hops": 5, "drops": 2, "sampled": 9}
