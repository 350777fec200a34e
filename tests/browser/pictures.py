"""Photographs the product for `docs/images/`: a real lab, its real packets. Needs root.

.venv/bin/python -m tests.browser.pictures
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Literal

from playwright.sync_api import Browser, StorageState, ViewportSize, expect

from tests.browser import test_trace
from tests.browser.chromium import SPY, chromium, signed_in
from tests.browser.editor import PATIENCE, Editor
from tests.browser.product import Product, served
from tests.browser.words import Words

IMAGES = Path(__file__).resolve().parents[2] / "docs" / "images"
SIZE: ViewportSize = {"width": 1680, "height": 1000}
LOOKS: tuple[tuple[str, Literal["light", "dark"]], ...] = (("en", "light"), ("zh-CN", "dark"))

NODES = {
    "h1": ("host", 0, 0),
    "h2": ("host", 0, 180),
    "h3": ("host", 0, 360),
    "sw1": ("switch", 230, 90),
    "sw2": ("switch", 230, 300),
    "r1": ("router", 470, 100),
    "r2": ("router", 470, 300),
    "edge": ("router", 760, 40),
    "web": ("host", 980, 0),
    "leaf1": ("switch", 720, 310),
    "app": ("host", 930, 250),
    "db": ("host", 930, 390),
}
# Each end: node, interface, address.
CABLES = [
    (("h1", "eth0", "10.0.1.11/24"), ("sw1", "p1", "")),
    (("h2", "eth0", "10.0.1.12/24"), ("sw1", "p2", "")),
    (("h3", "eth0", "10.0.1.13/24"), ("sw2", "p1", "")),
    (("sw1", "p7", ""), ("sw2", "p7", "")),
    (("sw1", "p8", ""), ("sw2", "p8", "")),
    (("sw1", "p3", ""), ("r1", "eth0", "10.0.1.1/24")),
    (("sw2", "p3", ""), ("r2", "eth1", "10.0.1.2/24")),
    (("r1", "eth2", "10.0.9.1/30"), ("r2", "eth2", "10.0.9.2/30")),
    (("r1", "eth1", "10.0.8.1/30"), ("edge", "eth0", "10.0.8.2/30")),
    (("edge", "eth1", "192.0.2.1/24"), ("web", "eth0", "192.0.2.80/24")),
    (("r2", "eth0", "10.0.2.1/24"), ("leaf1", "p1", "")),
    (("leaf1", "p2", ""), ("app", "eth0", "10.0.2.80/24")),
    (("leaf1", "p3", ""), ("db", "eth0", "10.0.2.54/24")),
]
ROUTES = [
    *((host, "0.0.0.0/0", "10.0.1.1") for host in ("h1", "h2", "h3")),
    *((host, "0.0.0.0/0", "10.0.2.1") for host in ("app", "db")),
    ("web", "0.0.0.0/0", "192.0.2.1"),
    ("r1", "10.0.2.0/24", "10.0.9.2"),
    ("r1", "0.0.0.0/0", "10.0.8.2"),
    ("r2", "0.0.0.0/0", "10.0.9.1"),
    ("edge", "10.0.0.0/16", "10.0.8.1"),
]
WORDS = {
    "en": {
        "name": "Campus and data centre",
        "campus": "Campus 10.0.1.0/24",
        "centre": "Data centre 10.0.2.0/24",
        "outside": "Outside 192.0.2.0/24",
        "note": "Why is one cable between sw1 and sw2 blocked?\nHint: two ways make a ring.",
    },
    "zh-CN": {
        "name": "园区网与数据中心",
        "campus": "园区网 10.0.1.0/24",
        "centre": "数据中心 10.0.2.0/24",
        "outside": "外部 192.0.2.0/24",
        "note": "sw1 与 sw2 之间为什么有一根网线被阻塞？\n提示：两条路会成环。",
    },
}


def drawing(language: str) -> dict[str, Any]:
    """The document of the lab in the picture."""
    words = WORDS[language]
    interfaces: dict[str, Any] = {}
    links: dict[str, Any] = {}
    for a, b in CABLES:
        for node, name, address in (a, b):
            addresses = [address] if address else []
            interfaces[f"{node}-{name}"] = {
                "node": node,
                "name": name,
                "addresses": addresses,
                # The lowest MAC address makes sw1 the root bridge.
                "mac": f"02:00:00:00:01:0{name[1]}" if node == "sw1" else None,
            }
        ends = [f"{node}-{name}" for node, name, _ in (a, b)]
        links["-".join(ends)] = {"kind": "veth", "a": ends[0], "b": ends[1]}
    links["sw2-p3-r2-eth1"]["up"] = False
    return {
        "format": "topoweb",
        "version": 1,
        "name": words["name"],
        "auto_address": False,
        "nodes": {
            name: {
                "kind": kind, "name": name, "x": x, "y": y, "stp": name in {"sw1", "sw2"},
                "forward_ipv4": kind == "router", "forward_ipv6": kind == "router",
            }
            for name, (kind, x, y) in NODES.items()
        },
        "interfaces": interfaces,
        "links": links,
        "routes": {
            f"t{at}": {"node": node, "prefix": prefix, "via": via}
            for at, (node, prefix, via) in enumerate(ROUTES)
        },
        "notes": {"note": {"text": words["note"], "x": 390, "y": 395, "width": 220, "height": 76}},
        "groups": {
            "campus": {"name": words["campus"], "x": -70, "y": -80, "width": 370, "height": 520,
                       "color": "blue"},
            "centre": {"name": words["centre"], "x": 645, "y": 165, "width": 365, "height": 305,
                       "color": "teal"},
            "outside": {"name": words["outside"], "x": 690, "y": -80, "width": 370, "height": 205,
                        "color": "orange"},
        },
    }  # fmt: skip


def running(editor: Editor) -> int:
    """Make the lab and run it until its bridges have settled (two delays of 15 s, IEEE 802.1D)."""
    document = drawing(editor.t.language)
    lab = int(editor.api("POST", "/labs", {"document": document})["id"])
    editor.api("POST", f"/labs/{lab}/run")
    editor.open(lab)
    editor.phase("running")
    editor.row("sw2").click()
    editor.tab("live")
    settled = editor.inspector.get_by_text("STP forwarding")
    expect(settled).to_have_count(2, timeout=2 * PATIENCE)  # to h3, and one of the two to sw1
    return lab


def traffic(editor: Editor, lab: int) -> None:
    """Send probes, slowly shown, until enough packets are on their way at once."""
    speed = editor.page.get_by_role("combobox", name=editor.t("timeline.speed"))
    speed.select_option("0.25")
    probes = [("h1", "app", "ping"), ("h2", "web", "ping"), ("db", "h3", "ping")]
    probes += [("h3", "web", "tcp"), ("web", "app", "tcp"), ("db", "h2", "traceroute")]
    for source, target, kind in probes:
        body = {"kind": kind, "source": source, "target": target}
        editor.api("POST", f"/labs/{lab}/probes", body | ({"port": 80} if kind == "tcp" else {}))
    pick(editor)
    editor.forget_drawn()
    editor.page.wait_for_function(
        """least => {
          const all = canvasSpy.pictures;
          const last = all.at(-1)?.[0];
          return all.filter(([time]) => last - time < 1).length >= least;
        }""",
        arg=7,
        timeout=PATIENCE,
    )


def pick(editor: Editor) -> None:
    """Choose a reply behind the router: its TTL differs from the hop before."""
    editor.row("edge").click()
    editor.tab("live")
    legend = editor.page.get_by_role("group", name=editor.t("packets.protocols"))
    legend.get_by_role("button", name="ICMP", exact=True).click()
    rows = editor.packets.get_by_role("row").filter(has_text="ttl 63")
    expect(rows.first).to_be_visible(timeout=PATIENCE)
    rows.last.click()
    fields = editor.page.get_by_role("tree", name=editor.t("decode.fields"))
    fields.get_by_role("treeitem", name=re.compile(r"\b63\b.*\b64\b")).click()


def photograph(
    browser: Browser,
    product: Product,
    signed: StorageState,
    words: Words,
    theme: Literal["light", "dark"],
) -> None:
    """One picture of the editor and one of the list of labs."""
    context = browser.new_context(
        viewport=SIZE, locale=words.language, color_scheme=theme, storage_state=signed
    )
    context.add_init_script(SPY)
    editor = Editor(context.new_page(), product, words)
    editor.labs()
    lab = running(editor)
    product.inside(lab, "edge", "ip", "link", "set", "eth0", "mtu", "1400")
    traffic(editor, lab)
    ending = f"{theme}-{words.language}.png"
    editor.page.screenshot(path=IMAGES / f"editor-{ending}")
    editor.labs()
    expect(editor.page.get_by_role("listitem").first).to_be_visible()
    editor.page.screenshot(path=IMAGES / f"labs-{ending}")
    editor.api("DELETE", f"/labs/{lab}")
    context.close()


def photograph_trace(
    browser: Browser,
    product: Product,
    signed: StorageState,
    words: Words,
    theme: Literal["light", "dark"],
) -> None:
    """One picture of a ping whose answer was never sent, and why."""
    context = browser.new_context(
        viewport=SIZE, locale=words.language, color_scheme=theme, storage_state=signed
    )
    context.add_init_script(SPY)
    editor = Editor(context.new_page(), product, words)
    editor.labs()
    lab = int(editor.api("POST", "/labs", {"document": test_trace.two_faults()})["id"])
    editor.api("POST", f"/labs/{lab}/run")
    editor.open(lab)
    editor.phase("running")
    test_trace.trace(editor)
    test_trace.judged(editor, test_trace.FAULT, "net1")
    test_trace.mend(editor)
    test_trace.judged(editor, ("silent",), "net2")
    editor.drew(words("story.ends.silent"))
    editor.page.screenshot(path=IMAGES / f"trace-{theme}-{words.language}.png")
    editor.api("DELETE", f"/labs/{lab}")
    context.close()


def main() -> None:
    """Write the pictures."""
    IMAGES.mkdir(exist_ok=True)
    with chromium() as browser, served(rootless=False) as product:
        signed = signed_in(browser, product)
        for language, theme in LOOKS:
            photograph(browser, product, signed, Words(language), theme)
            photograph_trace(browser, product, signed, Words(language), theme)


if __name__ == "__main__":
    main()
