"""Who did what: written with each deed, and never changed."""

from __future__ import annotations

import json

import pytest
from django.contrib.auth import get_user_model
from django.db import DatabaseError, connection, transaction
from django.test import Client

from topoweb.audit import queries, triggers
from topoweb.audit.models import Entry
from topoweb.audit.services import record, record_once
from topoweb.core.errors import TopowebError
from topoweb.labs import services
from topoweb.labs.probes import ProbeWish

pytestmark = pytest.mark.django_db


@pytest.fixture
def guarded(db):
    """The triggers, which the other tests are without."""
    triggers.install(connection)
    yield
    triggers.remove(connection)


def verbs(**of):
    return list(Entry.objects.filter(**of).order_by("id").values_list("verb", flat=True))


def test_every_deed_leaves_a_row(owner, lab):
    operation = {"kind": "set", "collection": "nodes", "id": "n1", "patch": {"name": "x"}}
    services.apply_operation(owner, lab, "op", 0, operation)
    services.apply_operation(owner, lab, "op", 0, operation)  # the same once more is no deed
    services.run(owner, lab)
    services.request_probe(owner, lab, ProbeWish(kind="ping", source="n1", target="n2"))
    services.restore_drift(lab, owner)
    services.cancel(owner, lab)
    services.stop(owner, lab)
    number = lab.pk
    services.delete_lab(lab, owner)
    expected = ["create", "change", "run", "probe", "restore", "cancel", "stop", "delete"]
    assert verbs(lab_id=number) == expected
    assert {entry.user_name for entry in queries.of_lab(number)} == {"owner"}
    change = Entry.objects.get(verb="change")
    assert change.detail == {"seq": 1, "kind": "set", "collection": "nodes", "id": "n1"}
    assert "patch" not in json.dumps(change.detail)


def test_a_refused_deed_leaves_none(owner, lab):
    with pytest.raises(TopowebError):
        services.apply_operation(owner, lab, "op", 99, {"kind": "remove"})
    assert verbs(lab_id=lab.pk) == ["create"]


def test_signing_in_and_out_by_every_door(owner):
    client = Client()
    body = {"username": "owner", "password": "a-long-password"}
    client.get("/api/v1/session")
    token = client.cookies["csrftoken"].value if "csrftoken" in client.cookies else ""
    answer = client.post(
        "/api/v1/session", body, content_type="application/json", HTTP_X_CSRFTOKEN=token
    )
    assert answer.status_code == 200
    client.delete("/api/v1/session")
    assert verbs(user_id=owner.pk) == ["sign-in", "sign-out"]
    assert queries.of_user(owner.pk).last().detail == {"address": "127.0.0.1"}


def test_a_page_that_reconnects_opens_once(owner, lab):
    record_once(owner, lab.pk, "open")
    record_once(owner, lab.pk, "open")
    assert verbs(verb="open") == ["open"]


def test_the_record_outlives_user_and_lab(owner, lab):
    number = lab.pk
    record(owner.pk, number, "terminal", {"node": "n1"})
    owner.delete()
    assert verbs(lab_id=number) == ["create", "terminal"]
    assert Entry.objects.get(verb="terminal").user_name == "owner"


def test_the_model_refuses_to_change_or_remove(owner, lab):
    entry = Entry.objects.get()
    entry.verb = "nothing"
    for change in (
        entry.save,
        entry.delete,
        Entry.objects.all().delete,
        lambda: Entry.objects.update(verb="nothing"),
        lambda: Entry.objects.bulk_update([entry], ["verb"]),
    ):
        with pytest.raises(TopowebError), transaction.atomic():
            change()
    assert verbs() == ["create"]


@pytest.mark.parametrize(
    "sql", ["UPDATE audit_entry SET verb = 'nothing'", "DELETE FROM audit_entry"]
)
def test_the_database_refuses_to_change_or_remove(guarded, owner, lab, sql):
    with pytest.raises(DatabaseError, match="only grows"), transaction.atomic():
        connection.cursor().execute(sql)
    record(owner, lab.pk, "run")
    assert verbs() == ["create", "run"]


def test_the_database_refuses_to_empty_the_table(guarded, lab):
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has no TRUNCATE")
    with pytest.raises(DatabaseError, match="only grows"), transaction.atomic():
        connection.cursor().execute("TRUNCATE audit_entry")


def test_the_admin_shows_and_changes_nothing(lab):
    admin = get_user_model().objects.create_superuser("admin", password="a-long-password")
    client = Client()
    client.force_login(admin)
    entry = Entry.objects.get(verb="create")
    listed = client.get("/admin/audit/entry/")
    assert listed.status_code == 200
    assert "create" in listed.content.decode()
    assert client.get("/admin/audit/entry/add/").status_code == 403
    assert client.post(f"/admin/audit/entry/{entry.pk}/delete/", {"post": "yes"}).status_code == 403
    client.post(f"/admin/audit/entry/{entry.pk}/change/", {"verb": "nothing"})
    assert Entry.objects.get(pk=entry.pk).verb == "create"


def test_limits_are_set_in_the_admin(owner, lab):
    admin = get_user_model().objects.create_superuser("admin", password="a-long-password")
    client = Client()
    client.force_login(admin)
    for place, body in (
        ("/admin/labs/lablimits/add/", {"lab": lab.pk, "nodes": 7}),
        ("/admin/accounts/userlimits/add/", {"user": owner.pk, "running_labs": 3}),
    ):
        assert client.get(place).status_code == 200
        assert client.post(place, body).status_code == 302
    lab.refresh_from_db()
    owner.refresh_from_db()
    assert (lab.limits.nodes, owner.limits.running_labs) == (7, 3)
