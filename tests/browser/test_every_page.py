"""Every page, panel and dialog, in both languages and themes: axe finds nothing, no word fails."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.editor import PATIENCE, Editor
from tests.browser.words import FOLDER, LANGUAGES, Words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

AXE = FOLDER.parents[1] / "node_modules" / "axe-core" / "axe.min.js"

pytestmark = [
    pytest.mark.skipif(not AXE.exists(), reason="axe-core is missing: npm ci in frontend/"),
    # What the page shows does not depend on who serves it.
    pytest.mark.parametrize("product", ["rootless"], indirect=True),
]

# Everything that is read on the screen or aloud: [text, …].
READ = """() => {
  const found = new Set();
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (element.closest("script, style, noscript")) continue;
    found.add(walker.currentNode.data.trim());
  }
  for (const element of document.querySelectorAll("[aria-label], [title], [placeholder]")) {
    for (const name of ["aria-label", "title", "placeholder", "aria-valuetext"]) {
      found.add((element.getAttribute(name) ?? "").trim());
    }
  }
  found.add(document.title);
  return [...found].filter((text) => text !== "");
}"""
RAW_KEY = re.compile(r"^[a-z][A-Za-z]*(\.[A-Za-z0-9_-]+)+$")
FILE_NAME = re.compile(r"^manage\.py$")


@pytest.fixture(params=["light", "dark"])
def theme(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=LANGUAGES)
def words(request: pytest.FixtureRequest) -> Words:
    return Words(request.param)


def test_axe_and_words(editor: Editor, words: Words, theme: str) -> None:
    """Visits everything once; all findings together, each with the place it was found at."""
    findings: list[str] = []
    english = untranslated(words)
    for place in visit(editor):
        shown = editor.page.evaluate("document.documentElement.dataset.theme")
        assert shown == theme, place
        assert editor.page.evaluate("document.documentElement.lang") == words.language
        findings += [f"{place}: {one}" for one in axe(editor)]
        findings += [f"{place}: {one}" for one in amiss(editor, english)]
    assert not findings, "\n" + "\n".join(dict.fromkeys(findings))


def axe(editor: Editor) -> list[str]:
    """What axe finds on the page as it is."""
    page = editor.page
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.read_text())
    # Nothing may still be fading in: a colour half way is no finding.
    page.wait_for_function(
        "() => document.getAnimations().every((one) => one.playState !== 'running'"
        " || one.effect.getTiming().iterations === Infinity)"
    )
    found: dict[str, Any] = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{rule['id']} ({rule['impact']}): {' '.join(node['target'][0].split())[:120]}"
        f" {node['any'][0]['message'][:160] if node['any'] else ''}"
        for rule in found["violations"]
        for node in rule["nodes"]
    ]


def untranslated(words: Words) -> dict[str, str]:
    """English texts (of more than one word, or long) that this language says otherwise."""
    english = Words("en").texts
    same = set(words.texts.values())
    return {
        text: key
        for key, text in english.items()
        if words.language != "en" and text not in same and len(text) > 3 and "{{" not in text
    }


def amiss(editor: Editor, english: dict[str, str]) -> list[str]:
    """Raw keys, unfilled values, and English where the page should speak another language."""
    found = []
    for text in editor.page.evaluate(READ):
        if (RAW_KEY.match(text) and not FILE_NAME.match(text)) or "{{" in text:
            found.append(f"raw: {text}")
        elif text in english:
            found.append(f"English: {text} ({english[text]})")
    return found


def visit(editor: Editor) -> Iterator[str]:
    """Go everywhere; yields the name of each place while it is shown."""
    yield from pages(editor)
    lab = editor.api("POST", "/labs", {"template": "two-subnets"})["id"]
    editor.open(lab)
    yield "editor, stopped"
    yield from selections(editor)
    yield from dialogs(editor)
    yield from problems(editor)
    editor.run()
    yield "editor, running"
    yield from packets(editor)
    yield from live(editor)
    editor.stop()


def pages(editor: Editor) -> Iterator[str]:
    page, t = editor.page, editor.t
    editor.labs()
    expect(page.get_by_role("listitem").first).to_be_visible()
    yield "labs"
    page.get_by_role("button", name=t.pattern("pages.menu")).first.click()
    expect(page.get_by_role("menu")).to_be_visible()
    yield "menu of a lab"
    page.get_by_role("menuitem", name=t("pages.rename")).click()
    yield from dialog(editor, "rename a lab")
    page.get_by_role("button", name=t.pattern("pages.menu")).first.click()
    page.get_by_role("menuitem", name=t("pages.remove")).click()
    yield from dialog(editor, "delete a lab")
    page.goto(editor.product.origin + "/recordings")
    expect(page.get_by_role("heading", name=t("replay.none"))).to_be_visible()
    yield "recordings"
    page.goto(editor.product.origin + "/login?reason=token")
    expect(page.get_by_role("heading", name=t("pages.signIn"))).to_be_visible()
    yield "login"
    page.goto(editor.product.origin + "/labs/999999")
    expect(page.get_by_role("heading", name=t("app.noLab"))).to_be_visible()
    yield "no such lab"
    # The browser itself notes each answer 404, once for each call that the page made.
    editor.complaints[:] = [line for line in editor.complaints if "404" not in line]


def dialog(editor: Editor, name: str) -> Iterator[str]:
    """The dialog that has just been asked for; Escape closes it."""
    box = editor.page.get_by_role("dialog").or_(editor.page.get_by_role("alertdialog"))
    expect(box).to_be_visible()
    yield name
    editor.page.keyboard.press("Escape")
    expect(box).to_be_hidden()


def selections(editor: Editor) -> Iterator[str]:
    """Each kind of thing in the inspector, with each of its tabs."""
    page, t = editor.page, editor.t
    for name in ("pc1", "r1", "sw1"):
        editor.row(name).click()
        for key in ("properties", "interfaces", "routes", "services", "live"):
            editor.tab(key)
            if key == "interfaces":
                editor.open_port("p1" if name == "sw1" else "eth0")
            yield f"inspector of {name}, {key}"
    editor.row("pc1").click()
    editor.row("pc2").click(modifiers=["Shift"])
    yield "inspector of two"
    editor.row("pc1").click()
    editor.open_port("eth0")
    editor.open_cable("sw1")
    yield "inspector of a cable"
    for key, field in (("n", "text"), ("g", "name")):
        editor.canvas.focus()
        page.keyboard.press(key)
        expect(editor.inspector.get_by_label(t(f"fields.{field}"))).to_be_visible()
        yield f"inspector of what {key} draws"


def dialogs(editor: Editor) -> Iterator[str]:
    page, t = editor.page, editor.t
    opens: list[tuple[str, Callable[[], None]]] = [
        ("command palette", lambda: page.keyboard.press("Control+k")),
        ("shortcuts", lambda: page.keyboard.press("?")),
        ("plan", lambda: page.keyboard.press("Control+Shift+p")),
    ]
    for name, press in opens:
        editor.canvas.focus()
        press()
        yield from dialog(editor, name)
    for key in ("topbar.tidy", "topbar.share"):
        editor.button(key).click()
        menu = page.get_by_role("menu", name=t(key))
        expect(menu).to_be_visible()
        yield f"menu {key}"
        page.keyboard.press("Escape")
        expect(menu).to_be_hidden()
    editor.canvas.click(button="right", position={"x": 20, "y": 20})
    menu = page.get_by_role("menu", name=t("canvas.menu"))
    expect(menu).to_be_visible()
    yield "menu of the canvas"
    page.keyboard.press("Escape")
    expect(menu).to_be_hidden()
    editor.row("pc1").click()
    page.keyboard.press("c")
    field = page.get_by_role("combobox", name=t("canvas.connectFrom", name="pc1"))
    expect(field).to_be_visible()
    yield "connect by name"
    page.keyboard.press("Escape")
    editor.row("pc1").click()
    page.keyboard.press("F2")
    field = page.get_by_role("textbox", name=t("outline.rename", name="pc1"))
    expect(field).to_be_visible()
    yield "rename in the outline"
    field.press("Escape")


def problems(editor: Editor) -> Iterator[str]:
    """A drawing with a warning and an error, said in the dock and in the top bar."""
    t = editor.t
    editor.row("pc2").click()
    editor.open_port("eth0")
    field = editor.inspector.get_by_role("textbox", name=t("fields.addAddress"))
    field.fill("not an address")
    field.press("Enter")
    expect(editor.inspector.get_by_role("alert")).to_be_visible()
    yield "a field in error"
    field.fill("10.20.1.11/24")  # pc1 has it
    field.press("Enter")
    pill = editor.top.get_by_role("button", name=problems_pattern(t))
    expect(pill).to_be_visible(timeout=PATIENCE)
    pill.click()
    expect(dock_tab(editor, "problems.title")).to_have_attribute("aria-selected", "true")
    yield "problems"
    editor.button("actions.undo").click()
    expect(pill).to_be_hidden(timeout=PATIENCE)
    yield "no problems"
    dock_tab(editor, "dock.plan").click()
    yield "plan in the dock"
    dock_tab(editor, "packets.title").click()


def problems_pattern(t: Words) -> re.Pattern[str]:
    keys = [key for key in t.texts if key.startswith("topbar.problems_")]
    return re.compile("|".join(t.pattern(key).pattern for key in keys))


def dock_tab(editor: Editor, key: str) -> Locator:
    tabs = editor.page.get_by_role("tablist", name=editor.t("dock.tabs"))
    return tabs.get_by_role("tab", name=re.compile("^" + re.escape(editor.t(key))))


def packets(editor: Editor) -> Iterator[str]:
    """A ping, its form, its answer, its packets, and one of them decoded."""
    page, t = editor.page, editor.t
    editor.row("pc1").click()
    page.keyboard.press("p")
    yield from dialog(editor, "probe")
    editor.row("pc1").click()
    page.keyboard.press("p")
    box = page.get_by_role("dialog", name=t("probe.title"))
    box.get_by_label(t("probe.target"), exact=True).select_option(label="pc4")
    box.get_by_role("button", name=t("probe.send")).click()
    editor.heard(t.sentence("probe.verdict.reply", target="pc4", ttl=63))
    lab = editor.lab_id()
    refused = {"kind": "tcp", "source": "pc1", "target": "pc4", "port": 81}
    editor.api("POST", f"/labs/{lab}/probes", refused)
    editor.heard(t.sentence("probe.verdict.refused", target="pc4", port=81))
    rows = editor.packets.get_by_role("row").filter(has_text="ICMP")
    expect(rows.first).to_be_visible(timeout=PATIENCE)
    yield "packets"
    rows.last.click()
    fields = page.get_by_role("tree", name=t("decode.fields"))
    expect(fields.get_by_role("treeitem").first).to_be_visible(timeout=PATIENCE)
    fields.get_by_role("treeitem").nth(1).click()
    yield "a packet decoded"
    rows.last.click(button="right")
    expect(page.get_by_role("menu", name=t("filter.menu"))).to_be_visible()
    yield "menu of a packet"
    page.keyboard.press("Escape")
    editor.button("topbar.share").click()
    page.get_by_role("menuitem", name=t("actions.saveRecording")).click()
    yield from dialog(editor, "save a recording")
    page.get_by_role("searchbox", name=t("packets.text")).fill("no such packet")
    expect(page.get_by_text(t("packets.noMatch"))).to_be_visible()
    yield "no packet matches"
    page.get_by_role("button", name=t("packets.clearFilter")).click()
    page.get_by_role("button", name=t("timeline.pause")).click()
    yield "packets paused"


def live(editor: Editor) -> Iterator[str]:
    for name in ("pc1", "r1", "sw1"):
        editor.row(name).click()
        for key in ("interfaces", "live"):
            editor.tab(key)
            yield f"running: inspector of {name}, {key}"
