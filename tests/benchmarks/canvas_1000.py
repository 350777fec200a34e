"""The canvas at 1,000 nodes, 1,500 cables, 500 moving packets, against React Flow in the same run.

Both pages of `frontend/bench/` get the same mouse through the same headless Chromium without a
GPU. What counts is the CPU time of Chromium's whole process tree divided by the frames shown: it
moves far less with a busy machine than frame times do. Prints one line of JSON.

    .venv/bin/python tests/benchmarks/canvas_1000.py
"""

import functools
import http.server
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

FRONTEND = Path(__file__).resolve().parents[2] / "frontend"
BENCH = FRONTEND / "bench"
CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
SIZE = (1440, 900)
SECONDS = 3.0
ROUNDS = 2
BOUND = 0.5
TICKS = os.sysconf("SC_CLK_TCK")
NODE = 487  # one near the middle of the picture


@dataclass
class Sample:
    """What one candidate used in one phase, over all rounds."""

    cpu: float = 0.0  # s
    frames: list[float] = field(default_factory=list)  # ms between frames

    def cpu_a_frame(self) -> float:
        """CPU ms a frame."""
        return 1000 * self.cpu / max(1, len(self.frames))


def build(target: Path) -> None:
    """Both pages as production bundles; installs the reference's packages when they are missing."""
    quiet = {"check": True, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    for folder in (FRONTEND, BENCH):
        if not (folder / "node_modules").exists():
            subprocess.run(["npm", "install", "--no-save", "--ignore-scripts"], cwd=folder, **quiet)  # type: ignore[call-overload]
    command = ["npx", "vite", "build", "--config", "bench/vite.config.ts", "--outDir", str(target)]
    subprocess.run(command, cwd=FRONTEND, **quiet)  # type: ignore[call-overload]


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves files without a log."""

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The folder on a free port of loopback, as long as the block lasts."""
    handler = functools.partial(Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def processes() -> dict[int, tuple[int, float]]:
    """Each process's parent and CPU seconds, from /proc/<pid>/stat (proc(5))."""
    found = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        found[int(entry.name)] = (int(fields[1]), (int(fields[11]) + int(fields[12])) / TICKS)
    return found


def tree_cpu(root: int) -> float:
    """CPU seconds of a process and all its descendants that live."""
    table = processes()
    total = 0.0
    for pid in table:
        ancestor = pid
        while ancestor in table and ancestor != root:
            ancestor = table[ancestor][0]
        if ancestor == root:
            total += table[pid][1]
    return total


def browser_pid(profile: str) -> int:
    """The browser process of the profile: the one whose parent is not of the same profile."""
    mine = set()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                line = (entry / "cmdline").read_bytes().decode(errors="replace")
            except OSError:
                continue
            if f"--user-data-dir={profile}" in line:
                mine.add(int(entry.name))
    table = processes()
    return min(pid for pid in mine if pid in table and table[pid][0] not in mine)


def wiggle(page: Page, x: float, y: float, button: str) -> None:
    """Drags to and fro around a point for the length of a phase."""
    mouse = page.mouse
    mouse.move(x, y)
    mouse.down(button=button)  # type: ignore[arg-type]
    until = time.monotonic() + SECONDS
    step = 0
    while time.monotonic() < until:
        step += 1
        swing = 160 - abs(step * 6 % 640 - 320)
        mouse.move(x + swing, y + swing / 2)
        page.wait_for_timeout(8)
    mouse.up(button=button)  # type: ignore[arg-type]


def idle(page: Page, _candidate: str) -> None:
    """Nobody touches it; packets move and rates change."""
    page.wait_for_timeout(SECONDS * 1000)


def pan(page: Page, candidate: str) -> None:
    """Each candidate by its own button on empty ground."""
    wiggle(page, 40, 40, "middle" if candidate == "ours" else "left")


def drag(page: Page, _candidate: str) -> None:
    """One node to and fro."""
    spot = page.evaluate(f"nodeAt({NODE})")
    wiggle(page, spot["x"], spot["y"], "left")


def zoom(page: Page, _candidate: str) -> None:
    """The wheel, in to about twice the size and out again."""
    page.mouse.move(SIZE[0] / 2, SIZE[1] / 2)
    until = time.monotonic() + SECONDS
    step = 0
    while time.monotonic() < until:
        page.mouse.wheel(0, -60 if step % 16 < 8 else 60)
        step += 1
        page.wait_for_timeout(12)


PHASES: dict[str, Callable[[Page, str], None]] = {
    "idle": idle,
    "pan": pan,
    "drag": drag,
    "zoom": zoom,
}


def run_candidate(page: Page, url: str, pid: int, samples: dict[str, Sample]) -> None:
    """All phases on a fresh page."""
    candidate = url.rpartition("/")[2].removesuffix(".html")
    page.goto(url)
    page.wait_for_function("window.ready && window.frames.length > 60", timeout=60_000)
    page.wait_for_timeout(1_000)
    for name, act in PHASES.items():
        page.evaluate("window.frames.length = 0")
        before = tree_cpu(pid)
        act(page, candidate)
        samples[name].cpu += tree_cpu(pid) - before
        samples[name].frames += page.evaluate("window.frames.slice(1)")


def measure(url: str) -> dict[str, dict[str, Sample]]:
    """Both candidates by turns, so that a busy machine hits both."""
    found = {
        candidate: {phase: Sample() for phase in PHASES} for candidate in ("ours", "reference")
    }
    with sync_playwright() as playwright:
        for _ in range(ROUNDS):
            for candidate, samples in found.items():
                with tempfile.TemporaryDirectory(prefix="topoweb-bench-") as profile:
                    context = playwright.chromium.launch_persistent_context(
                        profile,
                        executable_path=CHROMIUM,
                        args=ARGUMENTS,
                        viewport={"width": SIZE[0], "height": SIZE[1]},
                    )
                    page = context.pages[0]
                    pid = browser_pid(profile)
                    run_candidate(page, f"{url}/{candidate}.html", pid, samples)
                    context.close()
    return found


def mean_cpu(samples: dict[str, Sample]) -> float:
    """CPU ms a frame, each phase counting the same."""
    return sum(sample.cpu_a_frame() for sample in samples.values()) / len(samples)


def report(found: dict[str, dict[str, Sample]]) -> dict[str, object]:
    """The line to print."""
    ours, reference = found["ours"], found["reference"]
    ratio = mean_cpu(ours) / mean_cpu(reference)
    frames = sorted(interval for sample in ours.values() for interval in sample.frames)
    phases = {
        name: {
            "ours_ms": round(ours[name].cpu_a_frame(), 2),
            "reference_ms": round(reference[name].cpu_a_frame(), 2),
            "p95_frame_ms": round(percentile(sorted(ours[name].frames), 0.95), 1),
        }
        for name in PHASES
    }
    return {
        "name": "canvas_1000",
        "value": round(ratio, 3),
        "unit": "CPU a frame / React Flow hybrid",
        "bound": BOUND,
        "holds": ratio <= BOUND,
        "p95_frame_ms": round(percentile(frames, 0.95), 1),
        "phases": phases,
        "load": round(os.getloadavg()[0], 1),
    }


def percentile(ordered: list[float], share: float) -> float:
    """The value below which `share` of an ordered list lies."""
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def main() -> int:
    """0 when the bound holds."""
    with tempfile.TemporaryDirectory(prefix="topoweb-bench-") as folder:
        build(Path(folder))
        with served(Path(folder)) as url:
            line = report(measure(url))
    print(json.dumps(line))
    return 0 if line["holds"] else 1


if __name__ == "__main__":
    sys.exit(main())
