"""Who asked whom, who answered, and whose answer is overdue."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from tests.unit.packets import wire
from tests.unit.tracing.recorded import Told, load, told
from topoweb.core.tracing.observation import Observation
from topoweb.core.tracing.stories import Stories

if TYPE_CHECKING:
    from typing import Literal

    from topoweb.core.tracing.trace import Exchange

SECOND = 1_000_000_000
EPOCH = 1_700_000_000 * SECOND
ASKER, ASKED = "10.0.1.11", "10.0.2.11"


class Talk:
    """h1 and h2 on one cable, in the tier that sees both its ends."""

    def __init__(self) -> None:
        self.stories = Stories()
        self.now = EPOCH
        self.buffer = 0

    def say(self, node: str, data: bytes, *, arrives: bool = True) -> int:
        """Send a frame over the cable; return the packet's number."""
        self.buffer += 1
        other = {"h1": "h2", "h2": "h1"}[node]
        numbers = [self._see(node, "tx", data, other)]
        if arrives:
            numbers.append(self._see(other, "rx", data, node))
        assert len(set(numbers)) == 1
        return numbers[0]

    def _see(self, node: str, way: Literal["rx", "tx"], data: bytes, peer: str) -> int:
        self.now += 1000
        along: Literal["ab", "ba"] = "ab" if (node == "h1") == (way == "tx") else "ba"
        one = Observation(
            self.now, node, "eth0", way, data, len(data), 7, "l1", along, peer, self.buffer
        )
        return self.stories.add(one).packet

    def wait(self, seconds: float) -> list[Exchange]:
        """Let time pass; return what became overdue."""
        self.now += int(seconds * SECOND)
        return self.stories.overdue(self.now)

    def only(self) -> Exchange:
        (one,) = self.stories.exchanges_changed()
        return one


def ip4(protocol: int, payload: bytes, source: str = ASKER, target: str = ASKED, **more) -> bytes:
    return wire.ethernet(0x0800, wire.ipv4(protocol, payload, source, target, **more))


def request(sequence: int) -> bytes:
    return ip4(1, wire.echo(sequence))


def reply(sequence: int) -> bytes:
    return ip4(1, wire.echo(sequence, kind=0), ASKED, ASKER)


def segment(flags: int, *, back: bool = False, payload: bytes = b"", sequence: int = 1) -> bytes:
    ends = (ASKED, ASKER) if back else (ASKER, ASKED)
    ports = (80, 40_000) if back else (40_000, 80)
    return ip4(6, wire.tcp(*ports, flags, payload, sequence=sequence), *ends)


def error(kind: int, code: int, quoted: bytes) -> bytes:
    return ip4(1, wire.icmp(kind, code, bytes(4), quoted[14:]), "10.0.9.1", ASKER)


def test_a_run_of_pings_is_one_exchange_and_the_latest_request_decides() -> None:
    talk = Talk()
    for sequence in (1, 2):
        talk.say("h1", request(sequence))
        talk.say("h2", reply(sequence))
    last = talk.say("h1", request(3))
    one = talk.only()
    assert (one.kind, one.source, one.target, one.state) == ("echo", ASKER, ASKED, "open")
    assert (one.requests, one.replies, one.request) == (3, 2, last)
    assert one.packets == (1, 2, 3, 4, 5)
    talk.say("h2", reply(2))  # late, of the one before
    assert talk.only().state == "open"
    talk.say("h2", reply(3))
    assert talk.only().state == "answered"
    assert talk.stories.exchanges_changed() == []


def test_an_answer_that_is_lost_on_the_way_is_none() -> None:
    talk = Talk()
    talk.say("h1", request(1))
    talk.say("h2", reply(1), arrives=False)
    assert (talk.only().replies, talk.wait(0.9)) == (0, [])
    (overdue,) = talk.wait(0.2)
    assert (overdue.state, overdue.requests, overdue.packets) == ("unanswered", 1, (1, 2))
    assert talk.wait(5) == []
    assert talk.only() == overdue


def test_silence_is_told_once_until_there_is_an_answer() -> None:
    talk = Talk()
    for sequence in range(1, 5):
        talk.say("h1", request(sequence))
        assert [one.state for one in talk.wait(1.1)] == ["unanswered"] * (sequence == 1)
    talk.say("h2", reply(4))
    assert talk.only().state == "answered"
    talk.say("h1", request(5))
    assert [one.request for one in talk.wait(1.1)] == [6]


def test_arp_requests_for_an_address_are_one_exchange() -> None:
    talk = Talk()
    for _ in range(3):
        talk.say("h1", wire.arp(1, ASKER, "10.0.1.1"))
        talk.wait(1)
    one = talk.only()
    assert (one.kind, one.source, one.target, one.requests) == ("arp", ASKER, "10.0.1.1", 3)
    assert one.state == "unanswered"
    talk.wait(4)
    talk.say("h1", wire.arp(1, ASKER, "10.0.1.1"))
    assert (talk.only().id, talk.stories.trace(4) is not None) == (one.id + 1, True)


def test_two_owners_of_an_address_are_two_answers() -> None:
    talk = Talk()
    talk.say("h1", wire.arp(1, ASKER, "10.0.1.1"))
    first = wire.arp(2, "10.0.1.1", ASKER, wire.A)
    talk.say("h2", first)
    talk.say("h2", first[:22] + bytes.fromhex("0200000000ee") + first[28:])
    one = talk.only()
    assert (one.replies, one.state, len(one.packets)) == (2, "answered", 3)


@pytest.mark.parametrize(
    "data",
    [
        wire.arp(1, "10.0.1.1", "10.0.1.1"),  # announcement
        wire.arp(1, "0.0.0.0", "10.0.1.1"),  # address probe
        wire.ethernet(0x0800, wire.ipv4(17, wire.udp(5, 6, b"x"), ASKER, "224.0.0.251")),
        wire.ethernet(
            0x0800, wire.ipv4(17, wire.udp(5, 6, b"x"), ASKER, "10.0.1.255"),
            destination=wire.BROADCAST,
        ),
        ip4(17, wire.udp(5, 4789, b"tunnel")),
        wire.samples()["ra"],
        wire.samples()["stp"],
        segment(0x10),  # of a connection whose beginning was not seen
        reply(1),
    ],
)  # fmt: skip
def test_what_asks_nobody_waits_for_no_answer(data: bytes) -> None:
    talk = Talk()
    talk.say("h1", data)
    assert talk.stories.exchanges_changed() == []
    assert talk.wait(60) == []


def test_neighbour_discovery() -> None:
    talk = Talk()
    samples = wire.samples()
    talk.say("h1", samples["ns"])
    one = talk.only()
    assert (one.kind, one.source, one.target) == ("nd", wire.L1, "2001:db8::b")
    talk.say("h2", samples["na"])
    assert talk.only().state == "answered"


def test_echo_over_ipv6() -> None:
    talk = Talk()
    ends = "2001:db8:1::11", "2001:db8:2::11"
    for node, kind, (source, target) in (("h1", 128, ends), ("h2", 129, ends[::-1])):
        body = wire.icmp6(kind, 0, b"\0\x03\0\x01hello", source, target)
        talk.say(node, wire.ethernet(0x86DD, wire.ipv6(58, body, source, target)))
    one = talk.only()
    assert (one.kind, one.source, one.target, one.state) == ("echo", *ends, "answered")


def test_a_handshake_is_an_answer_and_data_belongs_to_the_connection() -> None:
    talk = Talk()
    talk.say("h1", segment(2))
    assert talk.only().state == "open"
    talk.say("h2", segment(0x12, back=True))
    one = talk.only()
    assert (one.kind, one.port, one.state, one.replies) == ("tcp", 80, "answered", 1)
    numbers = [talk.say("h1", segment(0x18, payload=b"x", sequence=n)) for n in range(100)]
    exchange = talk.stories.exchange_of(numbers[-1])
    assert exchange is not None
    assert exchange.packets == tuple(numbers[-64:])
    talk.say("h1", segment(4))
    assert talk.only().state == "answered"


def test_a_reset_refuses() -> None:
    talk = Talk()
    talk.say("h1", segment(2))
    talk.say("h2", segment(0x14, back=True))
    assert talk.only().state == "refused"
    assert talk.wait(5) == []


def test_a_syn_without_an_answer() -> None:
    talk = Talk()
    talk.say("h1", segment(2), arrives=False)
    (one,) = talk.wait(1.1)
    assert (one.kind, one.state) == ("tcp", "unanswered")
    retransmitted = segment(2)
    talk.say("h1", retransmitted, arrives=False)
    assert talk.wait(1.1) == []
    assert talk.only().requests == 2


def connected() -> Talk:
    talk = Talk()
    talk.say("h1", segment(2))
    talk.say("h2", segment(0x12, back=True))
    return talk


def payload(sequence: int, ident: int) -> bytes:
    whole = wire.tcp(40_000, 80, 0x18, b"x" * 60, sequence=sequence)
    return ip4(6, whole, ident=ident)


def acknowledge(sequence: int) -> bytes:
    return ip4(6, wire.tcp(80, 40_000, 0x10, acknowledged=sequence), ASKED, ASKER)


def test_data_sent_again_in_vain_is_without_an_answer() -> None:
    """The handshake came through; what is large does not."""
    talk = connected()
    for ident, seconds in enumerate((0.2, 0.4, 0.8)):
        talk.say("h1", payload(1000, ident), arrives=False)
        assert talk.wait(seconds) == []
    talk.say("h1", payload(1000, 9), arrives=False)
    assert [(one.kind, one.state) for one in talk.wait(0)] == [("tcp", "unanswered")]
    talk.say("h1", payload(1000, 10), arrives=False)
    assert talk.wait(3) == []
    talk.say("h2", acknowledge(1060))
    assert talk.only().state == "answered"


def test_data_that_is_acknowledged_goes_on() -> None:
    talk = connected()
    for number in range(40):
        sequence = (0xFFFF_FF00 + 60 * number) % (1 << 32)
        talk.say("h1", payload(sequence, number))
        talk.say("h2", acknowledge((sequence + 60) % (1 << 32)))
        assert talk.wait(0.5) == []
    assert talk.only().state == "answered"


@pytest.mark.parametrize(
    ("kind", "code", "state"), [(3, 3, "refused"), (3, 1, "refused"), (11, 0, "unanswered")]
)
@pytest.mark.parametrize(
    "asked", [request(1), segment(2), ip4(17, wire.udp(4000, 33_434, b"probe"))]
)
def test_an_icmp_error_about_the_request(kind: int, code: int, state: str, asked: bytes) -> None:
    talk = Talk()
    talk.say("h1", asked)
    number = talk.say("h2", error(kind, code, asked))
    one = talk.only()
    assert (one.state, one.packets, one.replies) == (state, (1, number), 0)
    assert [one.state for one in talk.wait(2)] == ["unanswered"] * (state == "unanswered")


def test_an_error_about_a_size_refuses_nothing() -> None:
    talk = Talk()
    talk.say("h1", segment(2))
    talk.say("h2", error(3, 4, segment(2)))
    one = talk.only()
    assert (one.state, one.packets) == ("open", (1, 2))


def test_udp_is_answered_from_where_it_went() -> None:
    talk = Talk()
    talk.say("h1", ip4(17, wire.udp(4000, 7, b"a")))
    talk.say("h2", ip4(17, wire.udp(7, 4001, b"a"), ASKED, ASKER))  # to another port
    talk.say("h2", ip4(17, wire.udp(7, 4000, b"a"), ASKED, ASKER))
    first, second = talk.stories.exchanges_changed()
    assert (first.port, first.state, first.packets) == (7, "answered", (1, 3))
    assert (second.source, second.packets) == (ASKED, (2,))


def test_dns_by_its_number_with_the_name_as_title() -> None:
    talk = Talk()
    for number in (1, 2):
        talk.say("h1", ip4(17, wire.udp(4000, 53, wire.dns_query(number)), ident=number))
    talk.say("h2", ip4(17, wire.udp(53, 4000, wire.dns_response(2)), ASKED, ASKER))
    first, second = talk.stories.exchanges_changed()
    assert (first.kind, first.title, first.state) == ("dns", "www.example.org", "open")
    assert second.state == "answered"


def dhcp(message: int, source: str = "0.0.0.0", target: str = "255.255.255.255") -> bytes:
    op, ports = (1, (68, 67)) if message in (1, 3) else (2, (67, 68))
    return ip4(17, wire.udp(*ports, wire.dhcp(message, op=op)), source, target)


def test_dhcp_is_one_transaction_with_all_that_answer() -> None:
    talk = Talk()
    talk.say("h1", dhcp(1))
    assert talk.wait(2.9) == []
    talk.say("h2", dhcp(2, "10.0.1.1"))
    talk.say("h2", dhcp(2, "10.0.1.66"))  # a rogue
    assert talk.only().replies == 2
    talk.say("h1", dhcp(3))
    assert talk.only().state == "open"
    talk.say("h2", dhcp(5, "10.0.1.1"))
    one = talk.only()
    assert (one.kind, one.state, one.requests, one.replies) == ("dhcp", "answered", 2, 3)
    assert one.packets == (1, 2, 3, 4, 5)


def test_dhcp_without_a_server() -> None:
    talk = Talk()
    talk.say("h1", dhcp(1))
    assert [one.kind for one in talk.wait(3.1)] == ["dhcp"]


def test_a_release_waits_for_nobody() -> None:
    talk = Talk()
    talk.say("h1", dhcp(1, ASKER, "10.0.1.1"))
    assert talk.wait(60) == []


def test_conversations_are_bounded() -> None:
    stories = Stories()
    for number in range(20_000):
        data = ip4(17, wire.udp(number % 60_000, 9, b"x"), ident=number % 65_536)
        one = Observation(
            EPOCH + number * 1000, "h1", "eth0", "tx", data, len(data), 7, "l1", "ab", "h2"
        )
        stories.add(one)
    exchanges = stories._exchanges
    assert len(exchanges) == 1024
    assert len(exchanges._by_key) <= 1024
    assert len(exchanges._changed) <= 1024
    assert len(stories.overdue(EPOCH + 60 * SECOND)) == 1024
    assert exchanges._deadlines == []


def test_behind_nat_the_answer_finds_who_asked() -> None:
    seen = told("tcp")
    one = seen.exchange(seen.trace("[SYN] "))
    assert (one.source, one.target, one.state, one.requests) == (
        "10.1.0.1", "10.3.0.2", "answered", 1,
    )  # fmt: skip
    refused = told("refused")
    assert refused.exchange(refused.trace("[SYN] ")).state == "refused"


def test_an_answer_counts_only_at_who_asked() -> None:
    """Without its last hop the reply has come to the switch alone."""
    seen = [one for one in load("ping") if (one.namespace, one.direction) != ("h1", "rx")]
    cut = Told(one for one in seen if one.direction != "drop")
    exchange = cut.exchange(cut.traces("echo request")[0])
    assert (exchange.state, exchange.replies, len(exchange.packets)) == ("open", 0, 4)


def test_an_answer_that_is_told_of_before_its_request_counts() -> None:
    """The clocks of two processors differ by some microseconds."""
    seen = told("macvlan").seen
    late = [one for one in seen if one.namespace == "r2" and one.direction == "tx"]
    order = [replace(one, time_ns=one.time_ns + 5000) if one in late else one for one in seen]
    again = Told(sorted(order, key=lambda one: one.time_ns))
    echoes = [one for one in again.stories.exchanges_changed() if one.kind == "echo"]
    assert [one.state for one in echoes] == ["answered", "answered"]
