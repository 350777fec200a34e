"""Stories of what the real kernel showed (tests/fixtures/tracing), for machines without it."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.unit.tracing.recorded import FOLDER, Told, edges, load, place, show, told, way
from topoweb.core.packets import summary

if TYPE_CHECKING:
    from topoweb.core.tracing.observation import Observation

NAMES = sorted(path.stem for path in FOLDER.glob("*.json"))
THERE = ["h1.eth0>", "sw.p1<", "sw.p2>", "r1.eth0<"]  # to the first router
THROUGH = [*THERE, "r1.eth1>", "r2.eth0<", "r2.eth1>", "h2.eth0<"]
BACK = ["r1.eth0>", "sw.p2<", "sw.p1>", "h1.eth0<"]
HOME = ["h2.eth0>", "r2.eth1<", "r2.eth0>", "r1.eth1<", *BACK]


def test_a_ping_through_switch_routers_and_nat() -> None:
    seen = told("ping")
    first, second = seen.traces("echo request")
    assert way(first) == way(second) == THROUGH
    assert [hop.how for hop in first.hops] == ["first", *["buffer"] * 5, "nat", "buffer"]
    replies = seen.traces("echo reply")
    assert [way(one) for one in replies] == [[*HOME, "h1.eth0!NO_SOCKET"]] * 2
    assert [hop.how for hop in replies[0].hops].index("nat") == HOME.index("r2.eth0>")


def test_arp_for_each_cable_is_a_story_of_its_own() -> None:
    seen = told("ping")
    assert edges(seen.trace("who has 10.1.0.254")) == {
        ("", "h1.eth0>"), ("h1.eth0>", "sw.p1<"), ("sw.p1<", "sw.p2>"), ("sw.p1<", "sw.p3>"),
        ("sw.p1<", "sw.br0<"), ("sw.p2>", "r1.eth0<"), ("sw.p3>", "h3.eth0<"),
    }  # fmt: skip
    assert way(seen.trace("10.2.0.2 is at")) == ["r2.eth0>", "r1.eth1<"]


def test_a_flood_is_branches() -> None:
    trace = told("flood").trace("echo request")
    assert {("sw.p1<", "sw.p2>"), ("sw.p1<", "sw.p3>")} < edges(trace)
    ends = sorted(place(hop) for hop in trace.ends())
    assert ends == ["h3.eth0!OTHERHOST", "r2.eth0<"]


def test_each_fragment_has_its_way_and_the_whole_ends_with_the_last() -> None:
    seen = told("fragments")
    parts = sorted(seen.traces("UDP"), key=lambda one: one.packet)
    assert [way(one) for one in parts] == [THROUGH, THROUGH, [*THROUGH, "h2.eth0!NO_SOCKET"]]
    assert parts[2].hops[-1].how == "buffer"
    assert len({seen.exchange(one).id for one in parts}) == 1
    assert seen.exchange(parts[0]).state == "refused"
    assert seen.exchange(parts[0]).requests == 1


def test_what_a_router_cuts_are_branches_of_one_story() -> None:
    seen = told("cut")
    trace = seen.trace("echo request")
    assert [hop.parent for hop in trace.hops if place(hop) == "r1.eth1>"] == [3, 3]
    assert [place(hop) for hop in trace.ends()] == ["r2.eth0<", "r2.eth0<"]
    assert "nat" not in {hop.how for hop in trace.hops}
    assert way(seen.trace("echo reply")) == ["r2.eth0>", "r2.eth0!NOT_SPECIFIED"]


def test_equal_datagrams_one_after_the_other_are_three() -> None:
    traces = told("repeated").traces("UDP")
    assert [way(one) for one in traces] == [
        [*THERE, "r1.eth1>", "r2.eth0<", "r2.eth0!NO_SOCKET"]
    ] * 3


@pytest.mark.parametrize(
    ("name", "end"),
    [
        ("ttl", ["r1.eth1>", "r2.eth0<", "r2.eth0!IP_INHDR"]),
        ("forwarding_off", ["r1.eth0!IP_INADDRERRORS"]),
        ("neighbour_failed", ["r1.eth1!NEIGH_FAILED"]),
    ],
)
def test_where_a_request_ends(name: str, end: list[str]) -> None:
    assert way(told(name).trace("echo request")) == [*THERE, *end]


def test_a_loop_is_one_story_round_and_round() -> None:
    trace = told("loop").trace("echo request")
    turn = ["r1.eth1>", "r2.eth0<", "r2.eth0>", "r1.eth1<"]
    assert way(trace) == [*THERE, *turn * 5, *turn[:2], "r2.eth0!IP_INHDR"]


def test_a_retransmission_has_a_story_of_its_own() -> None:
    traces = told("filtered").traces("[SYN]")
    assert [way(one) for one in traces] == [[*THERE, "r1.eth0!NETFILTER_DROP"]] * 2


def test_ipv6_with_a_packet_that_waits_two_seconds_for_its_neighbour() -> None:
    seen = told("ping6")
    requests = seen.traces("echo request")
    assert [way(one) for one in requests] == [[*THERE, "r1.eth1>", "r2.eth0<"]] * 4
    waited = requests[0].hops[4].seen.time_ns - requests[0].hops[3].seen.time_ns
    assert waited > 2_000_000_000
    exchange = seen.exchange(requests[0])
    assert (exchange.state, exchange.requests, exchange.replies) == ("answered", 4, 4)
    kinds = [one.kind for one in seen.stories.exchanges_changed()]
    assert kinds.count("nd") == 3  # none for duplicate addresses


def test_the_same_content_back_is_no_nat() -> None:
    there, back = told("udp_echo").traces("UDP")
    assert (way(there), way(back)) == (THROUGH, HOME)


def test_a_broadcast_goes_everywhere_but_to_its_sender() -> None:
    """The kernel gives the sender a copy of its own, which crosses no cable."""
    trace = told("broadcast").trace("10.1.0.255")
    assert {place(hop) for hop in trace.hops if hop.seen.direction != "drop"} == {
        "h1.eth0>", "sw.p1<", "sw.p2>", "sw.p3>", "sw.br0<", "h3.eth0<", "r1.eth0<"
    }  # fmt: skip
    assert not any(
        hop.seen.direction == "drop" and hop.seen.namespace == "h1" for hop in trace.hops
    )


def test_a_tunnel_carries_one_packet_in_another() -> None:
    seen = told("vxlan")
    inner = seen.trace("echo request")
    assert way(inner) == ["h1.vx0>", "r2.vx0<"]
    assert [hop.how for hop in inner.hops] == ["first", "tunnel"]
    outer = seen.stories.trace(inner.outer)
    assert outer is not None
    assert way(outer) == [*THERE, "r1.eth1>", "r2.eth0<"]
    assert outer.outer == 0
    assert seen.stories.exchange_of(outer.packet) is None


def test_what_a_macvlan_receives_is_inferred_from_its_answer() -> None:
    seen = told("macvlan")
    there = seen.trace("10.3.0.254 10.3.0.30 echo request")
    assert way(there) == ["r2.eth1>", "h2.eth0<", "m.mv0<"]
    assert [hop.how for hop in there.hops] == ["first", "buffer", "inferred"]
    assert there.hops[-1].seen.skb == 0
    own = seen.trace("10.3.0.30 10.3.0.254 echo request")
    assert way(own) == ["m.mv0>", "h2.eth0>", "r2.eth1<"]
    assert seen.exchange(own).state == "answered"


def test_without_an_answer_nothing_is_inferred() -> None:
    silent = [one for one in load("macvlan") if one.data[34:36] != b"\x00\x00"]  # no echo reply
    there = Told(silent).trace("10.3.0.254 10.3.0.30 echo request")
    assert way(there) == ["r2.eth1>", "h2.eth0<"]


def test_cables_alone_give_a_way_without_invented_hops() -> None:
    seen = told("ping_cables")
    first, _ = seen.traces("echo request")
    assert way(first) == ["h1.eth0>", "r1.eth0<", "r1.eth1>", "h2.eth0<"]
    assert [hop.how for hop in first.hops] == ["first", "content", "content", "nat"]
    request = seen.trace("who has 10.1.0.254")
    assert edges(request) == {("", "h1.eth0>"), ("h1.eth0>", "h3.eth0<"), ("h1.eth0>", "r1.eth0<")}
    assert seen.exchange(first).state == "answered"


def test_one_row_for_each_crossing_of_a_cable() -> None:
    seen = told("ping")
    rows = [one for one, placed in zip(seen.seen, seen.placed, strict=True) if placed.row]
    assert {one.direction for one in rows} == {"tx"}
    crossings = [one for one in seen.seen if one.link and one.direction == "tx"]
    assert rows == crossings
    assert all(placed.row for placed in told("ping_cables").placed)


def test_what_was_received_stands_for_what_was_not_seen_sent() -> None:
    sent = [one for one in load("ping") if (one.link, one.direction) != ("l4", "tx")]
    seen = Told(sent)
    rows = [one for one, placed in zip(seen.seen, seen.placed, strict=True) if placed.row]
    assert {one.direction for one in rows if one.link == "l4"} == {"rx"}
    assert len([one for one in rows if one.link == "l4"]) == len(
        [one for one in seen.seen if one.link == "l4"]
    )
    assert edges(seen.traces("echo request")[0]) > {("r1.eth0<", "r2.eth0<")}


def test_drops_are_no_rows() -> None:
    seen = told("forwarding_off")
    ended = [
        (placed, one) for placed, one in zip(seen.placed, seen.seen, strict=True) if placed.ended
    ]
    assert [one.reason for _, one in ended] == ["IP_INADDRERRORS"]
    assert not any(placed.row for placed, _ in ended)


@pytest.mark.parametrize("name", NAMES)
def test_parents_come_before_their_children_and_every_sighting_is_kept(name: str) -> None:
    seen = told(name)
    hops = 0
    for number in range(1, len(seen.stories) + 1):
        trace = seen.stories.trace(number)
        assert trace is not None
        assert [hop.parent for hop in trace.hops if hop.parent < 0] == [-1], show(trace)
        assert all(hop.parent < at for at, hop in enumerate(trace.hops))
        hops += sum(hop.how != "inferred" for hop in trace.hops)
    own_copies = 2 if name == "broadcast" else 0
    assert hops == len(seen.seen) - own_copies


def trees(seen: Told) -> set[tuple[str, frozenset[tuple[str, str]], int]]:
    """What the stories say, but for their numbers."""
    found = set()
    for number in range(1, len(seen.stories) + 1):
        trace = seen.stories.trace(number)
        assert trace is not None
        last = summary(trace.hops[0].seen.data, trace.hops[0].seen.length)
        found.add((last.info, frozenset(edges(trace)), len(trace.hops)))
    return found


def interleaved(seen: list[Observation], seed: int) -> list[Observation]:
    """Return the sightings in another order: each node's own, but the nodes' up to 20 µs apart."""
    dice = random.Random(seed)
    latest: dict[str, int] = {}
    order = []
    for one in seen:
        at = max(one.time_ns + dice.randrange(20_000), latest.get(one.namespace, 0))
        latest[one.namespace] = at
        order.append((at, one))
    return [one for _, one in sorted(order, key=lambda pair: pair[0])]


# Not ping6: a node sends some reports twice within 20 µs, equal in every byte.
FRESH = {
    name: trees(told(name)) for name in NAMES if not name.endswith("_cables") and name != "ping6"
}


@settings(max_examples=60, deadline=None, derandomize=True)
@given(name=st.sampled_from(sorted(FRESH)), seed=st.integers(0, 2**32))
def test_any_interleaving_within_20_microseconds_gives_the_same_trees(name: str, seed: int) -> None:
    assert trees(Told(interleaved(load(name), seed))) == FRESH[name]


@settings(max_examples=40, deadline=None, derandomize=True)
@given(seed=st.integers(0, 2**32))
def test_clocks_that_differ_do_not_turn_cause_and_effect_round(seed: int) -> None:
    """Each node's clock is a few microseconds off, so packets arrive before they were sent."""
    dice = random.Random(seed)
    off = {node: dice.randrange(-1500, 1500) for node in ("h1", "h2", "h3", "sw", "r1", "r2")}
    skewed = [replace(one, time_ns=one.time_ns + off[one.namespace]) for one in load("ping")]
    skewed.sort(key=lambda one: one.time_ns)
    assert trees(Told(skewed)) == FRESH["ping"]
