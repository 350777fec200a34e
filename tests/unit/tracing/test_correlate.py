"""The same packet at another place, and what only looks like it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from tests.unit.packets import wire
from tests.unit.tracing.recorded import Told, load
from topoweb.core.tracing.correlate import BUFFERS, KEPT_BYTES, SIGHTING_BYTES
from topoweb.core.tracing.observation import Observation
from topoweb.core.tracing.stories import Stories

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Literal

MS = 1_000_000
SECOND = 1000 * MS
EPOCH = 1_700_000_000 * SECOND


def echo(sequence: int = 1, ttl: int = 64) -> bytes:
    return wire.ethernet(0x0800, wire.ipv4(1, wire.echo(sequence), ttl=ttl))


def cable(data: bytes, at: int, link: str = "l1", along: Literal["ab", "ba"] = "ab") -> Observation:
    """A sighting of the AF_PACKET tier: n1 -l1- n2 -l2- n3 …, tapped at the left end."""
    left, right = f"n{link[1:]}", f"n{int(link[1:]) + 1}"
    way: Literal["rx", "tx"] = "tx" if along == "ab" else "rx"
    return Observation(EPOCH + at, left, "e", way, data, len(data), 7, link, along, right)


def kernel(
    data: bytes, at: int, node: str, way: Literal["rx", "tx", "drop"], skb: int, link: str = "l1"
) -> Observation:
    """A sighting of the BPF tier."""
    peer = {"n1": "n2", "n2": "n1", "n3": "n2"}[node]
    reason = "NEIGH_FAILED" if way == "drop" else ""
    return Observation(
        EPOCH + at, node, f"to-{link}", way, data, len(data), 7, link, "ab", peer, skb, reason
    )


def numbers(*seen: Observation) -> list[int]:
    return [placed.packet for placed in Told(seen).placed]


def test_the_same_content_at_another_cable_is_the_same_packet() -> None:
    assert numbers(
        cable(echo(1), 0), cable(echo(2), 5),
        cable(echo(1, 63), 10, "l2"), cable(echo(2, 63), 15, "l2"),
    ) == [1, 2, 1, 2]  # fmt: skip


def test_a_retransmission_is_a_new_packet_along_its_whole_path() -> None:
    path = [(0, "l1"), (1, "l2"), (SECOND, "l1"), (SECOND + 1, "l2")]
    assert numbers(*(cable(echo(), at, link) for at, link in path)) == [1, 1, 2, 2]


def test_a_packet_in_a_loop_keeps_its_number() -> None:
    seen = [cable(echo(), at * 1000, along=way) for at in range(60) for way in ("ab", "ba")]
    assert set(numbers(*seen)) == {1}


def test_after_the_window_it_is_another_packet() -> None:
    assert numbers(cable(echo(), 0), cable(echo(), 2 * SECOND + 1, "l7")) == [1, 2]


def test_a_packet_may_wait_in_a_node_for_the_next_hops_mac() -> None:
    waits = cable(echo(), 0), cable(echo(ttl=63), 4 * SECOND, "l2")
    assert numbers(*waits) == [1, 1]
    assert numbers(waits[0], cable(echo(ttl=63), 11 * SECOND, "l2")) == [1, 2]


def test_the_window_counts_from_the_latest_sighting() -> None:
    """A slow path of many hops stays one packet."""
    assert set(numbers(*(cable(echo(), i * SECOND, f"l{i}") for i in range(1, 6)))) == {1}


def test_a_node_does_not_send_the_same_again_without_having_received_it_again() -> None:
    """Two equal datagrams, the second one after 30 µs, in the buffer of the first."""
    data = echo()
    assert numbers(
        kernel(data, 0, "n1", "tx", 5), kernel(data, 3000, "n2", "rx", 5),
        kernel(data, 30_000, "n1", "tx", 5), kernel(data, 33_000, "n2", "rx", 5),
    ) == [1, 1, 2, 2]  # fmt: skip


def test_equal_packets_on_the_way_at_once_are_told_apart_by_their_buffers() -> None:
    data = echo()
    assert numbers(
        kernel(data, 0, "n1", "tx", 5), kernel(data, 10, "n1", "tx", 6),
        kernel(data, 3000, "n2", "rx", 5), kernel(data, 3010, "n2", "rx", 6),
    ) == [1, 2, 1, 2]  # fmt: skip


def test_a_buffer_alone_ties_nothing() -> None:
    assert numbers(
        kernel(echo(1), 0, "n1", "tx", 5), kernel(echo(2), 3000, "n2", "rx", 5)
    ) == [1, 2]  # fmt: skip


def test_a_packet_that_waited_for_its_neighbour_is_dropped_seconds_later() -> None:
    data, others = echo(), [cable(echo(n), n * MS, "l9") for n in range(2, 9)]
    drop = kernel(data, 3 * SECOND, "n2", "drop", 5)
    told = Told([kernel(data, 0, "n1", "tx", 5), kernel(data, 9, "n2", "rx", 5), *others, drop])
    assert (told.placed[-1].packet, told.placed[-1].ended) == (1, True)


def test_a_drop_that_lacks_its_payload_is_the_end_of_the_packet_in_its_buffer() -> None:
    """The kernel keeps TCP's payload in pages of its own, which no drop reads."""
    data = wire.ethernet(0x0800, wire.ipv4(6, wire.tcp(40000, 80, 0x18, bytes(80))))
    head = data[:54]
    seen = [kernel(data, 0, "n1", "tx", 5), kernel(data, 9, "n2", "rx", 5)]
    drop = replace(kernel(head, 20, "n2", "drop", 5), length=len(data))
    assert numbers(*seen, drop) == [1, 1, 1]
    other = replace(kernel(head, 20, "n2", "drop", 6), length=len(data))  # of another buffer
    assert numbers(*seen, other) == [1, 1, 2]


def test_three_equal_datagrams_that_nobody_sends_are_three() -> None:
    data = echo()
    seen = [kernel(data, at, "n1", "drop", 5, link="") for at in range(3)]
    assert numbers(*seen) == [1, 2, 3]


def test_an_echo_service_is_no_nat() -> None:
    """The same content comes back from where it went, perhaps in the same buffer."""
    there = wire.ethernet(0x0800, wire.ipv4(17, wire.udp(5000, 7, b"same"), ident=0))
    back = wire.ethernet(
        0x0800,
        wire.ipv4(17, wire.udp(7, 5000, b"same"), "10.0.2.11", "10.0.1.11", ident=0),
    )
    assert numbers(
        kernel(there, 0, "n1", "tx", 5), kernel(there, 9, "n2", "rx", 5),
        kernel(back, 50_000, "n2", "tx", 5), kernel(back, 60_000, "n1", "rx", 5),
    ) == [1, 1, 2, 2]  # fmt: skip


def masqueraded(data: bytes, ttl: int = 63) -> tuple[bytes, bytes]:
    """Return a datagram and what NAT makes of it."""
    return (
        wire.ethernet(0x0800, wire.ipv4(17, wire.udp(5000, 9, data))),
        wire.ethernet(
            0x0800, wire.ipv4(17, wire.udp(61_000, 9, data), "192.0.2.1", "10.0.2.11", ttl=ttl)
        ),
    )


def test_nat_is_known_by_the_content_where_the_packet_had_come() -> None:
    before, after = masqueraded(b"x")
    assert numbers(cable(before, 0), cable(after, 10, "l2")) == [1, 1]


def test_the_same_content_from_elsewhere_is_no_nat() -> None:
    """n5 sends what it never received."""
    before, after = masqueraded(b"x")
    assert numbers(cable(before, 0), cable(after, 10, "l5")) == [1, 2]


def test_a_proxy_sends_packets_of_its_own() -> None:
    """Both addresses are others and the TTL is fresh."""
    before = wire.ethernet(0x0800, wire.ipv4(17, wire.udp(5000, 9, b"x")))
    for ttl, expected in ((64, [1, 2]), (63, [1, 1])):
        after = wire.ipv4(17, wire.udp(61_000, 9, b"x"), "192.0.2.1", "192.0.2.9", ttl=ttl)
        assert numbers(cable(before, 0), cable(wire.ethernet(0x0800, after), 9, "l2")) == expected


def test_equal_reports_of_two_nodes_are_two() -> None:
    """Nodes without an address yet join a group with the very same bytes."""
    report = wire.samples()["mld"][12:]
    both = [wire.mac(wire.STP_GROUP) + wire.mac(own) + report for own in (wire.A, wire.B)]
    assert numbers(
        kernel(both[0], 0, "n1", "tx", 5), kernel(both[1], 10, "n2", "tx", 6),
        kernel(both[0], 20, "n2", "rx", 5), kernel(both[1], 30, "n1", "rx", 6),
    ) == [1, 2, 1, 2]  # fmt: skip


def test_frames_without_content_are_not_alike() -> None:
    empty = [kernel(bytes(14), 0, "n1", "drop", 5), kernel(bytes(14), 9, "n2", "drop", 6)]
    assert numbers(*empty) == [1, 2]


def test_any_bytes_are_taken() -> None:
    for data in wire.samples().values():
        for size in range(len(data)):
            stories = Stories()
            for skb, link in ((5, "l1"), (5, "l2"), (0, "l3")):
                one = replace(cable(data[:size], 0, link), skb=skb)
                stories.add(one)
            assert stories.trace(1) is not None


def test_memory_is_bounded() -> None:
    """100,000 packets, each its own."""
    stories = Stories(capacity=100)
    for number in range(100_000):
        data = wire.ethernet(0x0800, number.to_bytes(4, "big") * 10)
        one = cable(data, number * 1000)
        stories.add(one)
    assert len(stories) <= 100
    packets = stories._packets
    assert len(packets._alike) <= 100
    assert len(packets._rewritten) <= 100
    assert packets._bytes <= 100 * (SIGHTING_BYTES + len(data))
    assert stories.trace(100_000) is not None
    assert stories.trace(1) is None


def test_memory_of_long_stories_is_bounded() -> None:
    """Packets in loops, without end."""
    stories = Stories()
    data = [echo(number) for number in range(40)]
    for at in range(2000):
        for one in data:
            seen = cable(one, at * 1000, "l1" if at % 2 else "l2")
            stories.add(seen)
    assert stories._packets._bytes <= KEPT_BYTES
    newest = stories.trace(40)
    assert newest is not None
    assert len(newest.hops) == 256


@pytest.mark.parametrize("buffers", [1, 40_000])
def test_what_is_known_of_buffers_is_bounded(buffers: int) -> None:
    stories = Stories(capacity=50)
    for number in range(40_000):
        one = kernel(echo(number), number * 1000, "n1", "tx", number % buffers + 1)
        stories.add(one)
    packets = stories._packets
    known = (packets._buffers, packets._older_buffers, packets._rewritten_buffers)
    assert max(len(one) for one in known) <= BUFFERS + 1
    held = {story for one in known for story in one.values()}
    assert sum(len(story.seen) for story in held) <= 50


def test_recorded_equal_datagrams_without_identification() -> None:
    """Three datagrams of an unconnected socket as older kernels number them: with 0."""
    seen = []
    for one in load("repeated"):
        data = bytearray(one.data)
        data[18:20] = b"\0\0"  # identification
        if data[23] != 17:
            continue
        seen.append(replace(one, data=bytes(data)))
    told = Told(seen)
    assert len(told.traces("UDP")) == 3
    assert {len(one.hops) for one in told.traces("UDP")} == {7}


def vxlan(frame: bytes) -> bytes:
    inner = b"\x08\0\0\0\0\0\x2a\0" + frame
    return wire.ethernet(0x0800, wire.ipv4(17, wire.udp(5555, 4789, inner), "1.1.1.1", "2.2.2.2"))


def ip_in_ip(frame: bytes) -> bytes:
    return wire.ethernet(0x0800, wire.ipv4(4, frame[14:], "1.1.1.1", "2.2.2.2"))


def gre(frame: bytes) -> bytes:
    keyed = b"\x20\0\x08\0" + b"\0\0\0\x07" + frame[14:]
    return wire.ethernet(0x0800, wire.ipv4(47, keyed, "1.1.1.1", "2.2.2.2"))


def gre_ethernet(frame: bytes) -> bytes:
    return wire.ethernet(0x0800, wire.ipv4(47, b"\0\0\x65\x58" + frame, "1.1.1.1", "2.2.2.2"))


@pytest.mark.parametrize("wrap", [vxlan, ip_in_ip, gre, gre_ethernet])
def test_a_packet_in_a_packet_is_found_by_buffer_or_content(wrap: Callable[[bytes], bytes]) -> None:
    inner = echo()
    outer = wrap(inner)
    by_buffer = Told([kernel(inner, 0, "n1", "tx", 5, ""), kernel(outer, 9, "n1", "tx", 5)])
    cut = replace(kernel(outer, 9, "n1", "tx", 5), data=outer[:100])
    by_part = Told([kernel(inner, 0, "n1", "tx", 5, ""), cut])
    by_content = Told([cable(inner, 0), cable(outer, 9, "l2"), cable(inner, 20, "l3")])
    for seen in (by_buffer, by_part, by_content):
        trace = seen.stories.trace(1)
        assert trace is not None
        assert trace.outer == 2
    assert [placed.packet for placed in by_content.placed] == [1, 2, 1]


def test_another_packet_in_the_tunnels_buffer_is_not_what_it_carries() -> None:
    seen = Told([kernel(echo(1), 0, "n1", "tx", 5, ""), kernel(vxlan(echo(2)), 9, "n1", "tx", 5)])
    trace = seen.stories.trace(1)
    assert trace is not None
    assert trace.outer == 0


def test_nat_rewrites_what_an_error_quotes() -> None:
    """A masqueraded packet's error comes back to the inner address, in and around the quote."""
    quoted = [
        wire.ipv4(17, wire.udp(port, 33_434, b"probe"), source, ttl=1)[:28]
        for source, port in (("192.0.2.1", 61_000), ("10.0.1.11", 40_000))
    ]
    errors = [
        wire.ethernet(0x0800, wire.ipv4(1, wire.icmp(11, 0, bytes(4), one), "10.9.9.9", target))
        for one, target in zip(quoted, ("192.0.2.1", "10.0.1.11"), strict=True)
    ]
    assert numbers(cable(errors[0], 0), cable(errors[1], 9, "l2")) == [1, 1]
