"""The parts of the BPF tier that need no kernel: records, names, flows, sampling."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import pytest

from topoweb.kernel.manifest import Manifest
from topoweb.kernel.trace.bpf import flows
from topoweb.kernel.trace.bpf.btf import Reasons
from topoweb.kernel.trace.bpf.places import Place, Places
from topoweb.kernel.trace.bpf.reader import Reader
from topoweb.kernel.trace.bpf.ring import DROPPED, RECEIVED, Event
from topoweb.kernel.trace.bpf.symbols import Symbols
from topoweb.kernel.trace.bpf.throttle import Throttle

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NAME = b"eth0".ljust(16, b"\0")
FRAME = bytes(12) + b"\x08\0" + b"\x45rest"


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


def event(**changes: object) -> Event:
    plain = {
        "size": 200, "page": 0, "time": 5, "skb": 0xFFFF888000000100, "location": 0x2010,
        "cookie": 11, "interface": NAME, "length": len(FRAME), "reason": 2,
        "protocol": struct.unpack("=H", b"\x08\0")[0], "vlan_proto": 0, "vlan_tci": 0,
        "gso_size": 0, "gso_segs": 0, "captured": len(FRAME), "link_header": 14,
        "kind": RECEIVED, "data": FRAME.ljust(128, b"s"),
    }  # fmt: skip
    return tuple((plain | changes).values())


def test_what_lies_behind_a_packet_in_memory_is_never_shown(reader: Reader) -> None:
    seen = reader.observation(event())
    assert seen is not None
    assert (seen.data, seen.length) == (FRAME, len(FRAME))
    assert (seen.lab, seen.namespace, seen.interface, seen.direction) == (7, "n1", "eth0", "rx")
    assert (seen.link, seen.along, seen.peer) == ("l1", "ba", "n2")
    assert (seen.reason, seen.symbol) == ("", "")


def test_a_buffer_s_address_is_not_shown(reader: Reader, places: Places, tmp_path: Path) -> None:
    first, again, other = (
        reader.observation(event(skb=skb)) for skb in (0xFFFF888000000100, 0xFFFF888000000100, 1)
    )
    assert first.skb == again.skb != other.skb
    assert first.skb != 0xFFFF888000000100
    elsewhere = Reader(places, Reasons({}, {}), Symbols(tmp_path / "none"))
    assert elsewhere.observation(event()).skb != first.skb


def test_a_tag_beside_the_frame_is_back_in_it(reader: Reader) -> None:
    seen = reader.observation(event(vlan_proto=struct.unpack("=H", b"\x81\0")[0], vlan_tci=0x2064))
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
    number = struct.unpack("=H", protocol)[0]
    seen = reader.observation(
        event(link_header=0, protocol=number, data=first + bytes(127), captured=20, length=1000)
    )
    assert seen.data == bytes(12) + kind + first + bytes(19)
    assert seen.length == 1014


def test_a_drop_is_named(reader: Reader) -> None:
    seen = reader.observation(event(kind=DROPPED))
    assert (seen.direction, seen.reason, seen.symbol) == ("drop", "NOT_SPECIFIED", "ip_rcv")
    assert reader.observation(event(kind=DROPPED, location=0x10)).symbol == ""


@pytest.mark.parametrize("lookup", ["inet_rtm_getroute", "inet6_rtm_getroute"])
def test_the_packet_of_a_route_lookup_is_none(places: Places, tmp_path: Path, lookup: str) -> None:
    """The kernel makes one to look a route up for an arriving packet; nobody sent it."""
    (tmp_path / "kallsyms").write_text(f"00001000 T {lookup}\n00002000 T ip_rcv\n")
    symbols = Symbols(tmp_path / "kallsyms", tmp_path / "modules")
    reader = Reader(places, Reasons({2: "SKB_DROP_REASON_NOT_SPECIFIED"}, {}), symbols)
    assert reader.observation(event(kind=DROPPED, location=0x1010)) is None
    assert reader.observation(event(kind=DROPPED, location=0x2010)) is not None
    symbols.close()


def test_nobody_s_namespace(reader: Reader, places: Places) -> None:
    assert reader.observation(event(cookie=99)) is None
    places.remove([11])
    assert reader.observation(event()) is None


def test_segments(reader: Reader) -> None:
    assert reader.observation(event(gso_size=1448, gso_segs=3, length=4000)).segments == 3
    assert reader.observation(event(gso_size=1448, length=4000)).segments == 3


def test_an_interface_without_a_cable(places: Places) -> None:
    assert places.find(12, b"lo".ljust(16, b"\0")) == Place(7, "n2", "lo", "", "ab", "ab", "")
    assert places.find(12, bytes(16)).interface == ""


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
    assert after(4, 0.0) == 2
    assert after(2, 0.0) == 1
    assert after(6, 0.05) == 1
    assert after(6, 0.0) == 0
    assert after(6, 0.0) == 0
