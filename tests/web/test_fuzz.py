"""Anything may come in: no 5xx, a refusal names its place, nothing is half applied.

``TOPOWEB_FUZZ=100000`` runs that many documents and operations; without it 1,000 of each.
"""

from __future__ import annotations

import json
import os

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.web.drawings import two_hosts
from topoweb.accounts.services import issue_api_token
from topoweb.api import api
from topoweb.core.topology import operations
from topoweb.core.topology.document import dump, parse
from topoweb.labs import queries, services
from topoweb.labs.drawing import DrawingCache
from topoweb.labs.models import Lab

EXAMPLES = int(os.environ.get("TOPOWEB_FUZZ", "1000"))
pytestmark = [pytest.mark.django_db, pytest.mark.timeout(300 + EXAMPLES // 4)]
fuzz = settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)

ids = st.sampled_from(
    ["n1", "n2", "n3", "i1", "i2", "i3", "l1", "l2", "r1", "t1", "", "x" * 41, "é", "a/b~c", "in"]
)  # fmt: skip
scalars = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20)
)  # fmt: skip
wild = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)  # fmt: skip
addresses = st.lists(
    st.sampled_from(["10.0.0.1/24", "10.0.0.0/24", "fe80::1/64", "::/0", "10.0.0.1", "x", ""])
    | scalars,
    max_size=3,
)
PROPERTIES = {
    "kind": st.sampled_from(["host", "router", "switch", "veth", "toaster", "http", "frr"]),
    "name": st.sampled_from(["h1", "eth0", "lo", "", "a b", "x" * 16, "..", "é"]) | st.text(),
    "x": st.floats(), "y": st.integers(), "width": scalars, "height": scalars,
    "forward_ipv4": st.booleans(), "stp": st.booleans(), "ageing": st.integers(-1, 400),
    "addresses": addresses, "lo_up": st.booleans(), "node": ids, "mac": st.text(max_size=20),
    "mtu": st.integers(0, 70_000), "up": st.booleans(), "bridged": st.booleans(), "a": ids,
    "b": ids, "prefix": st.sampled_from(["0.0.0.0/0", "10.0.0.1/24", "::/0", "x"]),
    "via": st.sampled_from(["10.0.0.1", "::1", "x", None]), "device": ids | st.none(),
    "metric": st.none() | st.integers(-1, 2**33), "text": st.text(max_size=50),
    "color": st.sampled_from(["blue", "mauve"]), "dhcp": st.booleans(),
    "options": st.sampled_from([{}, {"port": 80}, {"port": 0}, {"bgp": {"asn": 1}}, {"line": "x"}]),
}  # fmt: skip
WANTED = {
    "nodes": ("kind", "name"), "interfaces": ("node", "name"), "links": ("a", "b"),
    "routes": ("node", "prefix", "via"), "notes": ("text",), "groups": ("name",),
    "services": ("node", "kind", "options"),
}  # fmt: skip


@st.composite
def objects(draw, collection):
    """An object that is often nearly right."""
    names = [
        *WANTED.get(collection, ()),
        *draw(st.lists(st.sampled_from(sorted(PROPERTIES)), max_size=3)),
    ]
    value = {name: draw(PROPERTIES[name] | wild if draw(st.booleans()) else PROPERTIES[name])
             for name in names}  # fmt: skip
    if draw(st.integers(0, 9)) == 0:
        value[draw(st.text(max_size=5))] = draw(wild)
    return value


@st.composite
def documents(draw):
    document = two_hosts()
    for collection in draw(st.lists(st.sampled_from(sorted(WANTED)), max_size=4)):
        place = document.setdefault(collection, {})
        if isinstance(place, dict):
            place[draw(ids)] = draw(objects(collection) | wild)
    for name in draw(
        st.lists(
            st.sampled_from([*document, "version", "format", "auto_address", "extra"]), max_size=1
        )
    ):
        document[name] = draw(wild)
    return document if draw(st.integers(0, 9)) else draw(wild)


@st.composite
def single(draw):
    collection = draw(st.sampled_from([*WANTED, "document", "walls"]))
    kind = draw(st.sampled_from(["add", "set", "remove", "add", "set", "explode"]))
    operation = {"kind": kind, "collection": collection, "id": draw(ids)}
    if kind in {"add", "set"}:
        operation["value" if kind == "add" else "patch"] = draw(objects(collection) | wild)
    if draw(st.integers(0, 9)) == 0:
        operation[draw(st.sampled_from(["id", "collection", "kind", "value", "more"]))] = draw(wild)
    return operation


some_operations = (
    single()
    | single()
    | st.builds(
        lambda several: {"kind": "batch", "operations": several},
        st.lists(single(), max_size=5) | wild,
    )
    | st.builds(lambda document: {"kind": "replace", "document": document}, documents())
    | wild
)  # fmt: skip


def sent(client, path, body):
    """Post JSON as a hostile client would: whatever `json` can write."""
    return client.post(path, json.dumps(body, allow_nan=True), content_type="application/json")


def check_refusal(answer):
    assert answer.status_code in {400, 404, 409, 413, 422}, answer.content
    assert answer.headers["Content-Type"] == "application/problem+json"
    said = answer.json()
    assert said["detail"]
    if answer.status_code == 422:
        assert said["problems"]
        for one in said["problems"]:
            assert one["message"]
            # "" points at the whole, which is right when the whole is wrong
            assert one["path"] == "" or one["path"].startswith("/"), one


@fuzz
@given(document=documents())
def test_documents(client, owner, document):
    before = Lab.objects.count()
    answer = sent(client, "/api/v1/labs", {"document": document})
    if answer.status_code != 201:
        check_refusal(answer)
        assert Lab.objects.count() == before
        return
    lab = Lab.objects.get(pk=answer.json()["id"])
    assert dump(parse(lab.document)) == lab.document
    drawn = client.get(f"/api/v1/labs/{lab.pk}/document")
    assert drawn.status_code == 200
    errors = [one for one in drawn.json()["problems"] if one["severity"] == "error"]
    assert client.post(f"/api/v1/labs/{lab.pk}/run").status_code == (422 if errors else 200)
    lab.delete()


@fuzz
@given(sequence=st.lists(some_operations, min_size=1, max_size=3))
def test_operations(client, owner, sequence):
    lab = services.create_lab(owner, "fuzzed", two_hosts())
    elsewhere = DrawingCache()  # another process: it follows by what is stored
    elsewhere.get(lab, lambda: lab.document)
    for n, operation in enumerate(sequence):
        seq, document = queries.document_of(lab.pk)
        body = operation
        if isinstance(operation, dict):
            body = {"op_id": f"op{n}", "base_seq": seq, **operation}
        answer = sent(client, f"/api/v1/labs/{lab.pk}/operations", body)
        after_seq, after = queries.document_of(lab.pk)
        if answer.status_code == 200:
            assert after_seq == seq + 1
            changes = answer.json()["changes"]
            assert dump(operations.replay(parse(document), changes)) == after
            undone, _ = operations.apply(parse(after), operations.invert(changes))
            assert dump(undone) == document
            lab.refresh_from_db()
            assert elsewhere.kept(lab).topology == parse(lab.document)
        else:
            check_refusal(answer)
            assert (after_seq, after) == (seq, document)
    lab.delete()


schema = schemathesis.openapi.from_dict(api.get_openapi_schema(path_prefix="/api/v1/"))
schema.app = get_wsgi_application()
CHECKS = [response_schema_conformance, content_type_conformance, status_code_conformance]


@pytest.fixture
def one_transaction():
    """Keep the WSGI handler from closing the connection that the test's transaction is on."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@schema.parametrize()
@settings(
    max_examples=max(20, EXAMPLES // 40), deadline=None, suppress_health_check=list(HealthCheck)
)
def test_openapi(case, owner, lab, one_transaction):
    """Each operation of the OpenAPI keeps its own word. 503: the worker is away here."""
    if "lab_id" in (case.path_parameters or {}):
        case.path_parameters["lab_id"] = lab.pk
    token = issue_api_token(owner)
    headers = {"Authorization": f"Bearer {token}", "Accept-Encoding": "identity"}
    answer = case.call(headers=headers)
    assert answer.status_code < 500 or answer.status_code == 503
    # 405 comes for methods that the path does not have, which schemathesis tries as well.
    if answer.status_code != 405:
        case.validate_response(answer, checks=CHECKS)
    if not Lab.objects.filter(pk=lab.pk).exists():  # an example deleted it
        lab.pk = services.create_lab(owner, "lab", two_hosts()).pk
