"""How much of 20,000 packets a second the AF_PACKET tier captures, numbers and encodes.

Two namespaces of its own and a cable; the sender is another process. Prints one JSON line;
``value`` is the captured fraction of what crossed the cable, ``cpu_us`` our CPU time a packet.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.kernel.tracelab import TraceLab
from topoweb.engine.packetlog import Recorder
from topoweb.kernel.trace.afpacket import AfPacketSource

RATE, SECONDS, BOUND = 20_000, 3, 0.99
SENDER = """
import socket, sys, time
rate, seconds = int(sys.argv[1]), int(sys.argv[2])
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
start, sent = time.monotonic(), 0
while sent < rate * seconds:
    due = min(int((time.monotonic() - start) * rate) + 1, rate * seconds)
    while sent < due:
        udp.sendto(sent.to_bytes(4, "big") * 16, ("10.9.1.2", 9))
        sent += 1
    time.sleep(0.0005)
print(sent, time.monotonic() - start)
"""


def main() -> None:
    """Send, capture, compare."""
    with tempfile.TemporaryDirectory() as directory:
        lab, source = TraceLab(Path(directory)), AfPacketSource(Path(directory))
        try:
            print(json.dumps(measure(lab, source)))
        finally:
            lab.close()
            source.close()


def measure(lab: TraceLab, source: AfPacketSource) -> dict[str, object]:
    """Return the line to print."""
    lab.inside(0, ["ping", "-c1", "-W2", "10.9.1.2"])  # so that no packet waits for ARP
    source.watch(lab.lab)
    path = lab.holder.descriptor_path(0)
    sender = subprocess.Popen(
        ["nsenter", f"--net={path}", sys.executable, "-c", SENDER, str(RATE), str(SECONDS)],
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    recorder, captured = Recorder(), 0
    cpu, quiet = time.process_time(), 0
    while quiet < 3:
        seen = source.poll(0.2)
        recorded = [recorder.record(one) for one in seen]
        rows = [one.row for one in recorded if one is not None and one.row is not None]
        captured += sum(row.protocol == "UDP" for row in rows)
        quiet = 0 if seen or sender.poll() is None else quiet + 1
        time.sleep(0.01)  # as the capture thread does
    cpu = time.process_time() - cpu
    sent, took = sender.communicate()[0].split()
    fraction = captured / int(sent)
    return {
        "name": "capture_rate", "value": round(fraction, 4), "unit": "fraction",
        "bound": BOUND, "holds": fraction >= BOUND, "lost": source.lost(lab.lab),
        "pps": round(int(sent) / float(took)), "cpu_us": round(cpu / max(1, captured) * 1e6, 1),
    }  # fmt: skip


if __name__ == "__main__":
    main()
