"""A minute of 100,000 hops a second through the whole product, with a page open on the lab.

A flood of UDP crosses three cables and ends in a host that drops each packet; meanwhile a thin
flow is dropped there, too, and echo requests are traced. The page gets at most 20 messages a
second, memory of tracer, web and page stays flat (second half to first), every packet of the thin
flows is accounted for, and each trace shows all six hops. Prints one JSON line, ``value`` is the
worst ratio of a figure to its bound; the figures are on stderr.

    .venv/bin/python -m tests.benchmarks.trace_sustained [seconds] [packets a second]
"""

from __future__ import annotations

import contextlib
import json
import statistics
import sys
import time
from bisect import bisect_left
from typing import TYPE_CHECKING, Any

from playwright.sync_api import TimeoutError as PlaywrightTimeoutError

from tests.benchmarks._chain import CABLES, NOWHERE, TARGET, send, watched
from tests.benchmarks.canvas_1000 import processes
from tests.benchmarks.product_1000 import _memory

if TYPE_CHECKING:
    from tests.benchmarks.product_1000 import Station

SECONDS, RATE = 60, 16_667  # packets a second: 100,000 hops, and as many drops
MESSAGES = 20  # a second
FLAT = 1.05  # second half to first half
THIN = 5  # packets a second
LOOK = 2.0  # seconds between two looks at the memory
WARM = 10  # seconds of flood before: rings and lists fill up once
HOPS = 2 * CABLES


class Watch:
    """What was measured while the flood went on."""

    def __init__(self, station: Station) -> None:
        self.station = station
        self.memory: dict[str, list[float]] = {"tracer": [], "web": [], "page": []}
        self.traces: list[dict[str, Any]] = []
        self._pids = station.pids()
        self._page = station.page.context.new_cdp_session(station.page)

    def look(self) -> None:
        """Note who holds how much, MiB; the page after a collection."""
        for name in ("tracer", "web"):
            self.memory[name].append(_memory(self._pids[name]))
        self._page.send("HeapProfiler.collectGarbage")
        self.memory["page"].append(self._page.send("Runtime.getHeapUsage")["usedSize"] / 2**20)

    def trace(self) -> None:
        """Trace an echo request and its reply."""
        wish = {"source": "h1", "target": TARGET, "protocol": "icmp"}
        self.traces.append(self.station.api("POST", f"{self.station.path}/traces", wish))

    def cpu(self) -> dict[str, float]:
        """Return the CPU seconds that the product's processes have used."""
        table = processes()
        return {name: table[pid][1] for name, pid in self._pids.items()}

    def growth(self) -> dict[str, float]:
        """Return second half to first half."""
        halves = {name: (len(held) // 2, held) for name, held in self.memory.items()}
        return {
            name: statistics.mean(held[at:]) / statistics.mean(held[:at])
            for name, (at, held) in halves.items()
        }


def main() -> int:
    """Measure and print; return the exit status."""
    seconds = int(sys.argv[1]) if len(sys.argv) > 1 else SECONDS
    rate = int(sys.argv[2]) if len(sys.argv) > 2 else RATE
    with watched() as station:
        found = measured(station, seconds, rate)
    worst = max(found["ratios"].values())
    print(json.dumps(found, indent=1), file=sys.stderr)
    print(json.dumps({
        "name": "trace_sustained", "value": round(worst, 3), "unit": "ratio", "bound": 1,
        "holds": worst <= 1, "hops_s": found["hops_s"], "recorded": found["recorded"],
    }))  # fmt: skip
    return int(worst > 1)


def measured(station: Station, seconds: int, rate: int) -> dict[str, Any]:
    """Flood and watch; return the figures."""
    flooding, dropping = NOWHERE
    send(station, flooding, rate, WARM).communicate()
    watch = Watch(station)
    page = station.page
    page.evaluate("Object.assign(spy, {arrivals: [], rows: 0, gap: 0, hops: 0, sampled: 0})")
    before, began = watch.cpu(), time.monotonic()
    flood, thin = send(station, flooding, rate, seconds), send(station, dropping, THIN, seconds)
    while time.monotonic() - began < seconds - LOOK:
        watch.look()
        watch.trace()
        time.sleep(max(0.0, LOOK - (time.monotonic() - began) % LOOK))
    sent, dropped = int(flood.communicate()[0]), int(thin.communicate()[0])
    spent = {name: after - before[name] for name, after in watch.cpu().items()}
    time.sleep(LOOK)  # more than a second after the last: the next one tells of those before it
    last = int(send(station, dropping, 1, 1).communicate()[0])
    with contextlib.suppress(PlaywrightTimeoutError):  # then some are missing, and it shows below
        page.wait_for_function(_ENDED, arg=[dropping, dropped + last], timeout=15_000)
    spy = page.evaluate("spy")
    told = [end["repeated"] + 1 for end in spy["ends"] if dropping in end["params"]]
    hops = sent * HOPS
    events = hops + sent - spy["hops"] - spy["sampled"]
    growth = watch.growth()
    whole = [one for one in watch.traces if _is_whole(one)]
    ratios = {
        "messages": busiest(spy["arrivals"]) / MESSAGES,
        **{f"{name} memory": value / FLAT for name, value in growth.items()},
        "dropped flow": (dropped + last) / max(1, sum(told)),
        "traced flow": len(watch.traces) / max(1, len(whole)),
        "drops of the flood": 1.0 if not spy["drops"] else 2.0,
    }
    return {
        "ratios": {name: round(value, 3) for name, value in ratios.items()},
        "seconds": seconds,
        "hops_s": round(hops / seconds),
        "recorded": round(1 - (spy["hops"] + spy["sampled"]) / hops, 4),
        "unseen": {name: spy[name] for name in ("hops", "drops", "sampled")},
        "rows": spy["rows"],
        "rows left out": spy["gap"],
        "messages a second, at most": busiest(spy["arrivals"]),
        "growth": {name: round(value, 3) for name, value in growth.items()},
        "memory, MiB": {name: [round(min(m)), round(max(m))] for name, m in watch.memory.items()},
        "dropped flow": [dropped + last, sum(told)],
        "traces": [len(watch.traces), len(whole)],
        "cpu, cores": {name: round(value / seconds, 2) for name, value in spent.items()},
        "tracer, us an event": round(spent["tracer"] / max(1, events) * 1e6, 2),
    }


_ENDED = """([address, wanted]) => spy.ends
  .filter((end) => end.params.includes(address))
  .reduce((sum, end) => sum + end.repeated + 1, 0) >= wanted"""


def busiest(arrivals: list[float]) -> int:
    """Return the most messages in any second."""
    return max(
        (bisect_left(arrivals, at + 1000) - start for start, at in enumerate(arrivals)), default=0
    )


def _is_whole(answer: dict[str, Any]) -> bool:
    """True when the request and its reply were seen at each end of every cable."""
    whole = [one for one in answer["traces"] if len(one["hops"]) >= HOPS]
    return len(whole) >= 2 and answer["verdict"]["code"] == "delivered"


if __name__ == "__main__":
    sys.exit(main())
