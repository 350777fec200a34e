"""Reading namespaces on demand: everything the canvas shows of one, and its counters.

No socket is kept: an open netlink socket pins its namespace, so a watched lab could not die. One
throw-away thread hops through all namespaces of a request instead (about 50 µs each).
"""

from __future__ import annotations

import errno
import os
import socket
import struct
import time
from collections.abc import Callable, Iterator, Mapping
from typing import TypeVar

from topoweb.core.tracing.records import (
    ALL_RECORDS,
    AddressRecord,
    Counters,
    Dump,
    FdbRecord,
    ForwardingRecord,
    LinkRecord,
    NeighbourRecord,
    PortRecord,
    RouteRecord,
    Sample,
    TableRecord,
)
from topoweb.kernel import netns
from topoweb.kernel.netlink import (
    ATTRIBUTE,
    HEADER,
    IFADDR,
    IFINFO,
    IFLA_EXT_MASK,
    NETLINK_GET_STRICT_CHK,
    ROUTE,
    RT_TABLE_MAIN,
    RTEXT_FILTER_SKIP_STATS,
    RTM_GETADDR,
    RTM_GETLINK,
    RTM_GETROUTE,
    SOL_NETLINK,
    STATS_REQUEST,
    Message,
    Netlink,
    attribute_u32,
    get_forwarding,
    get_stats,
)
from topoweb.kernel.records import AF_BRIDGE, NDMSG, RTM_GETNEIGH, parse

NOTHING = (errno.ENOENT, errno.EOPNOTSUPP, errno.EAFNOSUPPORT)  # no such table, no IPv6
LINK_64 = struct.Struct("=4Q")  # rx packets, tx packets, rx bytes, tx bytes

_SKIP_STATS = attribute_u32(IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS)
_REQUESTS: dict[type[TableRecord], tuple[Message, ...]] = {
    LinkRecord: (Message(RTM_GETLINK, 0, IFINFO.pack(0, 0, 0, 0, 0) + _SKIP_STATS),),
    AddressRecord: (Message(RTM_GETADDR, 0, IFADDR.pack(0, 0, 0, 0, 0)),),
    RouteRecord: tuple(
        Message(RTM_GETROUTE, 0, ROUTE.pack(family, 0, 0, 0, RT_TABLE_MAIN, 0, 0, 0, 0))
        for family in (socket.AF_INET, socket.AF_INET6)
    ),
    NeighbourRecord: (Message(RTM_GETNEIGH, 0, NDMSG.pack(0, 0, 0, 0, 0)),),
    FdbRecord: (Message(RTM_GETNEIGH, 0, NDMSG.pack(AF_BRIDGE, 0, 0, 0, 0)),),
}

T = TypeVar("T")
Opener = Callable[[], int]  # gives a descriptor of a namespace; OSError when it is gone


def dump(
    openers: Mapping[str, Opener], kinds: frozenset[type[TableRecord]] = ALL_RECORDS
) -> list[Dump]:
    """Read records of the namespaces, given by node. Namespaces that died are left out."""

    def one(node: str) -> Dump:
        with Netlink() as netlink:
            netlink.socket.setsockopt(SOL_NETLINK, NETLINK_GET_STRICT_CHK, 1)
            return Dump(node, kinds, tuple(_records(netlink, kinds)))

    return _visit(openers, one)


def sample(openers: Mapping[str, Opener]) -> Sample:
    """Read the counters of all devices of the namespaces, given by node."""

    def one(node: str) -> tuple[str, dict[int, Counters]]:
        with Netlink() as netlink:
            return node, dict(counters(netlink))

    return Sample(time.monotonic(), dict(_visit(openers, one)))


def _visit(openers: Mapping[str, Opener], work: Callable[[str], T]) -> list[T]:
    """Do ``work(node)`` inside each namespace, all in one throw-away thread."""

    def tour() -> list[T]:
        results = []
        for node, opener in openers.items():
            try:
                fd = opener()
            except OSError:
                continue  # the namespace died
            try:
                netns.enter(fd)
            finally:
                os.close(fd)
            results.append(work(node))
        return results

    return netns.run_apart(tour) if openers else []


def _records(netlink: Netlink, kinds: frozenset[type[TableRecord]]) -> Iterator[TableRecord]:
    for data, at, end in _answers(netlink, kinds):
        for _, record in parse(data, at, end):
            if not isinstance(record, PortRecord) and type(record) in kinds:
                yield record


def _answers(
    netlink: Netlink, kinds: frozenset[type[TableRecord]]
) -> Iterator[tuple[bytes, int, int]]:
    for kind in kinds:
        for request in _REQUESTS.get(kind, ()):
            try:
                yield from netlink.dump(request)
            except OSError as error:
                if error.errno not in NOTHING:
                    raise
    if ForwardingRecord in kinds:
        answers, _ = netlink.ask([get_forwarding(f) for f in (socket.AF_INET, socket.AF_INET6)])
        yield from ((answer, 0, len(answer)) for answer in answers if answer)


def counters(netlink: Netlink) -> Iterator[tuple[int, Counters]]:
    """Yield ifindex and counters of all devices of the socket's namespace."""
    values = HEADER.size + STATS_REQUEST.size + ATTRIBUTE.size
    for data, at, _ in netlink.dump(get_stats()):
        _, _, index, _ = STATS_REQUEST.unpack_from(data, at + HEADER.size)
        yield index, Counters(*LINK_64.unpack_from(data, at + values))
