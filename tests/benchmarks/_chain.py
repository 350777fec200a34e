"""A running product with a page on h1 — r1 — r2 — h2, and what is sent through it."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from playwright.sync_api import sync_playwright

from tests.benchmarks._flood import PACED
from tests.benchmarks._thousand import _document
from tests.benchmarks._topologies import Drawing
from tests.benchmarks.canvas_1000 import ARGUMENTS, CHROMIUM, SIZE
from tests.benchmarks.product_1000 import Station
from tests.browser.product import served

if TYPE_CHECKING:
    from collections.abc import Iterator

SPY = Path(__file__).with_name("packets_spy.js").read_text()
CABLES = 3
TARGET = "10.0.3.2"  # h2
NOWHERE = "10.200.0.1", "10.201.0.1"  # h2 gets them and does not forward: each one is dropped


def chain() -> dict[str, Any]:
    """Return the drawing."""
    drawing = Drawing()
    for name, kind in (("h1", "host"), ("r1", "router"), ("r2", "router"), ("h2", "host")):
        drawing.node(name, kind)
    for number, (a, b) in enumerate((("h1", "r1"), ("r1", "r2"), ("r2", "h2")), 1):
        drawing.cable(a, b, f"10.0.{number}.1/24", f"10.0.{number}.2/24")
    drawing.route("h1", "0.0.0.0/0", "10.0.1.2")
    drawing.route("r1", "0.0.0.0/0", "10.0.2.2")
    drawing.route("r2", "0.0.0.0/0", "10.0.3.2")
    drawing.route("r2", "10.0.1.0/24", "10.0.2.1")
    drawing.route("h2", "0.0.0.0/0", "10.0.3.1")
    return _document("chain", drawing)


@contextlib.contextmanager
def watched(spy: str = SPY) -> Iterator[Station]:
    """Run the chain and open the page on it."""
    with served(rootless=False) as product, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        size = {"width": SIZE[0], "height": SIZE[1]}
        # The page's own policy forbids what `wait_for_function` does.
        context = browser.new_context(viewport=size, bypass_csp=True)  # type: ignore[arg-type]
        context.add_init_script(spy)
        station = Station(product, context, chain())
        station.wish("run")
        station.page.goto(product.origin + station.path, wait_until="commit")
        station.page.wait_for_function("window.spy && spy.arrivals.length > 0")
        yield station
        browser.close()


def lab_of(station: Station) -> int:
    """Return the lab's number."""
    return int(station.path.rpartition("/")[2])


def send(station: Station, target: str, rate: int, seconds: int) -> subprocess.Popen[str]:
    """Send numbered UDP packets from h1 at an even rate; it says how many they were."""
    command = [sys.executable, "-c", PACED, target, "9", str(rate), str(seconds)]
    return inside(station, "h1", *command)


def inside(station: Station, node: str, *command: str) -> subprocess.Popen[str]:
    """Start a command in a node's network namespace."""
    run = station.product.run / "labs" / str(lab_of(station)) / "manifest.json"
    manifest = json.loads(run.read_text())
    path = f"/proc/{manifest['holder']['pid']}/fd/{100 + manifest['namespaces'][node]['slot']}"
    return subprocess.Popen(
        ["nsenter", f"--net={path}", *command], stdout=subprocess.PIPE, text=True
    )
