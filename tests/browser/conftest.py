"""The product under a real browser. Each test must leave the kernel as it found it."""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.browser.editor import Editor
from tests.browser.product import Product, left_behind, machine, served
from tests.browser.words import Words

if TYPE_CHECKING:
    from collections.abc import Iterator

CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
SPY = (Path(__file__).parent / "canvas_spy.js").read_text()
GRACE = 15.0  # seconds for what dies asynchronously
ROOT_ONLY = pytest.mark.skipif(os.geteuid() != 0, reason="this composition needs root")

expect.set_options(timeout=15_000)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if not Path(CHROMIUM).exists():
        pytest.skip("Chromium is not installed (Debian: chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="module", params=[pytest.param("root", marks=ROOT_ONLY), "rootless"])
def product(request: pytest.FixtureRequest) -> Iterator[Product]:
    """A product of its own for each module; it leaves nothing behind on the machine."""
    before = machine()
    with served(rootless=request.param == "rootless") as product:
        yield product
        own = {int(line.split()[0]) for line in product.holdings()["processes"]}
    assert not product.holders()
    assert not [pid for pid in own if Path("/proc", str(pid)).exists()]
    assert not left_behind(before, machine())


@pytest.fixture(scope="module")
def cookies(product: Product, browser: Browser) -> list[dict[str, object]]:
    """Signed in by the one-time address, for all pages of the module."""
    context = browser.new_context()
    with contextlib.closing(context):
        editor = Editor(context.new_page(), product)
        editor.enter()
        return list(context.cookies())  # type: ignore[arg-type]


@pytest.fixture(autouse=True)
def nothing_remains(product: Product) -> Iterator[None]:
    """Namespaces, links, holders, mounts and processes are equal before and after."""
    before = product.holdings()
    yield
    remains_nothing(product, before)


def remains_nothing(product: Product, before: dict[str, set[str]]) -> None:
    deadline = time.monotonic() + GRACE
    while leaked := left_behind(before, product.holdings()):
        if time.monotonic() > deadline:
            pytest.fail("not as before:\n" + "\n".join(leaked))
        time.sleep(0.05)


class Complaints:
    """What a browser complains about while a page is used."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def watch(self, page: Page) -> None:
        page.on("pageerror", lambda error: self.lines.append(f"page error: {error}"))
        page.on(
            "console",
            lambda line: (
                self.lines.append(f"console {line.type}: {line.text}")
                if line.type in {"error", "warning"}
                else None
            ),
        )


@pytest.fixture
def words() -> Words:
    return Words()


@pytest.fixture
def theme() -> str:
    return "light"


@pytest.fixture
def context(
    browser: Browser, cookies: list[dict[str, object]], words: Words, theme: str
) -> Iterator[BrowserContext]:
    context = browser.new_context(
        viewport={"width": 1440, "height": 900},
        locale=words.language,
        color_scheme=theme,  # type: ignore[arg-type]
        accept_downloads=True,
    )
    context.add_cookies(cookies)  # type: ignore[arg-type]
    context.add_init_script(SPY)
    yield context
    context.close()


@pytest.fixture
def editor(
    nothing_remains: None, context: BrowserContext, product: Product, words: Words
) -> Iterator[Editor]:
    """A signed-in page; labs that the test made are deleted, and the page never complained."""
    del nothing_remains  # only its place in the order matters
    page = context.new_page()
    complaints = Complaints()
    complaints.watch(page)
    editor = Editor(page, product, words)
    page.goto(product.origin + "/")
    known = {lab["id"] for lab in editor.api("GET", "/labs")}
    yield editor
    violations = page.evaluate("policyViolations")
    page.close()
    for lab in editor.api("GET", "/labs"):
        if lab["id"] not in known:
            editor.api("DELETE", f"/labs/{lab['id']}")
    assert not violations
    assert not complaints.lines
