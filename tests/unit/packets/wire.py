"""Frames built by struct alone, so that no code under test has a part in them."""

from __future__ import annotations

import struct
from ipaddress import IPv4Address, IPv6Address

A, B, BROADCAST = "02:00:00:00:00:0a", "02:00:00:00:00:0b", "ff:ff:ff:ff:ff:ff"
STP_GROUP = "01:80:c2:00:00:00"


def mac(text: str) -> bytes:
    return bytes.fromhex(text.replace(":", ""))


def ip4(text: str) -> bytes:
    return IPv4Address(text).packed


def ip6(text: str) -> bytes:
    return IPv6Address(text).packed


def internet_checksum(data: bytes) -> int:
    data += bytes(len(data) % 2)
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return 0xFFFF - total


def ethernet(kind: int, payload: bytes, source: str = A, destination: str = B) -> bytes:
    return mac(destination) + mac(source) + struct.pack(">H", kind) + payload


def vlan(tag: int, kind: int, payload: bytes) -> bytes:
    return ethernet(0x8100, struct.pack(">HH", tag, kind) + payload)


def llc(payload: bytes) -> bytes:
    body = b"\x42\x42\x03" + payload
    frame = mac(STP_GROUP) + mac(A) + struct.pack(">H", len(body)) + body
    return frame.ljust(60, b"\0")


def ipv4(  # noqa: PLR0917
    protocol: int,
    payload: bytes,
    source: str = "10.0.1.11",
    destination: str = "10.0.2.11",
    ttl: int = 64,
    ident: int = 0x1234,
    fragment: int = 0x4000,
    options: bytes = b"",
    tos: int = 0,
) -> bytes:
    size = 20 + len(options)
    header = struct.pack(
        ">BBHHHBBH4s4s", 0x40 | size // 4, tos, size + len(payload), ident, fragment, ttl, protocol,
        0, ip4(source), ip4(destination),
    ) + options  # fmt: skip
    check = struct.pack(">H", internet_checksum(header))
    return header[:10] + check + header[12:] + payload


def ipv6(
    following: int,
    payload: bytes,
    source: str = "2001:db8:1::11",
    destination: str = "2001:db8:2::11",
    hop_limit: int = 64,
    flow: int = 0x12345,
) -> bytes:
    return (
        struct.pack(">IHBB", 6 << 28 | flow, len(payload), following, hop_limit)
        + ip6(source)
        + ip6(destination)
        + payload
    )


def pseudo(source: str, destination: str, protocol: int, size: int) -> bytes:
    pack = ip6 if ":" in source else ip4
    tail = struct.pack(">II", size, protocol)  # the IPv4 form has the same sum
    return pack(source) + pack(destination) + tail


def fill(segment: bytes, at: int, source: str, destination: str, protocol: int) -> bytes:
    """Put the checksum of a segment with a zero checksum at ``at``."""
    whole = pseudo(source, destination, protocol, len(segment)) + segment
    return segment[:at] + struct.pack(">H", internet_checksum(whole) or 0xFFFF) + segment[at + 2 :]


def icmp(kind: int, code: int, rest: bytes, payload: bytes = b"") -> bytes:
    body = struct.pack(">BBH", kind, code, 0) + rest + payload
    return body[:2] + struct.pack(">H", internet_checksum(body)) + body[4:]


def echo(sequence: int = 1, kind: int = 8, payload: bytes = b"topoweb!" * 7) -> bytes:
    return icmp(kind, 0, struct.pack(">HH", 3, sequence), payload)


def icmp6(kind: int, code: int, body: bytes, source: str, destination: str) -> bytes:
    return fill(struct.pack(">BBH", kind, code, 0) + body, 2, source, destination, 58)


def udp(
    source_port: int,
    destination_port: int,
    payload: bytes,
    source: str = "10.0.1.11",
    destination: str = "10.0.2.11",
) -> bytes:
    segment = struct.pack(">HHHH", source_port, destination_port, 8 + len(payload), 0) + payload
    return fill(segment, 6, source, destination, 17)


def tcp(  # noqa: PLR0917
    source_port: int,
    destination_port: int,
    flags: int,
    payload: bytes = b"",
    options: bytes = b"",
    sequence: int = 1000,
    acknowledged: int = 2000,
    source: str = "10.0.1.11",
    destination: str = "10.0.2.11",
) -> bytes:
    size = (20 + len(options)) // 4 << 4
    segment = struct.pack(
        ">HHIIBBHHH",
        source_port,
        destination_port,
        sequence,
        acknowledged,
        size,
        flags,
        64240,
        0,
        0,
    )
    return fill(segment + options + payload, 16, source, destination, 6)


def arp(operation: int, sender: str, target: str, target_mac: str = "00:00:00:00:00:00") -> bytes:
    return ethernet(
        0x0806,
        struct.pack(">HHBBH", 1, 0x0800, 6, 4, operation)
        + mac(A) + ip4(sender) + mac(target_mac) + ip4(target),
        destination=BROADCAST if operation == 1 else B,
    )  # fmt: skip


def name(text: str) -> bytes:
    return b"".join(bytes([len(p)]) + p.encode() for p in text.split(".")) + b"\0"


def dns_query(ident: int = 0xBEEF, text: str = "www.example.org", kind: int = 1) -> bytes:
    return (
        struct.pack(">HHHHHH", ident, 0x0100, 1, 0, 0, 0) + name(text) + struct.pack(">HH", kind, 1)
    )


def dns_response(ident: int = 0xBEEF, text: str = "www.example.org") -> bytes:
    """A CNAME to host.example.org (compressed onto the question) and its address."""
    question = name(text) + struct.pack(">HH", 1, 1)
    alias = b"\x04host\xc0\x10"  # 12 header + 4 "www": example.org
    first = b"\xc0\x0c" + struct.pack(">HHIH", 5, 1, 300, len(alias)) + alias
    target = 12 + len(question) + 12
    second = (
        struct.pack(">H", 0xC000 | target) + struct.pack(">HHIH", 1, 1, 60, 4) + ip4("192.0.2.7")
    )
    return struct.pack(">HHHHHH", ident, 0x8180, 1, 2, 0, 0) + question + first + second


def dhcp(message: int, options: bytes = b"", op: int = 1, your: str = "0.0.0.0") -> bytes:
    return (
        struct.pack(">BBBBIHH", op, 1, 6, 0, 0xCAFE0001, 0, 0x8000)
        + ip4("0.0.0.0") + ip4(your) + ip4("0.0.0.0") + ip4("0.0.0.0")
        + mac(A).ljust(16, b"\0") + bytes(192) + b"\x63\x82\x53\x63"
        + bytes([53, 1, message]) + options + b"\xff"
    )  # fmt: skip


def bpdu(kind: int = 0, version: int = 0, flags: int = 0) -> bytes:
    return (
        struct.pack(">HBBB", 0, version, kind, flags)
        + struct.pack(">H", 0x8000) + mac(A) + struct.pack(">I", 4)
        + struct.pack(">H", 0x8001) + mac(B) + struct.pack(">HHHHH", 0x8002, 256, 5120, 512, 3840)
        + (b"\0" if version == 2 else b"")
    )  # fmt: skip


SYN_OPTIONS = b"\x02\x04\x05\xb4\x04\x02\x08\x0a\x00\x00\x00\x64\x00\x00\x00\x00\x01\x03\x03\x07"
DHCP_OFFER_OPTIONS = (
    b"\x36\x04" + ip4("10.0.1.1") + b"\x33\x04\x00\x00\x0e\x10" + b"\x01\x04" + ip4("255.255.255.0")
    + b"\x03\x04" + ip4("10.0.1.1") + b"\x06\x08" + ip4("10.0.1.53") + ip4("10.0.1.54")
    + b"\x0f\x0bexample.org" + b"\x0c\x02h1"
)  # fmt: skip

L1, L2, ALL_NODES = "fe80::a", "fe80::b", "ff02::1"
NS_BODY = bytes(4) + ip6("2001:db8::b") + b"\x01\x01" + mac(A)
NA_BODY = b"\x60\0\0\0" + ip6("2001:db8::b") + b"\x02\x01" + mac(B)
RA_BODY = (
    b"\x40\xc0\x07\x08" + bytes(8) + b"\x01\x01" + mac(A) + b"\x05\x01\0\0\0\0\x05\xdc"
    + b"\x03\x04\x40\xc0" + struct.pack(">III", 86400, 14400, 0) + ip6("2001:db8::")
)  # fmt: skip
MLD_BODY = b"\0\0\0\x01\x04\0\0\0" + ip6("ff02::1:ff00:b")


def samples() -> dict[str, bytes]:
    """One frame or more of every protocol."""
    quoted = ipv4(17, udp(40000, 33434, b"probe"), ttl=1)[:28]
    quoted6 = ipv6(17, udp(4, 5, b"x", "2001:db8:1::11", "2001:db8:2::11"))
    frag6 = b"\x3a\0\x00\x01\0\0\xab\xcd" + b"\x80\0\0\0\0\x03\0\x01" + bytes(16)
    hop = b"\x3a\0\x05\x02\0\0\x01\0"
    four = {
        "echo": ipv4(1, echo()),
        "echo_reply": ipv4(1, echo(kind=0), "10.0.2.11", "10.0.1.11", ttl=63),
        "ttl_exceeded": ipv4(1, icmp(11, 0, bytes(4), quoted), "10.0.9.1", "10.0.1.11", tos=0xC0),
        "frag_needed": ipv4(1, icmp(3, 4, b"\0\0\x05\x78", quoted), "10.0.9.1", "10.0.1.11"),
        "redirect": ipv4(1, icmp(5, 1, ip4("10.0.1.2"), quoted), "10.0.1.1", "10.0.1.11"),
        "fragment": ipv4(17, b"z" * 40, fragment=185, ident=7),
        "first_fragment": ipv4(17, udp(9, 10, b"z" * 40), fragment=0x2000, ident=7),
        "options": ipv4(2, b"\x16\0\x09\x04" + ip4("224.0.0.22"), options=b"\x94\x04\0\0"),
        "udp": ipv4(17, udp(5000, 6000, b"hello")),
        "dns_query": ipv4(17, udp(40001, 53, dns_query())),
        "dns_response": ipv4(17, udp(53, 40001, dns_response())),
        "dhcp_discover": ipv4(17, udp(68, 67, dhcp(1, b"\x37\x03\x01\x03\x06"), "0.0.0.0",
                              "255.255.255.255"), "0.0.0.0", "255.255.255.255"),
        "dhcp_offer": ipv4(17, udp(67, 68, dhcp(2, DHCP_OFFER_OPTIONS, 2, "10.0.1.50"),
                           "10.0.1.1", "10.0.1.50"), "10.0.1.1", "10.0.1.50"),
        "syn": ipv4(6, tcp(43210, 8000, 2, options=SYN_OPTIONS, acknowledged=0)),
        "fin_ack": ipv4(6, tcp(43210, 8000, 0x11)),
        "http": ipv4(6, tcp(43210, 80, 0x18, b"GET /a?b HTTP/1.1\r\nHost: h2\r\n\r\n")),
        "http_ok": ipv4(6, tcp(80, 43210, 0x18, b"HTTP/1.0 200 OK\r\nServer: x\r\n\r\nbody")),
    }  # fmt: skip
    six = {
        "echo6": ipv6(58, icmp6(128, 0, b"\0\x03\0\x01hello", "2001:db8:1::11", "2001:db8:2::11")),
        "ns": ipv6(58, icmp6(135, 0, NS_BODY, L1, "ff02::1:ff00:b"), L1, "ff02::1:ff00:b", 255),
        "na": ipv6(58, icmp6(136, 0, NA_BODY, L2, L1), L2, L1, 255),
        "rs": ipv6(58, icmp6(133, 0, bytes(4), L1, "ff02::2"), L1, "ff02::2", 255),
        "ra": ipv6(58, icmp6(134, 0, RA_BODY, L1, ALL_NODES), L1, ALL_NODES, 255),
        "mld": ipv6(0, hop + icmp6(143, 0, MLD_BODY, L1, "ff02::16"), L1, "ff02::16", 1),
        "unreachable6": ipv6(58, icmp6(1, 0, bytes(4) + quoted6, L1, L2), L1, L2),
        "too_big6": ipv6(58, icmp6(2, 0, b"\0\0\x05\0" + quoted6, L1, L2), L1, L2),
        "fragment6": ipv6(44, frag6),
        "tcp6": ipv6(6, tcp(1, 2, 0x10, b"x", source="2001:db8:1::11",
                            destination="2001:db8:2::11")),
    }  # fmt: skip
    return (
        {key: ethernet(0x0800, value) for key, value in four.items()}
        | {key: ethernet(0x86DD, value) for key, value in six.items()}
        | {
            "arp_request": arp(1, "10.0.1.11", "10.0.1.1"),
            "arp_reply": arp(2, "10.0.1.11", "10.0.1.1", B),
            "vlan": vlan(0x6064, 0x0800, ipv4(1, echo())),
            "stp": llc(bpdu()),
            "rstp": llc(bpdu(2, 2, 0x3C)),
            "tcn": llc(bytes([0, 0, 0, 0x80])),
            "lldp": ethernet(0x88CC, b"\0\0"),
        }
    )
