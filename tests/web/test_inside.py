"""Questions about a running lab's nodes, from HTTP to the worker's socket."""

from __future__ import annotations

import json

import pytest

from tests.web.test_streamclient import DONE, pack, service
from topoweb.protocol.frames import Kind

API = "/api/v1/labs"
pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("path", "question", "answer"),
    [
        ("services/web/log", {"what": "service-log", "service": "web"}, {"text": "GET /"}),
        ("services/dhcp:i1/log", {"what": "service-log", "service": "dhcp:i1"}, {"text": ""}),
        (
            "nodes/n1/frr",
            {"what": "frr", "node": "n1"},
            {"daemons": [], "neighbours": [], "routes": []},
        ),
        ("tools", {"what": "tools"}, {"tools": []}),
    ],
)
def test_the_worker_is_asked(run_directory, client, lab, path, question, answer):
    said = pack(Kind.DATA, json.dumps(answer).encode())
    with service(run_directory / "worker.sock", said, DONE) as frames:
        got = client.get(f"{API}/{lab.pk}/{path}")
    assert (got.status_code, got.json()) == (200, answer)
    assert json.loads(frames[0].payload)["params"] == question


@pytest.mark.parametrize("path", ["services/a.b/log", "services/x:i1/log", "nodes/a%20b/frr"])
def test_ids_are_checked_before_the_worker_hears_them(client, lab, path):
    assert client.get(f"{API}/{lab.pk}/{path}").status_code == 422


def test_without_a_worker_it_is_said(run_directory, client, lab):
    assert client.get(f"{API}/{lab.pk}/tools").status_code == 503
