"""Recordings that somebody made up, took from another, or looks for by guessing."""

from __future__ import annotations

import io
import json
import struct
import time
import tracemalloc
import zipfile
import zlib

import pytest
from django.test import Client

from tests.attack.register import attack, case
from tests.attack.web import openapi
from tests.attack.web.conftest import SECRET
from tests.unit.tracing.recordings import DOCUMENT, END, EXCHANGE, LIVE, NOW, lost_ping
from topoweb.core.tracing.recording_file import pack
from topoweb.labs import recording_queries, recordings
from topoweb.labs.models import Lab, Recording

pytestmark = pytest.mark.django_db
API = "/api/v1/recordings"
BYTES = "application/octet-stream"
MIB = 1 << 20


def members():
    with zipfile.ZipFile(io.BytesIO(pack(lost_ping()))) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def zipped(files, method=zipfile.ZIP_DEFLATED):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return file.getvalue()


def with_member(name, data):
    return zipped({**members(), name: data})


def patched(name, **patch):
    return with_member(name, json.dumps({**json.loads(members()[name]), **patch}).encode())


def story(number, **patch):
    lines = members()["stories.jsonl"].splitlines()
    lines[number] = json.dumps({**json.loads(lines[number]), **patch}).encode()
    return with_member("stories.jsonl", b"\n".join(lines))


def live(**patch):
    return with_member("live.jsonl", json.dumps([NOW, {**LIVE, **patch}]).encode())


def lying_about_its_size():
    """A member of 200 MiB whose header says 10 bytes."""
    data = bytearray(with_member("live.jsonl", bytes(200 * MIB)))
    for sign, at in ((b"PK\x01\x02", 24), (b"PK\x03\x04", 22)):
        names = {b"PK\x01\x02": 46, b"PK\x03\x04": 30}
        start = -1
        while (start := data.find(sign, start + 1)) >= 0:
            if data[start + names[sign] :].startswith(b"live.jsonl"):
                data[start + at : start + at + 4] = struct.pack("<I", 10)
    return bytes(data)


def overlapping():
    """A thousand members that share one body (the better zip bomb)."""
    body = zlib.compress(bytes(MIB), 9)[2:-4]
    local = struct.pack("<4sHHHHHIIIHH", b"PK\3\4", 20, 0, 8, 0, 0, 0, len(body), MIB, 10, 0)
    file = local + b"live.jsonl" + body
    central = struct.pack(
        "<4sHHHHHHIIIHHHHHII",
        b"PK\1\2",
        20,
        20,
        0,
        8,
        0,
        0,
        0,
        len(body),
        MIB,
        10,
        0,
        0,
        0,
        0,
        0,
        0,
    )
    entries = (central + b"live.jsonl") * 1000
    end = struct.pack("<4sHHHHIIH", b"PK\5\6", 0, 0, 1000, 1000, len(entries), len(file), 0)
    return file + entries + end


def twice():
    """Two members of one name, of which readers take different ones."""
    return with_member("live.jsonX", members()["live.jsonl"]).replace(b"live.jsonX", b"live.jsonl")


def packets(edit):
    data = bytearray(members()["packets.pcapng"])
    edit(data)
    return with_member("packets.pcapng", bytes(data))


def first_packet(data):
    """Return where the first packet's block begins."""
    at = 0
    while struct.unpack_from("<I", data, at)[0] != 6:
        at += struct.unpack_from("<I", data, at + 4)[0]
    return at


def word(offset, value):
    """Return what overwrites a word of the first packet's block."""
    return packets(lambda data: struct.pack_into("<I", data, first_packet(data) + offset, value))


def deep(levels):
    return b'{"a":' * levels + b"1" + b"}" * levels


SENTENCE = {"en": "<img src=x onerror=alert(1)>", "zh-CN": "{name:n2}"}
FILES = {
    "no-zip": lambda: b"\x7fELF" + bytes(1000),
    "zip-bomb": lambda: with_member("live.jsonl", bytes(200 * MIB)),
    "zip-bomb-that-lies": lying_about_its_size,
    "overlapping-members": overlapping,
    "fifteen-levels-of-zip": lambda: zipped({"manifest.json": zipped({"a": bytes(MIB)})}),
    "a-path-upwards": lambda: with_member("../../../../tmp/owned", b"x"),
    "an-absolute-path": lambda: with_member("/tmp/owned", b"x"),
    "a-link": lambda: with_member("document.json\0.sh", b"x"),
    "a-member-twice": twice,
    "another-packing": lambda: zipped(members(), zipfile.ZIP_LZMA),
    "no-members": lambda: zipped({}),
    "ten-thousand-members": lambda: zipped({f"m{n}": b"" for n in range(10_000)}),
    "17-MiB": lambda: bytes(17 * MIB),
    "manifest-of-the-future": lambda: patched("manifest.json", version=99),
    "manifest-ends-in-a-million-years": lambda: patched("manifest.json", ended=NOW * 1000),
    "manifest-lasts-for-years": lambda: patched("manifest.json", ended=NOW + 10**8),
    "manifest-nan": lambda: with_member(
        "manifest.json", members()["manifest.json"].replace(b"1763871000", b"NaN")
    ),
    "manifest-backwards": lambda: patched("manifest.json", began=NOW + 100, ended=NOW),
    "document-deep": lambda: with_member("document.json", deep(50_000)),
    "document-of-another-kind": lambda: patched("document.json", format="evil"),
    "document-id-is-a-path": lambda: patched(
        "document.json", nodes={"../x": {"kind": "host", "name": "h"}}
    ),
    "live-deep": lambda: with_member("live.jsonl", b"[%d," % NOW + deep(100_000) + b"]"),
    "live-number-with-many-digits": lambda: with_member(
        "live.jsonl", b'[%d,{"rev":%s}]' % (NOW, b"9" * 5000)
    ),
    "live-number-too-large-for-a-page": lambda: live(rev=2**60),
    "live-of-another-shape": lambda: live(nodes={"n1": {"present": True, "interfaces": 7}}),
    "live-outside-of-the-recording": lambda: with_member(
        "live.jsonl", json.dumps([5, LIVE]).encode()
    ),
    "live-surrogate": lambda: with_member("live.jsonl", b'[%d,{"rev":"\\ud800"}]' % NOW),
    "story-node-is-a-path": lambda: story(0, node="../../etc/passwd"),
    "story-more-properties": lambda: story(0, owner=1),
    "story-row-of-a-drop": lambda: story(2, row=7),
    "story-row-backwards": lambda: story(1, row=1),
    "story-packet-too-large": lambda: story(0, packet=2**63),
    "story-station-of-another-packet": lambda: story(3, packet=2),
    "story-station-out-of-range": lambda: story(
        3, stations=[{"sighting": 10**9, "parent": -1, "how": "first"}]
    ),
    "story-stations-in-a-circle": lambda: story(
        3, stations=[{"sighting": 0, "parent": 1, "how": "first"},
                     {"sighting": 1, "parent": 0, "how": "buffer"}]
    ),
    "story-end-of-another-shape": lambda: story(4, end={**END, "verdict": {"kind": "fault"}}),
    "story-end-is-a-list": lambda: story(4, end=[]),
    "story-exchange-deep": lambda: story(
        5, exchange={**EXCHANGE, "verdict": {**END["verdict"], "params": json.loads(deep(500))}}
    ),
    "story-without-its-packet": lambda: with_member("stories.jsonl", b""),
    "packets-cut": lambda: with_member("packets.pcapng", members()["packets.pcapng"][:-5]),
    "packets-block-of-4-GiB": lambda: word(4, 0xFFFFFFFC),
    "packets-block-of-nothing": lambda: word(4, 0),
    "packets-of-a-port-that-is-not": lambda: word(8, 99),
    "packets-captured-more-than-there-is": lambda: word(20, 0x7FFFFFFF),
    "packets-length-of-4-GiB": lambda: word(24, 0xFFFFFFFF),
    "packets-of-the-year-2500": lambda: word(12, 0x7FFFFFFF),
    "packets-of-another-format": lambda: with_member("packets.pcapng", b"\xd4\xc3\xb2\xa1" * 9),
    "packets-a-hundred-thousand-and-one": lambda: with_member(
        "packets.pcapng", _many(members()["packets.pcapng"], 100_001)
    ),
    "tables-of-another-shape": lambda: with_member("tables.json", b'{"version":1,"state":7}'),
    "tables-deep": lambda: with_member("tables.json", deep(100_000)),
}  # fmt: skip


def _many(data, count):
    at = first_packet(data)
    size = struct.unpack_from("<I", data, at + 4)[0]
    return data[:at] + data[at : at + size] * count


@pytest.mark.filterwarnings("ignore:Duplicate name")  # which is what one of them is made for
@pytest.mark.parametrize(
    "make",
    [case(key, f"a file brought as a recording that is hostile: {key}",
          "422 or 413 with the place and the remedy; nothing is stored", make)
     for key, make in FILES.items()],
)  # fmt: skip
def test_files(client, make):
    data = make()
    before = time.monotonic()
    tracemalloc.start()
    answer = client.post(API, data, BYTES)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert answer.status_code in {413, 422}, answer.content[:300]
    problem = answer.json()
    if answer.status_code == 422:
        assert problem["hint"]
        assert problem["params"].get("place") or problem["code"] == "recording-too-large"
    assert len(answer.content) < 2000
    assert time.monotonic() - before < 20
    assert peak < 200 * MIB
    assert not Recording.objects.exists()


@attack(
    "a recording whose names, sentences and notes are markup, in every place that has a text",
    "it stays text: JSON that no browser takes for a page, names without control characters",
)
def test_markup(client):
    said = {**END, "verdict": {**END["verdict"], "text": SENTENCE}}
    data = story(4, end=said)
    row = client.post(f"{API}?name=%3Cscript%3E%07%0D%0ASet-Cookie:x", data, BYTES).json()
    assert row["name"] == "<script>Set-Cookie:x"
    for path in "", "/content", "/packets/1", "/packets/1/trace":
        answer = client.get(f"{API}/{row['id']}{path}")
        assert answer["Content-Type"] == "application/json"
        assert answer["X-Content-Type-Options"] == "nosniff"
    file = client.get(f"{API}/{row['id']}/file")
    assert "\r" not in file["Content-Disposition"]
    assert "Set-Cookie" not in file.headers
    assert file["X-Content-Type-Options"] == "nosniff"


@attack(
    "a recording whose remedy is an operation on the viewer's drawing",
    "operations are left out: a page that plays it has nothing to apply",
)
def test_operations(client):
    remedy = {**END["verdict"]["remedy"], "operation": {"kind": "replace", "document": DOCUMENT}}
    told = {**END, "verdict": {**END["verdict"], "remedy": remedy}}
    row = client.post(API, story(4, end=told), BYTES).json()
    assert b"replace" not in client.get(f"{API}/{row['id']}/content").content
    trace = client.get(f"{API}/{row['id']}/packets/1/trace").json()
    assert trace["verdict"]["remedy"]["operation"] is None


@pytest.fixture
def kept(drawn, owner):
    """A recording of the owner's, with a secret in its name and its drawing."""
    row = recordings.bring(owner, pack(lost_ping()), SECRET)
    assert Lab.objects.get().pk == drawn.pk
    return row


OF_A_RECORDING = {
    f"{method.upper()} {path.removeprefix('/api/v1')}": (method, path, operation)
    for method, path, operation in openapi.operations()
    if "/recordings/{number}" in path
}


def rows():
    return list(Recording.objects.order_by("pk").values())


@pytest.mark.parametrize(
    ("method", "path", "operation"),
    [case(name, f"{name} on a recording of somebody else", "404 as for no recording", *one)
     for name, one in OF_A_RECORDING.items()],
)  # fmt: skip
def test_a_strangers(kept, stranger, method, path, operation):
    intruder = Client()
    intruder.force_login(stranger)
    before = rows()
    path = openapi.filled(path.replace("{number}", str(kept.pk)), operation, 0)
    body = json.dumps(openapi.body(operation) or {})
    answer = intruder.generic(method.upper(), path, body, content_type="application/json")
    nothing = intruder.generic(
        method.upper(), path.replace(f"/{kept.pk}", "/99999"), body, content_type="application/json"
    )
    assert answer.status_code == nothing.status_code == 404
    assert answer.content == nothing.content
    assert SECRET.encode() not in answer.content
    assert rows() == before


@attack(
    "what a shared address shows, searched for the owner, the lab and the other recordings",
    "nothing but the recording itself; reading it changes nothing",
)
def test_a_share_tells_of_nothing_else(client, kept, owner):
    made = recordings.share(owner, kept, 1)
    recordings.rename(owner, kept, "shown")
    recordings.bring(owner, pack(lost_ping()), SECRET)
    guest, before = Client(), rows()
    for part in "", "/content", "/packets/1", "/packets/1/trace":
        answer = guest.get(f"/api/v1/shared/{made.token}{part}")
        assert answer.status_code == 200
        for word in (SECRET, owner.get_username(), '"lab":', "lab_name"):
            assert word.encode() not in answer.content
    file = guest.get(f"/api/v1/shared/{made.token}/file").content
    with zipfile.ZipFile(io.BytesIO(file)) as archive:
        inside = b"".join(archive.read(name) for name in archive.namelist())
    assert SECRET.encode() not in inside
    assert owner.get_username().encode() not in inside
    for path in (API, f"{API}/{kept.pk}", "/api/v1/labs", f"{API}/{kept.pk}/file"):
        assert guest.get(path).status_code == 401
        answer = guest.get(path, headers={"Authorization": f"Bearer {made.token}"})
        assert answer.status_code == 401
    assert rows() == before


@attack(
    "guessing shared addresses, and using one in its stored form",
    "404 for each, then 503: too many",
)
def test_guessing(kept, owner, monkeypatch):
    monkeypatch.setattr(recording_queries, "MISSES_PER_ADDRESS", 20)
    recordings.share(owner, kept, 1)
    kept.refresh_from_db()
    guest = Client()
    assert guest.get(f"/api/v1/shared/{kept.share_digest}").status_code == 404
    statuses = [guest.get(f"/api/v1/shared/{n:043d}").status_code for n in range(30)]
    assert statuses == [404] * 19 + [503] * 11
    for odd in ("../recordings/1", "%00" * 30, "x" * 5000, "' OR 1=1 --" + "x" * 20):
        assert guest.get(f"/api/v1/shared/{odd}").status_code in {404, 422, 401}
