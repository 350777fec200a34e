"""FRR for real: OSPF, BGP and RIP between routers, what they learn, and what happens to it."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.kernel.serviceslab import ServedLab, served
from tests.unit.core.drawing import Drawing
from topoweb.core.plan.diff import diff, drift
from topoweb.core.plan.expand import expand
from topoweb.engine.servicequeries import ServiceQueries

if TYPE_CHECKING:
    from pathlib import Path

    from topoweb.core.topology.model import Topology
    from topoweb.kernel.lab import LinuxKernel

pytestmark = pytest.mark.ok_suite
LAB = 7
FAST = """
interface {}
 ip ospf hello-interval 1
 ip ospf dead-interval 3
 ip ospf retransmit-interval 2
 ip ospf network point-to-point
exit
"""


def frr(drawing: Drawing, node: str, **options: Any) -> None:
    drawing.document.setdefault("services", {})[f"frr-{node}"] = {
        "node": node,
        "kind": "frr",
        "options": options,
    }


def triangle() -> Drawing:
    """Three routers, each with a cable to the others, and a host at the first and the third."""
    drawing = (
        Drawing(auto_address=False)
        .cable("r1.a 10.0.12.1/24", "r2.a 10.0.12.2/24")
        .cable("r2.b 10.0.23.2/24", "r3.b 10.0.23.3/24")
        .cable("r1.c 10.0.13.1/24", "r3.c 10.0.13.3/24")
        .cable("h1.eth0 10.1.0.11/24", "r1.lan 10.1.0.1/24")
        .cable("h3.eth0 10.3.0.11/24", "r3.lan 10.3.0.1/24")
        .route("h1", "0.0.0.0/0", "10.1.0.1")
        .route("h3", "0.0.0.0/0", "10.3.0.1")
    )
    for node, ports in (("r1", "ac"), ("r2", "ab"), ("r3", "bc")):
        frr(
            drawing,
            node,
            router_id=f"{node[1]}.{node[1]}.{node[1]}.{node[1]}",
            ospf=[{"prefix": "10.0.0.0/8"}],
            config="".join(FAST.format(port) for port in ports),
        )
    return drawing


def as_drawn(lab: ServedLab, topology: Topology) -> None:
    """What daemons learned is neither drift nor removed by a pass."""
    desired, observed = expand(LAB, topology), lab.kernel.observe(LAB)
    assert drift(desired, observed) == []
    assert not diff(desired, observed)


async def asked(lab: ServedLab, node: str) -> Any:
    return await ServiceQueries(lab.services, lab.kernel.sandboxes).frr(LAB, {"node": node})


async def test_ospf_converges_and_reroutes(kernel: LinuxKernel, tmp_path: Path) -> None:
    drawing = triangle()
    async with served(kernel, tmp_path) as lab:
        topology = await lab.draw(drawing)
        await lab.running("frr-r1", "frr-r2", "frr-r3")
        route = ("/usr/sbin/ip", "-4", "route", "show", "10.3.0.0/24")
        assert "via 10.0.13.3 dev c proto ospf" in await lab.see("r1", "10.0.13.3", *route)
        await lab.see("h1", " 0% packet loss", "/usr/bin/ping", "-c1", "-W1", "10.3.0.11")
        as_drawn(lab, topology)
        said = await asked(lab, "r1")
        assert {"zebra", "staticd", "ospfd"} <= set(said["daemons"])
        assert {(n["address"], n["state"].split("/")[0]) for n in said["neighbours"]} == {
            ("10.0.12.2", "Full"),
            ("10.0.13.3", "Full"),
        }
        learned = [r for r in said["routes"] if r["prefix"] == "10.3.0.0/24" and r["selected"]]
        assert [(r["via"], r["device"], r["protocol"]) for r in learned] == [
            ("10.0.13.3", "c", "ospf")
        ]
        drawing.document["links"]["l3"]["up"] = False
        topology = await lab.draw(drawing)
        await lab.see("r1", "via 10.0.12.2 dev a proto ospf", *route)
        await lab.see("h1", " 0% packet loss", "/usr/bin/ping", "-c1", "-W1", "10.3.0.11")
        as_drawn(lab, topology)


async def test_bgp_between_two_ases(kernel: LinuxKernel, tmp_path: Path) -> None:
    drawing = (
        Drawing()
        .cable("r1.eth0 10.0.12.1/24", "r2.eth0 10.0.12.2/24")
        .cable("r1.lan 10.1.0.1/24", "h1.eth0 10.1.0.11/24")
        .cable("r2.lan 10.2.0.1/24", "h2.eth0 10.2.0.11/24")
    )
    for node, asn, peer, other in (
        ("r1", 65001, "10.0.12.2", 65002),
        ("r2", 65002, "10.0.12.1", 65001),
    ):
        bgp = {
            "asn": asn,
            "neighbours": [{"address": peer, "asn": other}],
            "networks": [f"10.{node[1]}.0.0/24"],
        }
        frr(drawing, node, bgp=bgp)
    async with served(kernel, tmp_path) as lab:
        topology = await lab.draw(drawing)
        await lab.see("r1", "via 10.0.12.2 dev eth0 proto bgp", "/usr/sbin/ip", "-4", "route")
        summary = json.loads(await lab.run("r1", "/usr/bin/vtysh", "-c", "show bgp summary json"))
        assert summary["ipv4Unicast"]["peers"]["10.0.12.2"]["state"] == "Established"
        (peer,) = (await asked(lab, "r1"))["neighbours"]
        assert (peer["protocol"], peer["address"]) == ("bgp", "10.0.12.2")
        assert peer["state"] == "Established"
        assert abs(time.time() - peer["since"]) < 60
        as_drawn(lab, topology)


async def test_rip_and_static_by_frr(kernel: LinuxKernel, tmp_path: Path) -> None:
    drawing = (
        Drawing()
        .cable("r1.eth0 10.0.12.1/24", "r2.eth0 10.0.12.2/24")
        .cable("r2.lan 10.2.0.1/24", "h2.eth0 10.2.0.11/24")
    )
    frr(drawing, "r1", rip=["10.0.0.0/8"], config="ip route 10.9.0.0/16 10.0.12.2")
    frr(drawing, "r2", rip=["10.0.12.0/24"], redistribute=["connected"])
    async with served(kernel, tmp_path) as lab:
        topology = await lab.draw(drawing)
        routes = ("/usr/sbin/ip", "-4", "route")
        await lab.see("r1", "10.2.0.0/24", *routes)
        said = await lab.run("r1", *routes)
        assert "10.9.0.0/16" in said
        (peer,) = (await asked(lab, "r1"))["neighbours"]
        assert (peer["protocol"], peer["address"], peer["state"]) == ("rip", "10.0.12.2", "up")
        assert {r["protocol"] for r in (await asked(lab, "r1"))["routes"]} >= {"rip", "static"}
        log = await ServiceQueries(lab.services, kernel.sandboxes).log(LAB, {"service": "frr-r1"})
        assert "configured" in log["text"]
        as_drawn(lab, topology)
