"""A lab is recorded, saved and played again; its recording is shared with who has no account."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.chromium import SPY
from tests.browser.editor import PATIENCE, Editor
from tests.browser.test_every_page import AXE, amiss, axe, untranslated
from tests.browser.test_trace import needs_root, two_faults
from tests.browser.words import LANGUAGES, Words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, BrowserContext

    from tests.browser.product import Product

# What is played does not depend on who captured it.
pytestmark = pytest.mark.parametrize(
    "product", [pytest.param("root", marks=needs_root)], indirect=True
)


@pytest.fixture
def words(request: pytest.FixtureRequest) -> Words:
    return Words(getattr(request, "param", "en"))


@pytest.fixture
def lab(editor: Editor) -> Iterator[int]:
    """A running lab in which a ping has just been thrown away, on the page."""
    lab = editor.api("POST", "/labs", {"document": two_faults()})["id"]
    editor.api("POST", f"/labs/{lab}/run")
    editor.open(lab)
    editor.phase("running")
    editor.api("POST", f"/labs/{lab}/probes", {"kind": "ping", "source": "host", "target": "net2"})
    expect(editor.packets.locator(".end-mark").first).to_be_visible(timeout=PATIENCE)
    yield int(lab)
    editor.api("POST", f"/labs/{lab}/stop")
    for recording in editor.api("GET", "/recordings"):
        editor.api("DELETE", f"/recordings/{recording['id']}")


def save(editor: Editor, name: str) -> None:
    """Save what was seen, by the menu; the page goes on to the recording."""
    editor.button("topbar.share").click()
    editor.page.get_by_role("menuitem", name=editor.t("actions.saveRecording")).click()
    dialog = editor.page.get_by_role("dialog")
    dialog.get_by_role("textbox", name=editor.t("replay.name")).fill(name)
    button = dialog.get_by_role("button", name=editor.t("replay.save"), exact=True)
    expect(button).not_to_have_attribute("aria-disabled", "true", timeout=PATIENCE)
    button.click()
    expect(editor.page).to_have_url(re.compile(r"/recordings/\d+$"), timeout=PATIENCE)
    expect(editor.page.get_by_role("heading", name=name)).to_be_visible(timeout=PATIENCE)


def moment(page: Page, words: Words) -> Locator:
    return page.get_by_role("slider", name=words("timeline.moment"))


def faults(page: Page, words: Words) -> Locator:
    """The list of what went wrong."""
    return page.get_by_role("region", name=words("replay.wrong")).get_by_role("listitem")


def clear(editor: Editor, place: str) -> list[str]:
    """What axe and the words of the page find amiss there."""
    found = axe(editor) if AXE.exists() else []
    return [f"{place}: {one}" for one in [*found, *amiss(editor, untranslated(editor.t))]]


@pytest.mark.parametrize("words", LANGUAGES, indirect=True)
def test_a_drop_is_found_again_in_the_recording_and_on_its_shared_page(
    editor: Editor, lab: int, browser: Browser
) -> None:
    save(editor, "The ping that died")
    page, words = editor.page, editor.t
    # The recording stands at its beginning; the list holds all of it.
    expect(moment(page, words)).to_have_attribute("aria-valuenow", re.compile(r"^0(\.0+)?$"))
    expect(editor.packets.get_by_role("row").nth(1)).to_be_visible(timeout=PATIENCE)
    findings = clear(editor, "recording")
    # To the drop: by key, then by its line; the canvas shows it, the packet is picked.
    editor.canvas.focus()
    page.keyboard.press("n")
    expect(moment(page, words)).not_to_have_attribute("aria-valuenow", re.compile(r"^0(\.0+)?$"))
    expect(editor.packets.locator("[aria-selected=true]")).to_be_visible()
    editor.forget_drawn()
    faults(page, words).first.get_by_role("button").first.click()
    editor.drew("net1")
    # Why: the same story as live, with what the router held then.
    faults(page, words).first.get_by_role("button").last.click()
    verdict = page.get_by_role("region", name=words("story.verdict"), exact=True)
    expect(verdict.get_by_role("status").first).to_contain_text("net1", timeout=PATIENCE)
    expect(verdict.get_by_role("button", name=words("story.apply"))).to_have_count(0)
    findings += clear(editor, "story in a recording")
    page.get_by_role("button", name=words("actions.leaveStory")).first.click()
    address = shared(editor)
    findings += stranger(browser, editor, address, words)
    assert not findings, "\n" + "\n".join(dict.fromkeys(findings))


def shared(editor: Editor) -> str:
    """Make a link by the dialog; its address."""
    editor.top.get_by_role("button", name=editor.t("replay.share")).click()
    dialog = editor.page.get_by_role("dialog")
    dialog.get_by_role("button", name=editor.t("replay.makeLink"), exact=True).click()
    link = dialog.get_by_role("textbox", name=editor.t("replay.link"))
    expect(link).to_have_value(re.compile(r"/shared/[\w-]{22,}$"), timeout=PATIENCE)
    address = link.input_value()
    editor.page.keyboard.press("Escape")
    return address


def stranger(browser: Browser, owner: Editor, address: str, words: Words) -> list[str]:
    """Who has only the link sees the recording, and nothing to change it by; then no more."""
    context = browser.new_context(
        viewport={"width": 1440, "height": 900}, locale=words.language, color_scheme="dark"
    )
    context.add_init_script(SPY)
    try:
        page = context.new_page()
        guest = Editor(page, owner.product, words)
        page.goto(address)
        expect(page.get_by_role("heading", name="The ping that died")).to_be_visible()
        expect(guest.top.get_by_text(words("replay.readOnly"))).to_be_visible()
        expect(guest.top.get_by_role("button", name=words("replay.share"))).to_have_count(0)
        faults(page, words).first.get_by_role("button").last.click()
        verdict = page.get_by_role("region", name=words("story.verdict"), exact=True)
        expect(verdict.get_by_role("status").first).to_contain_text("net1", timeout=PATIENCE)
        findings = clear(guest, "shared page")
        assert not guest.complaints
        revoke(owner)
        page.reload()
        expect(page.get_by_role("heading", name=words("replay.missing"))).to_be_visible()
        return findings
    finally:
        context.close()


def revoke(editor: Editor) -> None:
    editor.top.get_by_role("button", name=editor.t("replay.share")).click()
    dialog = editor.page.get_by_role("dialog")
    dialog.get_by_role("button", name=editor.t("replay.revoke")).click()
    expect(dialog.get_by_role("button", name=editor.t("replay.revoke"))).to_have_count(0)
    editor.page.keyboard.press("Escape")


def test_packets_are_filtered_live_and_in_the_recording(editor: Editor, lab: int) -> None:
    page, words = editor.page, editor.t
    box = page.get_by_role("combobox", name=words("filter.label"))
    rows = editor.packets.get_by_role("row")
    box.fill("icmp.typ == 8")
    expect(box).to_have_attribute("aria-invalid", "true")
    page.get_by_role("option", name="icmp.type", exact=True).click()
    expect(box).to_have_attribute("aria-invalid", "false")
    box.fill("icmp.type == 8 && node == net1")
    page.keyboard.press("Escape")
    expect(box).to_have_attribute("aria-invalid", "true")  # names stand in quotes
    box.fill('icmp.type == 8 && node == "net1"')
    page.keyboard.press("Escape")
    page.keyboard.press("Enter")
    requests = rows.filter(has_text="echo request")
    expect(requests.first).to_be_visible(timeout=PATIENCE)
    expect(rows.filter(has_text=re.compile("ARP|router solicitation"))).to_have_count(0)
    # A field that is clicked narrows it further; the menu's other half takes it out again.
    requests.first.click()
    field = page.get_by_role("treeitem").filter(has_text="Time to live")
    field.click(button="right")
    hide = f"{words('filter.hide')} ip.ttl == 64"
    page.get_by_role("menuitem", name=hide).click()
    expect(rows.filter(has_text="ttl 64")).to_have_count(0)
    assert "!(ip.ttl == 64)" in box.input_value()
    page.get_by_role("button", name=words("packets.clearFilter")).first.click()
    expect(rows.filter(has_text=re.compile("ARP|router")).first).to_be_visible(timeout=PATIENCE)
    save(editor, "To be sieved")
    box.fill("arp")
    page.keyboard.press("Escape")
    page.keyboard.press("Enter")
    expect(rows.filter(has_text="echo request")).to_have_count(0, timeout=PATIENCE)
    expect(rows.filter(has_text="ARP").first).to_be_visible()


def test_it_plays_and_pauses_and_the_list_of_recordings_knows_it(
    editor: Editor, lab: int, context: BrowserContext, product: Product
) -> None:
    save(editor, "Played")
    page = editor.page
    transport = page.get_by_role("group", name=editor.t("timeline.transport"))
    speed = page.get_by_role("combobox", name=editor.t("replay.speed"))
    speed.select_option("10")
    editor.forget_drawn()
    transport.get_by_role("button", name=editor.t("timeline.play")).click()
    # The packets travel: the canvas draws their glyphs as it does live.
    page.wait_for_function("() => canvasSpy.pictures.length > 0", timeout=PATIENCE)
    expect(transport.get_by_role("button", name=editor.t("timeline.play"))).to_be_visible(
        timeout=PATIENCE
    )
    head = moment(page, editor.t)
    head.focus()
    page.keyboard.press("Home")
    expect(head).to_have_attribute("aria-valuenow", "0.000")
    page.keyboard.press("+")
    page.keyboard.press("End")
    page.goto(product.origin + "/recordings")
    line = page.get_by_role("listitem").filter(has_text="Played")
    expect(line).to_be_visible(timeout=PATIENCE)
    if AXE.exists():
        assert not axe(editor)
    with page.expect_download() as download:
        line.get_by_role("link", name=editor.t("replay.downloadOf", name="Played")).click()
    path = download.value.path()
    assert path.read_bytes()[:2] == b"PK"
    line.get_by_role("button", name=editor.t("replay.removeOf", name="Played")).click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name=editor.t("replay.remove"), exact=True).click()
    expect(line).to_have_count(0)
    # The file plays again where it is given back.
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name=editor.t("replay.upload")).click()
    chooser.value.set_files(
        {"name": "Again.topoweb", "mimeType": "application/zip", "buffer": path.read_bytes()}
    )
    again = page.get_by_role("listitem").filter(has_text="Again")
    expect(again).to_be_visible(timeout=PATIENCE)
    again.get_by_role("link", name="Again", exact=True).click()
    expect(faults(page, editor.t).first).to_contain_text("net1", timeout=PATIENCE)
