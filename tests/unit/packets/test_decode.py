"""Layers, byte ranges, checksums, and bytes that are not what they claim."""

from __future__ import annotations

import itertools
import struct
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.packets import wire
from topoweb.core.packets import Field, Layer, decode, summary

if TYPE_CHECKING:
    from collections.abc import Iterator

SAMPLES = wire.samples()


def walk(fields: tuple[Field, ...]) -> Iterator[Field]:
    for field in fields:
        yield field
        yield from walk(field.fields)


def named(layers: tuple[Layer, ...], protocol: str, name: str) -> Field:
    return next(
        field
        for layer in layers
        if layer.protocol == protocol
        for field in walk(layer.fields)
        if field.name == name
    )


def protocols(data: bytes) -> list[str]:
    return [layer.protocol for layer in decode(data, len(data))]


STACKS = {
    "echo": ["Ethernet", "IPv4", "ICMP", "Data"],
    "ttl_exceeded": ["Ethernet", "IPv4", "ICMP", "IPv4", "UDP"],
    "fragment": ["Ethernet", "IPv4", "Data"],
    "dns_response": ["Ethernet", "IPv4", "UDP", "DNS"],
    "dhcp_offer": ["Ethernet", "IPv4", "UDP", "DHCP"],
    "http": ["Ethernet", "IPv4", "TCP", "HTTP"],
    "syn": ["Ethernet", "IPv4", "TCP"],
    "too_big6": ["Ethernet", "IPv6", "ICMPv6", "IPv6", "UDP", "Data"],
    "mld": ["Ethernet", "IPv6", "ICMPv6"],
    "vlan": ["Ethernet", "VLAN", "IPv4", "ICMP", "Data"],
    "stp": ["Ethernet", "LLC", "STP", "Padding"],
    "arp_request": ["Ethernet", "ARP"],
}


@pytest.mark.parametrize("frame", STACKS)
def test_protocol_stack(frame: str) -> None:
    assert protocols(SAMPLES[frame]) == STACKS[frame]


@pytest.mark.parametrize("frame", SAMPLES)
def test_layers_cover_the_frame_and_are_well_formed(frame: str) -> None:
    data = SAMPLES[frame]
    layers = decode(data, len(data))
    assert layers[0].start == 0
    assert layers[-1].end == len(data)
    for before, after in itertools.pairwise(layers):
        assert before.end == after.start
    names = {field.name for layer in layers for field in walk(layer.fields)}
    assert not names & {"malformed", "cut_off"}


@pytest.mark.parametrize("frame", SAMPLES)
def test_every_good_checksum_is_called_good(frame: str) -> None:
    data = SAMPLES[frame]
    for layer in decode(data, len(data)):
        for field in walk(layer.fields):
            if field.name == "checksum_status":
                assert field.value == "good" or field.value.startswith("not checked"), layer


def test_byte_ranges_point_at_the_bytes() -> None:
    data = SAMPLES["echo"]
    layers = decode(data, len(data))
    ttl = named(layers, "IPv4", "ttl")
    assert (ttl.start, ttl.end, data[ttl.start]) == (22, 23, 64)
    source = named(layers, "IPv4", "source")
    assert data[source.start : source.end] == wire.ip4("10.0.1.11")


def test_wrong_checksum_says_what_is_right() -> None:
    data = bytearray(SAMPLES["udp"])
    right = bytes(data[40:42]).hex()
    data[40:42] = b"\x12\x34"
    status = named(decode(bytes(data), len(data)), "UDP", "checksum_status")
    assert status.value == f"bad, should be 0x{right}"


def test_offloaded_checksum_is_not_called_bad() -> None:
    segment = bytearray(wire.tcp(1, 2, 0x10, b"payload"))
    bare = 0xFFFF - wire.internet_checksum(wire.pseudo("10.0.1.11", "10.0.2.11", 6, len(segment)))
    segment[16:18] = struct.pack(">H", bare)
    data = wire.ethernet(0x0800, wire.ipv4(6, bytes(segment)))
    status = named(decode(data, len(data)), "TCP", "checksum_status")
    assert status.value == "not filled in yet (offload)"


def test_cut_off_frame_is_called_truncated_not_malformed() -> None:
    data = SAMPLES["dns_response"]
    layers = decode(data[:60], len(data))
    assert layers[-1].protocol == "DNS"
    assert layers[-1].fields[-1].name == "cut_off"
    assert named(layers, "UDP", "checksum_status").value == "not checked (cut off by the capture)"


def test_header_past_the_end_is_malformed() -> None:
    data = wire.ethernet(0x0800, wire.ipv4(6, b"\0\x01\0\x02"))
    layers = decode(data, len(data))
    assert layers[-1].protocol == "TCP"
    assert layers[-1].fields[-1].name == "malformed"


def dns_frame(message: bytes) -> bytes:
    return wire.ethernet(0x0800, wire.ipv4(17, wire.udp(53, 4000, message)))


@pytest.mark.parametrize(
    "name",
    [
        b"\xc0\x0c",  # a pointer to itself
        b"\x01a\xc0\x0c",  # a loop over a label
        b"\xc0\x40",  # forwards
        b"\x80a\0",  # a label kind that does not exist
        b"\x3f" + b"a" * 63 + b"\xc0\x0c",
    ],
)
def test_dns_name_loops_end(name: bytes) -> None:
    header = struct.pack(">HHHHHH", 1, 0x8180, 1, 0, 0, 0)
    data = dns_frame(header + name + b"\0\x01\0\x01")
    layers = decode(data, len(data))
    assert named(layers, "DNS", "malformed")
    assert "[malformed]" in summary(data, len(data)).info


def test_frame_of_vlan_tags_alone_ends() -> None:
    data = wire.ethernet(0x8100, b"\0\x01\x81\0" * 500)
    assert len(decode(data, len(data))) <= 33


ANY = st.one_of(
    st.binary(max_size=300),
    st.builds(
        lambda frame, at, patch, cut: (frame[:at] + patch + frame[at + len(patch) :])[:cut],
        st.sampled_from(sorted(SAMPLES.values())),
        st.integers(0, 120),
        st.binary(max_size=12),
        st.integers(0, 400),
    ),
)


@settings(max_examples=1500, deadline=None)
@given(ANY, st.integers(0, 70_000))
def test_never_raises_and_stays_inside_the_bytes(data: bytes, length: int) -> None:
    layers = decode(data, length)
    assert layers
    for layer in layers:
        assert 0 <= layer.start <= layer.end <= len(data)
        for field in walk(layer.fields):
            assert layer.start <= field.start <= field.end <= layer.end
    row = summary(data, length)
    assert all(isinstance(text, str) and len(text) < 2000 for text in row[:4])
    assert row == summary(data, length)
