"""Children of interfaces and options of bridge ports, on this kernel: drawn, changed, undone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.kernel.kindslab import KindsLab, until
from tests.kernel.seed.drawings import add, change, document, remove

if TYPE_CHECKING:
    from topoweb.kernel.lab import LinuxKernel

CABLES = ("h1:eth0=10.0.1.1/24 sw:p1", "h2:eth0=10.0.1.2/24 sw:p2", "h3:eth0=10.0.1.3/24 sw:p3")
SWITCH = {"sw": {"kind": "switch"}}
STP = {"kind": "switch", "stp": True}


@pytest.fixture
def lab(kernel: LinuxKernel) -> KindsLab:
    return KindsLab(kernel)


def drawn(**children: dict[str, Any]) -> dict[str, Any]:
    """Three hosts on a switch, an empty host, and children by id ("c1__mv0": on node c1)."""
    made = document(*CABLES, nodes={**SWITCH, "c1": {}, "c2": {}})
    for key, more in children.items():
        node, _, name = key.partition("__")
        made["interfaces"][f"{node}-{name}"] = {"node": node, "name": name, **more}
    return made


def macvlan(address: str, mode: str = "bridge", parent: str = "h1-eth0") -> dict[str, Any]:
    options = {"mode": mode}
    return {"kind": "macvlan", "parent": parent, "options": options, "addresses": [address]}


def test_child_in_another_node_is_born_observed_and_removed(lab: KindsLab) -> None:
    made = drawn(c1__mv0=macvlan("10.0.1.21/24"), h1__own=macvlan("10.0.1.22/24"))
    # Its parent has the same network and cannot reach children: the way out has to be said.
    made["routes"] = {"own": {"node": "h1", "prefix": "10.0.1.21/32", "device": "h1-own"}}
    lab.draw(made)
    child = lab.state("c1:mv0")
    assert (child.kind, child.parent and child.parent.namespace) == ("macvlan", "h1")
    assert child.parent == lab.state("h1:own").parent
    assert lab.json("c1", "ip -j -d link show mv0")[0]["linkinfo"]["info_data"]["mode"] == "bridge"
    assert lab.pings("c1", "10.0.1.2")
    assert lab.pings("c1", "10.0.1.22")
    lab.change(remove("interfaces", "c1-mv0"))
    assert lab.device("c1:mv0") is None
    lab.undo()
    assert lab.pings("c1", "10.0.1.2")


def test_properties_of_a_child_change_in_place(lab: KindsLab) -> None:
    lab.draw(drawn(c1__mv0=macvlan("10.0.1.21/24"), c2__mv0=macvlan("10.0.1.22/24")))
    index = lab.json("c1", "ip -j link show mv0")[0]["ifindex"]
    assert lab.pings("c1", "10.0.1.22")
    private = {"mode": "private"}
    mac = "02:00:00:00:00:77"
    lab.change(
        change("interfaces", "c1-mv0", options=private, mac=mac, mtu=1400),
        change("interfaces", "c2-mv0", options=private),
    )
    child = lab.state("c1:mv0")
    assert (child.mac, child.mtu) == (mac, 1400)
    assert lab.json("c1", "ip -j link show mv0")[0]["ifindex"] == index
    assert lab.silent("c1", "10.0.1.22")
    assert lab.pings("c1", "10.0.1.2")
    lab.undo()
    assert lab.pings("c1", "10.0.1.22")
    lab.change(change("interfaces", "c1-mv0", up=False))
    assert lab.silent("c2", "10.0.1.21")


def test_child_follows_to_another_parent_and_another_node(lab: KindsLab) -> None:
    lab.draw(drawn(c1__mv0=macvlan("10.0.1.21/24")))
    lab.change(change("interfaces", "c1-mv0", parent="h2-eth0"))
    assert lab.state("c1:mv0").parent == lab.state("sw:p2").peer
    lab.change(change("interfaces", "c1-mv0", node="c2", parent="h1-eth0"))
    assert lab.device("c1:mv0") is None
    assert lab.pings("c2", "10.0.1.3")


def test_child_comes_back_when_its_parents_cable_is_drawn_anew(lab: KindsLab) -> None:
    lab.draw(drawn(c1__mv0=macvlan("10.0.1.21/24")))
    lab.change(remove("links", "h1-sw"))
    assert lab.device("c1:mv0") is None
    lab.undo()
    assert lab.pings("c1", "10.0.1.2")
    lab.inside("h1", "ip link delete eth0")
    until(lambda: lab.device("c1:mv0") is None, "the child goes with its parent")
    lab.run(restore=True)
    assert lab.pings("c1", "10.0.1.2")


def test_parents_mtu_is_raised_before_its_childs_and_lowered_with_it(lab: KindsLab) -> None:
    lab.draw(drawn(c1__mv0=macvlan("10.0.1.21/24")))
    jumbo = [change("interfaces", key, mtu=9000) for key in ("c1-mv0", "h1-eth0", "sw-p1")]
    lab.change(*jumbo)
    assert lab.state("c1:mv0").mtu == 9000
    lab.undo()
    assert lab.state("c1:mv0").mtu == 1500
    with pytest.raises(AssertionError, match="1 error"):
        lab.change(change("interfaces", "c1-mv0", mtu=1501))
    assert lab.problems()["child-mtu"] == "error"


def test_passthru_takes_the_place_of_others_in_one_plan(lab: KindsLab) -> None:
    """Each time the children stand in namespaces that leave, which the kernel drops late."""
    lab.draw(drawn(c1__mv0=macvlan("10.0.1.21/24"), c2__mv0=macvlan("10.0.1.22/24")))
    for _ in range(3):
        alone = macvlan("10.0.1.23/24", "passthru")
        lab.change(
            remove("nodes", "c1"),
            remove("nodes", "c2"),
            add("nodes", "c3", kind="host", name="c3"),
            add("interfaces", "c3-mv0", node="c3", name="mv0", **alone),
        )
        assert lab.state("c3:mv0").mac == lab.state("h1:eth0").mac
        assert lab.pings("c3", "10.0.1.2")
        lab.undo()
    assert lab.pings("c1", "10.0.1.22")


def test_mode_to_and_from_passthru_makes_the_child_anew(lab: KindsLab) -> None:
    lab.draw(drawn(c1__mv0=macvlan("10.0.1.21/24")))
    own = lab.state("c1:mv0").mac
    lab.change(change("interfaces", "c1-mv0", options={"mode": "passthru"}))
    assert lab.state("c1:mv0").mac == lab.state("h1:eth0").mac != own
    lab.undo()
    assert lab.state("c1:mv0").mac == own
    assert lab.pings("c1", "10.0.1.2")


def test_what_a_terminal_does_to_a_child_is_drift_until_it_is_restored(lab: KindsLab) -> None:
    lab.draw(drawn(c1__mv0=macvlan("10.0.1.21/24")))
    lab.inside("c1", "ip link set mv0 type macvlan mode vepa")
    lab.inside("h1", "ip link add user0 link eth0 type macvlan mode bridge")
    found = {(one.namespace, one.path): (one.drawn, one.actual) for one in lab.drift()}
    assert found == {
        ("c1", "interfaces/mv0/options/mode"): ("bridge", "vepa"),
        ("h1", "interfaces/user0"): (None, "macvlan"),
    }
    lab.drifted = True
    lab.change(change("nodes", "c1", x=5.0))  # another edit leaves drift as it is
    assert lab.state("c1:mv0").options != lab.topology.interfaces["c1-mv0"].options
    lab.run(restore=True)
    assert lab.drift() == []
    assert lab.device("h1:user0") is None


def test_drift_of_the_parents_alias_and_name_does_not_cost_the_child(lab: KindsLab) -> None:
    lab.draw(drawn(c1__mv0=macvlan("10.0.1.21/24")))
    index = lab.json("c1", "ip -j link show mv0")[0]["ifindex"]
    lab.inside("h1", "ip link set eth0 alias mine")
    lab.change(change("nodes", "c1", x=5.0))
    assert lab.json("c1", "ip -j link show mv0")[0]["ifindex"] == index


def test_options_of_a_bridge_port(lab: KindsLab) -> None:
    lab.draw(drawn())
    options = {"hairpin": True, "learning": False, "flood": False, "cost": 7, "priority": 3}
    lab.change(change("interfaces", "sw-p1", bridge_port=options))
    (port,) = lab.json("sw", "bridge -j -d link show dev p1")
    assert {name: port[name] for name in options} == options
    lab.inside("sw", "bridge link set dev p1 cost 9")
    assert [(one.path, one.actual) for one in lab.drift()] == [
        ("interfaces/p1/bridge_port/cost", 9)
    ]
    lab.undo()
    (port,) = lab.json("sw", "bridge -j -d link show dev p1")
    assert (port["hairpin"], port["learning"], port["cost"], port["priority"]) == (
        *(False, True),
        *(2, 32),
    )


def test_isolated_ports_reach_others_but_not_each_other(lab: KindsLab) -> None:
    made = drawn()
    for port in ("sw-p1", "sw-p2"):
        made["interfaces"][port]["bridge_port"] = {"isolated": True}
    lab.draw(made)
    assert lab.pings("h1", "10.0.1.3")
    assert lab.silent("h1", "10.0.1.2")
    lab.change(change("interfaces", "sw-p2", bridge_port={}))
    assert lab.pings("h1", "10.0.1.2")


def test_port_that_leaves_and_joins_its_bridge_has_its_options_again(lab: KindsLab) -> None:
    made = drawn()
    made["interfaces"]["sw-p1"]["bridge_port"] = {"cost": 11}
    lab.draw(made)
    lab.change(change("interfaces", "sw-p1", bridged=False))
    assert lab.state("sw:p1").port is None
    lab.undo()
    assert lab.json("sw", "bridge -j link show dev p1")[0]["cost"] == 11


def test_priorities_and_costs_decide_about_the_tree(lab: KindsLab) -> None:
    """Of a triangle the lowest priority is the root, and the cheapest way leads there.

    Only better news is awaited: worse news counts when the old is 20 s old (IEEE 802.1D max age).
    """
    priorities = {"a": 32768, "b": 4096, "c": 61440}
    nodes = {name: {**STP, "priority": value} for name, value in priorities.items()}
    made = document("a:p1 b:p1", "a:p2 c:p1", "b:p2 c:p2", nodes=nodes)
    made["interfaces"]["a-p1"]["bridge_port"] = {"cost": 50}
    lab.draw(made)

    def bridge(name: str) -> dict[str, Any]:
        (shown,) = lab.json(name, "ip -j -d link show br0")
        data: dict[str, Any] = shown["linkinfo"]["info_data"]
        return data

    def way_to_root(name: str) -> str:
        """Return the port that leads to the root; "" on the root itself."""
        for port in lab.json(name, "ip -j -d link show master br0"):
            if int(port["linkinfo"]["info_slave_data"]["no"], 16) == bridge(name)["root_port"]:
                return str(port["ifname"])
        return ""

    def ways_are(a: str, b: str) -> None:
        until(lambda: (way_to_root("a"), way_to_root("b")) == (a, b), f"{a or 'root'}, {b}")

    assert (bridge("a")["bridge_id"][:5], bridge("b")["bridge_id"][:5]) == ("8000.", "1000.")
    ways_are("p2", "")
    until(lambda: "blocking" in lab.inside("a", "bridge link show dev p1"), "the loop is open")
    lab.change(change("interfaces", "a-p1", bridge_port={}))
    ways_are("p1", "")
    lab.change(change("nodes", "a", priority=0))
    ways_are("", "p1")
    lab.inside("a", "ip link set br0 type bridge priority 8192")
    assert [(one.path, one.actual) for one in lab.drift()] == [("interfaces/br0/priority", 8192)]
    lab.undo()
    assert bridge("a")["bridge_id"][:5] == "8000."
