"""The same road by keyboard alone: Tab, shortcuts, the command palette and the outline."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from playwright.sync_api import Locator, expect

from tests.browser.editor import PATIENCE, Editor

if TYPE_CHECKING:
    from tests.browser.product import Product

MOST_TABS = 60  # nothing may be farther away
FOCUSED = "element => element === document.activeElement"
RING = """element => {
  const style = getComputedStyle(document.activeElement);
  return style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
}"""
# Key on the canvas → what it draws there, in this order.
DRAWN = {"h1": "h", "h2": "h", "sw1": "s", "r1": "r", "sw2": "s", "h3": "h", "h4": "h"}


def test_draw_run_ping_watch_stop(editor: Editor, product: Product) -> None:
    before = product.holdings()
    new_lab(editor)
    draw(editor)
    run(editor)
    ping_across(editor)
    read_a_packet(editor)
    undo_and_redo(editor)
    editor.page.keyboard.press("Control+Shift+Enter")
    editor.phase("stopped")
    product.settles(before)


def tab_to(editor: Editor, goal: Locator) -> None:
    """Press Tab until the goal has the focus, and the focus is to be seen."""
    expect(goal).to_be_visible(timeout=PATIENCE)
    for _ in range(MOST_TABS):
        if goal.evaluate(FOCUSED):
            assert goal.evaluate(RING), "the focus is not to be seen"
            return
        editor.page.keyboard.press("Tab")
    raise AssertionError(f"{goal} is not reached by Tab")


def press(editor: Editor, *keys: str) -> None:
    for key in keys:
        editor.page.keyboard.press(key)


def new_lab(editor: Editor) -> None:
    editor.labs()
    tab_to(editor, editor.page.get_by_role("button", name=editor.t("pages.newLab"), exact=True))
    press(editor, "Enter")
    expect(editor.canvas).to_be_visible(timeout=PATIENCE)


def draw(editor: Editor) -> None:
    tab_to(editor, editor.canvas)
    for name, key in DRAWN.items():
        press(editor, key)
        editor.heard(editor.t.sentence("say.added", name=name))
    # From the outline: C on a row, then the name of the other end.
    for far in ("h1", "h2", "r1"):
        go_to_row(editor, "sw1")
        press(editor, "c")
        connect_to(editor, "sw1", far)
    for far in ("h3", "h4"):
        go_to_row(editor, "sw2")
        press(editor, "c")
        connect_to(editor, "sw2", far)
    # From the command palette: first the node, then the action.
    command(editor, "r1")
    command(editor, editor.t("actions.connect"))
    connect_to(editor, "r1", "sw2")
    go_to_row(editor, "h4")
    press(editor, "ArrowRight", "ArrowDown")
    expect(editor.port("eth0", "sw2:p2")).to_have_accessible_name(
        re.compile(r", \d+\.\d+\.\d+\.\d+/24, ")
    )
    editor.saved()


def go_to_row(editor: Editor, name: str) -> None:
    """Walk down the outline to a node's row."""
    tab_to(editor, editor.tree)
    row = editor.row(name)
    identity = row.get_attribute("id")
    press(editor, "Home")
    for _ in range(editor.tree.get_by_role("treeitem").count()):
        if editor.tree.get_attribute("aria-activedescendant") == identity:
            return
        press(editor, "ArrowDown")
    expect(editor.tree).to_have_attribute("aria-activedescendant", identity or "")


def connect_to(editor: Editor, here: str, far: str) -> None:
    field = editor.page.get_by_role("combobox", name=editor.t("canvas.connectFrom", name=here))
    expect(field).to_be_focused()
    editor.page.keyboard.type(far)
    press(editor, "Enter")
    editor.heard(editor.t.sentence("say.connected", **{"from": here, "to": far}))


def command(editor: Editor, text: str) -> None:
    press(editor, "Control+k")
    field = editor.page.get_by_role("combobox", name=editor.t("topbar.search"))
    expect(field).to_be_focused()
    editor.page.keyboard.type(text)
    first = editor.page.get_by_role("dialog").get_by_role("option").first
    expect(first).to_contain_text(text)
    press(editor, "Enter")
    expect(field).to_be_hidden()


def run(editor: Editor) -> None:
    press(editor, "Control+Enter")
    editor.phase("running")
    for name in DRAWN:
        expect(editor.row(name)).to_have_accessible_name(re.compile(f", {editor.t('state.up')},"))


def ping_across(editor: Editor) -> None:
    t = editor.t
    go_to_row(editor, "h1")
    editor.forget_drawn()
    press(editor, "p")
    dialog = editor.page.get_by_role("dialog", name=t("probe.title"))
    expect(dialog).to_be_visible()
    expect(dialog.get_by_label(t("probe.source"), exact=True)).to_have_value(re.compile("."))
    tab_to(editor, dialog.get_by_label(t("probe.target"), exact=True))
    editor.page.keyboard.type("h4")
    tab_to(editor, dialog.get_by_role("button", name=t("probe.send")))
    press(editor, "Enter")
    editor.heard(t.sentence("probe.verdict.reply", target="h4", ttl=63))
    editor.drew("h4 ", "ttl 63")


def read_a_packet(editor: Editor) -> None:
    """The list has the request and the reply of each cable; Enter leads into the fields."""
    t = editor.t
    tab_to(editor, editor.page.get_by_role("searchbox", name=t("packets.text")))
    editor.page.keyboard.type("seq 1 ")
    rows = editor.packets.get_by_role("row").filter(has_text="ICMP")
    expect(rows).to_have_count(8, timeout=PATIENCE)
    tab_to(editor, editor.packets)
    press(editor, "End")
    expect(rows.last).to_have_attribute("aria-selected", "true")
    expect(rows.last).to_contain_text("reply")
    press(editor, "Enter")
    fields = editor.page.get_by_role("tree", name=t("decode.fields"))
    expect(fields).to_be_focused()
    expect(fields.get_by_role("treeitem", name=re.compile("^ICMP"))).to_be_visible()


def undo_and_redo(editor: Editor) -> None:
    """A running lab follows: what is taken away goes out of the kernel, and comes back."""
    go_to_row(editor, "h3")
    press(editor, "Delete")
    expect(editor.row("h3")).to_have_count(0)
    press(editor, "Control+z")
    expect(editor.row("h3")).to_have_accessible_name(re.compile(f", {editor.t('state.up')},"))
    press(editor, "Control+Shift+z")
    expect(editor.row("h3")).to_have_count(0)
    press(editor, "Control+z")
    expect(editor.row("h3")).to_have_accessible_name(re.compile(f", {editor.t('state.up')},"))
