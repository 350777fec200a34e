"""What exists of each lab, read again only where something happened since the last look.

Reading 1,000 namespaces costs a quarter of a second of CPU, and a pass looks twice. So a socket
hears which namespaces change (not what: they are read in full), and nobody drains it between two
looks. It is small: when it overflows everything is read again, as at the first look.

A notification is queued before the system call that causes it returns, so draining first and
reading then misses nothing. What the kernel does not tell is read each time: namespaces with a
device that is down (net/core/dev.c netdev_state_change is silent then) or a bridge in a topology
change.
"""

from __future__ import annotations

import errno
import os
import socket
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from topoweb.core.plan.drift import FALLBACK_DEVICES
from topoweb.core.plan.focus import shared
from topoweb.core.plan.state import LabState
from topoweb.kernel import netns
from topoweb.kernel.assemble import assemble
from topoweb.kernel.events import given_nsid, newnsid, observer_sockets, origin_of
from topoweb.kernel.observe import read

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from topoweb.kernel.manifest import Manifest
    from topoweb.kernel.netlink import Netlink
    from topoweb.kernel.observe import RawDevice, RawNamespace

GROUPS = (1, 4, 5, 7, 9, 11, 24, 25)  # link, queue; address, route and netconf of both families
RECEIVE_BUFFER = 4 << 20
HEADERS = 64  # bytes; only who speaks is of interest, the kernel cuts the rest off
BATCH = 64  # ids given at once


@dataclass(slots=True)
class _Namespace:
    inode: int
    nsid: int
    raw: RawNamespace | None = None  # None: to be read

    @property
    def certain(self) -> bool:
        """True when every change of it since the last look would have been heard."""
        return self.raw is not None and all(map(_told, self.raw.devices.values()))


@dataclass(slots=True)
class _Lab:
    namespaces: dict[str, _Namespace] = field(default_factory=dict)  # by node
    state: LabState = field(default_factory=LabState)  # as last told


def _told(device: RawDevice) -> bool:
    """Tell whether the kernel tells of every change of a device."""
    if device.kind == "bridge" and device.ageing is None:  # the end of a topology change is silent
        return False
    return device.up or device.name in FALLBACK_DEVICES


class Mirror:
    """The labs as last read. Safe from any thread; one look at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._labs: dict[int, _Lab] = {}
        self._places: dict[int, _Namespace] = {}  # by nsid
        self._sockets: tuple[socket.socket, Netlink] | None = None  # made at the first look
        self._next = 1

    def observe(self, manifest: Manifest) -> LabState:
        """Return what exists of a lab now. TopowebError LOST when its holder dies meanwhile."""
        with self._lock:
            lab = self._labs.setdefault(manifest.lab, _Lab())
            listener, control = self._open()
            self._follow(lab.namespaces, manifest, control)
            self._drain(listener)
            mirrored = {node: lab.namespaces[node] for node in manifest.namespaces}
            doubtful = [node for node, at in mirrored.items() if not at.certain]
            for node, raw in read(manifest, doubtful).items() if doubtful else ():
                mirrored[node].raw = raw
            if doubtful or lab.state.namespaces.keys() != mirrored.keys():
                known = {node: at.raw for node, at in mirrored.items() if at.raw is not None}
                lab.state = shared(assemble(manifest.lab, known), lab.state)
            return lab.state

    def forget(self, lab: int, nodes: Collection[str] | None = None) -> None:
        """Know nothing of some nodes of a lab any more (None: of all)."""
        with self._lock:
            known = self._labs.get(lab)
            if known is not None:
                held = known.namespaces
                self._drop(held, held.keys() if nodes is None else nodes)

    def close(self) -> None:
        """Close the sockets; a later look opens them again."""
        with self._lock:
            self._labs.clear()
            self._places.clear()
            if self._sockets:
                listener, control = self._sockets
                listener.close()
                control.socket.close()
                self._sockets = None

    def _open(self) -> tuple[socket.socket, Netlink]:
        if self._sockets is None:
            self._sockets = netns.run_apart(lambda: observer_sockets(RECEIVE_BUFFER, GROUPS))
        return self._sockets

    def _drop(self, lab: dict[str, _Namespace], nodes: Collection[str]) -> None:
        for node in tuple(nodes):
            gone = lab.pop(node, None)
            if gone:
                self._places.pop(gone.nsid, None)

    def _follow(self, lab: dict[str, _Namespace], manifest: Manifest, control: Netlink) -> None:
        """Hear exactly the namespaces that the manifest names."""
        wanted = manifest.namespaces
        other = [n for n, at in lab.items() if n not in wanted or wanted[n].inode != at.inode]
        self._drop(lab, other)
        fresh = [node for node in wanted if node not in lab]
        with manifest.holder.lease() as open_slot:
            for start in range(0, len(fresh), BATCH):
                batch = fresh[start : start + BATCH]
                ids = self._give_ids(control, [wanted[node].slot for node in batch], open_slot)
                for node, nsid in zip(batch, ids, strict=True):
                    self._places[nsid] = lab[node] = _Namespace(wanted[node].inode, nsid)

    def _give_ids(
        self, control: Netlink, slots: Sequence[int], open_slot: Callable[[int], int]
    ) -> list[int]:
        """Give each namespace an id of ours; one that it has from before is kept."""
        ids = list(range(self._next, self._next + len(slots)))
        self._next += len(slots)
        descriptors: list[int] = []
        try:
            descriptors.extend(map(open_slot, slots))
            refused = control.send([newnsid(fd, i) for fd, i in zip(descriptors, ids, strict=True)])
            for position in refused:
                ids[position] = given_nsid(control, descriptors[position])
        finally:
            for descriptor in descriptors:
                os.close(descriptor)
        return ids

    def _drain(self, listener: socket.socket) -> None:
        """Hear who changed since the last look."""
        while True:
            try:
                _, ancillary, _, _ = listener.recvmsg(HEADERS, 64, socket.MSG_DONTWAIT)
            except BlockingIOError:
                return
            except OSError as error:
                if error.errno != errno.ENOBUFS:
                    raise
                for place in self._places.values():
                    place.raw = None
                continue
            nsid = origin_of(ancillary)
            if nsid in self._places:
                self._places[nsid].raw = None
