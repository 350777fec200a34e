"""Ending TCP connections, which outlive their programs.

A connection with unacknowledged data stays until the kernel gives up sending it again, about
100 s after its program closed it, and keeps its network namespace so long. sock_diag(7) ends it
at once. Layouts: linux/inet_diag.h.
"""

from __future__ import annotations

import contextlib
import platform
import re
import socket
import struct
from pathlib import Path
from typing import TYPE_CHECKING

from topoweb.kernel import netlink, netns

if TYPE_CHECKING:
    from collections.abc import Iterator

NETLINK_SOCK_DIAG = 4
SOCK_DIAG_BY_FAMILY, SOCK_DESTROY = 20, 21
REQUEST = struct.Struct("=BBBxI")  # inet_diag_req_v2: family, protocol, extensions, states; id
IDENTITY = slice(4, 52)  # inet_diag_sockid in inet_diag_msg
INODE = struct.Struct("=68xI")  # in inet_diag_msg; 0: no program has the socket
ANYTHING = bytes(48)
# Established, syn-sent, fin-wait-1 and -2, close-wait, last-ack, closing: what holds a namespace.
STATES = sum(1 << state for state in (1, 2, 4, 5, 8, 9, 11))
# Before, an abort takes an orphan's data away but not the orphan, which then stays for good.
ABORTS_ORPHANS = (6, 11)
COUNTS = ("sockstat", "sockstat6")
ORPHAN_RETRIES = "net/ipv4/tcp_orphan_retries"


def abort() -> None:
    """Reset all TCP connections of the calling thread's namespace.

    Where the kernel cannot end those that no program has any more, they end when they are next
    sent again. Without sock_diag nothing happens.
    """
    if not any(map(_in_use, COUNTS)):  # a tenth of what it costs to ask for them
        return
    orphans = _release() >= ABORTS_ORPHANS
    with netlink.Netlink(NETLINK_SOCK_DIAG) as link, contextlib.suppress(OSError):
        found = [*_found(link, socket.AF_INET), *_found(link, socket.AF_INET6)]
        link.send([request for request, orphan in found if orphans or not orphan])
        if not orphans and any(orphan for _, orphan in found):
            netns.write_sysctl(ORPHAN_RETRIES, "1")


def _in_use(counts: str) -> bool:
    """True when the calling thread's namespace has TCP sockets of a family."""
    try:
        text = Path("/proc/thread-self/net", counts).read_text()
    except OSError:
        return counts != "sockstat6"  # this kernel has no IPv6
    return re.search(r"^TCP6?: inuse 0\b", text, re.MULTILINE) is None


def _found(link: netlink.Netlink, family: int) -> Iterator[tuple[netlink.Message, bool]]:
    """Yield a request to end each connection, and whether it is an orphan."""
    head = REQUEST.pack(family, socket.IPPROTO_TCP, 0, STATES)
    for data, at, end in link.dump(netlink.Message(SOCK_DIAG_BY_FAMILY, 0, head + ANYTHING)):
        message = data[at + 16 : end]
        (inode,) = INODE.unpack_from(message)
        yield netlink.Message(SOCK_DESTROY, 0, head + message[IDENTITY]), not inode


def _release() -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", platform.release())[:2])
