"""The commands that are shown to learners do what they say, typed into a real shell."""

from __future__ import annotations

import json
import shlex
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.golden.update import cases
from tests.unit.core.drawing import Drawing, routed
from topoweb.core.plan.diff import diff
from topoweb.core.plan.expand import expand, subjects
from topoweb.core.plan.render import script
from topoweb.core.plan.state import LabState
from topoweb.core.topology.document import DocumentError, parse
from topoweb.core.topology.needs import needs
from topoweb.core.topology.validate import validate
from topoweb.kernel import netns
from topoweb.kernel.features import link_features

if TYPE_CHECKING:
    from topoweb.core.topology.model import Topology

# Own mounts and an own /run, so that "ip netns add" leaves no name outside.
PRIVATE = ["unshare", "--mount", "--net", "--kill-child", "sh", "-euc"]
PREPARE = "mount -t tmpfs tmpfs /run; mkdir /run/netns\n"


def runnable_cases() -> dict[str, Topology]:
    found = {}
    for case in cases():
        try:
            topology = parse(json.loads((case / "topology.json").read_text()))
        except DocumentError:
            continue
        if all(problem.severity == "warning" for problem in validate(topology)):
            found[case.name] = topology
    return found


CASES = runnable_cases()


def shell(lines: list[str]) -> subprocess.CompletedProcess[str]:
    text = PREPARE + "\n".join(lines)
    return subprocess.run(
        [*PRIVATE, text], capture_output=True, text=True, timeout=120, check=False
    )


def made(topology: Topology) -> list[str]:
    drawn = subjects(topology)
    return script(diff(expand(1, topology), LabState(), drawn), drawn.nodes)


def ping(node: str, target: str) -> str:
    """Answer within ten seconds (time for duplicate address detection) or fail."""
    return shlex.join(["ip", "netns", "exec", node, "ping", "-n", "-c1", "-w10", target])


@pytest.mark.parametrize("name", CASES)
def test_every_golden_plan_runs(name: str) -> None:
    found = netns.run_apart(link_features)
    lacking = {need.feature for need in needs(CASES[name]) if not found[need.feature]["ok"]}
    if lacking:
        pytest.skip(f"this kernel lacks {', '.join(lacking)}: make test-guest runs it")
    result = shell(made(CASES[name]))
    assert (result.returncode, result.stderr) == (0, "")


@pytest.mark.parametrize(
    ("name", "source", "target", "ttl"),
    [
        ("two-hosts", "h1", "10.0.0.2", 64),
        ("bridge", "h1", "10.20.5.3", 64),
        ("return-route", "h3", "10.20.2.2", 63),
        ("two-switches-and-a-router", "h11", "10.0.2.12", 63),
        ("behind-the-host", "h4", "10.20.2.2", 62),
        ("dual-stack", "h1", "2001:db8:2::1", 64),
    ],
)
def test_pings_pass(name: str, source: str, target: str, ttl: int) -> None:
    result = shell([*made(CASES[name]), ping(source, target)])
    assert result.returncode == 0, result.stderr + result.stdout
    assert f"ttl={ttl} " in result.stdout


def test_without_a_return_route_nothing_comes_back() -> None:
    lines = made(CASES["no-return-route"])
    result = shell([*lines, "ip netns exec h3 ping -n -c1 -w1 10.20.2.2"])
    assert result.returncode == 1
    assert "100% packet loss" in result.stdout
    assert "unreachable" not in result.stdout.lower()


def test_an_edit_of_a_running_lab() -> None:
    """Cable moved, port out of the bridge and back, addresses, routes and a node changed."""
    before = routed()
    after = routed()
    after.document["nodes"]["s1"] |= {"stp": True, "ageing": 20}
    after.document["interfaces"]["h11-eth0"] |= {"mtu": 1400, "addresses": ["10.0.1.77/24"]}
    after.document["interfaces"]["s1-p1"] |= {"mtu": 1400, "mac": "02:00:00:00:00:99"}
    after.document["interfaces"]["s2-p1"] |= {"bridged": False}
    after.document["links"]["l2"]["up"] = False
    after.cable("r1.eth3 10.0.3.1/24", "h31.eth0 10.0.3.11/24").route(
        "h31", "0.0.0.0/0", "10.0.3.1"
    )
    for gone in ("nodes", "interfaces", "links", "routes"):
        keys = [k for k, v in after.document[gone].items() if "h22" in (k, v.get("node"))]
        for key in keys:
            del after.document[gone][key]
    del after.document["links"]["l5"]
    assert [p for p in validate(after.parse()) if p.severity == "error"] == []
    lines = [*made(before.parse()), ping("h11", "10.0.2.12"), *changed(before, after)]
    result = shell([*lines, ping("h11", "10.0.3.11"), ping("h31", "10.0.1.77"), "ip netns list"])
    assert result.returncode == 0, result.stderr + result.stdout
    assert "h22" not in result.stdout.rpartition("rtt")[2]


def changed(before: Drawing, after: Drawing) -> list[str]:
    drawn = subjects(after.parse())
    names = {**subjects(before.parse()).nodes, **drawn.nodes}
    plan = diff(expand(1, after.parse()), expand(1, before.parse()), drawn)
    return script(plan, names)
