"""What all labs of a host share and no lab's memory limit counts: how full it is, how far it goes.

Neighbour tables are one for the whole host (net/core/neighbour.c), tracked connections are
counted by namespace against one ceiling (nf_conntrack_max), and neither is charged to a cgroup.
"""

from __future__ import annotations

import contextlib
import errno
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from topoweb.core.limits import MIB, excess
from topoweb.kernel import netlink

if TYPE_CHECKING:
    from topoweb.core.topology.problem import Problem

RTM_GETNEIGHTBL = 66
NDTA_NAME, NDTA_THRESH3, NDTA_CONFIG, NDTA_STATS = 1, 4, 5, 7
NDT_STATS = struct.Struct("=11Q")  # the last one: ndts_table_fulls
NDT_CONFIG = struct.Struct("=HHI")  # key length, entry size, entries
NDTMSG = bytes(4)  # struct ndtmsg
CONNTRACK_MAX = Path("/proc/sys/net/netfilter/nf_conntrack_max")
NEIGHBOURS = Path("/proc/sys/net")  # the host's: other namespaces have no such files
PER_THRESHOLD = {"gc_thresh3": 1, "gc_thresh2": 2, "gc_thresh1": 8}  # 1024, 512, 128 by default
MEMINFO = Path("/proc/meminfo")


@dataclass(frozen=True, slots=True)
class NeighbourTable:
    """One for the whole host. ``limit`` is gc_thresh3, which permanent entries do not count to."""

    entries: int
    limit: int
    refused: int  # neighbours that did not fit, since boot


def neighbour_tables() -> dict[str, NeighbourTable]:
    """Return the host's neighbour tables by name (arp_cache, ndisc_cache)."""
    found = {}
    with netlink.Netlink() as link:
        for data, at, end in link.dump(netlink.Message(RTM_GETNEIGHTBL, 0, NDTMSG)):
            values = netlink.attributes(data, at + 16 + len(NDTMSG), end)
            if NDTA_CONFIG in values and NDTA_THRESH3 in values:  # else a device's parameters
                name = values[NDTA_NAME].rstrip(b"\0").decode()
                found[name] = NeighbourTable(
                    entries=NDT_CONFIG.unpack_from(values[NDTA_CONFIG])[2],
                    limit=int.from_bytes(values[NDTA_THRESH3][:4], "little"),
                    refused=NDT_STATS.unpack_from(values[NDTA_STATS])[-1],
                )
    return found


def available_memory() -> int:
    """Return the bytes that programs can still have without swapping."""
    for line in MEMINFO.read_text().splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    raise OSError(errno.ENODATA, "the kernel does not say how much memory is available")


def pressure(free_memory: int) -> tuple[Problem, ...]:
    """Return what this host is short of; ``free_memory`` bytes shall stay free."""
    free = available_memory()
    if free >= free_memory:
        return ()
    return (excess("host-memory", free // MIB, free_memory // MIB),)


def lower_conntrack_max(limit: int, path: Path = CONNTRACK_MAX) -> int | None:
    """Lower the connections that a namespace may track to ``limit``; never raise them.

    Returns what holds now; None where the kernel tracks none, or does not let us.
    """
    with contextlib.suppress(OSError, ValueError):
        now = int(path.read_text())
        if now <= limit:
            return now
        path.write_text(str(limit))
        return int(path.read_text())
    return None


def raise_neighbours_max(limit: int, root: Path = NEIGHBOURS) -> None:
    """Let the host's neighbour tables hold ``limit`` entries each; never lower them.

    Nothing happens where the kernel does not let us.
    """
    for family in ("ipv4", "ipv6"):
        for name, part in PER_THRESHOLD.items():
            path = root / family / "neigh/default" / name
            with contextlib.suppress(OSError, ValueError):
                if int(path.read_text()) < limit // part:
                    path.write_text(str(limit // part))
