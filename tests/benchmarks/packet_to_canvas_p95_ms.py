"""From the kernel's sight of a packet to its glyph on the canvas, at 1,000 packets a second.

A thousand UDP packets a second cross one cable of a watched lab; now and then a DNS query crosses
another. The time counts from the kernel's own time stamp of the query on its cable until the first
frame that has a glyph of DNS's colour. Prints one JSON line.

    .venv/bin/python -m tests.benchmarks.packet_to_canvas_p95_ms [queries]
"""

from __future__ import annotations

import json
import math
import statistics
import sys
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from tests.benchmarks._chain import NOWHERE, inside, watched
from tests.benchmarks._flood import PACED

if TYPE_CHECKING:
    from tests.benchmarks.product_1000 import Station

BOUND = 150.0
QUERIES, APART = 40, 1.8  # seconds: more than a query and its refusal take on the canvas
RATE = 1000
GAP = 200.0  # ms without a glyph: the next one is another packet's
ASK = """
import socket, sys, time
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for number in range(int(sys.argv[1])):
    head = number.to_bytes(2, "big") + bytes([1, 0, 0, 1, 0, 0, 0, 0, 0, 0])
    udp.sendto(head + bytes([4]) + b"mark" + bytes([0, 0, 1, 0, 1]), ("10.0.1.2", 53))
    time.sleep(float(sys.argv[2]))
"""


def main() -> int:
    """Measure and print; return the exit status."""
    queries = int(sys.argv[1]) if len(sys.argv) > 1 else QUERIES
    with watched() as station:
        found = measured(station, queries)
    drawn, came = (sorted(found[name]) for name in ("drawn", "came"))
    value = drawn[int(len(drawn) * 0.95)]
    print(json.dumps({
        "name": "packet_to_canvas_p95_ms", "value": round(value, 1), "unit": "ms", "bound": BOUND,
        "holds": value <= BOUND, "p50": round(statistics.median(drawn), 1),
        "on the page": {"p50": round(statistics.median(came), 1),
                        "p95": round(came[int(len(came) * 0.95)], 1)},
        "queries": len(drawn), "rows": found["rows"], "gap": found["gap"],
    }))  # fmt: skip
    return int(value > BOUND)


def measured(station: Station, count: int) -> dict[str, Any]:
    """Return how long each query took until its row was on the page and until it was drawn, ms."""
    page = station.page
    _ask(station, 1)  # who resolves addresses now will not later
    page.evaluate("marks.watched = true")
    _ask(station, 1)
    page.wait_for_function("marks.seen.length > 0 && marks.drawn.length > 0")
    seconds = int((count + 1) * APART) + 4
    flood = inside(
        station, "r2", sys.executable, "-c", PACED, NOWHERE[0], "9", str(RATE), str(seconds)
    )
    page.wait_for_timeout(1500)  # for the glyphs of the first query to be gone
    page.evaluate(_BEGIN)
    _ask(station, count)
    page.wait_for_function("wanted => marks.seen.length >= wanted", arg=count)
    page.wait_for_timeout(1000)
    flood.communicate()
    marks, spy = page.evaluate("marks"), page.evaluate("spy")
    frames = [at for at, _ in marks["drawn"]]
    first = frames[:1] + [after for before, after in pairwise(frames) if after - before > GAP]
    assert len(marks["seen"]) == count
    return {
        "drawn": [_first_after(seen, first) - seen for seen in marks["seen"]],
        "came": [came - seen for came, seen in zip(marks["came"], marks["seen"], strict=True)],
        "rows": spy["rows"],
        "gap": spy["gap"],
    }


# The colour is the first that was not on the canvas before the query's row came.
_BEGIN = """() => {
  const first = new Map();
  for (const [at, color] of marks.drawn) if (!first.has(color)) first.set(color, at);
  const fresh = [...first].filter(([, at]) => at >= marks.came[0]);
  const [color] = fresh.sort((a, b) => a[1] - b[1])[0];
  Object.assign(marks, { color, drawn: [], seen: [], came: [] });
}"""


def _first_after(seen: float, first: list[float]) -> float:
    """Return when the first picture of a query was drawn; infinity when none was in its time."""
    return next((at for at in first if 0 <= at - seen < APART * 1e3), math.inf)


def _ask(station: Station, count: int) -> None:
    inside(station, "h1", sys.executable, "-c", ASK, str(count), str(APART)).communicate()


if __name__ == "__main__":
    sys.exit(main())
