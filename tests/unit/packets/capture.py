"""A capture for filters: frames of every protocol, and what was recorded on real cables."""

from __future__ import annotations

import json
import struct
from functools import cache
from pathlib import Path

from tests.unit.packets import wire

RECORDED = Path(__file__).parents[2] / "fixtures" / "tracing"
FILES = ("ping", "ping6", "fragments", "tcp", "refused", "udp_echo", "udp_closed", "ttl", "cut",
         "loop", "broadcast", "neighbour_failed")  # fmt: skip
BEGAN = 1_700_000_000  # s; a frame a second, so that a table by the second tells them apart


@cache
def frames() -> tuple[tuple[bytes, int], ...]:
    """Captured bytes and true length, each frame once."""
    found = {data: len(data) for data in wire.samples().values()}
    for name in FILES:
        for seen in json.loads((RECORDED / f"{name}.json").read_text()):
            found.setdefault(bytes.fromhex(seen["data"]), seen["length"])
    return tuple(found.items())


def write(path: Path) -> None:
    """Write the frames as a pcap file of version 2.4, and two more that end the last second."""
    out = [struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)]
    for number, (data, length) in enumerate((*frames(), (bytes(60), 60), (bytes(60), 60))):
        out.append(struct.pack("<IIII", BEGAN + number, 0, len(data), length) + data)
    path.write_bytes(b"".join(out))
