"""The browser that tests, benchmarks and pictures use: Debian's Chromium, without a GPU."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

from playwright.sync_api import Browser, StorageState, sync_playwright

from tests.browser.editor import Editor

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.browser.product import Product

CHROMIUM = Path(os.environ.get("CHROMIUM", "/usr/bin/chromium"))
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
SPY = Path(__file__).with_name("canvas_spy.js").read_text()


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    """A browser for as long as the block lasts."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


def signed_in(browser: Browser, product: Product) -> StorageState:
    """Open the one-time address; the cookies that the browser holds then."""
    context = browser.new_context(locale="en")
    with contextlib.closing(context):
        Editor(context.new_page(), product).enter()
        return {"cookies": context.storage_state()["cookies"], "origins": []}
