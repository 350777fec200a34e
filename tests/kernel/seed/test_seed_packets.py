"""S20 and S41: the capture is tcpdump's, and a router changes MACs and TTL only."""

from __future__ import annotations

import os
import struct
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from tests.kernel.privilege import needs_uid_ranges
from tests.kernel.seed.drawings import TO_NET2, WAY_BACK, chain

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.kernel.seed.lab import SeedLab

ROUTED = chain(nodes={"net1": {"forward_ipv4": True}}, routes=TO_NET2 | WAY_BACK)
MARKER = ("host", "192.167.3.1")
PCAP_HEADER, RECORD = 24, struct.Struct("=IIII")  # seconds, fraction, captured, length


@contextmanager
def tcpdump(lab: SeedLab, node: str, interface: str, file: Path, count: int) -> Iterator[None]:
    """Capture ICMP by tcpdump inside a node until it has ``count`` packets."""
    namespace = lab.namespace(node)
    command = f"tcpdump -Z root -U --immediate-mode -n -i {interface} -c {count} -w {file} icmp"
    try:
        process = subprocess.Popen(
            ["nsenter", f"--net=/proc/self/fd/{namespace}", *command.split()],
            pass_fds=[namespace],
            stderr=subprocess.PIPE,
            text=True,
        )
    finally:
        os.close(namespace)
    assert process.stderr is not None
    with process:
        try:
            started = next(line for line in process.stderr if "listening on" in line)
            assert interface in started
            yield
            process.wait(20)
        finally:
            process.kill()


def frames(file: Path) -> list[bytes]:
    """Read a pcap file (draft-ietf-opsawg-pcap)."""
    data = file.read_bytes()
    found = []
    at = PCAP_HEADER
    while at < len(data):
        size = RECORD.unpack_from(data, at)[2]
        at += RECORD.size
        found.append(data[at : at + size])
        at += size
    return found


@needs_uid_ranges  # tcpdump changes its groups, which a single uid may not
async def test_s20_capture_has_the_frames_of_tcpdump(lab: SeedLab, tmp_path: Path) -> None:
    await lab.draw(ROUTED)
    file = tmp_path / "net2.pcap"
    with tcpdump(lab, "net2", "veth1", file, count=4):
        result, seen = await lab.traced("host", "192.167.2.2", marker=MARKER)
    assert (result["verdict"], result["ttl"]) == ("reply", 63)
    mine = [await lab.frame(row.number) for row in seen.on("net1-net2").icmp()]
    theirs = frames(file)
    assert len(theirs) == 4
    assert mine == theirs
    exported = await lab.pcapng("net2")
    assert all(frame in exported for frame in theirs)


async def test_s41_router_changes_macs_and_ttl_only(lab: SeedLab) -> None:
    await lab.draw(ROUTED)
    _, seen = await lab.traced("host", "192.167.2.2", marker=MARKER)
    first = seen.requests()[0]
    hops = [row for row in seen.requests() if row.packet == first.packet]
    assert [row.link for row in hops] == ["net1-host", "net1-net2"]
    before, after = [_fields(await lab.frame(row.number)) for row in hops]
    assert (before["source"], before["destination"]) == ("192.167.3.2", "192.167.2.2")
    assert (before["from"], before["to"]) == (lab.mac("host:veth3"), lab.mac("net1:veth2"))
    assert (after["from"], after["to"]) == (lab.mac("net1:veth0"), lab.mac("net2:veth1"))
    assert (before["ttl"], after["ttl"]) == (64, 63)
    for kept in ("source", "destination", "identification", "payload"):
        assert before[kept] == after[kept], kept


def _fields(data: bytes) -> dict[str, Any]:
    """Read what matters here from a frame (RFC 894, RFC 791), not by our own decoder."""
    return {
        "to": data[:6].hex(":"),
        "from": data[6:12].hex(":"),
        "identification": data[18:20],
        "ttl": data[22],
        "source": ".".join(map(str, data[26:30])),
        "destination": ".".join(map(str, data[30:34])),
        "payload": data[34:],
    }
