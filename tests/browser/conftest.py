"""The product under a real browser. Each test must leave the kernel as it found it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Browser, BrowserContext, StorageState, expect

from tests.browser.chromium import CHROMIUM, SPY, chromium, signed_in
from tests.browser.editor import Editor
from tests.browser.product import Product, left_behind, machine, served
from tests.browser.words import Words

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT_ONLY = pytest.mark.skipif(os.geteuid() != 0, reason="this composition needs root")

expect.set_options(timeout=15_000)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if not CHROMIUM.exists():
        pytest.skip("Chromium is not installed (Debian: chromium)")
    with chromium() as browser:
        yield browser


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
def signed(product: Product, browser: Browser) -> StorageState:
    """Signed in by the one-time address, for all pages of the module."""
    return signed_in(browser, product)


@pytest.fixture(autouse=True)
def nothing_remains(product: Product) -> Iterator[None]:
    """Namespaces, links, holders, mounts and processes are equal before and after."""
    product.ready()
    before = product.holdings()
    yield
    product.settles(before)


@pytest.fixture
def words() -> Words:
    return Words()


@pytest.fixture
def theme() -> str:
    return "light"


@pytest.fixture
def context(
    browser: Browser, signed: StorageState, words: Words, theme: str
) -> Iterator[BrowserContext]:
    context = browser.new_context(
        viewport={"width": 1440, "height": 900},
        locale=words.language,
        color_scheme=theme,  # type: ignore[arg-type]
        storage_state=signed,
    )
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
    assert not editor.complaints
