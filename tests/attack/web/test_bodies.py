"""Requests that are too much, too deep, or no requests: refused, and nothing is half done."""

from __future__ import annotations

import gzip
import json
import time
import tracemalloc

import pytest

from tests.attack.register import attack, case
from tests.web.drawings import two_hosts
from topoweb.labs.models import Lab, Operation

pytestmark = pytest.mark.django_db
LABS = "/api/v1/labs"
REFUSED = {400, 409, 411, 413, 415, 422}


def many(count):
    nodes = {f"n{n}": {"kind": "host", "name": f"h{n}"} for n in range(count)}
    return {**two_hosts(), "nodes": nodes, "interfaces": {}, "links": {}}


BODIES = {
    "empty": b"",
    "half": b'{"name": "x',
    "no-utf-8": b'{"name": "\xff\xfe"}',
    "utf-16": '{"name": "x"}'.encode("utf-16"),
    "nan": b'{"document": {"nodes": {"n1": {"kind": "host", "name": "h", "x": NaN}}}}',
    "infinity": b'{"document": {"nodes": {"n1": {"kind": "host", "name": "h", "x": 1e999}}}}',
    "deep-lists": b"[" * 200_000,
    "deep-objects": b'{"document":' * 50_000 + b"1" + b"}" * 50_000,
    "deep-in-a-document": b'{"document": {"nodes": ' + b'{"a":' * 20_000 + b"1" + b"}" * 20_001,
    "huge-integer": b'{"document": {"version": ' + b"9" * 1_000_000 + b"}}",
    "huge-exponent": b'{"document": {"version": 1e999999999}}',
    "nul": b'{"name": "a\\u0000b"}',
    "surrogate": b'{"name": "\\ud800"}',
    "twice-the-key": b'{"name": "a", "document": 7, "document": 8}',
    "prototype": b'{"__proto__": {"owner": 1}, "constructor": {}}',
    "owner": b'{"name": "x", "owner": 1}',
    "id": b'{"name": "x", "id": 1}',
    "running": b'{"name": "x", "running": true}',
    "17-MiB": b" " * (17 << 20),
    "gzip": gzip.compress(b'{"name": "' + b"x" * 1_000_000 + b'"}'),
    "xml": b"<?xml version='1.0'?><!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]><a>&b;</a>",
    "a-million-keys": json.dumps({"document": {f"k{n}": 1 for n in range(200_000)}}).encode(),
    "too-many-nodes": json.dumps({"document": many(5_001)}).encode(),
    "long-name": json.dumps({"name": "x" * 1_000_000}).encode(),
    "sql": json.dumps({"template": "'; DROP TABLE labs_lab; --"}).encode(),
    "path": json.dumps({"template": "../../../../etc/passwd"}).encode(),
}  # fmt: skip


@pytest.mark.parametrize(
    "body", [case(key, f"POST /labs with a body that is hostile: {key}",
                  "4xx with the reason; no lab is made", body) for key, body in BODIES.items()],
)  # fmt: skip
def test_bodies(client, body):
    before = time.monotonic()
    answer = client.post(LABS, body, content_type="application/json")
    assert answer.status_code in REFUSED | {404}, answer.content[:200]
    assert b"root:" not in answer.content
    assert len(answer.content) < 1 << 20
    assert time.monotonic() - before < 20
    assert not Lab.objects.exists()


OPERATIONS = {
    "nested-batch": {"kind": "batch", "operations": [{"kind": "batch", "operations": []}]},
    "long-batch": {"kind": "batch", "operations": [
        {"kind": "remove", "collection": "nodes", "id": f"n{n}"} for n in range(20_001)]},
    "unknown-collection": {"kind": "add", "collection": "users", "id": "a", "value": {}},
    "dunder-collection": {"kind": "set", "collection": "__class__", "id": "a", "patch": {"a": 1}},
    "dunder-property": {"kind": "set", "collection": "nodes", "id": "n1",
                        "patch": {"__dict__": {}, "__class__": 1}},
    "document-version": {"kind": "set", "collection": "document", "id": "",
                         "patch": {"version": 9}},
    "dangling": {"kind": "add", "collection": "links", "id": "l9",
                 "value": {"kind": "veth", "a": "i1", "b": "nothing"}},
    "replace-by-garbage": {"kind": "replace", "document": {"format": "topoweb", "version": 99}},
    "path-as-id": {"kind": "add", "collection": "nodes", "id": "../../etc",
                   "value": {"kind": "host", "name": "h9"}},
}  # fmt: skip


@pytest.mark.parametrize(
    "operation", [case(key, f"an operation that is hostile: {key}",
                       "refused; drawing and history stay", operation)
                  for key, operation in OPERATIONS.items()],
)  # fmt: skip
def test_operations(client, lab, operation):
    before = Lab.objects.values().get(pk=lab.pk)
    body = {"op_id": "a", "base_seq": lab.seq, **operation}
    answer = client.post(f"{LABS}/{lab.pk}/operations", body, content_type="application/json")
    assert answer.status_code in REFUSED, answer.content[:200]
    assert Lab.objects.values().get(pk=lab.pk) == before
    assert not Operation.objects.exists()


@attack(
    "a small document that grows: references, repeated many times", "memory stays in proportion"
)
def test_memory(client):
    body = json.dumps({"document": {**two_hosts(), "notes": {
        f"t{n}": {"text": "&a;" * 50, "x": 0, "y": 0} for n in range(2_000)}}})  # fmt: skip
    tracemalloc.start()
    client.post(LABS, body, content_type="application/json")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 100 * len(body)


QUERIES = ["?limit=0", "?limit=1001", "?limit=9" + "9" * 400, "?after=-1", "?after=1e9",
           "?after[]=1", "?limit=1&limit=2000", "?after=%00"]  # fmt: skip


@attack("numbers out of their range in a query", "422; the tracer is not asked")
def test_queries(client, lab):
    for query in QUERIES:
        answer = client.get(f"{LABS}/{lab.pk}/packets{query}")
        assert answer.status_code == 422 or (query == "?after[]=1" and answer.status_code == 503)


@attack("more parameters, headers and cookies than a browser sends", "400 or taken; never 5xx")
def test_many_parameters(client, lab):
    many = "&".join(f"nodes=n{n}" for n in range(5_000))
    assert client.get(f"{LABS}/{lab.pk}/pcap?{many}").status_code in {400, 414, 422}
    headers = {f"X-{n}": "x" for n in range(500)}
    assert client.get(LABS, headers=headers).status_code == 200


METHODS = ["TRACE", "CONNECT", "PUT", "PROPFIND", "DELETE", "GET\r\nX: y"]


@attack("methods that an address does not have; a method override header", "405")
def test_methods(client, lab):
    for method in METHODS:
        assert client.generic(method, LABS).status_code == 405
    answer = client.post(f"{LABS}/{lab.pk}/status", headers={"X-HTTP-Method-Override": "DELETE"})
    assert answer.status_code == 405
    assert Lab.objects.filter(pk=lab.pk).exists()


@attack("a name with line breaks in the file name of a download", "the server's own file name")
def test_download_name(client, lab):
    Lab.objects.filter(pk=lab.pk).update(name='x"\r\nSet-Cookie: a=b\r\n\r\n<script>')
    answer = client.get(f"{LABS}/{lab.pk}/pcap")
    assert "a" not in answer.cookies
    assert "<script>" not in str(answer.headers)
