"""Services are drawn, run for real, and what they bring is seen on the canvas."""

from __future__ import annotations

import re
import shutil
from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.editor import PATIENCE, Editor
from tests.browser.test_every_page import AXE, axe
from tests.browser.words import Words

pytestmark = pytest.mark.skipif(
    shutil.which("crun") is None, reason="nodes run programs in crun (Debian: crun)"
)

OCTET = r"(1\d\d)"


def needs(*programs: str) -> pytest.MarkDecorator:
    """Skip where the host lacks a program that the nodes would run."""
    folders = "/usr/sbin:/usr/bin:/sbin:/bin:/usr/lib/frr"
    missing = [name for name in programs if shutil.which(name, path=folders) is None]
    return pytest.mark.skipif(bool(missing), reason=f"missing: {', '.join(missing)}")


def document() -> dict[str, Any]:
    """r1 with an address, a switch, and a host without one."""
    return {
        "format": "topoweb",
        "version": 1,
        "name": "Services",
        "auto_address": False,
        "nodes": {
            "r1": _node("router", "r1", 0, forward_ipv4=True),
            "sw1": _node("switch", "sw1", 180),
            "h1": _node("host", "h1", 360),
        },
        "interfaces": {
            "i1": {"node": "r1", "name": "eth0", "addresses": ["10.0.1.1/24"]},
            "i2": {"node": "sw1", "name": "p1"},
            "i3": {"node": "sw1", "name": "p2"},
            "i4": {"node": "h1", "name": "eth0"},
        },
        "links": {
            "l1": {"kind": "veth", "a": "i1", "b": "i2"},
            "l2": {"kind": "veth", "a": "i3", "b": "i4"},
        },
    }


def _node(kind: str, name: str, x: float, **more: object) -> dict[str, object]:
    return {"kind": kind, "name": name, "x": x, "y": 0, **more}


@pytest.fixture
def lab(editor: Editor) -> int:
    lab = int(editor.api("POST", "/labs", {"document": document()})["id"])
    editor.open(lab)
    return lab


def services(editor: Editor, node: str) -> Locator:
    """The list of a node's services, in the inspector."""
    editor.row(node).click()
    editor.tab("services")
    return editor.inspector.get_by_role("list", name=editor.t("inspector.services"))


def toggle(editor: Editor, kind: str) -> Locator:
    return editor.inspector.get_by_role(
        "checkbox", name=editor.t(f"services.kind.{kind}"), exact=True
    )


def fares(editor: Editor, kind: str, state: str) -> None:
    """Wait until a service of the selected node is in a state."""
    name = editor.page.get_by_role("checkbox", name=editor.t(f"services.kind.{kind}"), exact=True)
    line = editor.inspector.get_by_role("listitem").filter(has=name)
    expect(line).to_contain_text(editor.t(f"services.state.{state}"), timeout=PATIENCE)


def stored(editor: Editor, lab: int, collection: str) -> dict[str, Any]:
    editor.saved()
    answer: dict[str, Any] = editor.api("GET", f"/labs/{lab}/document")["document"][collection]
    return answer


def opened(editor: Editor, title: str) -> Locator:
    box = editor.page.get_by_role("dialog", name=title)
    expect(box).to_be_visible()
    return box


@needs("dnsmasq", "udhcpc")
def test_dhcp_from_the_toggle_to_the_address_on_the_canvas(editor: Editor, lab: int) -> None:
    services(editor, "r1")
    toggle(editor, "dhcp-server").press("Space")
    expect(editor.inspector.get_by_role("textbox", name=editor.t("services.first"))).to_have_value(
        "10.0.1.100"
    )
    editor.row("h1").click()
    editor.open_port("eth0")
    editor.inspector.get_by_role("combobox", name="IPv4").select_option("dhcp")
    editor.drew("DHCP…")
    assert stored(editor, lab, "interfaces")["i4"]["dhcp"] is True
    editor.forget_drawn()
    editor.run()
    editor.drew(" DHCP")
    lease = editor.inspector.get_by_text(re.compile(rf"10\.0\.1\.{OCTET}/24 DHCP"))
    expect(lease).to_be_visible(timeout=PATIENCE)
    services(editor, "r1")
    fares(editor, "dhcp-server", "running")
    log_of(editor, "dhcp-server", "DHCPACK")
    if AXE.exists():
        assert not axe(editor)
    toggle(editor, "dhcp-server").press("Space")
    fares(editor, "dhcp-server", "off")
    editor.stop()


def log_of(editor: Editor, kind: str, text: str) -> None:
    """Open the log of a service of the selected node, wait for a text in it, and close it."""
    name = editor.t(f"services.kind.{kind}")
    button = editor.inspector.get_by_role("button", name=editor.t("services.logOf", name=name))
    if not button.is_visible():
        options = re.compile("^" + re.escape(editor.t("services.optionsOf", name=name)))
        editor.inspector.get_by_role("button", name=options).click()
    button.click()
    box = opened(editor, editor.t("services.logOf", name=name))
    expect(box.get_by_role("log")).to_contain_text(text, timeout=PATIENCE)
    editor.page.keyboard.press("Escape")
    expect(box).to_be_hidden()


@needs("zebra", "ospfd")
def test_frr_is_configured_and_shows_what_it_learns(editor: Editor, lab: int) -> None:
    for node, address in (("r1", "10.0.1.1"), ("h1", "10.0.1.2")):
        if node == "h1":
            change = {"addresses": ["10.0.1.2/24"], "dhcp": False}
            set_address = {"kind": "set", "collection": "interfaces", "id": "i4", "patch": change}
            seq = editor.api("GET", f"/labs/{lab}/document")["seq"]
            operation = {"op_id": "address", "base_seq": seq, **set_address}
            editor.api("POST", f"/labs/{lab}/operations", operation)
        services(editor, node)
        toggle(editor, "frr").press("Space")
        field(editor, "routerId", address)
        ospf = editor.inspector.get_by_role("textbox", name=editor.t("services.ospf"), exact=True)
        expect(ospf).to_have_value("10.0.1.0/24 0.0.0.0")
        quick = "interface eth0\n ip ospf hello-interval 1\n ip ospf dead-interval 3"
        field(editor, "config", quick)
    options = [one["options"] for one in stored(editor, lab, "services").values()]
    assert {one["router_id"] for one in options} == {"10.0.1.1", "10.0.1.2"}
    assert all("hello-interval 1" in one["config"] for one in options)
    editor.run()
    services(editor, "r1")
    fares(editor, "frr", "running")
    neighbours = editor.inspector.get_by_role("table", name=editor.t("services.neighbours"))
    expect(neighbours).to_contain_text("Full", timeout=2 * PATIENCE)
    expect(neighbours).to_contain_text("ospf")
    editor.stop()


def field(editor: Editor, key: str, text: str) -> None:
    box = editor.inspector.get_by_role("textbox", name=editor.t(f"services.{key}"), exact=True)
    box.fill(text)
    box.press("Control+Enter" if "\n" in text else "Enter")


def test_by_keyboard_alone(editor: Editor, lab: int) -> None:
    keyboard = editor.page.keyboard
    command(editor, editor.t("services.addTo", name=editor.t("services.kind.http"), node="r1"))
    page_text = editor.inspector.get_by_role("textbox", name=editor.t("services.pageText"))
    expect(page_text).to_be_visible()
    page_text.focus()
    keyboard.type("hello")
    keyboard.press("Control+Enter")
    (service,) = stored(editor, lab, "services").values()
    assert service["options"] == {"port": 80, "text": "hello"}
    editor.drew("H")
    editor.canvas.focus()
    keyboard.press("Control+Enter")
    editor.phase("running")
    fares(editor, "http", "running")
    keyboard.press("Control+Shift+Enter")
    editor.phase("stopped")
    editor.tree.focus()
    editor.row("r1").click()
    keyboard.press("ArrowRight")
    row = editor.tree.get_by_role(
        "treeitem",
        name=re.compile(
            re.escape(editor.t("services.service", name=editor.t("services.kind.http")))
        ),
    )
    row.click()
    keyboard.press("Delete")
    expect(row).to_have_count(0)
    assert stored(editor, lab, "services") == {}
    keyboard.press("Control+z")
    expect(row).to_be_visible()


def command(editor: Editor, name: str) -> None:
    """Run a command of the palette by its name."""
    editor.canvas.focus()
    editor.page.keyboard.press("Control+k")
    expect(opened(editor, editor.t("actions.command"))).to_be_visible()
    editor.page.keyboard.type(name)
    option = editor.page.get_by_role("option", name=re.compile(re.escape(name)))
    expect(option.first).to_have_attribute("aria-selected", "true")
    editor.page.keyboard.press("Enter")


def test_failed_service_says_so(editor: Editor, lab: int) -> None:
    services(editor, "r1")
    toggle(editor, "command").press("Space")
    line = editor.inspector.get_by_role("textbox", name=editor.t("services.commandLine"))
    line.fill("echo no luck today; exit 3")
    line.press("Control+Enter")
    editor.saved()
    editor.run()
    log_of(editor, "command", "no luck today")
    again = editor.inspector.get_by_text(editor.t.pattern("services.restarts_other"))
    expect(again).to_be_visible(timeout=PATIENCE)
    editor.stop()
    del lab


@pytest.mark.skipif(not AXE.exists(), reason="axe-core is missing: npm ci in frontend/")
@pytest.mark.parametrize("words", [Words("zh-CN")], ids=["zh-CN"])
@pytest.mark.parametrize("theme", ["dark"])
def test_every_form_is_accessible(editor: Editor, lab: int, words: Words, theme: str) -> None:
    del lab, words, theme
    services(editor, "r1")
    findings: list[str] = []
    for kind in ("dhcp-server", "dns", "http", "echo", "iperf3", "frr", "command"):
        toggle(editor, kind).press("Space")
        expect(toggle(editor, kind)).to_be_checked()
        findings += [f"{kind}: {one}" for one in axe(editor)]
    advertisements = toggle(editor, "router-advertisements")
    expect(advertisements).to_be_disabled()  # the router has no IPv6 address
    command(editor, editor.t("actions.tools"))
    box = opened(editor, editor.t("services.tools"))
    expect(box.get_by_role("list", name=editor.t("services.tools"))).to_be_visible()
    findings += [f"tools: {one}" for one in axe(editor)]
    assert not findings, "\n".join(findings)
