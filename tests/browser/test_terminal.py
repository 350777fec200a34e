"""Terminals in the browser: typed into for real, by mouse and by keyboard alone."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.editor import PATIENCE, Editor
from tests.browser.test_every_page import AXE, axe
from tests.browser.words import Words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import BrowserContext


needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="this composition needs root")
# One composition is enough where only the page is looked at.
ROOT = pytest.mark.parametrize("product", [pytest.param("root", marks=needs_root)], indirect=True)
HOSTS = {
    "format": "topoweb",
    "version": 1,
    "name": "two hosts",
    "nodes": {
        "n1": {"kind": "host", "name": "h1", "x": 0, "y": 0},
        "n2": {"kind": "host", "name": "h2", "x": 240, "y": 0},
    },
    "interfaces": {
        "i1": {"node": "n1", "name": "eth0", "addresses": ["10.0.0.1/24"]},
        "i2": {"node": "n2", "name": "eth0", "addresses": ["10.0.0.2/24"]},
    },
    "links": {"l1": {"kind": "veth", "a": "i1", "b": "i2"}},
}


@pytest.fixture
def lab(editor: Editor) -> Iterator[int]:
    """Two hosts on one cable, running and open."""
    lab = editor.api("POST", "/labs", {"document": HOSTS})["id"]
    editor.api("POST", f"/labs/{lab}/run")
    editor.open(lab)
    editor.phase("running")
    for name in ("h1", "h2"):
        expect(editor.row(name)).to_have_accessible_name(
            re.compile(f", {editor.t('state.up')},"), timeout=PATIENCE
        )
    yield int(lab)
    editor.api("POST", f"/labs/{lab}/stop")


def double_click_h1(editor: Editor) -> None:
    """The camera shows all: the hosts lie in the middle of the canvas, 240 px apart at 100 %."""
    zoom = editor.page.get_by_role("toolbar", name=editor.t("canvas.zoom")).inner_text()
    share = re.search(r"(\d+)\s*%", zoom)
    box = editor.canvas.bounding_box()
    assert share is not None
    assert box is not None
    x = box["width"] / 2 - 120 * int(share[1]) / 100
    editor.canvas.dblclick(position={"x": x, "y": box["height"] / 2})


def pane(editor: Editor, name: str, place: str = "") -> Locator:
    """The terminal on a node; ``place`` like 2/2 when its tab holds several."""
    label = editor.t("terminal.of", name=name) + (f" {place}" if place else "")
    return editor.page.get_by_role("region", name=label, exact=True)


def field(editor: Editor, terminal: Locator) -> Locator:
    """Where it is typed into."""
    return terminal.get_by_role("textbox", name=editor.t.pattern("terminal.input"))


def prompted(terminal: Locator, name: str = "h1") -> None:
    expect(terminal).to_contain_text(re.compile(rf"{name}:\S*[#$]"), timeout=PATIENCE)


def run(editor: Editor, terminal: Locator, command: str, answer: str | re.Pattern[str]) -> None:
    """Type a command into the terminal that has the keyboard, and wait for its answer."""
    expect(field(editor, terminal)).to_be_focused(timeout=PATIENCE)
    editor.page.keyboard.type(command)
    editor.page.keyboard.press("Enter")
    expect(terminal).to_contain_text(answer, timeout=PATIENCE)


def place(text: Locator) -> tuple[float, float]:
    """A place on a text of a terminal, whose screen takes the pointer for all of them."""
    box = text.bounding_box()
    assert box is not None
    return box["x"] + 10, box["y"] + box["height"] / 2


def size(editor: Editor, terminal: Locator, mark: str) -> tuple[int, int]:
    """Rows and columns, as the program in the terminal sees them."""
    run(editor, terminal, f"echo {mark}=$(stty size)", re.compile(rf"{mark}=\d+ \d+"))
    found = re.search(rf"{mark}=(\d+)\s(\d+)", terminal.inner_text())
    assert found is not None
    return int(found[1]), int(found[2])


def test_ping_from_a_double_clicked_host_and_find_it_again_after_a_reload(
    editor: Editor, lab: int
) -> None:
    double_click_h1(editor)
    terminal = pane(editor, "h1")
    prompted(terminal)
    run(editor, terminal, "ping -c1 10.0.0.2", "1 received, 0% packet loss")
    icmp = editor.packets.get_by_role("row").filter(has_text="echo reply")
    expect(icmp.first).to_be_visible(timeout=PATIENCE)
    run(editor, terminal, "printf '\\033[38;2;9;99;199mtrue\\033[0m colour\\n'", "true colour")
    # A question to the terminal, and who it says it is (DA1): read here, so none is left.
    run(editor, terminal, "printf '\\033[c'; read -rsdc -t9 who; echo is=${who:2}", "is=?1;2")
    editor.page.reload()
    expect(editor.canvas).to_be_visible(timeout=PATIENCE)
    expect(terminal).to_contain_text("1 received, 0% packet loss", timeout=PATIENCE)
    expect(terminal).to_contain_text(editor.t("terminal.back"))
    field(editor, terminal).focus()
    # What the screen answered to the question in the replay was not typed into the shell.
    run(editor, terminal, "echo $((6 * 7)) is all", "42 is all")
    expect(terminal).not_to_contain_text(editor.t("terminal.back"))
    assert "1;2c" not in terminal.inner_text()


@ROOT
def test_it_has_the_size_of_its_pane(editor: Editor, lab: int) -> None:
    double_click_h1(editor)
    terminal = pane(editor, "h1")
    prompted(terminal)
    rows, columns = size(editor, terminal, "before")
    editor.page.set_viewport_size({"width": 1900, "height": 900})
    wide = re.compile(rf"wide=\d+ (?!{columns}\b)\d+")
    run(editor, terminal, "sleep 0.5; echo wide=$(stty size)", wide)
    editor.page.keyboard.press("Control+Shift+E")
    second = pane(editor, "h1", "2/2")
    prompted(second)
    _, half = size(editor, second, "half")
    assert half < columns
    assert rows > 2


@ROOT
def test_by_keyboard_alone(editor: Editor, lab: int) -> None:
    page, t = editor.page, editor.t
    editor.tree.focus()
    page.keyboard.press("Home")
    page.keyboard.press("Space")
    expect(editor.row("h1")).to_have_attribute("aria-selected", "true")
    page.keyboard.press("t")
    terminal = pane(editor, "h1")
    prompted(terminal)
    run(editor, terminal, "echo first $((1 + 1))", "first 2")
    page.keyboard.press("Control+Shift+O")
    prompted(pane(editor, "h1", "2/2"))
    run(editor, pane(editor, "h1", "2/2"), "echo second $((2 + 2))", "second 4")
    expect(pane(editor, "h1", "1/2")).not_to_contain_text("second")
    page.keyboard.press("Control+Shift+ArrowUp")
    expect(field(editor, pane(editor, "h1", "1/2"))).to_be_focused()
    # Tab goes to the shell, which completes the name of the file.
    run(editor, pane(editor, "h1", "1/2"), "cat /etc/hostn\t", "cat /etc/hostname")
    page.keyboard.press("Control+Shift+L")
    tab = page.get_by_role("tab", name=re.compile("^h1"))
    expect(tab).to_be_focused()
    page.keyboard.press("Tab")
    another = page.get_by_role("button", name=t("actions.terminal.another"), exact=True)
    expect(another).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("tab", name=re.compile("^h1"))).to_have_count(2)
    prompted(pane(editor, "h1"))
    page.keyboard.press("Control+Shift+K")
    expect(page.get_by_role("tab", name=re.compile("^h1"))).to_have_count(1)
    expect(field(editor, pane(editor, "h1", "1/2"))).to_be_focused()
    page.keyboard.press("Control+Shift+L")
    page.keyboard.press("Delete")
    expect(page.get_by_role("region", name=t("terminal.title"))).to_be_hidden()


@ROOT
def test_search_copy_and_paste(editor: Editor, lab: int, context: BrowserContext) -> None:
    page, t = editor.page, editor.t
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    double_click_h1(editor)
    terminal = pane(editor, "h1")
    prompted(terminal)
    run(editor, terminal, "seq 1000 1200; echo end", "end")
    page.keyboard.press("Control+Shift+F")
    search = terminal.get_by_role("searchbox", name=t("actions.terminal.find"))
    expect(search).to_be_focused()
    page.keyboard.type("1077")
    expect(terminal.get_by_text("1/1", exact=True)).to_be_visible()
    page.keyboard.press("Escape")
    expect(field(editor, terminal)).to_be_focused()
    page.evaluate("navigator.clipboard.writeText('echo pasted')")
    page.keyboard.press("Control+Shift+V")
    run(editor, terminal, "", "echo pastedpasted")  # the command, and what it says
    page.mouse.dblclick(*place(terminal.get_by_text("pasted", exact=True).last))
    page.keyboard.press("Control+Shift+C")
    page.wait_for_function("navigator.clipboard.readText().then((text) => text === 'pasted')")
    # A program may not write to the clipboard, and its title is text.
    escapes = "\\033]52;c;c3RvbGVu\\007\\033]2;<b>title</b>\\007"
    run(editor, terminal, f"printf '{escapes}'; echo se''nt", "sent")
    expect(page.get_by_role("tab").filter(has_text="h1<b>title</b>")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == "pasted"


@ROOT
def test_a_link_is_opened_only_after_its_address_was_shown(editor: Editor, lab: int) -> None:
    page, t = editor.page, editor.t
    double_click_h1(editor)
    terminal = pane(editor, "h1")
    prompted(terminal)
    address = f"{editor.product.origin}/login"
    link = f"printf '\\033]8;;{address}\\033\\\\harm'; printf 'less\\033]8;;\\033\\\\\\n'"
    run(editor, terminal, link, "harmless")
    x, y = place(terminal.get_by_text("harmless", exact=True))
    page.mouse.move(x, y)
    page.mouse.move(x + 4, y)
    page.mouse.click(x + 4, y)
    dialog = page.get_by_role("dialog", name=t("terminal.linkTitle"))
    expect(dialog.get_by_text(address, exact=True)).to_be_visible()
    assert len(page.context.pages) == 1
    with page.context.expect_page() as opened:
        dialog.get_by_role("button", name=t("terminal.linkGo")).click()
    assert opened.value.evaluate("opener") is None
    opened.value.close()


@ROOT
def test_it_ends_and_begins_again(editor: Editor, lab: int) -> None:
    page, t = editor.page, editor.t
    double_click_h1(editor)
    terminal = pane(editor, "h1")
    prompted(terminal)
    run(editor, terminal, "exit 3", t("terminal.ended", status=3))
    expect(terminal.get_by_role("button", name=t("terminal.again"))).to_be_visible()
    page.keyboard.press("Enter")
    expect(terminal).not_to_contain_text("exit 3")
    prompted(terminal)
    editor.stop()
    expect(terminal).to_contain_text(re.compile(t.pattern("terminal.ended").pattern.strip("^$")))
    again = terminal.get_by_role("button", name=t("terminal.again"))
    expect(again).to_have_attribute("aria-disabled", "true")


@ROOT
@pytest.mark.skipif(not AXE.exists(), reason="axe-core is missing: npm ci in frontend/")
@pytest.mark.parametrize(
    ("theme", "language"), [("light", "en"), ("dark", "zh-CN")], ids=["light", "dark"]
)
class TestEveryView:
    """axe finds nothing, whatever a terminal shows."""

    @pytest.fixture
    def words(self, language: str) -> Words:
        return Words(language)

    def test_axe(self, editor: Editor, lab: int, theme: str) -> None:
        page, t = editor.page, editor.t
        assert page.evaluate("document.documentElement.dataset.theme") == theme
        findings: list[str] = []

        def look(place: str) -> None:
            findings.extend(f"{place}: {one}" for one in axe(editor))

        double_click_h1(editor)
        prompted(pane(editor, "h1"))
        look("one terminal")
        page.keyboard.press("Control+Shift+F")
        look("search")
        page.keyboard.press("Escape")
        page.keyboard.press("Control+Shift+E")
        prompted(pane(editor, "h1", "2/2"))
        look("two panes")
        page.get_by_role("button", name=t("terminal.menu")).click()
        look("menu")
        page.get_by_role("menuitem", name=t("actions.terminal.reader")).click()
        field(editor, pane(editor, "h1", "2/2")).focus()
        run(editor, pane(editor, "h1", "2/2"), "echo $((20 + 3))", "23")
        listed = pane(editor, "h1", "2/2").get_by_role("list").get_by_text("23", exact=True)
        expect(listed).to_be_attached()
        look("screen reader mode")
        run(editor, pane(editor, "h1", "2/2"), "exit", t("terminal.ended", status=0))
        look("ended")
        assert not findings, "\n" + "\n".join(findings)
