"""Grants of uplinks: who may give them, when they end, what Run says, what the worker reads."""

from __future__ import annotations

import time

import pytest
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import Client

from topoweb.audit.models import Entry
from topoweb.core.errors import TopowebError
from topoweb.hosts import services as hosts
from topoweb.labs import services, uplinks
from topoweb.labs.models import Lab, UplinkGrant
from topoweb.labs.probes import ProbeWish
from topoweb.worker.store import DjangoStore

API = "/api/v1/labs"
pytestmark = pytest.mark.django_db(transaction=True)


def drawing():
    return {
        "format": "topoweb",
        "version": 1,
        "name": "out",
        "nodes": {"h": {"kind": "host", "name": "h1"}, "u": {"kind": "uplink", "name": "up1"}},
        "interfaces": {
            "i": {"node": "h", "name": "eth0", "addresses": ["10.0.1.11/24"]},
            "j": {"node": "u", "name": "eth0", "addresses": ["10.0.1.1/24"]},
        },
        "links": {"l": {"a": "i", "b": "j"}},
    }


@pytest.fixture
def lab(owner):
    return services.create_lab(owner, "out", drawing())


@pytest.fixture
def teacher(db):
    return get_user_model().objects.create_user("teacher", password="a-long-word", is_staff=True)


@pytest.fixture
def staff(teacher):
    staff = Client()
    staff.force_login(teacher)
    return staff


@pytest.fixture
def store():
    return DjangoStore(lambda lab: None)


def post(client, path, body=None):
    return client.post(f"{API}{path}", body or {}, content_type="application/json")


def soon(seconds=3600):
    return int(time.time()) + seconds


def test_only_staff_grant(client, staff, stranger, lab):
    body = {"until": soon(), "reason": "lesson 4"}
    refused = post(client, f"/{lab.pk}/uplink", body)
    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
    foreign = Client()
    foreign.force_login(stranger)
    assert post(foreign, f"/{lab.pk}/uplink", body).status_code == 404
    assert foreign.delete(f"{API}/{lab.pk}/uplink").status_code == 404
    assert client.delete(f"{API}/{lab.pk}/uplink").status_code == 403
    assert post(Client(), f"/{lab.pk}/uplink", body).status_code == 401
    assert post(staff, "/999999/uplink", body).status_code == 404
    assert not UplinkGrant.objects.exists()
    assert post(staff, f"/{lab.pk}/uplink", body).json() == {"granted": True, **body}
    assert client.get(f"{API}/{lab.pk}").json()["uplink"] == {"granted": True, **body}
    assert client.get(API).json()[0]["uplink"]["granted"] is True
    assert staff.get(f"{API}/{lab.pk}").status_code == 404  # to grant is not to look inside


def test_staff_who_are_not_active_grant_nothing(staff, teacher, lab):
    teacher.is_active = False
    teacher.save()
    assert post(staff, f"/{lab.pk}/uplink", {"until": soon()}).status_code == 401


@pytest.mark.parametrize("until", [0, 1, soon(-1), soon(32 * 86400), 1e30, "tomorrow", None, True])
def test_a_moment_that_cannot_be(staff, lab, until):
    refused = post(staff, f"/{lab.pk}/uplink", {"until": until})
    assert refused.status_code == 422
    assert refused.json()["path"] == "/until"
    assert not UplinkGrant.objects.exists()


def test_it_ends_by_itself_and_by_hand(client, staff, teacher, lab, store):
    none = {"granted": False, "until": None, "reason": ""}
    assert client.get(f"{API}/{lab.pk}").json()["uplink"] == none
    assert store.wish(lab.pk).uplink_until is None
    until = soon()
    uplinks.grant(teacher, lab, until + 0.7, "")
    assert store.wish(lab.pk).uplink_until == until
    UplinkGrant.objects.update(until=uplinks.timezone.now())
    assert store.wish(lab.pk).uplink_until is None
    assert client.get(f"{API}/{lab.pk}").json()["uplink"] == none
    post(staff, f"/{lab.pk}/uplink", {"until": until})
    assert staff.delete(f"{API}/{lab.pk}/uplink").status_code == 204
    assert staff.delete(f"{API}/{lab.pk}/uplink").status_code == 204
    assert store.wish(lab.pk).uplink_until is None
    assert [e.verb for e in Entry.objects.filter(lab_id=lab.pk).order_by("id")] == [
        *("create", "grant", "grant", "revoke")
    ]
    granted = Entry.objects.filter(verb="grant").last()
    assert (granted.user_name, granted.detail["until"]) == ("teacher", until)


def test_run_says_that_the_grant_is_missing(client, staff, lab):
    refused = post(client, f"/{lab.pk}/run")
    assert (refused.status_code, refused.json()["code"]) == (422, "uplink-not-granted")
    (problem,) = refused.json()["problems"]
    assert (problem["path"], problem["params"]) == ("/nodes/u", {"name": "up1"})
    assert "teacher" in problem["hint"]
    assert not Lab.objects.get(pk=lab.pk).running
    post(staff, f"/{lab.pk}/uplink", {"until": soon()})
    assert post(client, f"/{lab.pk}/run").status_code == 200


def test_without_the_uplink_the_rest_runs(client, lab):
    body = {"op_id": "o", "base_seq": 0, "kind": "remove", "collection": "nodes", "id": "u"}
    assert post(client, f"/{lab.pk}/operations", body).status_code == 200
    assert post(client, f"/{lab.pk}/run").status_code == 200


def test_run_says_what_the_host_lacks(client, staff, lab, settings):
    feature = {"ok": False, "reason": "It does not forward IPv4.", "remedy": "Switch it on."}
    hosts.heartbeat(settings.TOPOWEB_HOST, {"uplink": feature})
    post(staff, f"/{lab.pk}/uplink", {"until": soon()})
    (problem,) = post(client, f"/{lab.pk}/run").json()["problems"]
    assert problem["code"] == "uplink-unsupported"
    assert problem["message"].endswith("It does not forward IPv4.")
    assert problem["hint"].startswith("Switch it on.")
    features = client.get("/api/v1/session").json()["features"]
    assert features["uplink"]["ok"] is False


def test_a_running_lab_gets_a_new_generation_so_that_no_bell_can_be_lost(staff, lab, owner):
    generation = Lab.objects.get(pk=lab.pk).generation
    post(staff, f"/{lab.pk}/uplink", {"until": soon()})
    assert Lab.objects.get(pk=lab.pk).generation == generation
    services.run(owner, lab)
    staff.delete(f"{API}/{lab.pk}/uplink")
    assert Lab.objects.get(pk=lab.pk).generation == generation + 2


def test_the_plan_shows_the_way_out_only_with_a_grant(client, staff, lab):
    def commands():
        return [step["command"] for step in post(client, f"/{lab.pk}/plan").json()["steps"]]

    assert not any("wan0" in command for command in commands())
    post(staff, f"/{lab.pk}/uplink", {"until": soon()})
    assert any("wan0" in command for command in commands())


def test_no_probe_starts_in_an_uplink(staff, owner, lab):
    post(staff, f"/{lab.pk}/uplink", {"until": soon()})
    services.run(owner, lab)
    with pytest.raises(TopowebError, match="nothing runs in an uplink"):
        services.request_probe(owner, lab, ProbeWish(kind="ping", source="u", target="10.0.1.11"))


def test_the_worker_does_not_believe_a_probe_row_either(lab, store):
    from topoweb.labs.models import Probe

    probe = Probe.objects.create(lab=lab, kind="ping", source="u", target="10.0.1.11")
    assert store.probes(lab.pk) == []
    probe.refresh_from_db()
    assert "Nothing runs in an uplink" in probe.result["message"]


def test_the_admin_grants_and_revokes_by_the_service(lab):
    get_user_model().objects.create_superuser("root", password="a-long-word")
    admin = Client()
    admin.login(username="root", password="a-long-word")
    place = "/admin/labs/uplinkgrant/"

    def form(year):
        when = {"until_0": f"{year}-01-01", "until_1": "00:00:00"}
        return admin.post(f"{place}add/", {"lab": lab.pk, "reason": "x", **when})

    assert "at most" in form(2001).content.decode()
    assert not UplinkGrant.objects.exists()
    local = time.strftime("%Y-%m-%d", time.gmtime(time.time() + 2 * 86400))
    sent = {"lab": lab.pk, "reason": "x", "until_0": local, "until_1": "00:00:00"}
    assert admin.post(f"{place}add/", sent).status_code == 302
    assert uplinks.until_of(lab.pk) is not None
    assert admin.post(f"{place}{lab.pk}/delete/", {"post": "yes"}).status_code == 302
    assert uplinks.until_of(lab.pk) is None
    assert [e.verb for e in Entry.objects.filter(lab_id=lab.pk)][:2] == ["revoke", "grant"]


def test_the_command_line_grants_lists_and_revokes(lab, capsys):
    def run(*words):
        call_command("uplink", *words)
        return capsys.readouterr().out

    assert "until" in run("grant", str(lab.pk), "--hours", "0.5", "--reason", "lesson")
    assert abs(uplinks.until_of(lab.pk) - soon(1800)) < 60
    assert run("list").rstrip().endswith("UTC lesson")
    assert run("revoke", str(lab.pk)) == f"lab {lab.pk}: not granted\n"
    assert run("list") == ""
    for words in (("grant", "99"), ("grant", str(lab.pk), "--hours", "-1")):
        with pytest.raises(CommandError):
            run(*words)
