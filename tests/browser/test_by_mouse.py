"""The product's main road by mouse: draw, run, ping, watch, stop."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from playwright.sync_api import expect

from tests.browser.editor import PATIENCE, Editor, Travel

if TYPE_CHECKING:
    from tests.browser.product import Product

# px on the canvas
PLACES = {
    "h1": ("host", 90, 120),
    "h2": ("host", 90, 320),
    "sw1": ("switch", 230, 220),
    "r1": ("router", 430, 220),
    "sw2": ("switch", 630, 220),
    "h3": ("host", 790, 120),
    "h4": ("host", 790, 320),
}
CABLES = [
    ("h1", "sw1"), ("h2", "sw1"), ("sw1", "r1"), ("r1", "sw2"), ("sw2", "h3"), ("sw2", "h4"),
]  # fmt: skip
WAY = [("h1", "sw1"), ("sw1", "r1"), ("r1", "sw2"), ("sw2", "h4")]


def at(name: str) -> tuple[float, float]:
    return PLACES[name][1], PLACES[name][2]


def test_draw_run_ping_watch_stop(editor: Editor, product: Product) -> None:
    before = product.holdings()
    draw(editor)
    addresses_come_by_themselves(editor)
    editor.run()
    for name in PLACES:
        expect(editor.row(name)).to_have_accessible_name(re.compile(f", {editor.t('state.up')},"))
    ping_across(editor)
    packets_are_listed(editor)
    packets_moved_over_every_cable(editor)
    editor.stop()
    product.settles(before)


def draw(editor: Editor) -> None:
    editor.labs()
    editor.page.get_by_role("button", name=editor.t("pages.newLab"), exact=True).click()
    expect(editor.canvas).to_be_visible(timeout=PATIENCE)
    for name, (kind, x, y) in PLACES.items():
        editor.drop(f"kind.{kind}", x, y)
        expect(editor.row(name)).to_be_visible()
    for a, b in CABLES:
        editor.tool("kind.cable").click()
        editor.click(*at(a))
        editor.click(*at(b))
        editor.heard(editor.t.sentence("say.connected", **{"from": a, "to": b}))
    editor.saved()


def addresses_come_by_themselves(editor: Editor) -> None:
    prefixes = set()
    for host in ("h1", "h2", "h3", "h4"):
        editor.click(*at(host))
        editor.tab("interfaces")
        line = editor.inspector.get_by_role("button", name=re.compile("eth0"))
        expect(line).to_have_accessible_name(re.compile(r"\b\d+\.\d+\.\d+\.\d+/24\b"))
        name = line.inner_text()
        found = re.search(r"(\d+\.\d+\.\d+)\.\d+/24", name)
        assert found is not None
        prefixes.add(found[1])
        editor.tab("routes")
        expect(editor.inspector.get_by_text("0.0.0.0/0")).to_be_visible()
    assert len(prefixes) == 2


def ping_across(editor: Editor) -> None:
    speed = editor.page.get_by_role("combobox", name=editor.t("timeline.speed"))
    speed.select_option("0.5")  # so that a slow machine still shows each step
    editor.forget_drawn()
    editor.tool("kind.probe").click()
    editor.click(*at("h1"))
    editor.click(*at("h4"))
    answer = editor.t.sentence("probe.verdict.reply", target="h4", ttl=63)
    editor.heard(answer)
    editor.drew("h4 ", "ttl 63")


def packets_are_listed(editor: Editor) -> None:
    t = editor.t
    editor.page.get_by_role("searchbox", name=t("packets.text")).fill("seq 1 ")
    rows = editor.packets.get_by_role("row").filter(has_text="ICMP")
    expect(rows).to_have_count(2 * len(WAY), timeout=PATIENCE)
    seen = [[cell.strip() for cell in row.get_by_role("gridcell").all_inner_texts()]
            for row in rows.all()]  # fmt: skip
    numbers = [int(cells[0]) for cells in seen]
    times = [cells[1] for cells in seen]
    assert numbers == sorted(numbers)
    assert times == sorted(times, key=seconds)
    assert [cells[2].split("→") for cells in seen] == [
        *[list(pair) for pair in WAY],
        *[[b, a] for a, b in reversed(WAY)],
    ]
    kinds = ["request" if "request" in cells[6] else "reply" for cells in seen]
    assert kinds == ["request"] * len(WAY) + ["reply"] * len(WAY)
    ttls = [re.search(r"ttl (\d+)", cells[6])[1] for cells in seen]  # type: ignore[index]
    assert ttls == ["64", "64", "63", "63"] * 2


def seconds(text: str) -> float:
    """Minutes, seconds and microseconds as the list shows them: 0:00.736 393."""
    whole = 0.0
    for part in text.replace(" ", "").split(":"):
        whole = whole * 60 + float(part)
    return whole


def packets_moved_over_every_cable(editor: Editor) -> None:
    """First the request, outwards, cable after cable; then the reply, back."""
    editor.page.wait_for_function(
        "() => canvasSpy.pictures.length > 0"
        " && performance.now() - canvasSpy.pictures.at(-1)[0] > 1500",
        timeout=PATIENCE,
    )
    moved = [editor.travels(at(a), at(b), "ICMP") for a, b in WAY]
    out = [[one for one in cable if one.way > 0] for cable in moved]
    back = [[one for one in cable if one.way < 0] for cable in moved]
    assert any(follows(first, [*out[1:], *reversed(back)]) for first in out[0]), moved


FRAME = 250  # ms that a busy machine may need for a frame: an end that was not drawn
PAUSE = 2000  # ms between arriving at a node and leaving it again


def follows(last: Travel, cables: list[list[Travel]]) -> bool:
    """Whether something left on each cable in turn soon after what came before had arrived."""
    if not cables:
        return True
    nexts = [one for one in cables[0] if -FRAME < one.begun - last.ended < PAUSE]
    return any(follows(one, cables[1:]) for one in nexts)
