"""Taking namespaces down without stalling other labs.

Namespaces that are dropped together are cleaned together, which is fast. But a bridge holds
RTNL for some 19 ms when it goes, and a batch of them holds it for all: so when there are many,
they are deleted one by one first, with a pause in which others get their turn.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from topoweb.core.errors import ErrorKind, TopowebError
from topoweb.kernel import netlink, netns, rtnl

if TYPE_CHECKING:
    from collections.abc import Collection

    from topoweb.kernel.manifest import Manifest

AT_ONCE = 8  # bridges that may go together: about 150 ms of RTNL
PAUSE = 0.003  # seconds between bridges
PEER_TIMEOUT = 20.0
POLL = 0.002


def bridges(manifest: Manifest, nodes: Collection[str]) -> None:
    """Delete the bridges of namespaces that are about to be dropped, if they are many."""
    netns.run_apart(lambda: _drain(manifest, nodes))


def _drain(manifest: Manifest, nodes: Collection[str]) -> None:
    found = []
    with manifest.holder.lease() as open_slot:
        for node in nodes:
            netns.enter_closing(open_slot(manifest.namespaces[node].slot))
            with netlink.Netlink() as socket:
                found += [(node, index) for index in _bridges(socket)]
        if len(found) <= AT_ONCE:
            return
        for node, index in found:
            netns.enter_closing(open_slot(manifest.namespaces[node].slot))
            with netlink.Netlink() as socket:
                socket.send([rtnl.delete_link(index, "")])
            time.sleep(PAUSE)


def _bridges(socket: netlink.Netlink) -> list[int]:
    kind = netlink.attribute(netlink.IFLA_INFO_KIND, b"bridge")
    body = netlink.IFINFO.pack(0, 0, 0, 0, 0) + netlink.attribute(netlink.IFLA_LINKINFO, kind)
    request = netlink.Message(netlink.RTM_GETLINK, 0, body)
    return [netlink.IFINFO.unpack_from(data, at + 16)[2] for data, at, _ in socket.dump(request)]


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
