"""Recordings from the web's side: saved, brought, played, shared; the services are scripted."""

from __future__ import annotations

import json
from datetime import timedelta

import msgspec
import pytest
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone
from msgspec.structs import replace

from tests.unit.tracing.recordings import DOCUMENT, EXCHANGE, LIVE, NOW, VERDICT, lost_ping
from tests.web.drawings import two_hosts
from topoweb.accounts.models import UserLimits
from topoweb.accounts.services import local_user
from topoweb.audit.models import Entry
from topoweb.core.errors import ErrorKind
from topoweb.core.texts import refusal
from topoweb.core.tracing import pcapng
from topoweb.core.tracing.recording import Capture, Heard
from topoweb.core.tracing.recording_file import pack, unpack
from topoweb.labs import recording_queries, recordings, services, streamclient
from topoweb.labs.models import Keeping, Lab, Recording, RecordingFile

pytestmark = pytest.mark.django_db
API = "/api/v1/recordings"
BYTES = "application/octet-stream"


class Services:
    """What tracer and worker answer, and what they were asked."""

    def __init__(self):
        self.capture = lost_ping().capture
        self.live = lost_ping().live
        self.asked = []
        self.until = 0.0
        self.away = set()

    def read_all(self, service, stream, lab_id, user_id, params):
        if service in self.away:
            raise refusal(ErrorKind.LOST, f"{service}-away", reason="test")
        self.asked.append((service, dict(params)))
        self.until = params.get("until", self.until)
        if service == "worker":
            return msgspec.json.encode({"live": self.live})
        if params["what"] == "recording":
            return msgspec.msgpack.encode(self.capture)
        told = {"seconds": 12.5, "packets": 1, "tier": "bpf", "until": self.until}
        return json.dumps(told).encode()


@pytest.fixture
def scripted(monkeypatch):
    one = Services()
    monkeypatch.setattr(streamclient, "read_all", one.read_all)
    return one


@pytest.fixture
def drawn(owner):
    return services.create_lab(owner, "lab", DOCUMENT)


@pytest.fixture
def saved(scripted, client, drawn):
    answer = client.post(
        f"/api/v1/labs/{drawn.pk}/recordings", {"name": "lost"}, "application/json"
    )
    assert answer.status_code == 201, answer.content
    return answer.json()


def post(client, path, body):
    return client.post(path, body, "application/json")


def played(client, number, base=API):
    return client.get(f"{base}/{number}/content").json()


def brought(client, data, name=""):
    return client.post(f"{API}?name={name}", data, BYTES)


def test_what_was_seen_is_saved_and_played(client, saved, scripted, drawn):
    assert scripted.asked == [
        ("tracer", {"what": "recording", "seconds": None}),
        ("worker", {"what": "recording", "seconds": 600}),
    ]
    shown = {key: value for key, value in saved.items() if key not in {"id", "size", "created"}}
    assert shown == {
        "name": "lost", "lab": drawn.pk, "lab_name": "lab", "began": NOW, "ended": NOW + 10,
        "packets": 1, "faults": 1, "tier": "bpf", "imported": False, "shared": None,
    }  # fmt: skip
    assert saved["size"] == RecordingFile.objects.get().data.__len__()
    assert client.get(API).json() == [saved]
    assert client.get(f"{API}/{saved['id']}").json() == saved
    content = played(client, saved["id"])
    assert content["document"]["nodes"]["n2"]["name"] == "<script>"
    assert content["live"][0] == [NOW, LIVE]
    assert content["packets"][0][1]["rows"][0][:5] == [1, NOW + 0.1, "l1", "ab", 1]
    assert content["packets"][1][1]["ends"][0]["verdict"] == VERDICT
    packet = client.get(f"{API}/{saved['id']}/packets/1").json()
    assert packet["row"] == content["packets"][0][1]["rows"][0]
    trace = client.get(f"{API}/{saved['id']}/packets/1/trace").json()
    assert trace["verdict"]["text"]["en"] == "<script> does not forward."
    assert trace["verdict"]["raw"] == VERDICT["text"]
    assert [hop["direction"] for hop in trace["hops"]] == ["tx", "rx", "drop"]
    for path in "packets/2", "packets/9/trace", "packets/1/hops/0/tables", f"packets/{2**63}":
        assert client.get(f"{API}/{saved['id']}/{path}").status_code == 404


def test_display_filters_choose_rows(client, saved):
    path = f"{API}/{saved['id']}/rows"

    def rows(expression):
        return client.get(path, {"filter": expression}).json()["rows"]

    chosen = ["", "icmp.type == 8", 'node == "h1"', 'node == "n2"', "dropped", "ip.ttl == 64",
              'verdict == "forwarding-off"', 'link == "l1"', "frame.number == 1"]  # fmt: skip
    assert {text: rows(text) for text in chosen} == {text: [1] for text in chosen}
    assert [rows(text) for text in ("tcp", "!dropped", 'verdict == "no-route"')] == [[], [], []]
    for wrong in ('node == "nobody"', "ip.adr == 1", "("):
        answer = client.get(path, {"filter": wrong})
        assert (answer.status_code, answer.json()["path"]) == (422, "query:filter")
    url = post(client, f"{API}/{saved['id']}/share", {}).json()["url"]
    shown = Client().get(f"/api/v1{url}/rows", {"filter": "icmp"})
    assert shown.json() == {"rows": [1]}


def test_the_packets_alone(client, saved):
    answer = client.get(f"{API}/{saved['id']}/pcap")
    assert answer["Content-Disposition"] == 'attachment; filename="lost.pcapng"'
    assert len(pcapng.read(answer.content, 3)) == 3


def test_a_file_is_the_same_recording_elsewhere(client, saved):
    file = client.get(f"{API}/{saved['id']}/file")
    assert file["Content-Disposition"] == 'attachment; filename="lost.topoweb"'
    again = brought(client, file.content)
    assert again.status_code == 201
    again = again.json()
    assert (again["imported"], again["lab"], again["name"]) == (True, None, "lost")
    content = played(client, saved["id"])
    assert played(client, again["id"]) == content
    same = f"{API}/{again['id']}/packets/1/trace", f"{API}/{saved['id']}/packets/1/trace"
    assert client.get(same[0]).json() == client.get(same[1]).json()
    assert client.get(f"{API}/{again['id']}/file").content == file.content
    named = brought(client, file.content, "%E5%BD%95%E5%83%8F").json()
    assert named["name"] == "录像"
    disposition = client.get(f"{API}/{named['id']}/file")["Content-Disposition"]
    assert disposition == "attachment; filename*=utf-8''%E5%BD%95%E5%83%8F.topoweb"


def test_it_outlives_its_lab_and_can_be_renamed_and_deleted(client, saved, drawn, owner):
    services.delete_lab(drawn, owner)
    row = client.get(f"{API}/{saved['id']}").json()
    assert (row["lab"], row["lab_name"]) == (None, "lab")
    assert played(client, saved["id"])["total"] == 1
    path = f"{API}/{saved['id']}"
    assert client.patch(path, {"name": " new\x07 "}, "application/json").json()["name"] == "new"
    assert played(client, saved["id"])["name"] == "new"
    assert client.patch(path, {"name": "\x07"}, "application/json").status_code == 422
    assert client.delete(path).status_code == 204
    assert client.get(path).status_code == 404
    assert not RecordingFile.objects.exists()
    verbs = set(Entry.objects.values_list("verb", flat=True))
    assert {"recording", "recording-rename", "recording-delete"} <= verbs


def test_others_do_not_see_it(saved, stranger):
    other = Client()
    other.force_login(stranger)
    assert other.get(API).json() == []
    path = f"{API}/{saved['id']}"
    for part in "", "/content", "/file", "/pcap", "/rows", "/packets/1", "/packets/1/trace":
        assert other.get(path + part).status_code == 404
        assert Client().get(path + part).status_code == 401
    assert other.patch(path, {"name": "x"}, "application/json").status_code == 404
    assert other.delete(path).status_code == 404
    assert post(other, path + "/share", {"days": 1}).status_code == 404
    assert post(other, f"/api/v1/labs/{saved['lab']}/recordings", {}).status_code == 404
    assert post(other, f"/api/v1/labs/{saved['lab']}/recording", {"minutes": 1}).status_code == 404


def test_operations_on_a_drawing_are_no_part_of_a_recording(client, drawn, scripted):
    operation = {"kind": "remove", "collection": "nodes", "id": "n1"}
    told = {**EXCHANGE, "verdict": {**VERDICT, "remedy": {**VERDICT["remedy"]}}}
    told["verdict"]["remedy"]["operation"] = operation
    scripted.capture = replace(scripted.capture, exchanges=(Heard(NOW + 1.0, told),))
    row = post(client, f"/api/v1/labs/{drawn.pk}/recordings", {}).json()
    assert b'"remove"' not in client.get(f"{API}/{row['id']}/content").content


def test_seconds_and_what_is_not_there(client, drawn, scripted):
    path = f"/api/v1/labs/{drawn.pk}/recordings"
    named = post(client, path, {"seconds": 30}).json()["name"]
    assert named.startswith("lab 20")
    assert {params["seconds"] for _, params in scripted.asked} == {30}
    for seconds in (0, -1, 601, "all"):
        assert post(client, path, {"seconds": seconds}).status_code == 422
    scripted.away = {"worker"}
    row = post(client, path, {}).json()
    assert played(client, row["id"])["live"] == []
    scripted.away = set()
    scripted.capture, scripted.live = Capture("bpf", NOW, NOW + 1.0), ()
    answer = post(client, path, {})
    assert (answer.status_code, answer.json()["code"]) == (409, "recording-empty")
    scripted.away = {"tracer"}
    answer = post(client, path, {})
    assert (answer.status_code, answer.json()["code"]) == (503, "tracer-away")


def test_quotas_of_a_user(client, saved, owner, drawn):
    path = f"/api/v1/labs/{drawn.pk}/recordings"
    limits = UserLimits.objects.create(user=owner, recordings=1)
    answer = post(client, path, {})
    assert (answer.status_code, answer.json()["code"]) == (409, "limit-recordings")
    limits.recordings, limits.recording_bytes = 10, saved["size"] * 2 + 300
    limits.save()
    assert post(client, path, {}).status_code == 201
    answer = brought(client, client.get(f"{API}/{saved['id']}/file").content)
    assert (answer.status_code, answer.json()["code"]) == (409, "limit-recording-bytes")
    assert Recording.objects.count() == RecordingFile.objects.count() == 2


def test_a_shared_recording_is_seen_without_an_account_and_tells_of_nothing_else(
    client, saved, owner
):
    made = post(client, f"{API}/{saved['id']}/share", {"days": 2}).json()
    token = made["url"].removeprefix("/shared/")
    assert len(token) >= 43
    assert token not in str(Recording.objects.values())
    assert made["until"] == pytest.approx(timezone.now().timestamp() + 2 * 86400, abs=60)
    assert client.get(f"{API}/{saved['id']}").json()["shared"] == {"until": made["until"]}
    guest, base = Client(), "/api/v1/shared"
    head = guest.get(f"{base}/{token}").json()
    assert head == {
        "name": "lost", "size": saved["size"], "began": NOW, "ended": NOW + 10, "packets": 1,
        "faults": 1, "tier": "bpf", "until": made["until"],
    }  # fmt: skip
    assert played(guest, token, base) == played(client, saved["id"])
    for part in "", "/content", "/file", "/pcap", "/rows", "/packets/1", "/packets/1/trace":
        answer = guest.get(f"{base}/{token}{part}")
        assert answer.status_code == 200
        assert answer["Referrer-Policy"] == "no-referrer"
        assert "no-store" in answer["Cache-Control"]
        assert owner.get_username().encode() not in answer.content
    for unsafe in guest.post, guest.patch, guest.delete, guest.put:
        assert unsafe(f"{base}/{token}").status_code == 405
    assert guest.get(API).status_code == 401
    page = guest.get(made["url"])
    assert (page.status_code, page["Referrer-Policy"]) == (200, "no-referrer")


def test_a_share_ends(client, saved):
    path = f"{API}/{saved['id']}/share"
    first = post(client, path, {}).json()["url"]
    second = post(client, path, {"days": 1}).json()["url"]
    guest = Client()
    assert guest.get(f"/api/v1{first}").status_code == 404
    assert guest.get(f"/api/v1{second}").status_code == 200
    Recording.objects.update(share_until=timezone.now() - timedelta(seconds=1))
    assert guest.get(f"/api/v1{second}").status_code == 404
    assert client.get(f"{API}/{saved['id']}").json()["shared"] is None
    third = post(client, path, {}).json()["url"]
    assert client.delete(path).status_code == 204
    assert guest.get(f"/api/v1{third}").status_code == 404
    fourth = post(client, path, {}).json()["url"]
    client.delete(f"{API}/{saved['id']}")
    assert guest.get(f"/api/v1{fourth}").status_code == 404
    assert [one.verb for one in Entry.objects.filter(verb__contains="share")].count("share") == 4
    for days in (0, 91):
        assert post(client, path, {"days": days}).status_code in {404, 422}


def test_requests_for_shares_are_bounded(client, saved, monkeypatch):
    monkeypatch.setattr(recording_queries, "MISSES_PER_ADDRESS", 5)
    monkeypatch.setattr(recording_queries, "HITS_PER_SHARE", 3)
    url = post(client, f"{API}/{saved['id']}/share", {}).json()["url"]
    guest = Client()
    assert [guest.get(f"/api/v1{url}").status_code for _ in range(4)] == [200, 200, 200, 503]
    cache.clear()
    wrong = [guest.get(f"/api/v1/shared/{'x' * 43}").status_code for _ in range(6)]
    assert wrong == [404] * 5 + [503]
    answer = guest.get(f"/api/v1{url}")
    assert (answer.status_code, answer.json()["code"]) == (503, "share-throttled")


def test_a_lab_is_kept_recording(client, drawn, owner, scripted):
    path = f"/api/v1/labs/{drawn.pk}/recording"
    told = client.get(path).json()
    assert told == {"seconds": 12.5, "packets": 1, "tier": "bpf", "kept": None}
    assert post(client, path, {"minutes": 5}).json()["code"] == "not-running"
    Lab.objects.update(running=True)
    kept = post(client, path, {"minutes": 5}).json()["kept"]
    assert kept["user"] == "owner"
    assert kept["until"] == pytest.approx(timezone.now().timestamp() + 300, abs=30)
    held = [service for service, params in scripted.asked if params.get("until") == kept["until"]]
    assert held == ["tracer", "worker"]
    for minutes in (0, 31):
        assert post(client, path, {"minutes": minutes}).status_code == 422
    scripted.until = 0.0  # a tracer that was started anew
    assert client.get(path).json()["kept"] == kept
    assert scripted.until == kept["until"]
    assert client.delete(path).status_code == 204
    assert scripted.until == 0
    assert client.get(path).json()["kept"] is None


def test_few_labs_are_kept_at_a_time(client, owner, scripted):
    UserLimits.objects.create(user=owner, kept_labs=1)
    labs = [services.create_lab(owner, name, two_hosts()) for name in "ab"]
    Lab.objects.update(running=True)
    paths = [f"/api/v1/labs/{lab.pk}/recording" for lab in labs]
    assert post(client, paths[0], {"minutes": 5}).status_code == 200
    assert post(client, paths[0], {"minutes": 9}).status_code == 200  # the same again
    answer = post(client, paths[1], {"minutes": 5})
    assert (answer.status_code, answer.json()["code"]) == (409, "limit-kept-labs")
    Keeping.objects.update(until=timezone.now())
    scripted.away = {"tracer"}
    assert post(client, paths[1], {"minutes": 5}).status_code == 503
    assert not Keeping.objects.filter(lab=labs[1]).exists()


def test_pages(client, saved):
    for path in "/recordings", f"/recordings/{saved['id']}", "/shared/abc":
        assert b"<!doctype html>" in client.get(path).content[:200].lower()


def test_the_command_line_records_and_lists(scripted, db, tmp_path, capsys, monkeypatch):
    lab = services.create_lab(local_user(), "demo", DOCUMENT)
    file = tmp_path / "r.topoweb"
    call_command("lab", "record", "demo", "-o", str(file))
    assert unpack(file.read_bytes()).rows == 1
    assert not Recording.objects.exists()
    call_command("lab", "record", str(lab.pk), "--name", "kept")
    call_command("lab", "recordings")
    assert "kept" in capsys.readouterr().out
    assert Recording.objects.get().owner == local_user()
    with pytest.raises(CommandError, match="not running"):
        call_command("lab", "record", "demo", "--wait", "90")
    Lab.objects.update(running=True)
    slept = []
    monkeypatch.setattr("time.sleep", slept.append)
    call_command("lab", "--json", "record", "demo", "--wait", "90", "-o", str(file))
    assert slept == [90]
    assert json.loads(capsys.readouterr().out)["size"] == file.stat().st_size
    assert scripted.asked[-1] == ("worker", {"what": "recording", "seconds": 90})
    assert scripted.until == pytest.approx(timezone.now().timestamp() + 120, abs=30)
    scripted.capture, scripted.live = Capture("bpf", NOW, NOW + 1.0), ()
    with pytest.raises(CommandError, match="Nothing of this lab was seen"):
        call_command("lab", "record", "demo", "-o", str(file))


def test_what_is_stored_is_written_by_us(client, saved):
    """Whatever else a file carries is left behind."""
    recording = lost_ping()
    data = b"#!/bin/sh\n" + pack(replace(recording, document={**DOCUMENT}))
    assert recordings.unpack(data) == recording
    row = brought(client, data).json()
    stored = bytes(RecordingFile.objects.get(pk=row["id"]).data)
    assert stored.startswith(b"PK")
    assert b"/bin/sh" not in stored
