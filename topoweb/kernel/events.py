"""One socket that hears every network namespace of every watched lab.

NETLINK_LISTEN_ALL_NSID passes on the notifications of each namespace that has an nsid in the
socket's own namespace, marked with that nsid. So the socket lives in a namespace of its own (the
observer), where nothing else happens and ids are ours to give. An nsid pins nothing: when a
namespace dies the kernel takes the id back and says so (RTM_DELNSID). Namespaces of a lab's user
namespace pass CAP_NET_BROADCAST because that user namespace is a child of the worker's.
"""

from __future__ import annotations

import contextlib
import errno
import os
import select
import socket
import struct
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from topoweb.core.tracing.records import (
    Gone,
    KernelEvent,
    NamespaceGone,
    Overrun,
    PortRecord,
    Seen,
    Stale,
)
from topoweb.kernel import netns
from topoweb.kernel.netlink import (
    HEADER,
    NETLINK_ADD_MEMBERSHIP,
    NETNSA_FD,
    NETNSA_NSID,
    RTM_DELNSID,
    RTM_NEWNSID,
    RTM_NEWROUTE,
    RTNLGRP_NSID,
    SOL_NETLINK,
    Message,
    Netlink,
    attribute_u32,
    attributes,
)
from topoweb.kernel.records import parse

NETLINK_LISTEN_ALL_NSID = 8
SO_RCVBUFFORCE = 33
RTM_GETNSID = 90
NLM_F_REPLACE = 0x100
GROUPS = (1, 3, 5, 7, 9, 11, 24, 25, RTNLGRP_NSID)  # link neigh addr4 route4 addr6 route6 netconf
RECEIVE_BUFFER = 64 << 20  # as root; else the kernel cuts it to net.core.rmem_max
MESSAGE = 1 << 16  # bytes; a notification is far smaller
BATCH = 2000  # notifications a delivery
GATHER = 10  # ms in which notifications come together: each wake takes the interpreter from a pass
RTGENMSG = b"\0\0\0\0"
INT = struct.Struct("=i")

Deliver = Callable[[int, Sequence[KernelEvent]], None]


class _Place(NamedTuple):
    lab: int
    node: str


class EventSocket:
    """Delivers the kernel's notifications of watched labs, lab by lab, from a thread of its own.

    ``deliver(lab, events)`` must be quick and must not raise. After `Overrun` all that is known
    of the lab must be read again.
    """

    def __init__(self, deliver: Deliver, receive_buffer: int = RECEIVE_BUFFER) -> None:
        self._deliver = deliver
        self._lock = threading.Lock()  # over the control socket and the two maps
        self._places: dict[int, _Place] = {}  # by nsid
        self._ids: dict[int, dict[str, tuple[int, int]]] = {}  # lab → node → (inode, nsid)
        self._next = 1
        self._socket, self._control = netns.run_apart(lambda: observer_sockets(receive_buffer))
        self._wake, self._waker = os.pipe2(os.O_CLOEXEC)
        self._thread = threading.Thread(target=self._run, name="events", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop hearing. Returns when the thread has ended."""
        os.close(self._waker)
        self._thread.join()
        os.close(self._wake)
        self._socket.close()
        self._control.socket.close()

    def watch(self, lab: int, namespaces: Mapping[str, tuple[int, Callable[[], int]]]) -> set[str]:
        """Hear exactly these namespaces of a lab: node → (inode, opener of a descriptor).

        Returns the nodes that are heard from now on, which have to be read once. A namespace that
        died before it could be opened is left out.
        """
        with self._lock:
            known = self._ids.setdefault(lab, {})
            for node in [n for n, (inode, _) in known.items() if _inode(namespaces, n) != inode]:
                self._places.pop(known.pop(node)[1], None)
            fresh = [node for node in namespaces if node not in known]
            for start in range(0, len(fresh), 64):
                self._assign(lab, {n: namespaces[n] for n in fresh[start : start + 64]})
            return {node for node in fresh if node in known}

    def unwatch(self, lab: int) -> None:
        """Hear a lab no more."""
        with self._lock:
            for _, nsid in self._ids.pop(lab, {}).values():
                self._places.pop(nsid, None)

    def _assign(self, lab: int, batch: Mapping[str, tuple[int, Callable[[], int]]]) -> None:
        """Give nsids. One that the namespace has from an earlier watch is found and kept."""
        opened: list[tuple[str, int, int]] = []  # node, descriptor, wished nsid
        try:
            for node, (inode, opener) in batch.items():
                with contextlib.suppress(OSError):
                    fd = opener()
                    opened.append((node, fd, self._next))
                    self._next += 1
                    if netns.inode(fd) != inode:
                        os.close(opened.pop()[1])
            # The place is known before the id works, so that no notification comes too early.
            self._places.update((nsid, _Place(lab, node)) for node, _, nsid in opened)
            refused = self._control.send([newnsid(fd, nsid) for _, fd, nsid in opened])
            for position, (node, fd, nsid) in enumerate(opened):
                if position in refused:
                    del self._places[nsid]
                    nsid = given_nsid(self._control, fd)  # noqa: PLW2901
                    self._places[nsid] = _Place(lab, node)
                self._ids[lab][node] = (batch[node][0], nsid)
        finally:
            for _, fd, _ in opened:
                os.close(fd)

    def _run(self) -> None:
        poll = select.poll()
        poll.register(self._socket, select.POLLIN)
        poll.register(self._wake, select.POLLIN)
        ended = select.poll()
        ended.register(self._wake, select.POLLIN)
        while True:
            if any(fd == self._wake for fd, _ in poll.poll()):
                return
            for lab, events in self._receive().items():
                self._deliver(lab, events)
            if ended.poll(GATHER):
                return

    def _receive(self) -> dict[int, list[KernelEvent]]:
        """Return what waits in the socket, by lab, at most `BATCH` notifications."""
        heard: dict[int, list[KernelEvent]] = {}
        for _ in range(BATCH):
            try:
                data, ancillary, _, _ = self._socket.recvmsg(MESSAGE, 64, socket.MSG_DONTWAIT)
            except BlockingIOError:
                break
            except OSError as error:
                if error.errno != errno.ENOBUFS:
                    raise
                for lab in tuple(self._ids):
                    heard.setdefault(lab, []).append(Overrun())
                continue
            for place, event in self._events(data, origin_of(ancillary)):
                heard.setdefault(place.lab, []).append(event)
        return heard

    def _events(self, data: bytes, origin: int | None) -> Iterable[tuple[_Place, KernelEvent]]:
        at = 0
        while at + HEADER.size <= len(data):
            size, kind, flags, _, _ = HEADER.unpack_from(data, at)
            if origin is None and kind == RTM_DELNSID:
                place = self._forget(_nsid(data, at, at + size))
                if place:
                    yield place, NamespaceGone(place.node)
            elif origin is not None and (place := self._places.get(origin)):
                for event in _typed(place.node, data, at, at + size):
                    yield place, event
                if kind == RTM_NEWROUTE and flags & NLM_F_REPLACE:
                    yield place, Stale(place.node)  # which route it replaced is not told
            at += (size + 3) & ~3

    def _forget(self, nsid: int) -> _Place | None:
        with self._lock:
            place = self._places.pop(nsid, None)
            if place:
                self._ids.get(place.lab, {}).pop(place.node, None)
            return place


def observer_sockets(
    receive_buffer: int, groups: Iterable[int] = GROUPS
) -> tuple[socket.socket, Netlink]:
    """Make the two sockets in a namespace of their own; they keep it alive."""
    netns.enter_new()
    control = Netlink()
    listener = socket.socket(
        socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, socket.NETLINK_ROUTE
    )
    listener.bind((0, 0))  # first: a socket without a port id is passed over silently
    try:
        listener.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, receive_buffer)
    except PermissionError:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    listener.setsockopt(SOL_NETLINK, NETLINK_LISTEN_ALL_NSID, 1)
    for group in groups:
        listener.setsockopt(SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, group)
    return listener, control


def _typed(node: str, data: bytes, at: int, end: int) -> Iterable[KernelEvent]:
    for gone, record in parse(data, at, end):
        if not gone:
            yield Seen(node, record)
        elif not isinstance(record, PortRecord):  # a port that left: the link itself tells it
            yield Gone(node, record)


def newnsid(fd: int, nsid: int) -> Message:
    """Return the request that gives a namespace an id where the asking socket lives."""
    body = RTGENMSG + attribute_u32(NETNSA_NSID, nsid) + attribute_u32(NETNSA_FD, fd)
    return Message(RTM_NEWNSID, 0, body)


def given_nsid(control: Netlink, fd: int) -> int:
    """Return the id that a namespace has already. OSError without one."""
    body = RTGENMSG + attribute_u32(NETNSA_FD, fd)
    answers, refused = control.ask([Message(RTM_GETNSID, 0, body)])
    if answers[0] is None:
        raise OSError(refused[0].errno if refused else errno.EIO, "no nsid for a namespace")
    return _nsid(answers[0], 0, len(answers[0]))


def _nsid(data: bytes, at: int, end: int) -> int:
    found = attributes(data, at + HEADER.size + len(RTGENMSG), end)
    return int(INT.unpack(found[NETNSA_NSID])[0])


def origin_of(ancillary: Iterable[tuple[int, int, bytes]]) -> int | None:
    """Return the nsid a notification came from; None: the observer namespace itself."""
    for level, kind, value in ancillary:
        if level == SOL_NETLINK and kind == NETLINK_LISTEN_ALL_NSID:
            return int(INT.unpack(value[:4])[0])
    return None


def _inode(namespaces: Mapping[str, tuple[int, Callable[[], int]]], node: str) -> int | None:
    entry = namespaces.get(node)
    return entry[0] if entry else None
