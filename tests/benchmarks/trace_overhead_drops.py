"""What watching for drops alone costs a flood of which every packet is dropped: CPU with/without.

Prints one JSON line. Every drop is delivered or counted as lost.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

from tests.benchmarks._flood import PACKETS, ROUNDS, Flood, Tally, ratio

BOUND = 1.10


def main() -> int:
    """Alternate and compare."""
    pairs = []
    with tempfile.TemporaryDirectory() as directory:
        flood = Flood(Path(directory))
        tally = Tally(flood, hop_ring=4096, programs=("on_drop",))
        try:
            flood.cost()
            for _ in range(ROUNDS):
                plain = flood.cost()
                pairs.append((tally.cost(), plain))
        finally:
            flood.close()
    value = ratio(pairs)
    holds = value <= BOUND and tally.total >= ROUNDS * PACKETS
    print(json.dumps({
        "name": "trace_overhead_drops", "value": round(value, 3), "unit": "ratio", "bound": BOUND,
        "holds": holds, "packets": ROUNDS * PACKETS, "seen": tally.seen,
        "lost": tally.unseen.drops, "plain_us": round(min(plain for _, plain in pairs), 2),
        "ratios": sorted(round(a / b, 3) for a, b in pairs),
    }))  # fmt: skip
    return int(not holds)


if __name__ == "__main__":
    sys.exit(main())
