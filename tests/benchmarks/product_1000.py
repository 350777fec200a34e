"""A thousand nodes through the whole product, station by station, with a page open on them.

Serves a product of its own as root and drives it by its API and a headless Chromium. One JSON
line a figure; bounds are what a person should not have to wait for on a quiet machine with two
cores. Give `routed` for 1,000 nodes with 1,500 cables instead of 1,000 hosts on switches.

    .venv/bin/python -m tests.benchmarks.product_1000 [switched|routed]
"""

from __future__ import annotations

import os
import re
import signal
import sys
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from playwright.sync_api import sync_playwright

from tests.benchmarks import _thousand
from tests.benchmarks._apply import median, say
from tests.benchmarks.canvas_1000 import ARGUMENTS, CHROMIUM, SIZE, processes
from tests.browser.product import Product, served

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import BrowserContext, Page

SPY = Path(__file__).with_name("thousand_spy.js").read_text()
NAMES = {"web": "daphne", "worker": "manage.py worker", "tracer": "manage.py tracer"}
SETTLED = ("running", "stopped", "failed", "cancelled")
PATIENCE = 240.0  # seconds
SAMPLES = 20
HOST = "h5"  # in either drawing
IDLE = 5.0  # seconds in which nothing is asked
QUIET = 15.0  # seconds in which a thousand new hosts greet each other by IPv6


class Station:
    """One lab of a running product, by its API and on a page."""

    def __init__(self, product: Product, context: BrowserContext, document: dict[str, Any]) -> None:
        self.product = product
        self.page: Page = context.new_page()
        self._context = context
        self._operations = 0
        self.page.goto(product.address)
        self.page.wait_for_url(re.compile(r"/labs/\d+$"))
        self.page.goto("about:blank")
        lab = self.api("POST", "/labs", {"name": "thousand"})["id"]
        self.path = f"/labs/{lab}"
        self.operate(kind="replace", document=document)

    def api(self, method: str, path: str, body: object = None) -> Any:
        """Return the answer of /api/v1."""
        cookies = {one["name"]: one["value"] for one in self._context.cookies()}
        answer = self._context.request.fetch(
            f"{self.product.origin}/api/v1{path}",
            method=method,
            data=body,
            headers={"X-CSRFToken": cookies["csrftoken"], "Referer": self.product.origin + "/"},
            timeout=PATIENCE * 1e3,
        )
        assert answer.ok, f"{method} {path}: {answer.status} {answer.text()}"
        return answer.json()

    def operate(self, **fields: object) -> None:
        """Change the drawing."""
        self._operations += 1
        operation = {"op_id": f"op{self._operations}", "base_seq": 0, **fields}
        self.api("POST", f"{self.path}/operations", operation)

    def wish(self, verb: str) -> dict[str, Any]:
        """Run, stop or cancel; return the status when the worker is done with it."""
        self.api("POST", f"{self.path}/{verb}", {})
        return self.settled()

    def settled(self) -> dict[str, Any]:
        """Return the status when the worker is done."""
        return self.until(
            lambda s: s["observed_generation"] >= s["generation"] and s["phase"] in SETTLED
        )

    def until(self, good: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Ask for the status until it is good."""
        end = time.monotonic() + PATIENCE
        while True:
            status: dict[str, Any] = self.api("GET", f"{self.path}/status")
            if good(status):
                return status
            assert time.monotonic() < end, status
            time.sleep(0.01)

    def open(self) -> None:
        """Open the lab on the page; returns when its problems were told."""
        self.page.goto(self.product.origin + self.path, wait_until="commit")
        self.page.wait_for_function(
            "window.spy && spy.text.some(([, message]) => message.type === 'problems')"
        )

    def until_live(self, text: str, work: Callable[[], None]) -> float:
        """Do work; return the ms until a LIVE message with ``text`` is on the page."""
        begun = self.page.evaluate("performance.now()")
        work()
        heard = self.page.wait_for_function(
            "([text, since]) => spyHeard(text, since)", arg=[text, begun], polling=10
        )
        return float(heard.json_value() - begun)

    def pids(self) -> dict[str, int]:
        """Return the pids of web, worker and tracer."""
        found: dict[str, int] = {}
        for pid in _descendants(self.product.process.pid):
            line = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
            found |= {name: pid for name, part in NAMES.items() if part in line}
        return found


def main() -> int:
    """Measure and print; return the exit status."""
    document = getattr(_thousand, sys.argv[1] if len(sys.argv) > 1 else "switched")()
    with served(rootless=False) as product, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        size = {"width": SIZE[0], "height": SIZE[1]}
        # The page's own policy forbids what `wait_for_function` does.
        context = browser.new_context(viewport=size, bypass_csp=True)  # type: ignore[arg-type]
        context.add_init_script(SPY)
        station = Station(product, context, document)
        holds = [*_stopped(station), *_run(station), *_running(station, document), *_end(station)]
        browser.close()
    return not all(holds)


def _stopped(station: Station) -> list[bool]:
    return [
        say("document_ms", _ms(lambda: station.api("GET", f"{station.path}/document")), "ms", 100),
        say("plan_ms", _ms(lambda: station.api("POST", f"{station.path}/plan", {})), "ms", 400),
        say("open_page_ms", _ms(station.open), "ms", 1500),
        *_moves(station, "stopped"),
    ]


def _run(station: Station) -> list[bool]:
    station.api("POST", f"{station.path}/run", {})
    station.until(lambda s: s["steps_done"] > 0)
    cancel = _ms(lambda: station.wish("cancel")) / 1e3
    cancelled = station.api("GET", f"{station.path}/status")
    assert cancelled["phase"] == "cancelled", cancelled
    assert cancelled["steps_done"] < cancelled["steps_total"]
    run = _ms(lambda: station.wish("run")) / 1e3
    assert station.settled()["phase"] == "running"
    return [say("cancel_s", cancel, "s", 1), say("run_again_s", run, "s", 10)]


def _running(station: Station, document: dict[str, Any]) -> list[bool]:
    time.sleep(QUIET)
    interface = next(key for key, one in document["interfaces"].items() if one["addresses"])
    live, settled = [], []
    for number in range(SAMPLES):
        address = f"192.168.{number}.1/24"
        patch = {"addresses": [*document["interfaces"][interface]["addresses"], address]}
        edit = {"kind": "set", "collection": "interfaces", "id": interface, "patch": patch}
        begun = time.perf_counter()
        live.append(station.until_live(f'"{address}"', partial(station.operate, **edit)))
        station.settled()
        settled.append((time.perf_counter() - begun) * 1e3)
    return [
        say("edit_to_page_ms", median(live), "ms", 500),
        say("edit_settled_ms", median(settled), "ms", 700),
        *_moves(station, "running"),
        *_idle(station),
        *_killed(station),
    ]


def _idle(station: Station) -> list[bool]:
    """CPU of those who watch, and what everybody holds."""
    pids, before = station.pids(), processes()
    time.sleep(IDLE)
    after = processes()
    holds = []
    for name, pid in pids.items():
        busy = 100 * (after[pid][1] - before[pid][1]) / IDLE
        holds.append(say(f"{name}_idle_cpu_percent", busy, "%", 60))
        holds.append(say(f"{name}_memory_mib", _memory(pid), "MiB", 256))
    descriptors = sum(1 for _ in Path(f"/proc/{pids['tracer']}/fd").iterdir())
    heap = station.page.evaluate("performance.memory.usedJSHeapSize") / 2**20
    return [
        *holds,
        say("tracer_descriptors", descriptors, "", 2000),
        say("page_heap_mib", heap, "MiB", 128),
    ]


def _killed(station: Station) -> list[bool]:
    os.kill(station.pids()["worker"], signal.SIGKILL)
    begun = time.perf_counter()
    station.operate(kind="set", collection="nodes", id=HOST, patch={"x": -1.0})
    station.settled()
    return [say("killed_worker_back_s", time.perf_counter() - begun, "s", 5)]


def _end(station: Station) -> list[bool]:
    stop = _ms(lambda: station.wish("stop")) / 1e3
    assert not station.product.holders()
    return [say("stop_s", stop, "s", 6)]


def _moves(station: Station, phase: str) -> list[bool]:
    move = partial(station.operate, kind="set", collection="nodes", id=HOST)
    took = sorted(_ms(partial(move, patch={"x": float(x)})) for x in range(SAMPLES))
    station.settled()
    return [
        say(f"operation_{phase}_p50_ms", median(took), "ms", 100),
        say(f"operation_{phase}_p95_ms", took[int(0.95 * SAMPLES)], "ms", 250),
    ]


def _ms(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return (time.perf_counter() - begun) * 1e3


def _memory(pid: int) -> float:
    """Resident MiB of a process."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS"))


def _descendants(root: int) -> set[int]:
    parents = {pid: parent for pid, (parent, _) in processes().items()}
    family = {root}
    while more := {pid for pid, parent in parents.items() if parent in family} - family:
        family |= more
    return family


if __name__ == "__main__":
    sys.exit(main())
