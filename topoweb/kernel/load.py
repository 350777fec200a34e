"""What the nodes of running labs carry and hold, read whether or not anybody watches them.

A look is one RTM_GETSTATS dump a namespace; names are read again only when devices came or went.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import time
from typing import TYPE_CHECKING, NamedTuple

from topoweb.core.errors import TopowebError
from topoweb.core.limits import MIB
from topoweb.core.plan.drift import FALLBACK_DEVICES
from topoweb.core.tracing.load import Load
from topoweb.core.tracing.warnings import Warned
from topoweb.kernel import ceilings, drain, netlink, netns
from topoweb.kernel.counters import counters
from topoweb.kernel.observe import parse_device
from topoweb.kernel.records import NDMSG, RTM_GETNEIGH

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from topoweb.kernel.lab import LinuxKernel
    from topoweb.kernel.observe import RawDevice

NETLINK_NETFILTER = 12
CTNETLINK_GET_STATS = 0x0105  # NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_GET_STATS
CTA_STATS_GLOBAL_ENTRIES, CTA_STATS_GLOBAL_MAX_ENTRIES = 1, 2
NFGENMSG = bytes(4)  # struct nfgenmsg
ANSWER_BYTES = 8192
BRIDGE_PAUSE = 0.02  # seconds between two bridges: as long as one holds RTNL


class _Names(NamedTuple):
    """The devices of a namespace as of their indexes."""

    inode: int
    names: Mapping[int, str]
    bridges: frozenset[str]


class LoadReader:
    """Implements `engine.ports.Guarded`. Safe from any thread, one call for one lab at a time."""

    def __init__(self, kernel: LinuxKernel, free_memory: int) -> None:
        self._kernel = kernel
        self._free_memory = free_memory
        self._names: dict[tuple[int, str], _Names] = {}
        self._tables: dict[str, ceilings.NeighbourTable] = {}

    def load(self, lab: int, nodes: Collection[str], *, tables: bool) -> list[Load]:
        """Read what nodes of a lab carry; with ``tables`` also what they hold."""
        try:
            return netns.run_apart(lambda: self._tour(lab, nodes, tables=tables))
        except TopowebError:  # the lab ended meanwhile
            return []

    def forget(self, lab: int) -> None:
        """Know no names of a lab any more."""
        for key in [key for key in self._names if key[0] == lab]:
            del self._names[key]

    def trim(self, lab: int, node: str, keep: Collection[str], excess: int, seconds: float) -> int:
        """Delete the newest ``excess`` interfaces not in ``keep``, for at most ``seconds``."""
        try:
            return netns.run_apart(lambda: self._trim(lab, node, keep, excess, seconds))
        except TopowebError:
            return 0

    def shortages(self) -> list[Warned]:
        """Return what the host is running short of."""
        found = []
        free = ceilings.available_memory()
        if free < self._free_memory:
            params = {"free": free // MIB, "limit": self._free_memory // MIB}
            words = "The host has {free} MiB of memory left; {limit} MiB should stay free"
            found.append(Warned(code="host-memory", message=words.format(**params), params=params))
        before, self._tables = self._tables, ceilings.neighbour_tables()
        for name, table in self._tables.items():
            if name in before and table.refused > before[name].refused:
                params = {"count": table.entries, "limit": table.limit}
                words = "The host's neighbour table is full: {count} entries, room for {limit}"
                message = words.format(**params)
                found.append(Warned(code="host-neighbours", message=message, params=params))
        return found

    def _tour(self, lab: int, nodes: Collection[str], *, tables: bool) -> list[Load]:
        """Hop through namespaces; the thread is thrown away."""
        manifest = self._kernel.manifest(lab)
        found: list[Load] = []
        if manifest is None:
            return found
        with manifest.holder.lease() as open_slot:
            for node in nodes:
                at = manifest.namespaces.get(node)
                if at is not None:
                    netns.enter_closing(open_slot(at.slot))
                    found.append(self._look(lab, node, at.inode, tables=tables))
        return found

    def _look(self, lab: int, node: str, inode: int, *, tables: bool) -> Load:
        with netlink.Netlink() as link:
            clock = time.monotonic()
            by_index = dict(counters(link))
            known = self._names.get((lab, node))
            if known is None or known.inode != inode or known.names.keys() != by_index.keys():
                known = self._names[lab, node] = _read_names(link, inode)
            neighbours = _neighbours(link) if tables else None
        connections = _connections() if tables else None
        return Load(
            node=node,
            clock=clock,
            counters={
                known.names[index]: value
                for index, value in by_index.items()
                if index in known.names
            },
            bridges=known.bridges,
            neighbours=neighbours,
            connections=connections[0] if connections else None,
            connections_max=connections[1] if connections else 0,
        )

    def _trim(self, lab: int, node: str, keep: Collection[str], excess: int, seconds: float) -> int:
        deadline = time.monotonic() + seconds
        manifest = self._kernel.manifest(lab)
        if manifest is None or node not in manifest.namespaces:
            return 0
        netns.enter_closing(manifest.holder.open_namespace(manifest.namespaces[node].slot))
        with netlink.Netlink() as link:
            kept = FALLBACK_DEVICES.union(keep)
            doomed = [device for device in _devices(link) if device.name not in kept]
            doomed.sort(key=lambda device: device.index, reverse=True)
            return _delete(link, doomed[:excess], lambda: time.monotonic() > deadline)


def _delete(link: netlink.Netlink, doomed: list[RawDevice], late: Callable[[], bool]) -> int:
    """Delete devices one by one until it is late; return how many are gone."""
    for done, device in enumerate(doomed):
        if late():
            return done
        drain.delete(link, [device.index])
        time.sleep(BRIDGE_PAUSE if device.kind == "bridge" else drain.PAUSE)
    return len(doomed)


def _devices(link: netlink.Netlink) -> list[RawDevice]:
    body = netlink.IFINFO.pack(0, 0, 0, 0, 0)
    body += netlink.attribute_u32(netlink.IFLA_EXT_MASK, netlink.RTEXT_FILTER_SKIP_STATS)
    request = netlink.Message(netlink.RTM_GETLINK, 0, body)
    return [parse_device(data, at, end) for data, at, end in link.dump(request)]


def _read_names(link: netlink.Netlink, inode: int) -> _Names:
    devices = _devices(link)
    bridges = frozenset(device.name for device in devices if device.kind == "bridge")
    return _Names(inode, {device.index: device.name for device in devices}, bridges)


def _neighbours(link: netlink.Netlink) -> int:
    request = netlink.Message(RTM_GETNEIGH, 0, NDMSG.pack(0, 0, 0, 0, 0))
    return sum(1 for _ in link.dump(request))


def _connections() -> tuple[int, int] | None:
    """Return (tracked, ceiling) of the thread's namespace; None where the kernel tracks none."""
    with contextlib.suppress(OSError):
        request = netlink.HEADER.pack(
            netlink.HEADER.size + len(NFGENMSG), CTNETLINK_GET_STATS, netlink.NLM_F_REQUEST, 0, 0
        )
        with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_NETFILTER) as netfilter:
            netfilter.send(request + NFGENMSG)
            data = netfilter.recv(ANSWER_BYTES)
        if netlink.HEADER.unpack_from(data)[1] != netlink.NLMSG_ERROR:
            found = netlink.attributes(data, netlink.HEADER.size + len(NFGENMSG), len(data))
            (count,) = struct.unpack("!I", found[CTA_STATS_GLOBAL_ENTRIES])
            limit = found.get(CTA_STATS_GLOBAL_MAX_ENTRIES, bytes(4))
            return count, struct.unpack("!I", limit)[0]
    return None
