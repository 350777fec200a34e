"""Taking namespaces down without stalling other labs.

Namespaces that are dropped together are cleaned together, which is fast. But RTNL is held
meanwhile: some 19 ms for each bridge, and for as long as all their devices take. So what is much
is taken away before, in small parts, with pauses in which others get their turn. Connections that
outlive their programs would keep their namespaces, so they are ended too.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

from topoweb.core.errors import ErrorKind, TopowebError
from topoweb.kernel import connections, netlink, netns, rtnl

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from topoweb.kernel.manifest import Manifest

BRIDGES_AT_ONCE = 8  # that may go with their namespaces: about 150 ms of RTNL
CABLES_AT_ONCE = 64
FIRST_PART = 16  # cables
HOLD = 0.1  # seconds of RTNL that a part of cables may take
PAUSE = 0.003  # seconds at least between two parts
SHARE = 0.25  # of the time that the part took: the pause after it
GROUP = 0x64726E21  # devices about to go together
PEER_TIMEOUT = 20.0
POLL = 0.002


def _nobody(done: int, total: int) -> None:
    """Hear nothing."""


class _Device(NamedTuple):
    node: str
    number: int  # ifindex
    name: str


def devices(
    manifest: Manifest,
    nodes: Collection[str],
    progress: Callable[[int, int], None] = _nobody,
    *,
    alone: bool = False,
) -> None:
    """End connections in namespaces about to be dropped; delete bridges and cables that are many.

    ``progress`` gets how many are gone, and how many there are in all. ``alone``: no other lab is
    there; cables then go with their namespaces, which takes a second at most.
    """
    netns.run_apart(lambda: _Drain(manifest, progress).run(nodes, alone=alone))


class _Drain:
    """Deletes devices part by part. Lives in a throw-away thread."""

    def __init__(self, manifest: Manifest, progress: Callable[[int, int], None]) -> None:
        self._manifest = manifest
        self._progress = progress
        self._done = self._total = 0

    def run(self, nodes: Collection[str], *, alone: bool) -> None:
        """Find what is there and delete what is too much to go at once."""
        with self._manifest.holder.lease() as self._open:
            found = self._find(nodes)
            cables, bridges = self._once(found["veth"]), found["bridge"]
            # Cables first: a bridge that goes takes its ports along, all in one hold of RTNL.
            if alone or len(cables) <= CABLES_AT_ONCE:
                cables = []
            if not cables and len(bridges) <= BRIDGES_AT_ONCE:
                bridges = []
            self._total = len(cables) + len(bridges)
            for own in _by_node(cables):
                self._in_parts(own)
            for bridge in bridges:
                self._delete([bridge])

    def _in_parts(self, cables: list[_Device]) -> None:
        """Delete cables of one namespace, as many together as RTNL may be held for.

        One that leaves a bridge costs as much as the bridge has ports left.
        """
        size = FIRST_PART
        while cables:
            part, cables = cables[:size], cables[size:]
            spent = self._delete(part)
            size = max(1, min(2 * size, int(size * HOLD / spent)))

    def _find(self, nodes: Collection[str]) -> dict[str, list[_Device]]:
        found: dict[str, list[_Device]] = {"bridge": [], "veth": []}
        for node in nodes:
            self._enter(node)
            connections.abort()
            with netlink.Netlink() as socket:
                for kind, list_ in found.items():
                    list_ += [_Device(node, *device) for device in of_kind(socket, kind)]
        return found

    def _once(self, cables: list[_Device]) -> list[_Device]:
        """Leave out the second end of each cable: it goes with the first."""
        seconds = {ends[1] for ends in self._manifest.links.values() if ends[0] != ends[1]}
        return [cable for cable in cables if (cable.node, cable.name) not in seconds]

    def _delete(self, part: list[_Device]) -> float:
        """Delete devices of one namespace together; return the seconds that it took."""
        self._enter(part[0].node)
        with netlink.Netlink() as socket:
            began = time.monotonic()
            delete(socket, [device.number for device in part])
            spent = time.monotonic() - began
        self._done += len(part)
        self._progress(self._done, self._total)
        time.sleep(max(PAUSE, spent * SHARE))
        return spent

    def _enter(self, node: str) -> None:
        netns.enter_closing(self._open(self._manifest.namespaces[node].slot))


def _by_node(cables: list[_Device]) -> list[list[_Device]]:
    found: dict[str, list[_Device]] = {}
    for cable in cables:
        found.setdefault(cable.node, []).append(cable)
    return list(found.values())


def delete(socket: netlink.Netlink, indexes: Collection[int]) -> None:
    """Delete devices together, in one RCU period. One that is gone already is no fault."""
    if len(indexes) == 1:
        socket.send([rtnl.delete_link(index, "") for index in indexes])
        return
    group = netlink.attribute_u32(netlink.IFLA_GROUP, GROUP)
    doomed = netlink.Message(netlink.RTM_DELLINK, 0, netlink.IFINFO.pack(0, 0, 0, 0, 0) + group)
    socket.send([*(rtnl.set_link(index, "", None, group) for index in indexes), doomed])


def of_kind(socket: netlink.Netlink, kind: str) -> list[tuple[int, str]]:
    """Return index and name of the devices of a kind in the socket's namespace."""
    info = netlink.attribute(netlink.IFLA_INFO_KIND, kind.encode())
    body = netlink.IFINFO.pack(0, 0, 0, 0, 0) + netlink.attribute(netlink.IFLA_LINKINFO, info)
    request = netlink.Message(netlink.RTM_GETLINK, 0, body)
    found = []
    for data, at, end in socket.dump(request):
        name = netlink.attributes(data, at + 32, end)[netlink.IFLA_IFNAME]
        index = netlink.IFINFO.unpack_from(data, at + 16)[2]
        found.append((index, name.rstrip(b"\0").decode(errors="replace")))
    return found


def wait_for_peers(before: Manifest, after: Manifest) -> None:
    """Return when the cables into dropped namespaces have left the kept ones.

    A veth goes some time after its peer's namespace died; a plan made in between would see it.
    TopowebError BUSY after a while.
    """
    waiting: dict[str, list[str]] = {}
    for link, ends in before.links.items():
        if link not in after.links:
            for node, name in ends:
                if node in after.namespaces:
                    waiting.setdefault(node, []).append(name)
    if waiting:
        netns.run_apart(lambda: _wait(after, waiting))


def _wait(manifest: Manifest, waiting: dict[str, list[str]]) -> None:
    deadline = time.monotonic() + PEER_TIMEOUT
    for node, names in waiting.items():
        netns.enter_closing(manifest.holder.open_namespace(manifest.namespaces[node].slot))
        with netlink.Netlink() as socket:
            while names := [name for name in names if socket.index(name)]:
                if time.monotonic() > deadline:
                    raise TopowebError(ErrorKind.BUSY, f"{names[0]} of {node} does not go")
                time.sleep(POLL)
