from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.core.drawing import Drawing, routed, two_hosts
from tests.unit.core.strategies import JSON, damaged, drawings, operations
from topoweb.core.topology.document import DocumentError, dump, parse
from topoweb.core.topology.model import Topology
from topoweb.core.topology.operations import apply, invert, replay


def refused(topology: Topology, operation: object) -> dict[str, str]:
    with pytest.raises(DocumentError) as caught:
        apply(topology, operation)
    return {problem.path: problem.code for problem in caught.value.problems}


def add(collection: str, key: str, **value: Any) -> dict[str, Any]:
    return {"kind": "add", "collection": collection, "id": key, "value": value}


def change(collection: str, key: str, **patch: Any) -> dict[str, Any]:
    return {"kind": "set", "collection": collection, "id": key, "patch": patch}


def remove(collection: str, key: str) -> dict[str, Any]:
    return {"kind": "remove", "collection": collection, "id": key}


def batch(*inner: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"kind": "batch", "operations": list(inner), **more}


def test_add_stores_the_whole_value() -> None:
    topology, changes = apply(Topology(), {**add("notes", "t1", text="hi"), "op_id": "x"})
    value = {"text": "hi", "x": 0.0, "y": 0.0, "width": 180.0, "height": 90.0}
    assert changes == ({"op": "add", "collection": "notes", "id": "t1", "value": value},)
    assert topology.notes["t1"].text == "hi"


def test_set_keeps_only_what_changes() -> None:
    before = two_hosts().parse()
    topology, changes = apply(before, change("interfaces", "h1-eth0", mtu=1400, up=True))
    assert changes == (
        {
            "op": "set",
            "collection": "interfaces",
            "id": "h1-eth0",
            "patch": {"mtu": 1400},
            "before": {"mtu": 1500},
        },
    )
    assert topology.interfaces["h1-eth0"].mtu == 1400
    assert before.interfaces["h1-eth0"].mtu == 1500
    assert topology.nodes is before.nodes  # what is not touched is not copied


def test_set_of_the_document() -> None:
    topology, changes = apply(Topology(), change("document", "", name="Lab", auto_address=True))
    assert topology.name == "Lab"
    assert changes[0]["patch"] == {"name": "Lab"}
    assert refused(topology, change("document", "x", name="Lab")) == {"/id": "bad-id"}


def test_removing_a_node_takes_what_hangs_on_it() -> None:
    topology, changes = apply(routed().parse(), remove("nodes", "r1"))
    order = [(c["collection"], c["id"]) for c in changes]
    assert order == [
        ("links", "l3"),
        ("interfaces", "r1-eth1"),
        ("links", "l6"),
        ("interfaces", "r1-eth2"),
        ("nodes", "r1"),
    ]
    assert parse(dump(topology)) == topology


def test_removing_an_interface_takes_its_link_and_routes() -> None:
    drawing = two_hosts().route("h1", "10.9.0.0/16", device="h1-eth0").parse()
    topology, changes = apply(drawing, remove("interfaces", "h1-eth0"))
    assert [c["collection"] for c in changes] == ["routes", "links", "interfaces"]
    assert not topology.links
    assert "h2-eth0" in topology.interfaces


def test_structural_faults_refuse_and_name_their_place() -> None:
    topology = two_hosts().parse()
    assert refused(topology, add("nodes", "h1", kind="host", name="x")) == {"/id": "duplicate-id"}
    assert refused(topology, add("nodes", "a b", kind="host", name="x")) == {"/id": "bad-id"}
    assert refused(topology, add("nodes", "h3", kind="pc", name="x" * 16)) == {
        "/value/kind": "bad-choice",
        "/value/name": "name-too-long",
    }
    assert refused(topology, add("interfaces", "i", node="h9", name="e")) == {
        "/value/node": "dangling-reference"
    }
    assert refused(topology, change("links", "l1", b="h1-eth0")) == {"/patch/b": "link-to-itself"}
    assert refused(topology, remove("nodes", "h9")) == {"/id": "no-such-object"}
    assert refused(topology, remove("tubes", "h9")) == {"/collection": "unknown-collection"}
    assert refused(topology, {"kind": "paint"}) == {"/kind": "unknown-operation"}
    assert refused(topology, {"kind": "remove", "id": "h1"}) == {"": "missing-property"}
    assert refused(topology, {**remove("nodes", "h1"), "why": 1}) == {"/why": "unknown-property"}
    assert refused(topology, []) == {"": "wrong-type"}
    wrong = {"kind": "replace", "document": {"nodes": 1}}
    assert refused(topology, wrong) == {"/document/nodes": "wrong-type"}
    assert refused(topology, {"kind": "batch", "operations": {}}) == {"/operations": "wrong-type"}


def test_a_batch_is_all_or_nothing_and_names_the_inner_place() -> None:
    topology = two_hosts().parse()
    operation = batch(
        add("interfaces", "i3", node="h1", name="eth1"), add("links", "l2", a="i3", b="h2-eth0")
    )
    assert refused(topology, operation) == {"/operations/1/value/b": "port-in-use"}
    assert refused(topology, batch(batch())) == {"/operations/0/kind": "unknown-operation"}
    assert "i3" not in topology.interfaces


def test_a_link_can_move_to_another_port() -> None:
    drawing = two_hosts().interface("h2.eth1").parse()
    topology, changes = apply(drawing, {**change("links", "l1", b="h2-eth1"), "auto": False})
    assert len(changes) == 1
    assert refused(topology, add("links", "l2", a="h1-eth0", b="h2-eth0")) == {
        "/value/a": "port-in-use"
    }
    assert apply(topology, change("links", "l1", b="h2-eth0"))[0].links["l1"].b == "h2-eth0"


def test_replace_and_its_undo() -> None:
    before = two_hosts().parse()
    topology, changes = apply(before, {"kind": "replace", "document": routed().document})
    assert topology == routed().parse()
    assert replay(before, changes) == topology
    assert apply(topology, invert(changes))[0] == before


def test_undo_does_not_address_again() -> None:
    """Removing a cable whose ends had lost their addresses, then undoing, is the same drawing."""
    bare = Drawing().cable("h1.eth0", "h2.eth0").parse()
    topology, changes = apply(bare, remove("nodes", "h1"))
    assert apply(topology, invert(changes))[0] == bare


@settings(max_examples=400, deadline=None)
@given(st.data())
def test_undo_and_replay(data: st.DataObject) -> None:
    before = data.draw(drawings())
    operation = data.draw(operations(before))
    try:
        after, changes = apply(before, operation)
    except DocumentError:
        return
    assert parse(dump(after)) == after
    assert json.loads(json.dumps(changes)) == list(changes)
    assert replay(before, json.loads(json.dumps(changes))) == after
    undone, undo_changes = apply(after, json.loads(json.dumps(invert(changes))))
    assert undone == before
    assert apply(undone, invert(undo_changes))[0] == after


@settings(max_examples=400, deadline=None)
@given(st.data())
def test_any_json_is_applied_or_refused(data: st.DataObject) -> None:
    before = data.draw(drawings())
    operation = data.draw(JSON) if data.draw(st.booleans()) else None
    if operation is None:
        operation = damaged(data.draw, data.draw(operations(before)))
    document = dump(before)
    try:
        after, _ = apply(before, operation)
    except DocumentError as error:
        (str(error) + error.path).encode()
    else:
        assert parse(dump(after)) == after
    assert dump(before) == document
