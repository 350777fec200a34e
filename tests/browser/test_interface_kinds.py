"""Children of interfaces and VLANs of a switch, drawn by mouse, run, and taken back."""

from __future__ import annotations

import time
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.editor import PATIENCE, Editor
from tests.browser.test_every_page import AXE, axe

WAITING = ("waiting", "running")


def document() -> dict[str, Any]:
    """A host with a card on a switch, a gateway behind it, and a node without any interface."""
    places = {"host": ("host", 0), "sw": ("switch", 200), "gw": ("router", 400)}
    nodes = {key: {"kind": kind, "name": key, "x": x, "y": 0} for key, (kind, x) in places.items()}
    return {
        "format": "topoweb",
        "version": 1,
        "name": "Kinds",
        "nodes": {**nodes, "m1": {"kind": "host", "name": "m1", "x": 0, "y": 160}},
        "interfaces": {
            "i1": {"node": "host", "name": "par"},
            "i2": {"node": "sw", "name": "p1"},
            "i3": {"node": "sw", "name": "p2"},
            "i4": {"node": "gw", "name": "eth0", "addresses": ["10.0.5.1/24"]},
        },
        "links": {
            "l1": {"kind": "veth", "a": "i1", "b": "i2"},
            "l2": {"kind": "veth", "a": "i3", "b": "i4"},
        },
    }


@pytest.fixture
def lab(editor: Editor) -> int:
    lab = int(editor.api("POST", "/labs", {"document": document()})["id"])
    editor.open(lab)
    return lab


def drawn(editor: Editor, lab: int) -> dict[str, Any]:
    editor.saved()
    found: dict[str, Any] = editor.api("GET", f"/labs/{lab}/document")["document"]
    return found


def add_child(editor: Editor, kind: str, node: str) -> None:
    form = editor.inspector.get_by_role("group", name=editor.t("kinds.addTitle", name="par"))
    form.get_by_label(editor.t("kinds.kind")).select_option(kind)
    form.get_by_label(editor.t("kinds.inNode")).select_option(label=node)
    form.get_by_role("button", name=editor.t("kinds.add"), exact=True).click()


def answers(editor: Editor, lab: int) -> None:
    """Wait until the gateway answers m1."""
    body = {"kind": "ping", "source": "m1", "target": "gw", "count": 1}
    number = editor.api("POST", f"/labs/{lab}/probes", body)["id"]
    deadline = time.monotonic() + PATIENCE / 1000
    while (probe := editor.api("GET", f"/labs/{lab}/probes/{number}"))["status"] in WAITING:
        assert time.monotonic() < deadline, probe
        editor.page.wait_for_timeout(50)  # nothing on the page tells of it
    assert probe["result"]["verdict"] == "reply", probe


def test_a_macvlan_child_is_drawn_run_changed_and_undone(editor: Editor, lab: int) -> None:
    editor.row("host").click()
    editor.open_port("par")
    add_child(editor, "macvlan", "m1")
    mode = editor.inspector.get_by_label(editor.t("kinds.mode"))
    expect(mode).to_have_value("bridge")
    (child,) = (one for one in drawn(editor, lab)["interfaces"].values() if one["parent"] == "i1")
    assert (child["node"], child["kind"], child["options"]) == ("m1", "macvlan", {"mode": "bridge"})
    assert child["addresses"] == ["10.0.5.11/24"]  # of its parent's segment
    editor.drew("mv0")  # where its line to the parent ends
    editor.run()
    answers(editor, lab)
    if AXE.exists():
        assert axe(editor) == []
    mode.select_option("private")
    options = [one["options"] for one in drawn(editor, lab)["interfaces"].values()]
    assert {"mode": "private"} in options
    editor.button("actions.undo").click()
    expect(mode).to_have_value("bridge")
    editor.phase("running")


def test_a_switch_keeps_vlans_apart(editor: Editor, lab: int) -> None:
    editor.row("sw").click()
    editor.tab("properties")
    editor.inspector.get_by_text(editor.t("kinds.vlanFiltering"), exact=True).click()
    editor.open_port("p1")
    field = editor.inspector.get_by_role("textbox", name=editor.t("kinds.untagged"))
    expect(field).to_have_value("1", timeout=PATIENCE)
    field.fill("10")
    field.press("Enter")
    editor.inspector.get_by_text(editor.t("kinds.isolated"), exact=True).click()
    document = drawn(editor, lab)
    assert document["nodes"]["sw"]["vlan_filtering"] is True
    port = document["interfaces"]["i2"]["bridge_port"]
    assert (port["untagged"], port["isolated"], port["tagged"]) == (10, True, [])
