"""The editor as a person finds it: by role and name. Waits on what is shown, never on time."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from playwright.sync_api import ConsoleMessage, Locator, Page, expect

from tests.browser.words import Words

if TYPE_CHECKING:
    from tests.browser.product import Product

PATIENCE = 30_000  # ms; only a busy machine comes near it


class Editor:
    """One page on the product."""

    def __init__(self, page: Page, product: Product, words: Words | None = None) -> None:
        self.page = page
        self.product = product
        self.t = words or Words()
        self.complaints: list[str] = []
        page.on("pageerror", lambda error: self.complaints.append(f"page error: {error}"))
        page.on("console", self._note)

    def _note(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.complaints.append(f"console {message.type}: {message.text}")

    @property
    def canvas(self) -> Locator:
        """The picture of the topology."""
        return self.page.get_by_role("img", name=self.t.pattern("canvas.summary"))

    @property
    def top(self) -> Locator:
        return self.page.get_by_role("banner")

    @property
    def tree(self) -> Locator:
        return self.page.get_by_role("tree", name=self.t("outline.title"))

    @property
    def inspector(self) -> Locator:
        return self.page.get_by_role("region", name=self.t("inspector.title"), exact=True)

    @property
    def packets(self) -> Locator:
        return self.page.get_by_role("grid", name=self.t("packets.title"))

    def button(self, key: str) -> Locator:
        """A button of the top bar by its action's or text's key."""
        return self.top.get_by_role("button", name=self.t(key), exact=True)

    def tool(self, key: str) -> Locator:
        palette = self.page.get_by_role("region", name=self.t("palette.title"))
        return palette.get_by_role("button", name=self.t(key), exact=True)

    def row(self, name: str) -> Locator:
        """A node's line in the outline."""
        return self.tree.get_by_role("treeitem", name=re.compile(rf"^{re.escape(name)}, "))

    def port(self, name: str, far: str) -> Locator:
        """An interface's line in the outline, by its name and the far end."""
        pattern = rf"^{re.escape(self.t('outline.port', name=name))}, .*{re.escape(far)}$"
        return self.tree.get_by_role("treeitem", name=re.compile(pattern))

    def open_port(self, name: str) -> None:
        """Open the form of an interface of the selected node."""
        self.tab("interfaces")
        spoken = re.escape(self.t("outline.port", name=name))
        line = self.inspector.get_by_role("button", name=re.compile(rf"^{spoken}\b"))
        if line.get_attribute("aria-expanded") != "true":
            line.click()
        expect(self.inspector.get_by_role("textbox", name="MTU")).to_be_visible()

    def open_cable(self, far: str) -> None:
        """Go on to the cable of the open interface, by the node at its far end."""
        self.inspector.get_by_role("button", name=re.compile(f"^⇄ {far}:")).click()
        switch = self.inspector.get_by_role("checkbox", name=self.t("fields.cableOn"))
        expect(switch).to_be_visible()

    def tab(self, key: str) -> None:
        """Choose a tab of the inspector."""
        name = self.t(f"inspector.{key}")
        self.inspector.get_by_role("tab", name=name, exact=True).click()

    def heard(self, text: re.Pattern[str]) -> None:
        """Wait until this is said to a screen reader, in a status line."""
        status = self.page.get_by_role("status").filter(has_text=text)
        expect(status.first).to_be_attached(timeout=PATIENCE)

    def enter(self) -> None:
        """Open the address that `serve` printed; it lets in once and leaves no token behind."""
        self.page.goto(self.product.address)
        expect(self.page).to_have_url(re.compile(r"/labs/\d+$"))
        expect(self.canvas).to_be_visible(timeout=PATIENCE)

    def labs(self) -> None:
        self.page.goto(self.product.origin + "/")
        expect(self.page.get_by_role("heading", name=self.t("pages.labs"))).to_be_visible()

    def open(self, lab: int) -> None:
        self.page.goto(f"{self.product.origin}/labs/{lab}")
        expect(self.canvas).to_be_visible(timeout=PATIENCE)

    def lab_id(self) -> int:
        found = re.search(r"/labs/(\d+)$", self.page.url)
        assert found is not None
        return int(found[1])

    def drop(self, key: str, x: float, y: float) -> None:
        """Drag a palette item to a place on the canvas, px from its corner."""
        self.tool(key).drag_to(self.canvas, target_position={"x": x, "y": y})

    def click(self, x: float, y: float, **options: Any) -> None:
        self.canvas.click(position={"x": x, "y": y}, **options)

    def phase(self, phase: str) -> None:
        """Wait until the state in the top bar is this."""
        state = self.top.get_by_text(self.t(f"phase.{phase}"))
        expect(state).to_be_visible(timeout=PATIENCE)

    def saved(self) -> None:
        expect(self.top.get_by_text(self.t("topbar.saved"), exact=True)).to_be_visible(
            timeout=PATIENCE
        )

    def run(self) -> None:
        self.button("actions.run").click()
        self.phase("running")

    def stop(self) -> None:
        self.button("actions.stop").click()
        self.phase("stopped")

    def forget_drawn(self) -> None:
        self.page.evaluate("canvasSpy.texts.length = canvasSpy.pictures.length = 0")

    def drew(self, *texts: str) -> None:
        """Wait until the canvas has drawn each of these texts, as part of a line."""
        self.page.wait_for_function(
            "texts => texts.every((one) => canvasSpy.texts.some((line) => line.includes(one)))",
            arg=list(texts),
            timeout=PATIENCE,
        )

    def travels(
        self, a: tuple[float, float], b: tuple[float, float], protocol: str
    ) -> list[Travel]:
        """A protocol's packets along the straight line between two places, in order of time."""
        box = self.canvas.bounding_box()
        assert box is not None
        legend = self.page.get_by_role("group", name=self.t("packets.protocols"))
        mark = legend.get_by_role("button", name=protocol, exact=True).locator("path")
        color = mark.evaluate("path => getComputedStyle(path).fill")
        red, green, blue = (int(part) for part in re.findall(r"\d+", color)[:3])
        pictures = [
            (time, x, y)
            for time, x, y, filled in self.page.evaluate("canvasSpy.pictures")
            if filled == f"#{red:02x}{green:02x}{blue:02x}"
        ]
        ends = [(box["x"] + x, box["y"] + y) for x, y in (a, b)]
        return travels(pictures, ends[0], ends[1])

    def api(self, method: str, path: str, body: object = None) -> Any:
        """Call /api/v1 as the signed-in person; the answer, or AssertionError."""
        cookies = {one["name"]: one["value"] for one in self.page.context.cookies()}
        answer = self.page.context.request.fetch(
            f"{self.product.origin}/api/v1{path}",
            method=method,
            data=body,
            headers={"X-CSRFToken": cookies["csrftoken"], "Referer": self.product.origin + "/"},
        )
        assert answer.ok, f"{method} {path}: {answer.status} {answer.text()}"
        return answer.json() if answer.body() else None


@dataclass
class Travel:
    """One thing that moved along a cable: when (ms), and from where to where (0 to 1)."""

    begun: float
    ended: float
    start: float
    end: float

    @property
    def way(self) -> float:
        return self.end - self.start


NEAR = 3.0  # px off the line
LEAP = 0.3  # share of the cable between two frames


def travels(
    pictures: list[tuple[float, float, float]], a: tuple[float, float], b: tuple[float, float]
) -> list[Travel]:
    """Follow pictures from frame to frame along the line from ``a`` to ``b``."""
    dx, dy = b[0] - a[0], b[1] - a[1]
    square = dx * dx + dy * dy
    open_: list[Travel] = []
    done: list[Travel] = []
    for time, x, y in pictures:
        share = ((x - a[0]) * dx + (y - a[1]) * dy) / square
        off = abs((x - a[0]) * dy - (y - a[1]) * dx) / square**0.5
        if off > NEAR or not 0 <= share <= 1:
            continue
        done += [one for one in open_ if time - one.ended > 400]
        open_ = [one for one in open_ if time - one.ended <= 400]
        follows = [
            one
            for one in open_
            if one.ended < time
            and abs(share - one.end) < LEAP
            and (abs(one.way) < 0.02 or (share - one.end) * one.way > 0)
        ]
        if follows:
            nearest = min(follows, key=lambda one: abs(share - one.end))
            nearest.ended, nearest.end = time, share
        else:
            open_.append(Travel(time, time, share, share))
    return [one for one in done + open_ if abs(one.way) > 0.35]
