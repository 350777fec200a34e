"""Finding the packet that someone asked to follow among all that a lab sends."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address
from typing import Any

import pytest
from msgspec import structs

from topoweb.core.tracing.following import OFTEN, PACKETS, RESOLUTIONS, Follower
from topoweb.core.tracing.observation import Observation
from topoweb.core.tracing.stories import Stories
from topoweb.core.tracing.trace import Exchange, Hop, Trace

MACS = bytes.fromhex("020000000002020000000001")
TAG = b"\x81\x00\x00\x05"


def ip(target: str, protocol: int, upper: bytes) -> bytes:
    far = ip_address(target).packed
    near = ip_address("10.0.1.11" if len(far) == 4 else "2001:db8::1").packed
    if len(far) == 4:
        head = b"\x45\0\0\x40\0\0\0\0\x40" + bytes([protocol]) + b"\0\0" + near + far
        return MACS + b"\x08\0" + head + upper
    head = b"\x60\0\0\0\0\x20" + bytes([protocol]) + b"\x40" + near + far
    return MACS + b"\x86\xdd" + head + upper


def ports(target: int) -> bytes:
    return b"\x10\x00" + target.to_bytes(2, "big") + bytes(16)


ECHO, ECHO6 = b"\x08" + bytes(7), b"\x80" + bytes(7)
ARP = MACS + b"\x08\x06" + bytes(28)
SOLICIT = ip("ff02::1:ff00:2", 58, b"\x87" + bytes(23))
PROBING = SOLICIT[:22] + bytes(16) + SOLICIT[38:]  # is my own address taken?


def seen(data: bytes, **changes: Any) -> Observation:
    one = Observation(100, "n1", "eth0", "tx", data, len(data), 7, "l1", "ab", "n2")
    return structs.replace(one, **changes)


def follower(**changes: Any) -> Follower:
    wish = {"source": "n1", "target": "10.0.2.11", "protocol": "icmp", "port": 0, "after_ns": 50}
    return Follower(**{**wish, **changes})


class Kept:
    """Stories of which a test says what belongs together."""

    def __init__(self) -> None:
        self.exchanges: dict[int, Exchange] = {}  # by packet
        self.hops: dict[int, int] = {}

    def exchange_of(self, packet: int) -> Exchange | None:
        return self.exchanges.get(packet)

    def trace(self, packet: int) -> Trace:
        self.hops[packet] = self.hops.get(packet, 0) + 1
        return Trace(packet, ())


def exchange(number: int, **changes: Any) -> Exchange:
    one = Exchange(number, "echo", "10.0.1.11", "10.0.2.11", 5, 1, 0, (5,), 1, 1, "open")
    return replace(one, **changes)


def shown(one: Follower, *sightings: tuple[Observation, int], kept: Kept | None = None) -> Follower:
    for data, packet in sightings:
        one.look(data, packet, kept or Kept())  # type: ignore[arg-type]
    return one


@pytest.mark.parametrize(
    ("wish", "data"),
    [
        ({}, ip("10.0.2.11", 1, ECHO)),
        ({"target": "2001:db8::2"}, ip("2001:db8::2", 58, ECHO6)),
        ({"protocol": "tcp", "port": 80}, ip("10.0.2.11", 6, ports(80))),
        ({"protocol": "udp", "port": 53}, ip("10.0.2.11", 17, ports(53))),
    ],
)
def test_it_knows_its_packet(wish: dict[str, Any], data: bytes) -> None:
    one = shown(follower(**wish), (seen(data[:12] + TAG + data[12:]), 5), (seen(data), 6))
    assert one.first == 5
    assert set(one.traces) == {5}


@pytest.mark.parametrize(
    "other",
    [
        seen(ip("10.0.2.11", 1, ECHO), time_ns=49),
        seen(ip("10.0.2.11", 1, ECHO), namespace="n2"),
        seen(ip("10.0.2.11", 1, ECHO), direction="rx", peer="n3"),
        seen(ip("10.0.2.12", 1, ECHO)),
        seen(ip("10.0.2.11", 1, b"\0" + bytes(7))),  # its own reply to a ping of the target's
        seen(ip("10.0.2.11", 17, ports(80))),
        seen(ip("2001:db8::2", 58, ECHO6)),
        seen(b""),
        seen(ip("10.0.2.11", 1, ECHO)[:20]),
    ],
)
def test_it_passes_others_over(other: Observation) -> None:
    one = shown(follower(), (other, 5))
    assert (one.first, one.traces, one.resolving) == (0, {}, False)


def test_the_far_end_of_the_cable_and_a_drop_at_the_source_count() -> None:
    for place in {"direction": "rx", "namespace": "n2", "peer": "n1"}, {"direction": "drop"}:
        assert shown(follower(), (seen(ip("10.0.2.11", 1, ECHO), **place), 3)).first == 3


@pytest.mark.parametrize(("target", "asks"), [("10.0.2.11", ARP), ("2001:db8::2", SOLICIT)])
def test_questions_for_the_next_hop_are_kept_until_the_packet_leaves(
    target: str, asks: bytes
) -> None:
    one = follower(target=target)
    for number in range(1, 20):
        for data in asks, asks, PROBING, ip(target, 17, ports(9)):
            shown(one, (seen(data), number))
    assert list(one.traces) == list(range(1, RESOLUTIONS + 1))
    assert one.resolving
    one = shown(follower(target=target), (seen(ARP if asks == SOLICIT else SOLICIT), 1))
    assert not one.resolving
    one = shown(follower(), (seen(ip("10.0.2.11", 1, ECHO)), 1), (seen(ARP), 2))
    assert not one.resolving
    assert follower(protocol="tcp", port=80).flow == ("", "10.0.2.11", 6)
    assert follower(target="2001:DB8::2").flow == ("", "2001:db8::2", 58)


def test_what_belongs_to_the_exchange_is_kept_and_nothing_else() -> None:
    kept = Kept()
    kept.exchanges = {5: exchange(1), 6: exchange(1, replies=1), 7: exchange(2), 4: exchange(1)}
    request, other = ip("10.0.2.11", 1, ECHO), ip("10.0.7.7", 1, ECHO)
    back = seen(request, direction="rx", namespace="n9", peer="n8")
    one = shown(follower(), (seen(request), 5), kept=kept)
    shown(one, (back, 6), (back, 7), (back, 8), (back, 4), (seen(other), 6), kept=kept)
    assert list(one.traces) == [5, 6]
    assert kept.hops[6] == 2  # anew at each sighting
    assert one.exchange == exchange(1, replies=1)
    one.hear(exchange(1, state="answered"))
    one.hear(exchange(2, state="refused"))
    assert one.exchange == exchange(1, state="answered")
    kept.exchanges |= {number: exchange(1) for number in range(10, 99)}
    shown(one, *((back, number) for number in range(10, 99)), kept=kept)
    assert len(one.traces) == PACKETS


def test_a_flood_takes_nothing_from_it() -> None:
    stories, one = Stories(capacity=4), follower()
    flood = [seen(ip("10.0.2.11", 17, ports(number))) for number in range(100, 150)]
    for sighting in seen(ip("10.0.2.11", 1, ECHO)), *flood:
        placed = stories.add(sighting)
        one.look(sighting, placed.packet, stories)
    assert stories.trace(one.first) is None
    assert [len(trace.hops) for trace in one.traces.values()] == [1]
    assert one.exchange is not None
    (overdue,) = [x for x in stories.overdue(10**11) if x.kind == "echo"]
    one.hear(overdue)
    assert one.exchange.state == "unanswered"


def on_the_way(*nodes: str) -> Any:
    """Stories in which the packets were seen at some nodes."""
    kept = Kept()
    hops = tuple(Hop(seen(b"", namespace=node), -1, "first") for node in nodes)
    kept.trace = lambda packet: Trace(packet, hops if packet == 5 else ())  # type: ignore[method-assign]
    return kept


def test_how_a_router_on_the_way_finds_its_next_hop_is_kept() -> None:
    one, stories = follower(), on_the_way("n1", "n2")
    one.look(seen(ip("10.0.2.11", 1, ECHO)), 5, stories)
    asked = replace(exchange(2), kind="arp")
    for packet in (6, 7):
        stories.exchanges[packet] = asked
    one.look(seen(ARP, namespace="n2", link="l2", peer="n3"), 6, stories)
    one.look(seen(ARP, namespace="n3", link="l2", peer="n2"), 7, stories)  # the answer
    assert sorted(one.traces) == [5, 6, 7]
    assert one.resolutions == {6, 7}


def test_what_others_ask_is_not_kept() -> None:
    one, stories = follower(), on_the_way("n1", "n2")
    one.look(seen(ip("10.0.2.11", 1, ECHO)), 5, stories)
    stories.exchanges[6] = replace(exchange(2), kind="arp")
    one.look(seen(ARP, namespace="n9", link="l9", peer="n8"), 6, stories)
    one.look(seen(ARP, namespace="n2", link="l2", peer="n3"), 7, stories)  # of no exchange
    assert sorted(one.traces) == [5]


def test_a_packet_that_circles_is_told_now_and_then() -> None:
    one, stories = follower(), Kept()
    for _ in range(4 * OFTEN):
        one.look(seen(ip("10.0.2.11", 1, ECHO)), 5, stories)
    assert OFTEN <= stories.hops[5] <= OFTEN + 4
