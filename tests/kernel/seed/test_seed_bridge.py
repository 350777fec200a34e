"""S33 to S35 and S37: the bridge, what it copies, and who else may answer."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tests.kernel.seed.drawings import bridge, change, document, false_success

if TYPE_CHECKING:
    from tests.kernel.seed.lab import SeedLab

PORTS = ("veth11", "veth13", "veth15")


async def test_s33_empty_bridge(lab: SeedLab) -> None:
    await lab.draw(document(nodes={"host": {"kind": "switch"}}))
    br0 = lab.device("host:br0")
    assert br0 is not None
    assert (br0.kind, br0.up, br0.stp, br0.ageing) == ("bridge", True, False, 300)
    listed = lab.inside("host", "ip -d link show br0")
    assert "bridge_id 8000.0:0:0:0:0:0 " in listed
    assert lab.inside("host", "bridge link") == ""


async def test_s33_ports_forward_and_the_fdb_learns(lab: SeedLab) -> None:
    await lab.draw(bridge())
    await lab.live.until(
        lambda: all(
            lab.live.interface(f"host:{port}").get("stp") == "forwarding" for port in PORTS
        ),
        "all ports forward",
    )
    assert {lab.live.interface(f"host:{port}")["master"] for port in PORTS} == {"br0"}
    ports = lab.inside("host", "bridge link").splitlines()
    assert len(ports) == 3
    assert all("master br0 state forwarding priority 32 cost 2" in line for line in ports)
    assert re.search(r"bridge_id 8000\.(?!0:0:0:0:0:0)", lab.inside("host", "ip -d link show br0"))
    assert await lab.verdict("net8", "192.177.1.3") == "reply 64"
    learned = {(lab.mac("net7:veth10"), "veth11"), (lab.mac("net8:veth12"), "veth13")}
    await lab.live.until(lambda: learned <= lab.live.fdb("host"), "both MACs are learned")


async def test_s34_third_port_sees_the_broadcast_only(lab: SeedLab) -> None:
    await lab.draw(bridge())
    result, seen = await lab.traced("net8", "192.177.1.3", marker=("net9", "192.177.1.4"))
    assert (result["verdict"], result["received"]) == ("reply", 2)
    third = seen.on("net9-host")
    assert [row.info for row in third.arp()] == ["who has 192.177.1.3? tell 192.177.1.4"]
    assert third.icmp() == []
    assert seen.icmp().hops() == [
        ("net8-host", "192.177.1.4", "192.177.1.3"),
        ("net7-host", "192.177.1.4", "192.177.1.3"),
        ("net7-host", "192.177.1.3", "192.177.1.4"),
        ("net8-host", "192.177.1.3", "192.177.1.4"),
    ]


async def test_s35_false_success_is_a_strangers_answer(lab: SeedLab) -> None:
    await lab.draw(false_success())
    assert lab.problems()["address-public"] == "warning"
    assert lab.problems()["address-duplicate"] == "warning"
    marker = ("net7", "192.177.1.4")
    result, seen = await lab.traced("host", "192.177.1.4", marker=marker)
    assert (result["verdict"], result["received"], result["ttl"]) == ("reply", 2, 62)
    assert seen.icmp().hops()[0] == ("host-win", "172.168.111.2", "192.177.1.4")
    assert "gw-stranger" in {row.link for row in seen.replies()}
    assert seen.on("net8-host").icmp() == []

    await lab.change(change("nodes", "host", addresses=["192.177.1.1/24"]))
    result, seen = await lab.traced("host", "192.177.1.4", marker=marker)
    assert (result["verdict"], result["received"], result["ttl"]) == ("reply", 2, 64)
    assert {row.link for row in seen.icmp()} == {"net8-host"}


async def test_s37_port_down_is_disabled(lab: SeedLab) -> None:
    await lab.draw(bridge())
    assert await lab.verdict("net8", "192.177.1.3") == "reply 64"
    await lab.change(change("interfaces", "host-veth11", up=False))
    await lab.live.until(
        lambda: lab.live.interface("host:veth11").get("stp") == "disabled", "the port is disabled"
    )
    assert lab.live.state("host:veth11") == "off"
    await lab.live.until(
        lambda: lab.live.state("net7:veth10") == "nocarrier", "the other end has no carrier"
    )
    (line,) = [one for one in lab.inside("host", "bridge link").splitlines() if "veth11" in one]
    assert "state disabled" in line
    result, seen = await lab.traced("net8", "192.177.1.3", marker=("net8", "192.177.1.5"))
    assert result["received"] == 0
    assert seen.on("net7-host").icmp() == []
