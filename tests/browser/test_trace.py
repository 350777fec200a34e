"""A ping that fails twice, explained and mended by clicks on the page until it arrives."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.editor import PATIENCE, Editor
from tests.browser.test_every_page import AXE, axe
from tests.browser.words import LANGUAGES, Words

if TYPE_CHECKING:
    from collections.abc import Iterator

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="this composition needs root")
# One composition is enough where only the page is looked at.
ROOT = pytest.mark.parametrize("product", [pytest.param("root", marks=needs_root)], indirect=True)
GALLERY = Path(__file__).resolve().parents[2] / "topoweb" / "labs" / "gallery"
# With packet sockets alone a drop is concluded, not seen.
FAULT = ("dropped", "silent")
WATCHED = 2 * PATIENCE  # a trace watches for up to 10 s


def two_faults() -> dict[str, Any]:
    """The seed's lab without a way back, and its router does not forward either."""
    document: dict[str, Any] = json.loads((GALLERY / "no-way-back.json").read_text())["document"]
    document["nodes"]["net1"]["forward_ipv4"] = False
    return document


@pytest.fixture
def lab(editor: Editor) -> Iterator[int]:
    """The lab with its two faults, running and open."""
    lab = editor.api("POST", "/labs", {"document": two_faults()})["id"]
    editor.api("POST", f"/labs/{lab}/run")
    editor.open(lab)
    editor.phase("running")
    yield int(lab)
    editor.api("POST", f"/labs/{lab}/stop")


def trace(editor: Editor) -> None:
    """Choose host and net2, and press the key of the trace tool."""
    editor.row("host").click()
    editor.row("net2").click(modifiers=["Control"])
    editor.page.keyboard.press("e")


def verdict(editor: Editor) -> Locator:
    return editor.page.get_by_role("region", name=editor.t("story.verdict"), exact=True)


def judged(editor: Editor, headlines: tuple[str, ...], name: str) -> str:
    """Wait for a verdict about this node; which of the headlines it stands under."""
    said = verdict(editor).get_by_role("status")
    expect(said).to_contain_text(name, timeout=WATCHED)
    kind = verdict(editor).locator(".story-kind b")
    words = {editor.t(f"story.headline.{one}"): one for one in headlines}
    expect(kind).to_have_text(re.compile("|".join(map(re.escape, words))), timeout=WATCHED)
    return words[kind.inner_text()]


def mend(editor: Editor) -> None:
    """Apply the remedy by one click, and send the packet once more by another."""
    card = verdict(editor)
    card.get_by_role("button", name=editor.t("story.apply")).click()
    editor.forget_drawn()
    once = card.get_by_role("button", name=editor.t("story.once"))
    expect(once).not_to_have_attribute("aria-disabled", "true", timeout=PATIENCE)
    once.click()


def deeds(editor: Editor) -> Locator:
    """The rows of the dry run beside reality."""
    table = editor.page.get_by_role("region", name=editor.t("story.versus"), exact=True)
    return table.get_by_role("row")


@pytest.mark.parametrize("words", [Words(one) for one in LANGUAGES], ids=LANGUAGES)
def test_two_faults_are_explained_and_mended_until_the_ping_arrives(
    editor: Editor, lab: int
) -> None:
    trace(editor)
    headline = judged(editor, FAULT, "net1")
    editor.drew(editor.t(f"story.ends.{headline}"))
    mend(editor)
    judged(editor, ("silent",), "net2")
    editor.drew(editor.t("story.ends.silent"))
    expect(deeds(editor).first).to_be_visible()
    mend(editor)
    judged(editor, ("delivered",), "net2")
    expect(deeds(editor).filter(has_text=editor.t("story.notSeen"))).to_have_count(0)
    document = editor.api("GET", f"/labs/{lab}/document")["document"]
    assert document["nodes"]["net1"]["forward_ipv4"]
    assert [route["node"] for route in document["routes"].values()].count("net2") == 1
    probe = editor.api(
        "POST", f"/labs/{lab}/traces", {"source": "host", "target": "net2", "protocol": "icmp"}
    )
    assert probe["verdict"]["kind"] == "delivered"


@ROOT
def test_it_is_stepped_by_keyboard_and_clear_to_everybody(editor: Editor, lab: int) -> None:
    trace(editor)
    judged(editor, FAULT, "net1")
    mend(editor)
    judged(editor, ("silent",), "net2")
    time = editor.page.get_by_role("slider", name=editor.t("story.timeline"))
    time.focus()
    editor.page.keyboard.press("Home")
    expect(time).to_have_attribute("aria-valuenow", "1")
    editor.page.keyboard.press("ArrowRight")
    expect(time).to_have_attribute("aria-valuenow", "2")
    if AXE.exists():
        assert not axe(editor)
    editor.page.keyboard.press("Control+k")
    editor.page.get_by_role("combobox", name=editor.t("topbar.search")).fill(
        editor.t("actions.leaveStory")
    )
    editor.page.keyboard.press("Enter")
    expect(editor.tree).to_be_visible()


@ROOT
def test_a_packet_of_the_list_is_followed(editor: Editor, lab: int) -> None:
    editor.api("POST", f"/labs/{lab}/probes", {"kind": "ping", "source": "host", "target": "net2"})
    rows = editor.packets.get_by_role("row").filter(has_text="echo request")
    mark = rows.filter(has=editor.page.locator(".end-mark"))
    expect(mark.first).to_be_visible(timeout=PATIENCE)
    editor.drew("net1")
    expect(mark.first).to_contain_text("net1")
    mark.first.click()
    editor.page.get_by_role("button", name=editor.t("actions.follow"), exact=True).click()
    judged(editor, FAULT, "net1")
    changed = editor.page.get_by_role("region", name=editor.t("story.changed"), exact=True)
    expect(changed.get_by_role("columnheader").nth(1)).to_be_visible()
