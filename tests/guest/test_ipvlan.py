"""S26, S27: ipvlan children share their parent's MAC; modes and flags, live."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.kernel.seed.drawings import add, change, document, remove

if TYPE_CHECKING:
    from tests.kernel.kindslab import KindsLab

pytestmark = pytest.mark.needs("ipvlan")
HOST, NET1, NET2 = "172.168.111.2", "192.168.11.1", "192.168.12.1"


def drawn(mode: str, **more: Any) -> dict[str, Any]:
    """The tutorial's host with a card, and net1 and net2 behind ipvlan children of it."""
    made = document(
        f"host:eth0={HOST}/24 win:vEth=172.168.111.1/24", nodes={"net1": {}, "net2": {}}
    )
    for number, address in ((1, NET1), (2, NET2)):
        made["interfaces"][f"child{number}"] = {
            "node": f"net{number}",
            "name": f"ipvlan{number}",
            "kind": "ipvlan",
            "parent": "host-eth0",
            "options": {"mode": mode, **more},
            "addresses": [f"{address}/24"],
        }
    return made


def default(number: int) -> dict[str, Any]:
    """Return a default route by device, as the tutorial has it."""
    place = {"node": f"net{number}", "prefix": "0.0.0.0/0", "device": f"child{number}"}
    return add("routes", f"default{number}", **place)


def test_s26_l3_children_share_the_mac_and_both_need_a_default_route(lab: KindsLab) -> None:
    lab.draw(drawn("l3"))
    macs = {lab.state(place).mac for place in ("host:eth0", "net1:ipvlan1", "net2:ipvlan2")}
    assert len(macs) == 1
    assert "NOARP" in lab.json("net1", "ip -j link show ipvlan1")[0]["flags"]
    assert lab.silent("net1", NET2)  # unreachable: no route
    lab.change(default(1))
    assert lab.silent("net1", NET2)  # the way back is missing
    lab.change(default(2))
    assert lab.pings("net1", NET2)
    assert lab.json("net1", "ip -j neigh show") == []
    assert lab.silent("net1", HOST)  # S27: a child cannot talk to its parent


@pytest.mark.parametrize("mode", ["l2", "l3s"])
def test_other_modes_carry_packets_and_a_live_change_of_mode_is_undone(
    lab: KindsLab, mode: str
) -> None:
    lab.draw(drawn("l3"))
    lab.change(default(1), default(2))
    options = {"mode": mode, "flag": "bridge"}
    lab.change(*(change("interfaces", f"child{n}", options=options) for n in (1, 2)))
    (shown,) = lab.json("net1", "ip -j -d link show ipvlan1")
    assert shown["linkinfo"]["info_data"]["mode"] == mode
    assert lab.pings("net1", NET2)
    lab.undo()
    (shown,) = lab.json("net2", "ip -j -d link show ipvlan2")
    assert shown["linkinfo"]["info_data"]["mode"] == "l3"
    assert lab.pings("net1", NET2)


def test_private_children_are_apart_and_a_terminals_change_is_drift(lab: KindsLab) -> None:
    lab.draw(drawn("l2"))
    lab.change(default(1), default(2))
    assert lab.pings("net1", NET2)
    private = {"mode": "l2", "flag": "private"}
    lab.change(*(change("interfaces", f"child{n}", options=private) for n in (1, 2)))
    assert lab.silent("net1", NET2)
    lab.inside("net1", "ip link set ipvlan1 type ipvlan bridge")
    # Both differ, but the kernel tells of the one that was named.
    found = {(one.namespace, one.path) for one in lab.drift()}
    assert ("net1", "interfaces/ipvlan1/options/flag") in found
    lab.run(restore=True)
    assert lab.silent("net1", NET2)


def test_unlike_children_are_refused_and_the_parents_mtu_is_theirs(lab: KindsLab) -> None:
    lab.draw(drawn("l2"))
    both = [change("interfaces", key, mtu=1400) for key in ("child1", "child2")]
    lab.change(change("interfaces", "host-eth0", mtu=1400), *both)
    assert lab.state("net2:ipvlan2").mtu == 1400
    with pytest.raises(AssertionError, match="2 errors"):
        lab.change(change("interfaces", "child1", options={"mode": "l3"}))
    assert lab.problems()["ipvlan-options-differ"] == "error"
    lab.change(remove("nodes", "net2"))
    assert lab.state("net1:ipvlan1").parent is not None
