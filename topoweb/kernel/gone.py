"""Seeing that namespaces are gone.

A namespace lives as long as anything refers to it: a process, a descriptor, a socket. So its
end is watched from a namespace of our own, where each doomed one gets an id (RTM_NEWNSID): the
kernel takes the id back when the namespace dies (net/core/net_namespace.c, unhash_nsid).
"""

from __future__ import annotations

import os
import select
import struct
import time
from typing import TYPE_CHECKING

from topoweb.kernel import netlink, netns

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

RTM_GETNSID = 90
FAMILY = b"\0\0\0\0"  # struct rtgenmsg, padded


class GoneWatch:
    """Watches doomed namespaces, named by key, until they are gone."""

    def __init__(self, doomed: Sequence[str], open_namespace: Callable[[str], int]) -> None:
        """``open_namespace`` gives a descriptor of each key in ``doomed``."""
        self._keys = list(doomed)
        self._commands, self._events = netns.run_apart(_observer)
        self._events.socket.setblocking(False)
        for start in range(0, len(self._keys), netlink.BATCH):
            self._name_batch(start, open_namespace)

    def _name_batch(self, start: int, open_namespace: Callable[[str], int]) -> None:
        messages = []
        fds = []
        try:
            for number, key in enumerate(self._keys[start : start + netlink.BATCH], start):
                fds.append(open_namespace(key))
                messages.append(_name(number, fds[-1]))
            refused = self._commands.send(messages)
        finally:
            for fd in fds:
                os.close(fd)
        if refused:
            code = next(iter(refused.values())).errno
            raise OSError(code, os.strerror(code))

    def remaining(self) -> list[str]:
        """Return the keys of the namespaces that still live."""
        request = netlink.Message(RTM_GETNSID, 0, FAMILY)
        numbers = []
        for data, at, end in self._commands.dump(request):
            found = netlink.attributes(data, at + 20, end).get(netlink.NETNSA_NSID)
            if found:
                numbers.append(struct.unpack("=i", found)[0])
        return [self._keys[number] for number in sorted(numbers)]

    def wait(self, seconds: float) -> list[str]:
        """Return when all are gone, or after ``seconds``: the keys that stay."""
        deadline = time.monotonic() + seconds
        while remaining := self.remaining():
            left = deadline - time.monotonic()
            if left <= 0:
                return remaining
            select.select([self._events.socket], [], [], left)
            self._drain()
        return []

    def _drain(self) -> None:
        while True:
            try:
                self._events.socket.recv(netlink.RECEIVE_BYTES)
            except BlockingIOError:
                return
            except OSError:
                continue  # ENOBUFS: events were lost, `remaining` reads the truth anyway

    def close(self) -> None:
        """Forget the watch."""
        self._commands.socket.close()
        self._events.socket.close()


def _observer() -> tuple[netlink.Netlink, netlink.Netlink]:
    netns.enter_new()
    commands, events = netlink.Netlink(), netlink.Netlink()
    events.socket.bind((0, 0))
    events.socket.setsockopt(
        netlink.SOL_NETLINK, netlink.NETLINK_ADD_MEMBERSHIP, netlink.RTNLGRP_NSID
    )
    return commands, events


def _name(number: int, fd: int) -> netlink.Message:
    body = FAMILY + struct.pack("=HHi", 8, netlink.NETNSA_NSID, number)
    return netlink.Message(
        netlink.RTM_NEWNSID, 0, body + netlink.attribute_u32(netlink.NETNSA_FD, fd)
    )
