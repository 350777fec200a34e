"""A recording of the whole product: a real drop, saved, and played when nothing of it is left."""

from __future__ import annotations

import json
import os
import time
import urllib.request
from typing import TYPE_CHECKING, Any

import pytest

from tests.benchmarks._terminals import Server
from tests.browser.product import served

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root or a user namespace")
DEADLINE = 60.0
DOCUMENT = {
    "format": "topoweb", "version": 1, "name": "broken", "auto_address": False,
    "nodes": {"n1": {"kind": "host", "name": "h1", "x": 0, "y": 0},
              "n2": {"kind": "router", "name": "r1", "x": 200, "y": 0},
              "n3": {"kind": "host", "name": "h2", "x": 400, "y": 0}},
    "interfaces": {"i1": {"node": "n1", "name": "eth0", "addresses": ["10.0.1.11/24"]},
                   "i2": {"node": "n2", "name": "eth0", "addresses": ["10.0.1.1/24"]},
                   "i3": {"node": "n2", "name": "eth1", "addresses": ["10.0.2.1/24"]},
                   "i4": {"node": "n3", "name": "eth0", "addresses": ["10.0.2.11/24"]}},
    "links": {"l1": {"kind": "veth", "a": "i1", "b": "i2"},
              "l2": {"kind": "veth", "a": "i3", "b": "i4"}},
    "routes": {"r1": {"node": "n1", "prefix": "0.0.0.0/0", "via": "10.0.1.1"},
               "r2": {"node": "n3", "prefix": "0.0.0.0/0", "via": "10.0.2.1"}},
}  # fmt: skip


@pytest.fixture(params=[False, True], ids=["root", "rootless"])
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    """Both tiers: every hop as root, what crosses cables without."""
    with served(rootless=request.param) as product:
        yield Server(product)


def until(found: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + DEADLINE
    while not (value := found()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return value


def test_a_drop_is_played_after_its_lab_is_gone(server: Server) -> None:
    document = {**DOCUMENT, "nodes": {**DOCUMENT["nodes"]}}  # type: ignore[dict-item]
    document["nodes"]["n2"] = {**document["nodes"]["n2"], "forward_ipv4": False}  # type: ignore[index]
    lab = server.run(document)
    path = f"/labs/{lab}"
    assert server.call("POST", f"{path}/recording", {"minutes": 1})["kept"]  # nobody looks
    wish = {"kind": "ping", "source": "n1", "target": "10.0.2.11", "count": 1}
    server.call("POST", f"{path}/probes", wish)

    def judged() -> Any:
        rows = server.call("GET", f"{path}/packets?limit=500")["rows"]
        pings = [row for row in rows if row[5] == "ICMP" and row[2] == "l1" and row[3] == "ab"]
        traces = [server.call("GET", f"{path}/packets/{row[4]}/trace") for row in pings[:1]]
        return next((one for one in traces if one["verdict"]), None)

    live = until(judged)
    # What was explained because a page asked is no end; wait for that which nobody asked for.
    saved = until(lambda: _saved(server, path))
    assert server.call("GET", f"{path}/recording")["packets"] >= saved["packets"] > 0
    server.call("POST", f"{path}/stop", {})
    until(lambda: server.call("GET", f"{path}/status")["phase"] == "stopped")
    server.call("DELETE", path)

    base = f"/recordings/{saved['id']}"
    assert server.call("GET", base)["lab"] is None
    shown = _compare(server, base, live)
    shared = server.call("POST", f"{base}/share", {"days": 1})["url"]
    for part, own in (("/content", shown), ("/packets/1", server.call("GET", f"{base}/packets/1"))):
        with urllib.request.urlopen(f"{server.origin}/api/v1{shared}{part}", timeout=30) as answer:
            assert json.loads(answer.read()) == own


def _saved(server: Server, path: str) -> Any:
    """Save; the recording once it has the fault."""
    saved = server.call("POST", f"{path}/recordings", {"name": "drop", "seconds": 120})
    if saved["faults"]:
        return saved
    server.call("DELETE", f"/recordings/{saved['id']}")
    return None


def _compare(server: Server, base: str, live: dict[str, Any]) -> dict[str, Any]:
    """Hold what is played against what was live; return the content."""
    content: dict[str, Any] = server.call("GET", f"{base}/content")
    assert content["next"] is None
    payloads = [payload for _, payload in content["packets"]]
    rows = [row for one in payloads for row in one["rows"]]
    assert any(row[5] == "ICMP" and row[2] == "l1" for row in rows)
    assert not any(row[5] == "ICMP" and row[2] == "l2" for row in rows)
    ends = [end for one in payloads for end in one.get("ends", ())]
    assert [(end["verdict"]["code"], end["node"]) for end in ends] == [("forwarding-off", "n2")]
    first = content["live"][0][1]
    assert first["full"]
    assert first["nodes"]["n2"]["forward_ipv4"] is False
    assert content["began"] <= content["live"][0][0] <= content["ended"]
    trace = server.call("GET", f"{base}/packets/{live['packet']}/trace")
    assert trace["hops"] == live["hops"]
    assert trace["verdict"]["code"] == live["verdict"]["code"] == "forwarding-off"
    assert trace["verdict"]["text"] == live["verdict"]["text"]
    assert trace["exchange"]["kind"] == "echo"
    last = len(trace["hops"]) - 1
    tables = server.call("GET", f"{base}/packets/{live['packet']}/hops/{last}/tables")
    own = {"n1": "10.0.1.11/24", "n2": "10.0.1.1/24"}[tables["node"]]
    assert own in {one["address"] for one in tables["tables"]["addresses"]}
    return content
