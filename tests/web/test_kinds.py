"""Interface kinds at the API: what the host lacks, and drift of their options."""

from __future__ import annotations

import pytest

from topoweb.core.topology.document import parse
from topoweb.core.topology.operations import apply
from topoweb.hosts import services as hosts
from topoweb.labs.drifts import keep_operation
from topoweb.labs.models import Lab

DOCUMENT = {
    "nodes": {
        "h1": {"kind": "host", "name": "h1"},
        "s1": {"kind": "switch", "name": "s1"},
    },
    "interfaces": {
        "i1": {"node": "h1", "name": "eth0"},
        "i2": {"node": "s1", "name": "p1", "bridge_port": {"cost": 5}},
        "i3": {"node": "h1", "name": "ip0", "kind": "ipvlan", "parent": "i1"},
    },
    "links": {"l1": {"a": "i1", "b": "i2"}},
}


@pytest.mark.django_db
def test_run_says_what_the_kernel_lacks_and_how_to_get_it(client, settings, django_user_model):
    user = django_user_model.objects.create_user("student")
    client.force_login(user)
    made = client.post("/api/v1/labs", {"document": DOCUMENT}, content_type="application/json")
    lab = made.json()["id"]
    lacks = {"ok": False, "reason": "No ipvlan children.", "remedy": "Load the module."}
    hosts.heartbeat(settings.TOPOWEB_HOST, {"ipvlan": lacks})
    refused = client.post(f"/api/v1/labs/{lab}/run")
    assert refused.status_code == 422
    (problem,) = refused.json()["problems"]
    assert (problem["code"], problem["path"]) == ("kernel-lacks", "/interfaces/i3/kind")
    assert problem["params"]["name"] == "h1:ip0"
    assert not Lab.objects.get(pk=lab).running
    hosts.heartbeat(settings.TOPOWEB_HOST, {"ipvlan": {"ok": True, "reason": ""}})
    assert client.post(f"/api/v1/labs/{lab}/run").status_code == 200


@pytest.mark.parametrize(
    ("node", "path", "actual", "kept"),
    [
        ("h1", "interfaces/ip0/options/mode", "l3", {"mode": "l3", "flag": "bridge"}),
        ("s1", "interfaces/p1/bridge_port/hairpin", True, {"hairpin": True, "cost": 5}),
    ],
)
def test_options_that_a_terminal_changed_can_be_kept(node, path, actual, kept):
    topology = parse(DOCUMENT)
    live = {"nodes": {node: {"drift": [{"path": path, "actual": actual}]}}}
    operation = keep_operation(topology, live, node, path)
    _, (change,) = apply(topology, operation)
    (part,) = change["patch"].values()
    assert {name: part[name] for name in kept} == kept
