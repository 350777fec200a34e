"""Time to summarise a frame, against a bare struct-unpack loop over the same frames.

Prints one JSON line. ``value`` is µs a frame, ``bound`` 5 µs or 12 plain loops, whichever is
more: the second one holds on a busy machine too.
"""

from __future__ import annotations

import json
import statistics
import struct
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.unit.packets import wire
from topoweb.core.packets import summary

ROUNDS, FRAMES = 9, 20_000
RATIO = 12
TYPICAL = ("echo", "echo_reply", "syn", "fin_ack", "udp", "echo6", "arp_request", "tcp6")
HEADER = struct.Struct(">BxHHHBBxx4s4s").unpack_from


def plain(frames: list[bytes]) -> None:
    """What no decoder can do without: EtherType, IPv4 header, two ports."""
    kind_of, ports_of = struct.Struct(">H").unpack_from, struct.Struct(">HH").unpack_from
    for data in frames:
        kind_of(data, 12)
        HEADER(data, 14)
        ports_of(data, 34)


def ours(frames: list[bytes]) -> None:
    """The product's fast path."""
    for data in frames:
        summary(data, len(data))


def main() -> None:
    """Run both in turn and print the medians."""
    samples = wire.samples()
    frames = [samples[TYPICAL[i % len(TYPICAL)]] for i in range(FRAMES)]
    times: dict[str, list[float]] = {"plain": [], "ours": []}
    for _ in range(ROUNDS):
        for name, work in (("plain", plain), ("ours", ours)):
            start = time.process_time()
            work(frames)
            times[name].append((time.process_time() - start) / FRAMES * 1e6)
    value = statistics.median(times["ours"])
    floor = statistics.median(times["plain"])
    bound = max(5.0, RATIO * floor)
    print(
        json.dumps(
            {"name": "decode_us", "value": round(value, 2), "unit": "us", "bound": round(bound, 2),
             "holds": value <= bound, "ratio": round(value / floor, 1)}
        )
    )  # fmt: skip


if __name__ == "__main__":
    main()
