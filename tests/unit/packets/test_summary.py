"""Rows as a person reads them, and an identity that survives hops."""

from __future__ import annotations

import struct

import pytest

from tests.unit.packets import wire
from topoweb.core.packets import identity_of, summary

SAMPLES = wire.samples()
ROWS = {
    "echo": ("ICMP", "10.0.1.11", "10.0.2.11", "echo request id 3 seq 1 ttl 64"),
    "echo_reply": ("ICMP", "10.0.2.11", "10.0.1.11", "echo reply id 3 seq 1 ttl 63"),
    "ttl_exceeded": ("ICMP", "10.0.9.1", "10.0.1.11", "time to live exceeded in transit"),
    "frag_needed": ("ICMP", "10.0.9.1", "10.0.1.11", "fragmentation needed mtu 1400"),
    "fragment": ("IPv4", "10.0.1.11", "10.0.2.11", "fragment of UDP offset 1480 id 0x0007"),
    "udp": ("UDP", "10.0.1.11", "10.0.2.11", "5000 → 6000 len 5"),
    "dns_query": ("DNS", "10.0.1.11", "10.0.2.11", "query 0xbeef A www.example.org"),
    "dns_response": (
        "DNS", "10.0.1.11", "10.0.2.11",
        "response 0xbeef A www.example.org CNAME host.example.org",
    ),
    "dhcp_discover": ("DHCP", "0.0.0.0", "255.255.255.255", "Discover transaction 0xcafe0001"),
    "dhcp_offer": ("DHCP", "10.0.1.1", "10.0.1.50", "Offer transaction 0xcafe0001"),
    "syn": ("TCP", "10.0.1.11", "10.0.2.11", "43210 → 8000 [SYN] seq 1000 win 64240 len 0"),
    "fin_ack": (
        "TCP", "10.0.1.11", "10.0.2.11",
        "43210 → 8000 [FIN, ACK] seq 1000 ack 2000 win 64240 len 0",
    ),
    "http": ("HTTP", "10.0.1.11", "10.0.2.11", "GET /a?b HTTP/1.1"),
    "http_ok": ("HTTP", "10.0.1.11", "10.0.2.11", "HTTP/1.0 200 OK"),
    "echo6": ("ICMPv6", "2001:db8:1::11", "2001:db8:2::11", "echo request id 3 seq 1 ttl 64"),
    "ns": ("ICMPv6", "fe80::a", "ff02::1:ff00:b", "neighbour solicitation for 2001:db8::b"),
    "na": ("ICMPv6", "fe80::b", "fe80::a", "neighbour advertisement 2001:db8::b"),
    "ra": ("ICMPv6", "fe80::a", "ff02::1", "router advertisement"),
    "mld": ("ICMPv6", "fe80::a", "ff02::16", "multicast listener report v2"),
    "unreachable6": ("ICMPv6", "fe80::a", "fe80::b", "no route to destination"),
    "arp_request": ("ARP", wire.A, wire.BROADCAST, "who has 10.0.1.1? tell 10.0.1.11"),
    "arp_reply": ("ARP", wire.A, wire.B, f"10.0.1.11 is at {wire.A}"),
    "vlan": ("ICMP", "10.0.1.11", "10.0.2.11", "echo request id 3 seq 1 ttl 64"),
    "stp": ("STP", wire.A, wire.STP_GROUP, f"configuration root 32768/{wire.A} cost 4 port 0x8002"),
    "rstp": ("STP", wire.A, wire.STP_GROUP, f"rapid root 32768/{wire.A} cost 4 port 0x8002"),
    "tcn": ("STP", wire.A, wire.STP_GROUP, "topology change notification"),
    "lldp": ("LLDP", wire.A, wire.B, "type 0x88cc"),
}  # fmt: skip


@pytest.mark.parametrize("frame", ROWS)
def test_row(frame: str) -> None:
    data = SAMPLES[frame]
    assert summary(data, len(data))[:4] == ROWS[frame]


def identity(data: bytes) -> int:
    return identity_of(data, len(data))


def packet4(ttl: int = 64, **changes: object) -> bytes:
    return wire.ethernet(0x0800, wire.ipv4(1, wire.echo(), ttl=ttl, **changes))  # type: ignore[arg-type]


def test_a_router_does_not_change_the_identity() -> None:
    here = packet4()
    there = wire.mac("02:00:00:00:99:01") + wire.mac("02:00:00:00:99:02") + packet4(ttl=63)[12:]
    assert identity(here) == identity(there)


def test_a_vlan_tag_does_not_change_the_identity() -> None:
    assert identity(SAMPLES["echo"]) == identity(SAMPLES["vlan"])


def test_an_ipv6_router_does_not_change_the_identity() -> None:
    body = wire.udp(1, 2, b"x" * 900, "2001:db8:1::11", "2001:db8:2::11")
    here = wire.ethernet(0x86DD, wire.ipv6(17, body))
    there = wire.ethernet(0x86DD, wire.ipv6(17, body, hop_limit=63), wire.B, wire.A)
    assert identity(here) == identity(there)


@pytest.mark.parametrize("kind", [6, 17])
def test_a_checksum_filled_in_later_does_not_change_the_identity(kind: int) -> None:
    body = wire.tcp(1, 2, 0x10, b"abc") if kind == 6 else wire.udp(1, 2, b"abc")
    at = 16 if kind == 6 else 6
    other = body[:at] + b"\x11\x11" + body[at + 2 :]
    one, two = (wire.ethernet(0x0800, wire.ipv4(kind, part)) for part in (body, other))
    assert identity(one) == identity(two)


def test_different_packets_differ() -> None:
    """Each change alone makes another packet, also where the IP id is 0 (DF pings)."""
    variants = {
        packet4(),
        packet4(ident=9),
        packet4(source="10.0.1.12"),
        packet4(destination="10.0.2.12"),
        packet4(fragment=0x2000),
        *(wire.ethernet(0x0800, wire.ipv4(1, wire.echo(n), ident=0)) for n in range(1, 4)),
        *(wire.ethernet(0x0800, wire.ipv4(17, wire.udp(p, 9, b"x"))) for p in (1, 2)),
        *(wire.ethernet(0x0800, wire.ipv4(17, wire.udp(5, 9, c * 30))) for c in (b"x", b"y")),
        *(wire.ethernet(0x0800, wire.ipv4(6, wire.tcp(1, 2, 16, sequence=s))) for s in (1, 2)),
        SAMPLES["arp_request"],
        wire.arp(1, "10.0.1.12", "10.0.1.1"),
    }
    assert len({identity(data) for data in variants}) == len(variants)


def test_tcp_length_is_the_sent_one_when_the_capture_cut_it() -> None:
    data = wire.ethernet(0x0800, wire.ipv4(6, wire.tcp(1, 2, 0x18, b"z" * 1000)))
    assert summary(data[:100], len(data)).info.endswith("len 1000")


@pytest.mark.parametrize("size", [0, 5, 13, 14, 20, 33, 37])
def test_cut_off_frames_have_a_row(size: int) -> None:
    row = summary(SAMPLES["echo"][:size], 98)
    assert "malformed" in row.info


def test_unknown_ip_protocol() -> None:
    data = wire.ethernet(0x0800, wire.ipv4(200, struct.pack(">I", 1)))
    assert summary(data, len(data))[:1] + summary(data, len(data))[3:4] == (
        "IPv4",
        "protocol 200 ttl 64",
    )
