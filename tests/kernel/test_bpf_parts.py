"""The parts of the BPF tier that need no kernel: records, names, flows, sampling."""

from __future__ import annotations

import mmap
import os
import struct
from typing import TYPE_CHECKING, Any

import pytest

from topoweb.kernel.manifest import Manifest
from topoweb.kernel.trace.bpf import flows
from topoweb.kernel.trace.bpf.btf import Reasons
from topoweb.kernel.trace.bpf.places import Place, Places
from topoweb.kernel.trace.bpf.reader import Reader
from topoweb.kernel.trace.bpf.ring import (
    DATA,
    DROPPED,
    HOPS,
    READ_AT,
    RECEIVED,
    SENT,
    STRIPE_BYTES,
    TIME,
    Event,
    Ring,
)
from topoweb.kernel.trace.bpf.symbols import Symbols
from topoweb.kernel.trace.bpf.throttle import Throttle

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from topoweb.core.tracing.observation import Observation

NAME = b"eth0".ljust(16, b"\0")
FRAME = bytes(12) + b"\x08\0" + b"\x45rest"


def where(cookie: int, interface: bytes, kind: int) -> bytes:
    return struct.pack("=Q16sB", cookie, interface, kind)


@pytest.fixture
def places() -> Places:
    found = Places()
    links = {"l1": (("n1", "eth0"), ("n2", "eth0"))}
    found.put(7, {11: "n1", 12: "n2"}, Manifest(lab=7, boot_id="", links=links))
    return found


@pytest.fixture
def reader(places: Places, tmp_path: Path) -> Iterator[Reader]:
    (tmp_path / "kallsyms").write_text("00001000 T first\n00002000 t ip_rcv.isra.0\n")
    symbols = Symbols(tmp_path / "kallsyms", tmp_path / "modules")
    reader = Reader(places, Reasons({2: "SKB_DROP_REASON_NOT_SPECIFIED"}, {}), symbols)
    yield reader
    symbols.close()


def event(**changes: Any) -> Event:
    plain = {
        "lap": 1, "length": len(FRAME), "time": 5, "skb": 0x100, "cookie": 11, "interface": NAME,
        "kind": RECEIVED, "link_header": 14, "captured": len(FRAME), "protocol": b"\x08\0",
        "vlan_proto": b"\0\0", "vlan_tci": 0, "gso_size": 0, "gso_segs": 0,
        "data": FRAME.ljust(DATA, b"s"),
    }  # fmt: skip
    lap, length, at, skb, cookie, name, kind, header, captured, *shape, data = (
        plain | changes
    ).values()
    bits = struct.pack("=2s2sHHH", *shape)
    return lap, length, at, skb, where(cookie, name, kind), header, captured, bits, data


def hop(reader: Reader, **changes: Any) -> Observation:
    (seen,) = reader.hops([event(**changes)])
    return seen


def drops(reader: Reader, location: int = 0x2010) -> list[Observation]:
    *first, data = event(kind=DROPPED)
    return reader.drops([(*first, location, 2, data)])  # type: ignore[list-item]


def test_what_lies_behind_a_packet_in_memory_is_never_shown(reader: Reader) -> None:
    seen = hop(reader)
    assert (seen.data, seen.length) == (FRAME, len(FRAME))
    assert (seen.lab, seen.namespace, seen.interface, seen.direction) == (7, "n1", "eth0", "rx")
    assert (seen.link, seen.along, seen.peer) == ("l1", "ba", "n2")
    assert (seen.reason, seen.symbol, seen.skb) == ("", "", 0x100)


def test_a_tag_beside_the_frame_is_back_in_it(reader: Reader) -> None:
    seen = hop(reader, vlan_proto=b"\x81\0", vlan_tci=0x2064)
    assert seen.data == bytes(12) + b"\x81\0\x20\x64\x08\0\x45rest"
    assert seen.length == len(FRAME) + 4


@pytest.mark.parametrize(
    ("protocol", "first", "kind"),
    [
        (b"\x08\0", b"\x45", b"\x08\0"),
        (b"\0\0", b"\x45", b"\x08\0"),
        (b"\0\0", b"\x60", b"\x86\xdd"),
    ],
)
def test_a_packet_without_link_header(
    reader: Reader, protocol: bytes, first: bytes, kind: bytes
) -> None:
    data = first + bytes(127)
    seen = hop(reader, link_header=0, protocol=protocol, data=data, captured=20, length=1000)
    assert seen.data == bytes(12) + kind + first + bytes(19)
    assert seen.length == 1014


def test_a_drop_is_named(reader: Reader) -> None:
    (seen,) = drops(reader)
    assert (seen.direction, seen.reason, seen.symbol) == ("drop", "NOT_SPECIFIED", "ip_rcv")
    assert (seen.data, seen.length) == (FRAME, len(FRAME))
    assert drops(reader, 0x10)[0].symbol == ""


@pytest.mark.parametrize("lookup", ["inet_rtm_getroute", "inet6_rtm_getroute"])
def test_the_packet_of_a_route_lookup_is_none(places: Places, tmp_path: Path, lookup: str) -> None:
    """The kernel makes one to look a route up for an arriving packet; nobody sent it."""
    (tmp_path / "kallsyms").write_text(f"00001000 T {lookup}\n00002000 T ip_rcv\n")
    symbols = Symbols(tmp_path / "kallsyms", tmp_path / "modules")
    reader = Reader(places, Reasons({2: "SKB_DROP_REASON_NOT_SPECIFIED"}, {}), symbols)
    assert drops(reader, 0x1010) == []
    assert len(drops(reader, 0x2010)) == 1
    symbols.close()


def test_nobody_s_namespace(reader: Reader, places: Places) -> None:
    assert reader.hops([event(cookie=99), event()])[0].namespace == "n1"
    places.remove([11])
    assert reader.hops([event()]) == []


def test_segments(reader: Reader) -> None:
    assert hop(reader).segments == 1
    assert hop(reader, gso_size=1448, gso_segs=3, length=4000).segments == 3
    assert hop(reader, gso_size=1448, length=4000).segments == 3


def test_an_interface_without_a_cable(places: Places) -> None:
    lo = where(12, b"lo".ljust(16, b"\0"), SENT)
    assert places.find(lo) == Place(7, "n2", "lo", "tx", "", "ab", "")
    assert places.find(where(12, bytes(16), DROPPED)).interface == ""


class Written:
    """A ring as the program in the kernel writes it, in two files."""

    def __init__(self, stripes: int, bits: int) -> None:
        self.size, self.slots = HOPS.record.size, 1 << bits
        self.records, self.positions = os.memfd_create("records"), os.memfd_create("positions")
        os.ftruncate(self.records, max(mmap.PAGESIZE, self.size * stripes << bits))
        os.ftruncate(self.positions, mmap.PAGESIZE)
        self.ring = Ring(HOPS, self.records, self.positions, stripes, bits)
        self.written = [0] * stripes

    def take(self, stripe: int) -> int:
        """Return the position that is to be written."""
        self.written[stripe] += 1
        at = struct.pack("=Q", self.written[stripe])
        os.pwrite(self.positions, at, stripe * STRIPE_BYTES)
        return self.written[stripe] - 1

    def put(self, stripe: int, position: int, time_ns: int) -> None:
        lap = position // self.slots + 1
        head = struct.pack("=IIQ", lap, 60, time_ns)
        slot = stripe * self.slots + position % self.slots
        os.pwrite(self.records, head, slot * self.size)

    def close(self) -> None:
        self.ring.close()
        os.close(self.records)
        os.close(self.positions)


@pytest.fixture
def written() -> Iterator[Written]:
    one = Written(stripes=2, bits=3)
    yield one
    one.close()


def times(taken: tuple[list[Event], bool]) -> tuple[list[int], bool]:
    return [event[TIME] for event in taken[0]], taken[1]


def test_a_ring_is_read_lap_after_lap(written: Written) -> None:
    _, second = written.ring.stripes
    for lap in range(5):
        for number in range(6):
            written.put(1, written.take(1), 10 * lap + number)
        assert times(second.read(4)) == ([10 * lap + number for number in range(4)], False)
        assert times(second.read(100)) == ([10 * lap + 4, 10 * lap + 5], True)
    assert written.ring.filled == 0
    read = os.pread(written.positions, 8, STRIPE_BYTES + READ_AT)
    assert struct.unpack("=Q", read) == (30,)


def test_what_is_being_written_is_waited_for(written: Written) -> None:
    first, _ = written.ring.stripes
    positions = [written.take(0) for _ in range(3)]
    written.put(0, positions[0], 1)
    written.put(0, positions[2], 3)
    assert times(first.read(100)) == ([1], False)
    assert times(first.read(100)) == ([], False)
    assert written.ring.filled == 2 / 8
    written.put(0, positions[1], 2)
    assert times(first.read(1)) == ([2], False)
    assert times(first.read(100)) == ([3], True)


def test_names_of_reasons() -> None:
    names = Reasons(
        {0: "SKB_NOT_DROPPED_YET", 5: "SKB_DROP_REASON_NO_SOCKET", 0x20001: "OVS_DROP_LAST_ACTION"},
        {1: "SKB_DROP_REASON_SUBSYS_MAC80211_UNUSABLE"},
    )
    assert names.name(5) == "NO_SOCKET"
    assert names.name(0x20001) == "OVS_DROP_LAST_ACTION"
    assert names.name(0x10007) == "MAC80211_UNUSABLE_7"
    assert names.name(0x30007) == str(0x30007)
    assert names.name(99) == "99"
    assert Reasons({}, {}).name(0) == "NOT_SPECIFIED"


def test_symbols_of_a_module_that_is_loaded_later(tmp_path: Path) -> None:
    kallsyms, modules = tmp_path / "kallsyms", tmp_path / "modules"
    kallsyms.write_text("00001000 T core\n00000900 D data\n")
    modules.write_text("")
    symbols = Symbols(kallsyms, modules)
    assert symbols.name(0x1004) == "core"
    with kallsyms.open("a") as file:
        file.write("00005000 t nft_do_chain\t[nf_tables]\n")
    assert symbols.name(0x5004) == "core"
    modules.write_text("nf_tables 1 0 - Live 0x0\n")
    assert symbols.name(0x5008) == "nft_do_chain"
    assert symbols.name(0x1004) == "core"
    symbols.close()


def test_addresses_that_the_kernel_hides(tmp_path: Path) -> None:
    (tmp_path / "kallsyms").write_text("0000000000000000 T core\n")
    symbols = Symbols(tmp_path / "kallsyms", tmp_path / "modules")
    assert symbols.name(0x1004) == ""
    symbols.close()
    assert Symbols(tmp_path / "none").name(0x1004) == ""


def test_flows_both_ways() -> None:
    there, back = flows.directions("10.0.0.1", "10.0.0.2", 17)
    assert there[:4] == back[16:20] == bytes([10, 0, 0, 1])
    assert there[16:20] == back[:4] == bytes([10, 0, 0, 2])
    assert there[32:] == back[32:] == struct.pack("=I", 17)
    anyone, _ = flows.directions("", "fd00::2", 58)
    assert anyone == bytes(16) + b"\xfd" + bytes(14) + b"\x02" + struct.pack("=I", 256 + 58)


def test_more_is_left_out_while_the_ring_stays_full_and_less_in_calm() -> None:
    now = [0.0]
    throttle = Throttle(lambda: now[0])

    def after(seconds: float, filled: float) -> int:
        now[0] += seconds
        return throttle.power(filled)

    assert after(1, 0.08) == 0
    assert after(0.3, 0.9) == 1
    assert after(0.1, 0.9) == 1  # the first step has not shown yet
    assert after(0.2, 0.9) == 2
    assert after(1, 0.6) == 2  # it is being read
    assert after(1, 0.0) == 1
    assert after(1, 0.9) == 2  # and yet again
    assert after(1, 0.0) == 2
    assert after(2, 0.0) == 1
    assert after(6, 0.05) == 1
    assert after(6, 0.0) == 0
    assert after(6, 0.0) == 0
