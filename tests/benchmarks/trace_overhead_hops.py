"""What watching every hop and drop costs a flood over three cables: CPU with/without.

Seven events a packet, no limit of the rate. Every event is delivered or counted as lost. Beside
it, in the same run: packet sockets on every cable, and a tcpdump on every interface. Prints one
JSON line.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from tests.benchmarks._flood import HOPS, PACKETS, ROUNDS, Flood, Tally, ratio
from topoweb.kernel.trace.afpacket import AfPacketSource
from topoweb.kernel.trace.bpf.ring import DATA
from topoweb.kernel.trace.bpf.source import HOP_RING, BpfSource

if TYPE_CHECKING:
    from collections.abc import Iterator
BOUND = 1.25
COMPARED = 3  # rounds of what is only compared with
CABLES = {0: ["right"], 1: ["left", "right"], 2: ["left", "right"], 3: ["left"]}


def read_cost(flood: Flood) -> float:
    """Return what the tracer itself spends on an event up to the observation, CPU µs."""
    source, count = BpfSource(flood.lab.run, hop_rate=0), 0
    try:
        for _ in range(2):  # the first time it reads the kernel's symbols
            source.watch(flood.lab.lab)
            flood.cost()
            began, count = time.process_time(), 0
            while seen := source.poll(0.1):
                count += len(seen)
            spent = time.process_time() - began
            source.unwatch(flood.lab.lab)
    finally:
        source.close()
    return spent / count * 1e6


@contextlib.contextmanager
def _packet_sockets(flood: Flood) -> Iterator[AfPacketSource]:
    source = AfPacketSource(flood.lab.run, snaplen=DATA)
    try:
        source.watch(flood.lab.lab)
        yield source
    finally:
        source.close()


@contextlib.contextmanager
def _tcpdumps(flood: Flood) -> Iterator[None]:
    started = []
    try:
        for node, interfaces in CABLES.items():
            path = flood.lab.holder.descriptor_path(node)
            for name in interfaces:
                command = ["tcpdump", "-i", name, "-s", "128", "-w", "/dev/null"]
                one = subprocess.Popen(
                    ["nsenter", f"--net={path}", *command], stderr=subprocess.PIPE
                )
                started.append(one)
                assert one.stderr is not None
                assert b"listening" in one.stderr.readline()
        yield
    finally:
        for one in started:
            one.terminate()
            one.communicate()


def main() -> int:
    """Alternate and compare."""
    pairs, sockets, dumps = [], [], []
    with tempfile.TemporaryDirectory() as directory:
        flood = Flood(Path(directory))
        tally = Tally(flood, hop_ring=HOP_RING)
        try:
            read_us = read_cost(flood)
            for _ in range(ROUNDS):
                plain = flood.cost()
                pairs.append((tally.cost(), plain))
            for _ in range(COMPARED):
                plain = flood.cost()
                with _packet_sockets(flood) as source:
                    sockets.append((flood.cost(lambda: source.poll(0)), plain))
                with _tcpdumps(flood):
                    dumps.append((flood.cost(), plain))
        finally:
            flood.close()
    value, expected = ratio(pairs), ROUNDS * PACKETS * (HOPS + 1)
    # A few packets of the kernel's own (ARP, IGMP) are beside the flood.
    holds = value <= BOUND and tally.total >= expected
    print(json.dumps({
        "name": "trace_overhead_hops", "value": round(value, 3), "unit": "ratio", "bound": BOUND,
        "holds": holds, "events": expected, "seen": tally.seen, "unseen": tally.unseen._asdict(),
        "read_us": round(read_us, 2),
        "packet_sockets": round(ratio(sockets), 3), "tcpdump": round(ratio(dumps), 3),
        "plain_us": round(min(plain for _, plain in pairs), 2),
        "ratios": sorted(round(a / b, 3) for a, b in pairs),
    }))  # fmt: skip
    return int(not holds)


if __name__ == "__main__":
    sys.exit(main())
