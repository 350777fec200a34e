"""S39, 802.1Q: sub-interfaces, and switches that keep VLANs apart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.kernel.seed.drawings import change, document, remove

if TYPE_CHECKING:
    from tests.kernel.kindslab import KindsLab


def sub(node: str, parent: str, vlan: int, address: str) -> dict[str, Any]:
    return {
        "node": node,
        "name": f"eth0.{vlan}",
        "kind": "vlan",
        "parent": parent,
        "options": {"id": vlan},
        "addresses": [address],
    }


@pytest.mark.needs("vlan")
def test_s39_sub_interface_is_a_link_whose_frames_are_tagged(lab: KindsLab) -> None:
    made = document("h1:eth0=10.0.1.1/24 h2:eth0=10.0.1.2/24")
    made["interfaces"]["one"] = sub("h1", "h1-eth0", 10, "10.0.10.1/24")
    made["interfaces"]["two"] = sub("h2", "h2-eth0", 10, "10.0.10.2/24")
    lab.draw(made)
    (shown,) = lab.json("h1", "ip -j -d link show eth0.10")
    assert (shown["link"], shown["linkinfo"]["info_data"]["id"]) == ("eth0", 10)
    assert shown["address"] == lab.state("h1:eth0").mac
    with lab.packets("h2:eth0", "icmp or (vlan and icmp)") as tap:
        assert lab.pings("h1", "10.0.10.2")
        assert lab.pings("h1", "10.0.1.2")
        tagged, plain = (
            [line for line in tap.lines() if one in line] for one in ("10.0.10.", "10.0.1.")
        )
    assert tagged
    assert plain
    assert all("802.1Q" in line and "vlan 10" in line for line in tagged)
    assert not any("802.1Q" in line for line in plain)
    lab.change(change("interfaces", "two", options={"id": 20}, name="eth0.20"))
    assert lab.device("h2:eth0.10") is None
    assert lab.silent("h1", "10.0.10.2")
    lab.undo()
    assert lab.pings("h1", "10.0.10.2")


@pytest.mark.needs("vlan")
def test_sub_interface_goes_down_and_up_with_its_parent(lab: KindsLab) -> None:
    made = document("h1:eth0=10.0.1.1/24 h2:eth0=10.0.1.2/24")
    made["interfaces"]["one"] = sub("h1", "h1-eth0", 10, "10.0.10.1/24")
    made["routes"]["far"] = {"node": "h1", "prefix": "10.9.0.0/16", "via": "10.0.10.2"}
    lab.draw(made)
    lab.change(change("interfaces", "h1-eth0", up=False))
    assert not lab.state("h1:eth0.10").up
    lab.change(change("interfaces", "one", up=False), change("interfaces", "h1-eth0", up=True))
    assert not lab.state("h1:eth0.10").up  # the kernel raises it with its parent
    lab.change(change("interfaces", "one", up=True))
    assert [route.prefix for route in lab.routes("h1")] == ["10.9.0.0/16"]


def campus() -> dict[str, Any]:
    """Two switches with a trunk; red hosts in VLAN 10, blue ones in 20; a router on a stick."""
    switch = {"kind": "switch", "vlan_filtering": True}
    made = document(
        "red1:eth0=10.0.10.11/24 a:p1",
        "blue1:eth0=10.0.20.11/24 a:p2",
        "red2:eth0=10.0.10.12/24 b:p1",
        "a:trunk b:trunk",
        "r:eth0 b:router",
        nodes={"a": switch, "b": switch, "r": {"kind": "router", "forward_ipv4": True}},
        routes={
            "red": ("red1", "0.0.0.0/0", "10.0.10.1"),
            "blue": ("blue1", "0.0.0.0/0", "10.0.20.1"),
        },
    )
    ports = {
        **{"a-p1": {"untagged": 10}, "b-p1": {"untagged": 10}, "a-p2": {"untagged": 20}},
        **{key: {"untagged": None, "tagged": [10, 20]} for key in ("a-trunk", "b-trunk")},
        "b-router": {"tagged": [10, 20]},
    }
    for key, options in ports.items():
        made["interfaces"][key]["bridge_port"] = options
    made["interfaces"]["r10"] = sub("r", "r-eth0", 10, "10.0.10.1/24")
    made["interfaces"]["r20"] = sub("r", "r-eth0", 20, "10.0.20.1/24")
    return made


@pytest.mark.needs("vlan", "bridge_vlan")
def test_trunk_access_ports_and_a_router_on_a_stick(lab: KindsLab) -> None:
    lab.draw(campus())
    assert lab.problems() == {}
    listed = {
        one["ifname"]: [vlan["vlan"] for vlan in one["vlans"]]
        for one in lab.json("a", "bridge -j vlan show")
    }
    assert (listed["p1"], listed["p2"], listed["trunk"]) == ([10], [20], [10, 20])
    with lab.packets("b:trunk", "vlan and icmp") as tap:
        assert lab.pings("red1", "10.0.10.12")
        lines = [line for line in tap.lines() if "10.0.10.12" in line]
    assert lines
    assert [line for line in lines if "vlan 10" not in line] == []
    assert lab.pings("red1", "10.0.20.11")  # by the router: from VLAN 10 to VLAN 20
    learned = {(one["ifname"], one["vlan"]) for one in fdb(lab, "a")}
    assert {("p1", 10), ("trunk", 10), ("p2", 20), ("trunk", 20)} <= learned


@pytest.mark.needs("vlan", "bridge_vlan")
def test_vlans_are_changed_live_undone_and_watched_for_drift(lab: KindsLab) -> None:
    lab.draw(campus())
    red = change("interfaces", "blue1-eth0", addresses=["10.0.10.13/24"])
    lab.change(red, remove("routes", "blue"))
    assert lab.silent("red1", "10.0.10.13")  # another VLAN, one prefix
    lab.change(change("interfaces", "a-p2", bridge_port={"untagged": 10}))
    assert lab.pings("red1", "10.0.10.13")
    lab.undo()
    assert lab.silent("red1", "10.0.10.13")
    lab.inside("a", "bridge vlan add dev p2 vid 10 pvid untagged")
    (found,) = lab.drift()
    assert (found.path, found.drawn) == ("interfaces/p2/vlans", ["20 pvid untagged"])
    lab.run(restore=True)
    assert lab.drift() == []
    off = [change("nodes", node, vlan_filtering=False) for node in ("a", "b")]
    lab.change(*off)
    assert lab.problems()["vlan-filtering-off"] == "warning"
    assert lab.pings("red1", "10.0.10.13")
    lab.undo()
    assert lab.silent("red1", "10.0.10.13")


def fdb(lab: KindsLab, node: str) -> list[dict[str, Any]]:
    entries = lab.json(node, "bridge -j fdb show br br0")
    return [one for one in entries if "vlan" in one and "permanent" not in one.get("state", "")]
