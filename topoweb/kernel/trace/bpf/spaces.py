"""Which network namespaces a lab has, by the cookie that the kernel never gives twice.

Inodes of namespaces are reused at once; a cookie names one namespace for as long as the machine
runs (SO_NETNS_COOKIE, since Linux 5.14). It can only be asked for inside.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import socket
import struct
from pathlib import Path
from typing import TYPE_CHECKING

from topoweb.kernel.netns import enter, inode, run_apart
from topoweb.kernel.trace.changes import open_namespaces

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from topoweb.kernel.manifest import Manifest

SO_NETNS_COOKIE = 71
NS_GET_USERNS = 0xB701  # ioctl_ns(2)
HOST = (Path("/proc/self/ns/net"), Path("/proc/1/ns/net"))

_COOKIE = struct.Struct("=Q")


def own_cookie() -> int:
    """Return the cookie of the calling thread's namespace. OSError before Linux 5.14."""
    with socket.socket(socket.AF_UNIX) as any_socket:
        value = any_socket.getsockopt(socket.SOL_SOCKET, SO_NETNS_COOKIE, _COOKIE.size)
    return int(_COOKIE.unpack(value)[0])


def cookies(manifest: Manifest, nodes: Iterable[str]) -> Mapping[int, str]:
    """Return cookie → node of those nodes whose namespace is there and proved to be the lab's."""
    openings = open_namespaces(manifest, nodes)
    host = set(filter(None, map(_inode, HOST)))
    try:
        wanted = [
            (node, at.fd)
            for node, at in openings.items()
            if at.inode not in host
            and (manifest.namespaces[node].outer or _owner(at.fd) == manifest.userns)
        ]
        return run_apart(lambda: _cookies_inside(wanted))
    finally:
        for opening in openings.values():
            os.close(opening.fd)


def _cookies_inside(places: Iterable[tuple[str, int]]) -> dict[int, str]:
    """Runs in a throw-away thread: enters namespace after namespace and never returns."""
    found = {}
    for node, fd in places:
        with contextlib.suppress(OSError):  # its lab has just died
            enter(fd)
            found[own_cookie()] = node
    return found


def _owner(fd: int) -> int:
    """Return the inode of the user namespace that owns a namespace; 0: not to be known."""
    try:
        owner = fcntl.ioctl(fd, NS_GET_USERNS)
    except OSError:
        return 0
    try:
        return inode(owner)
    finally:
        os.close(owner)


def _inode(path: Path) -> int:
    try:
        return path.stat().st_ino
    except OSError:  # the first process of this machine may be out of our reach
        return 0
