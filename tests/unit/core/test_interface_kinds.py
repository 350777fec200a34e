"""Interfaces by kind: documents, operations, desired states and plans, without a kernel."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fakes.kernel import FakeKernel
from tests.unit.core.drawing import Drawing
from topoweb.core.plan.actions import AddChild, RemoveDevice, SetChild, SetPort, SetVlans
from topoweb.core.plan.diff import diff
from topoweb.core.plan.expand import expand, subjects
from topoweb.core.topology.document import DocumentError, dump, parse
from topoweb.core.topology.interfaces import INTERFACE_KINDS, Macvlan, Vlan
from topoweb.core.topology.model import InterfaceKind, Topology
from topoweb.core.topology.needs import lacking
from topoweb.core.topology.operations import apply, invert, replay
from topoweb.core.topology.validate import validate

LAB = 3


def card(**child: Any) -> Drawing:
    """Two hosts with a cable, and a child of h1's end on h3."""
    drawing = Drawing().cable("h1.eth0 10.0.0.1/24", "h2.eth0 10.0.0.2/24")
    properties = {"kind": "macvlan", "parent": "h1-eth0", **child}
    return drawing.interface("h3.mv0", "10.0.0.3/24", **properties)


def actions(before: Topology, after: Topology) -> list[Any]:
    """Return the steps from one drawing, as it runs, to another; both must come true."""
    kernel = FakeKernel()
    for topology in (before, after):
        plan = diff(expand(LAB, topology), kernel.observe(LAB), subjects(topology))
        result = kernel.apply(LAB, plan.steps, lambda _: None, lambda: False)
        assert [failure.message for failure in result.failures] == []
    assert not diff(expand(LAB, after), kernel.observe(LAB))
    return [step.action for step in plan.steps]


def changed(topology: Topology, collection: str, key: str, **patch: Any) -> Topology:
    operation = {"kind": "set", "collection": collection, "id": key, "patch": patch}
    return apply(topology, operation)[0]


def test_every_kind_is_in_the_model_and_has_defaults() -> None:
    assert set(InterfaceKind.__args__) == set(INTERFACE_KINDS)  # type: ignore[attr-defined]
    for kind in INTERFACE_KINDS.values():
        assert kind.read({}) == kind.options()


def test_an_old_document_has_ports_only() -> None:
    topology = Drawing().cable("h1.eth0", "h2.eth0").parse()
    assert {item.kind for item in topology.interfaces.values()} == {"port"}
    assert parse(dump(topology)) == topology


def test_options_are_read_by_the_kind_and_a_new_kind_begins_with_its_defaults() -> None:
    topology = card(options={"mode": "vepa"}).parse()
    assert topology.interfaces["h3-mv0"].options == Macvlan(mode="vepa")
    other, made = apply(
        topology,
        {"kind": "set", "collection": "interfaces", "id": "h3-mv0", "patch": {"kind": "vlan"}},
    )
    assert other.interfaces["h3-mv0"].options == Vlan(id=1)
    assert apply(other, invert(made))[0] == topology
    assert replay(topology, made) == other


@pytest.mark.parametrize(
    ("properties", "code", "path"),
    [
        ({"options": {"mode": "l2"}}, "bad-choice", "/interfaces/h3-mv0/options/mode"),
        ({"options": {"id": 1}}, "unknown-property", "/interfaces/h3-mv0/options/id"),
        ({"parent": "nobody"}, "dangling-reference", "/interfaces/h3-mv0/parent"),
        ({"parent": "h3-mv0"}, "parent-loop", "/interfaces/h3-mv0/parent"),
        (
            {"kind": "vlan", "options": {"id": 4095}},
            "out-of-range",
            "/interfaces/h3-mv0/options/id",
        ),
        ({"bridge_port": {"cost": 0}}, "out-of-range", "/interfaces/h3-mv0/bridge_port/cost"),
    ],
)
def test_faults_are_named_where_they_are(properties: Any, code: str, path: str) -> None:
    with pytest.raises(DocumentError) as caught:
        card(**properties).parse()
    assert (code, path) in {(problem.code, problem.path) for problem in caught.value.problems}


def test_an_interface_never_hangs_on_itself() -> None:
    topology = card().interface("h3.mv1", kind="vlan", parent="h3-mv0").parse()
    with pytest.raises(DocumentError) as caught:
        changed(topology, "interfaces", "h3-mv0", parent="h3-mv1")
    assert [problem.code for problem in caught.value.problems] == ["parent-loop"]


def test_children_go_with_their_parent_and_come_back_with_it() -> None:
    topology = card().route("h3", "10.9.0.0/16", device="h3-mv0").parse()
    operation = {"kind": "remove", "collection": "nodes", "id": "h1"}
    without, made = apply(topology, operation)
    assert set(without.interfaces) == {"h2-eth0"}
    assert without.routes == {}
    assert apply(without, invert(made))[0] == topology


def test_a_new_child_gets_an_address_of_its_parents_segment() -> None:
    drawing = Drawing().cable("h1.eth0 10.0.5.1/24", "h2.eth0 10.0.5.2/24").node("h3")
    value = {"node": "h3", "name": "mv0", "kind": "macvlan", "parent": "h1-eth0"}
    operation = {"kind": "add", "collection": "interfaces", "id": "c", "value": value}
    topology, _ = apply(drawing.parse(), operation)
    assert topology.interfaces["c"].addresses == ("10.0.5.11/24",)
    tagged = {**value, "kind": "vlan"}
    topology, _ = apply(drawing.parse(), {**operation, "value": tagged})
    assert topology.interfaces["c"].addresses == ()


def test_a_child_is_left_out_with_its_parents_cable() -> None:
    drawing = card()
    assert "mv0" in expand(LAB, drawing.parse()).namespaces["h3"].devices
    drawing.document["links"] = {}
    assert set(expand(LAB, drawing.parse()).namespaces["h3"].devices) == {"lo"}


def test_what_has_its_parents_mac_has_none_of_its_own() -> None:
    def mac(**properties: Any) -> str | None:
        return expand(LAB, card(**properties).parse()).namespaces["h3"].devices["mv0"].mac

    drawn = "02:00:00:00:00:05"
    assert mac() is not None
    assert mac(mac=drawn) == mac(kind="vlan", mac=drawn) == drawn
    assert mac(kind="vlan") is None  # its parent's, until one is drawn
    assert mac(kind="ipvlan", mac=drawn) is None
    assert mac(options={"mode": "passthru"}, mac=drawn) is None


def test_modes_change_in_place_where_the_kernel_can() -> None:
    before = card().parse()
    private = changed(before, "interfaces", "h3-mv0", options={"mode": "private"})
    assert [type(one) for one in actions(before, private)] == [SetChild]
    passthru = changed(before, "interfaces", "h3-mv0", options={"mode": "passthru"})
    assert [type(one) for one in actions(before, passthru)][:2] == [RemoveDevice, AddChild]


def test_a_child_that_leaves_with_its_namespace_lets_go_of_its_parent_first() -> None:
    before = card().parse()
    after, _ = apply(before, {"kind": "remove", "collection": "nodes", "id": "h3"})
    assert [type(one).__name__ for one in actions(before, after)] == [
        "RemoveDevice",
        "RemoveNamespace",
    ]


def test_a_parent_that_is_made_anew_takes_no_step_for_its_children() -> None:
    before = card().parse()
    after = changed(before, "interfaces", "h1-eth0", name="eth7")
    made = actions(before, after)
    assert [one.at.name for one in made if isinstance(one, RemoveDevice)] == ["eth0"]
    assert [one.parent.name for one in made if isinstance(one, AddChild)] == ["eth7"]


def test_a_sub_interface_drawn_down_is_held_down_when_its_parent_rises() -> None:
    drawing = card(kind="vlan", up=False)
    drawing.document["interfaces"]["h1-eth0"]["up"] = False
    before = drawing.parse()
    after = changed(before, "interfaces", "h1-eth0", up=True)
    assert [one.up for one in actions(before, after) if isinstance(one, SetChild)] == [False]


def test_bridge_ports_are_set_option_by_option() -> None:
    before = Drawing().cable("h1.eth0", "s1.p1").cable("h2.eth0", "s1.p2").parse()
    options = {"hairpin": True, "cost": 9}
    (action,) = actions(before, changed(before, "interfaces", "s1-p1", bridge_port=options))
    assert isinstance(action, SetPort)
    assert (action.hairpin, action.cost, action.isolated) == (True, 9, None)


def test_vlans_of_a_port_are_those_of_its_switch() -> None:
    trunk = {"untagged": None, "tagged": [20, 10]}
    drawing = Drawing().node("s1", vlan_filtering=True).cable("h1.eth0", "s1.p1")
    before = drawing.parse()
    (action,) = actions(before, changed(before, "interfaces", "s1-p1", bridge_port=trunk))
    assert action == SetVlans(at=action.at, remove=("1 pvid untagged",), add=("10", "20"))
    mixed = changed(before, "nodes", "s1", vlan_filtering=False)
    assert actions(mixed, changed(mixed, "interfaces", "s1-p1", bridge_port=trunk)) == []


def test_what_a_host_lacks_is_named_with_its_remedy() -> None:
    features = {"macvlan": {"ok": False, "reason": "No module.", "remedy": "Load it."}}
    (problem,) = lacking(card().parse(), features)
    assert (problem.code, problem.path) == ("kernel-lacks", "/interfaces/h3-mv0/kind")
    assert "No module." in problem.message
    assert lacking(card().parse(), {}) == []


def test_a_child_and_its_parent_in_one_network_are_warned_of() -> None:
    codes = {problem.code: problem.severity for problem in validate(card().parse())}
    assert codes == {"child-apart-from-parent": "warning"}
