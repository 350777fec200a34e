"""A flood of small UDP packets over three cables, and what it costs the processors.

The cost is the CPU time of the sender, in whose system calls most of the way is gone, and of the
kernel's ksoftirqd threads. Rounds with and without a tracer alternate, so that what else the
machine does falls on both; the result is the median of the ratios.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.kernel.bpflab import without_ipv6
from tests.kernel.tracelab import TraceLab
from topoweb.core.tracing.observation import Unseen
from topoweb.kernel import manifest as manifests
from topoweb.kernel.trace.bpf.program import Program
from topoweb.kernel.trace.bpf.spaces import cookies

if TYPE_CHECKING:
    from collections.abc import Callable

PACKETS, ROUNDS = 30_000, 15
HOPS = 6  # events of a packet on its way: sent and received on three cables
TARGET = "10.9.200.1"  # the last node has a route for it that drops, without an answer
TICK = os.sysconf("SC_CLK_TCK")
SENDER = """
import itertools, resource, socket, sys
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
send, payload, target = udp.sendto, b"x" * 22, (sys.argv[1], 9)
before = resource.getrusage(resource.RUSAGE_SELF)
for _ in itertools.repeat(None, int(sys.argv[2])):
    send(payload, target)
after = resource.getrusage(resource.RUSAGE_SELF)
print(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
"""
# At an even rate (a second) for some seconds, each packet with its number; says how many it sent.
PACED = """
import socket, sys, time
target, port, rate, seconds = sys.argv[1], *map(int, sys.argv[2:])
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
began, sent, end = time.monotonic(), 0, rate * seconds
while (passed := time.monotonic() - began) < seconds:
    for sent in range(sent, min(int(passed * rate) + 1, end)):
        udp.sendto(sent.to_bytes(4, "big") + b"topoweb-flood-----", (target, port))
    sent = min(int(passed * rate) + 1, end)
    time.sleep(0.001)
print(sent)
"""


class Flood:
    """n0 - n1 - n2 - n3; packets from n0 end in n3."""

    def __init__(self, run: Path) -> None:
        self.lab = TraceLab(run, nodes=4)
        without_ipv6(self.lab)
        self.lab.ip(2, "route add 10.9.200.0/24 via 10.9.3.2")
        self.lab.ip(3, "route add blackhole 10.9.200.0/24")
        self.lab.sysctl(3, "net/ipv4/ip_forward", "1")
        self._threads = list(_softirq_threads())

    def cost(self, meanwhile: Callable[[], object] = lambda: None) -> float:
        """Send once; return µs a packet. ``meanwhile`` is called every 5 ms, and at the end."""
        before = self._softirq()
        path = self.lab.holder.descriptor_path(0)
        with subprocess.Popen(
            ["nsenter", f"--net={path}", sys.executable, "-c", SENDER, TARGET, str(PACKETS)],
            stdout=subprocess.PIPE, text=True,
        ) as sender:  # fmt: skip
            while sender.poll() is None:
                time.sleep(0.005)
                meanwhile()
            assert sender.stdout is not None
            spent = float(sender.stdout.read()) + self._softirq() - before
        meanwhile()
        return spent / PACKETS * 1e6

    def close(self) -> None:
        """End the lab."""
        self.lab.close()

    def _softirq(self) -> float:
        return sum(
            sum(map(int, stat.read_text().rsplit(")", 1)[1].split()[11:13])) / TICK
            for stat in self._threads
        )


class Tally:
    """The program in the kernel while a flood passes, and what has come of it."""

    def __init__(self, flood: Flood, **options: Any) -> None:
        """``options`` of `Program`; no interface has a limit."""
        self._flood, self._options = flood, options
        self.seen, self.unseen = 0, Unseen()

    @property
    def total(self) -> int:
        """Events that were recorded or counted as lost."""
        return self.seen + sum(self.unseen)

    def cost(self) -> float:
        """Send once while it watches; the rings are emptied meanwhile."""
        program = Program(rate=0, burst=0, **self._options)
        manifest = manifests.read(self._flood.lab.run, self._flood.lab.lab)
        assert manifest is not None

        def read() -> None:
            for stripe in (*program.drops.stripes, *program.hops.stripes):
                self.seen += len(stripe.read(2 * PACKETS * HOPS)[0])

        try:
            for cookie in cookies(manifest, manifest.namespaces):
                program.watch(cookie, 0)
            cost = self._flood.cost(read)
            lost = program.losses(0)
            self.unseen = Unseen(*(a + b for a, b in zip(self.unseen, lost, strict=True)))
        finally:
            program.close()
        return cost


def ratio(pairs: list[tuple[float, float]]) -> float:
    """Return the median of with/without."""
    return statistics.median(traced / plain for traced, plain in pairs)


def _softirq_threads() -> list[Path]:
    return [
        path.with_name("stat")
        for path in Path("/proc").glob("[0-9]*/comm")
        if path.read_text().startswith("ksoftirqd/")
    ]
