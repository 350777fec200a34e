"""A recording is the same after it was written and read; what is no recording is refused."""

from __future__ import annotations

import contextlib
import io
import shutil
import subprocess
import zipfile
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from hypothesis import given, settings

from tests.unit.tracing.recordings import NOW, lost_ping, recordings
from topoweb.core.errors import TopowebError
from topoweb.core.tracing.pcapng import blocks, read
from topoweb.core.tracing.recording_file import SIZES, pack, unpack
from topoweb.core.tracing.recording_play import Player

if TYPE_CHECKING:
    from pathlib import Path

    from topoweb.core.tracing.recording import Recording


def members(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def zipped(files: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return file.getvalue()


def content(recording: Recording) -> Any:
    """Return all that a page is given of it, and all traces."""
    player = Player(recording)
    page = msgspec.json.decode(msgspec.json.encode(player.content(0)))
    rows = [one.row for one in recording.capture.sightings if one.row]
    ways = [way.packet for way in recording.capture.ways]
    return page, [player.packet(row) for row in rows], [player.trace(one) for one in ways]


@settings(deadline=None, max_examples=150)
@given(recordings())
def test_what_is_written_is_read_again(recording: Recording) -> None:
    again = unpack(pack(recording))
    assert again == recording
    assert content(again) == content(recording)
    assert pack(again) == pack(recording)


def test_the_members_are_the_contracts() -> None:
    files = members(pack(lost_ping()))
    assert set(files) == set(SIZES) - {"tables.json"}
    assert msgspec.json.decode(files["manifest.json"]) == {
        "format": "topoweb-recording", "version": 1, "name": "lost",
        "began": NOW, "ended": NOW + 10, "tier": "bpf", "unseen": [0, 0, 0],
    }  # fmt: skip
    assert len(files["live.jsonl"].splitlines()) == 2
    kinds = [msgspec.json.decode(line)["kind"] for line in files["stories.jsonl"].splitlines()]
    assert kinds == ["seen", "seen", "seen", "way", "end", "exchange"]
    assert len(read(files["packets.pcapng"], 3)) == 3


def test_a_verdict_is_the_comment_of_the_packets_last_sighting() -> None:
    packets = members(pack(lost_ping()))["packets.pcapng"]
    assert packets.count(b"<script> does not forward.") == 1
    assert packets.index(b"<script> does not forward.") > packets.index(b"dropped: IP_INADDRERRORS")


@pytest.mark.skipif(not shutil.which("tshark"), reason="tshark is not installed")
def test_wireshark_opens_the_packets_as_they_are(tmp_path: Path) -> None:
    (tmp_path / "p.pcapng").write_bytes(members(pack(lost_ping()))["packets.pcapng"])
    fields = ("-e", "frame.interface_name", "-e", "frame.comment", "-e", "icmp.type")
    command = ["tshark", "-r", str(tmp_path / "p.pcapng"), "-T", "fields", *fields]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    assert lines[0] == "h1 eth0\tpacket 1\t8"
    said = "packet 1: dropped: IP_INADDRERRORS ip_error: <script> does not forward."
    assert lines[2] == f"<script> eth0\t{said}\t8"


def changed(name: str, edit: Any) -> bytes:
    files = members(pack(lost_ping()))
    return zipped({**files, name: edit(files[name])})


def line(number: int, **patch: Any) -> Any:
    """Return what changes a line of stories.jsonl."""

    def edit(data: bytes) -> bytes:
        lines = data.splitlines()
        lines[number] = msgspec.json.encode({**msgspec.json.decode(lines[number]), **patch})
        return b"\n".join(lines)

    return edit


def way(**patch: Any) -> bytes:
    stations = [{"sighting": 0, "parent": -1, "how": "first", **patch}]
    return changed("stories.jsonl", line(3, stations=stations))


WRONG = {
    "another-member": (zipped({**members(pack(lost_ping())), "x": b""}), "no member"),
    "a-path": (zipped({**members(pack(lost_ping())), "../live.jsonl": b""}), "no member"),
    "one-missing": (zipped({"manifest.json": b"{}"}), "is missing"),
    "no-zip": (b"PK nothing", "zip"),
    "empty": (b"", "zip"),
    "cut": (pack(lost_ping())[:-40], "zip"),
    "zeros": (changed("live.jsonl", lambda _: bytes(11 << 20)), "shrinks more"),
    "large": (changed("manifest.json", lambda _: b" " * (65 << 10)), "larger than"),
    "version": (changed("manifest.json", lambda m: m.replace(b'"version":1', b'"version":2')),
                "manifest.json"),
    "too-long": (changed("manifest.json", lambda m: m.replace(b'"ended":1763871010',
                                                             b'"ended":1783871010')), "last"),
    "deep": (changed("live.jsonl", lambda _: b"[1," + b'{"a":' * 900 + b"1" + b"}" * 900 + b"]"),
             "live.jsonl"),
    "deeper": (changed("document.json", lambda _: b"[" * 100_000), "document.json"),
    "huge": (changed("live.jsonl", lambda _: b'[1763871000,{"rev":' + b"9" * 40 + b"}]"), "large"),
    "nan": (changed("live.jsonl", lambda _: b"[NaN,{}]"), "live.jsonl: line 1"),
    "disorder": (changed("live.jsonl", lambda m: b"\n".join(m.splitlines()[::-1])), "line 2"),
    "elsewhen": (changed("live.jsonl", lambda _: b"[5,{}]"), "line 1"),
    "id": (changed("stories.jsonl", line(0, node="../../etc")), "line 1"),
    "property": (changed("stories.jsonl", line(0, owner=1)), "line 1"),
    "row-twice": (changed("stories.jsonl", line(1, row=1)), "packet 2"),
    "row-of-a-drop": (changed("stories.jsonl", line(2, row=2)), "packet 3"),
    "packet-zero": (changed("stories.jsonl", line(0, packet=0)), "packet 1"),
    "far-station": (way(sighting=9), "way"),
    "negative": (way(sighting=-1), "way"),
    "own-parent": (way(parent=0), "way"),
    "anothers": (changed("stories.jsonl", line(3, packet=2)), "way"),
    "named": (way(node="n9"), "way"),
    "fewer-lines": (changed("stories.jsonl", lambda m: m.partition(b"\n")[2]), "2 lines"),
    "pcapng-cut": (changed("packets.pcapng", lambda m: m[:-3]), "packets.pcapng"),
    "pcapng-length": (changed("packets.pcapng", lambda m: m.replace(
        len(m.partition(b"h1 eth0")[0]).to_bytes(4, "little"), b"\xff\xff\xff\x7f")[:60] + b"\0"),
        "packets.pcapng"),
    "pcapng-else": (changed("packets.pcapng", lambda _: b"\xd4\xc3\xb2\xa1" + bytes(20)),
                    "packets.pcapng"),
}  # fmt: skip


@pytest.mark.parametrize("key", WRONG)
def test_what_is_no_recording_is_refused_with_the_place(key: str) -> None:
    data, said = WRONG[key]
    with pytest.raises(TopowebError) as caught:
        unpack(data)
    assert caught.value.code == "recording-bad-file"
    assert said in caught.value.message, caught.value.message
    assert caught.value.hint


def test_too_many_packets_end_the_reading() -> None:
    recording = lost_ping()
    one = ("h1 eth0", recording.capture.sightings[0].seen, "")
    data = b"".join(blocks([one] * 20))
    assert len(read(data, 20)) == 20
    with pytest.raises(ValueError, match="more than 19 packets"):
        read(data, 19)


def test_any_bytes_of_a_pcapng_file_are_read_or_refused() -> None:
    packets = members(pack(lost_ping()))["packets.pcapng"]
    for at in range(len(packets)):
        for value in (0, 0xFF):
            with contextlib.suppress(ValueError):
                read(packets[:at] + bytes([value]) + packets[at + 1 :], 9)
