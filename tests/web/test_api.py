from __future__ import annotations

import functools
import json

import pytest
from django.test import Client

from tests.web.drawings import two_hosts
from topoweb.labs import gallery, history, services
from topoweb.labs.models import Lab, LabStatus, Operation

pytestmark = pytest.mark.django_db
API = "/api/v1/labs"
PROBLEM = "application/problem+json"


def post(client, path, body=None):
    return client.post(f"{API}{path}", body or {}, content_type="application/json")


def get(client, path):
    return client.get(f"{API}{path}")


def add_node(key, op_id="op", base_seq=0):
    value = {"kind": "host", "name": key}
    return {
        "op_id": op_id, "base_seq": base_seq, "kind": "add", "collection": "nodes", "id": key,
        "value": value,
    }  # fmt: skip


def test_draw_run_stop(client):
    made = post(client, "", {"name": "first", "document": two_hosts()})
    assert made.status_code == 201
    lab = made.json()
    assert (lab["name"], lab["seq"], lab["owner"]) == ("first", 0, "owner")
    assert lab["status"]["phase"] == "stopped"
    place = f"/{lab['id']}"
    drawn = get(client, f"{place}/document").json()
    assert sorted(drawn["document"]["nodes"]) == ["n1", "n2"]
    accepted = post(client, f"{place}/operations", add_node("n3")).json()
    assert (accepted["seq"], accepted["op_id"]) == (1, "op")
    assert [change["op"] for change in accepted["changes"]] == ["add"]
    assert post(client, f"{place}/run").json()["generation"] == 1
    assert [one["running"] for one in client.get(API).json()] == [True]
    assert post(client, f"{place}/stop").json()["generation"] == 2
    assert client.delete(f"{API}{place}").status_code == 204
    assert get(client, place).status_code == 404


def test_operations_since(client, lab):
    for n in range(3, 6):
        post(client, f"/{lab.pk}/operations", add_node(f"n{n}", f"op{n}"))
    answer = get(client, f"/{lab.pk}/operations?since=1").json()
    assert ([one["op_id"] for one in answer["operations"]], answer["seq"]) == (["op4", "op5"], 3)
    Operation.objects.filter(seq__lt=3).delete()
    answer = get(client, f"/{lab.pk}/operations?since=1").json()
    assert (answer["operations"], answer["seq"]) == (None, 3)
    assert "n5" in answer["document"]["nodes"]


def test_revisions(client, lab):
    assert post(client, f"/{lab.pk}/revisions", {"name": "good"}).json()["number"] == 1
    post(client, f"/{lab.pk}/operations", add_node("n3"))
    assert post(client, f"/{lab.pk}/revisions/1/restore").json()["changes"][0]["op"] == "replace"
    drawn = get(client, f"/{lab.pk}/document").json()["document"]
    assert "n3" not in drawn["nodes"]
    names = [one["name"] for one in get(client, f"/{lab.pk}/revisions").json()]
    assert names == ["", "good"]
    assert get(client, f"/{lab.pk}/revisions/1").json()["document"] == drawn


def test_plan_from_nothing_and_from_what_runs(client, lab, owner):
    commands = [s["command"] for s in post(client, f"/{lab.pk}/plan").json()["steps"]]
    assert commands[:2] == ["ip netns add h1", "ip netns add h2"]
    assert any("type veth" in one for one in commands)
    services.run(owner, lab)
    LabStatus.objects.filter(lab=lab).update(phase="running", observed_generation=1)
    assert post(client, f"/{lab.pk}/plan").json()["steps"] == []
    patch = {"addresses": ["10.0.0.9/24"]}
    operation = {
        "op_id": "a", "base_seq": 0, "kind": "set", "collection": "interfaces", "id": "i1",
        "patch": patch,
    }  # fmt: skip
    post(client, f"/{lab.pk}/operations", operation)
    steps = post(client, f"/{lab.pk}/plan").json()["steps"]
    commands = [step["command"] for step in steps]
    assert any("addr add 10.0.0.9/24" in one for one in commands)
    assert any("addr del 10.0.0.1/24" in one for one in commands)
    assert not any("netns add" in one for one in commands)
    assert all(step["reason"] for step in steps)


def test_run_refuses_a_drawing_with_errors(client, lab):
    patch = {"addresses": ["10.0.0.0/24"]}
    operation = {
        "op_id": "a", "base_seq": 0, "kind": "set", "collection": "interfaces", "id": "i1",
        "patch": patch,
    }  # fmt: skip
    accepted = post(client, f"/{lab.pk}/operations", operation)
    assert accepted.status_code == 200  # drawing errors never refuse
    assert any(one["severity"] == "error" for one in accepted.json()["problems"])
    refused = post(client, f"/{lab.pk}/run")
    assert (refused.status_code, refused.headers["Content-Type"]) == (422, PROBLEM)
    assert refused.json()["problems"][0]["path"].startswith("/interfaces/i1")


def test_templates_all_draw_and_run(client):
    listed = client.get("/api/v1/templates").json()
    assert len(listed) == len(gallery.templates())
    for one in listed:
        for text in (one["name"], one["summary"], one["text"]):
            assert set(text) == {"en", "zh-CN"}
            assert all(text.values())
        lab = post(client, "", {"template": one["id"]}).json()
        problems = get(client, f"/{lab['id']}/document").json()["problems"]
        assert [p for p in problems if p["severity"] == "error"] == []
        assert post(client, f"/{lab['id']}/run").status_code == 200


@pytest.mark.parametrize(
    ("path", "body", "status", "place"),
    [
        ("", {"name": 3}, 422, "/name"),
        ("", {"name": "x", "colour": "red"}, 422, "/colour"),
        ("", {"template": "nothing"}, 404, "/template"),
        ("", {"template": "bridge", "document": {}}, 422, "/template"),
        ("", {"document": {"nodes": {"n1": {"kind": "x", "name": "h1"}}}}, 422,
         "/document/nodes/n1/kind"),
        ("", {"document": 7}, 422, "/document"),
        ("/{lab}/operations", {}, 422, ""),
        ("/{lab}/operations", {**add_node("n3"), "base_seq": 9}, 409, "/base_seq"),
        ("/{lab}/operations", {**add_node("n3"), "base_seq": "0"}, 422, "/base_seq"),
        ("/{lab}/operations", {**add_node("n3"), "op_id": "a b"}, 422, "/op_id"),
        ("/{lab}/operations", {**add_node("n3"), "value": {"kind": "host"}}, 422, "/value"),
        ("/{lab}/operations", {**add_node("n1")}, 422, "/id"),
        ("/{lab}/revisions", {"name": ""}, 422, "/name"),
        ("/{lab}/probes", {"kind": "ping", "source": "n1", "target": "n2"}, 409, ""),
        ("/{lab}/drift", {"node": "n1", "path": "x", "action": "burn"}, 422, "/action"),
        ("/{lab}/drift", {"node": "n1", "path": "x", "action": "restore"}, 409, ""),
        ("/{lab}/revisions/9/restore", {}, 404, ""),
    ],
)  # fmt: skip
def test_refusals_name_their_place_and_change_nothing(client, lab, path, body, status, place):
    answer = post(client, path.format(lab=lab.pk), body)
    said = answer.json()
    assert (answer.status_code, answer.headers["Content-Type"]) == (status, PROBLEM), said
    assert said["status"] == status
    assert said["detail"]
    assert said["path"].startswith(place), said
    assert Lab.objects.count() == 1
    assert not Operation.objects.exists()


@pytest.mark.parametrize(
    "body",
    [
        b"{", b"[]", b'"x"', b"null", b"7", b"\xff\xfe", b'{"name": NaN}', b'{"name": "\\ud800"}',
        b'{"name": "a\\u0000b"}', b"[" * 100_000, b'{"name": ' + b"9" * 5000 + b"}",
    ],
)  # fmt: skip
def test_bodies_that_are_no_request(client, body):
    answer = client.post(API, body, content_type="application/json")
    assert (answer.status_code, answer.headers["Content-Type"]) in ((400, PROBLEM), (422, PROBLEM))
    assert not Lab.objects.exists()


def test_form_instead_of_json_is_refused(client):
    assert client.post(API, {"name": "x"}).status_code in {400, 415, 422}


def test_sizes_are_limited(client, lab):
    note = {"text": "x" * (2 << 20)}
    large = {**add_node("n3"), "collection": "notes", "value": note}
    assert post(client, f"/{lab.pk}/operations", large).status_code == 413
    answer = client.post(API, b" " * ((16 << 20) + 1), content_type="application/json")
    assert (answer.status_code, answer.headers["Content-Type"]) == (413, PROBLEM)


def test_method_not_allowed_is_problem_json(client, lab):
    answer = client.put(f"{API}/{lab.pk}")
    assert (answer.status_code, answer.headers["Content-Type"]) == (405, PROBLEM)
    assert "DELETE" in answer.headers["Allow"]


@pytest.mark.parametrize("number", ["0", "99999999999999999999999", "-1", "x"])
def test_ids_that_no_lab_has(client, number):
    assert get(client, f"/{number}").status_code == 404
    assert get(client, f"/{number}/document").status_code == 404


def test_worker_and_tracer_away_are_said_plainly(client, lab):
    for path in (
        "live",
        "packets",
        "packets/1",
        "packets/1/trace",
        "packets/1/hops/0/tables",
        "packets/1/tshark",
        "pcap",
    ):
        answer = get(client, f"/{lab.pk}/{path}")
        assert (answer.status_code, answer.headers["Content-Type"]) == (503, PROBLEM)
        assert "away" in answer.json()["detail"]


OTHERS = [
    ("get", ""), ("patch", ""), ("delete", ""), ("get", "/document"), ("get", "/operations"),
    ("post", "/operations"), ("get", "/revisions"), ("post", "/revisions"), ("get", "/revisions/1"),
    ("post", "/revisions/1/restore"), ("post", "/plan"), ("post", "/run"), ("post", "/stop"),
    ("post", "/cancel"), ("get", "/status"), ("get", "/live"), ("post", "/probes"),
    ("get", "/probes/1"), ("post", "/drift"), ("get", "/packets"), ("get", "/packets/1"),
    ("get", "/pcap"), ("get", "/services/web/log"), ("get", "/nodes/h/frr"), ("get", "/tools"),
    ("post", "/uplink"), ("delete", "/uplink"), ("get", "/packets/1/trace"), ("post", "/traces"),
    ("get", "/packets/1/hops/0/tables"), ("get", "/packets/1/tshark"),
    ("post", "/dry-run"), ("get", "/recording"), ("post", "/recording"), ("delete", "/recording"),
    ("post", "/recordings"),
]  # fmt: skip
BODIES = {
    "": {"name": "mine"},
    "/operations": add_node("n3"),
    "/revisions": {"name": "mine"},
    "/probes": {"kind": "ping", "source": "n1", "target": "n2"},
    "/traces": {"source": "n1", "target": "n2", "protocol": "icmp"},
    "/dry-run": {"source": "n1", "target": "n2", "protocol": "icmp"},
    "/drift": {"node": "n1", "path": "routes", "action": "restore"},
    "/uplink": {"until": 2_000_000_000},
    "/recording": {"minutes": 1},
    "/recordings": {"name": "mine"},
}


@pytest.mark.parametrize(("method", "path"), OTHERS)
def test_another_users_lab_does_not_exist_by_any_path(lab, owner, stranger, method, path):
    history.keep_revision(owner, lab, "good")
    other = Client()
    other.force_login(stranger)
    before = Lab.objects.values().get()
    body = json.dumps(BODIES.get(path, {}))
    answer = getattr(other, method)(
        f"{API}/{lab.pk}{path}", **({} if method == "get" else {"data": body}),
        content_type="application/json",
    )  # fmt: skip
    assert answer.status_code == 404
    assert Lab.objects.values().get() == before
    nobody = getattr(Client(), method)(f"{API}/{lab.pk}{path}")
    assert nobody.status_code == 401


def test_every_path_with_a_lab_is_in_the_list_above():
    from topoweb.api import api

    names = {"1": "{number}", "/web/": "/{service}/", "/h/": "/{node}/", "/0/": "/{hop}/"}
    known = {
        (method, functools.reduce(lambda text, name: text.replace(name, names[name]), names, path))
        for method, path in OTHERS
    }
    found = {
        (method, path.removeprefix("/api/v1/labs/{lab_id}"))
        for path, item in api.get_openapi_schema()["paths"].items()
        if "{lab_id}" in path
        for method in item
    }
    assert found == known


def test_superuser_has_no_way_around(lab, admin_client):
    assert get(admin_client, f"/{lab.pk}").status_code == 404


def test_queries_are_few(client, lab, django_assert_num_queries):
    get(client, f"/{lab.pk}/document")
    with django_assert_num_queries(3):  # session, user, labs with status
        client.get(API)
    with django_assert_num_queries(4):  # session, user, lab, document
        get(client, f"/{lab.pk}/document")
    # session, user, lab; savepoint, lock, op_id, limits, update, insert, newest revision, audit,
    # release
    with django_assert_num_queries(12):
        post(client, f"/{lab.pk}/operations", add_node("n3"))
