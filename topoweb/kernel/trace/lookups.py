"""Single questions to the network namespace of the calling thread: routes, sockets, settings.

Sources: RTM_GETROUTE (net/ipv4/route.c, net/ipv6/route.c: with an incoming interface it runs the
very look-up of forwarding), sock_diag(7), /proc/sys/net and /proc/thread-self/net.
"""

from __future__ import annotations

import errno
import ipaddress
import socket
import struct
from pathlib import Path
from typing import TYPE_CHECKING

from topoweb.core.tracing.explain.facts import Route, RouteKind
from topoweb.kernel import netlink
from topoweb.kernel.connections import ANYTHING, NETLINK_SOCK_DIAG, REQUEST, SOCK_DIAG_BY_FAMILY
from topoweb.kernel.netlink import Message, Netlink, attribute, attribute_u32, attributes
from topoweb.kernel.observe import address_text
from topoweb.kernel.rtnl import split_prefix
from topoweb.kernel.trace import nodestate

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from topoweb.kernel.trace.nodestate import NodeState

RTA_SRC, RTA_IIF = 2, 3
RTM_F_FIB_MATCH = 0x2000
REPLY_KINDS: dict[int, RouteKind] = {
    **{1: "unicast", 2: "local", 3: "broadcast", 5: "multicast"},
    **{6: "blackhole", 7: "unreachable", 8: "prohibit"},
}
REJECTING: dict[RouteKind, str] = {
    "blackhole": "EINVAL", "unreachable": "EHOSTUNREACH", "prohibit": "EACCES",
}  # fmt: skip
NETLINK_NETFILTER = 12
NFT_GETTABLE = 10 << 8 | 1  # NFNL_SUBSYS_NFTABLES, NFT_MSG_GETTABLE
LISTENING = {"tcp": 1 << 10, "udp": 1 << 7}  # TCP_LISTEN; a bound, unconnected datagram socket
PROTOCOLS = {"tcp": socket.IPPROTO_TCP, "udp": socket.IPPROTO_UDP}
DIAG_ID = struct.Struct(">4xHH16s")  # of inet_diag_msg: source port, destination port, source
DIAG_QUEUES = struct.Struct("=56xII")  # idiag_rqueue, idiag_wqueue
DIAG_SIZE = 72  # bytes of inet_diag_msg
DIAG_V6ONLY = 11


def route(state: NodeState, destination: str, source: str, arriving: str) -> Route:
    """Look a route up; ``state`` is of the same namespace. Nothing is sent.

    ``arriving``: as for a packet from ``source`` that came in at this interface.
    """
    try:
        request = _request(state, destination, source, arriving)
    except ValueError:
        return Route(kind="none", error="EINVAL")
    except KeyError:  # the interface has gone
        return Route(kind="none", error="ENODEV")
    matching = Message(request.type, 0, request.body[:8] + _FIB_MATCH + request.body[12:])
    with Netlink() as link:
        (answer, matched), refusals = link.ask([request, matching])
    if answer is None:
        return _refused(state, destination, refusals[0].errno if 0 in refusals else 0)
    family, _, _, _, _, _, _, kind, _ = netlink.ROUTE.unpack_from(answer, 16)
    found = attributes(answer, 28, len(answer))
    index, hop = next(nodestate.hops(found))
    names = {device.index: name for name, device in state.devices.items()}
    kind_name = REPLY_KINDS.get(kind, "none")
    return Route(
        kind=kind_name,
        error=REJECTING.get(kind_name, ""),
        interface=names.get(index, ""),
        gateway=nodestate.gateway(family, hop),
        source=nodestate.address(family, found.get(nodestate.RTA_PREFSRC)),
        prefix=_prefix(matched),
        mtu=nodestate.mtu(found),
    )


_FIB_MATCH = struct.pack("=I", RTM_F_FIB_MATCH)


def _request(state: NodeState, destination: str, source: str, arriving: str) -> Message:
    family, target, length = split_prefix(destination)
    body = attribute(netlink.RTA_DST, target)
    source_length = 0
    if source:
        source_family, packed, source_length = split_prefix(source)
        if source_family != family:
            raise ValueError(source)
        body += attribute(RTA_SRC, packed)
    if arriving:
        body += attribute_u32(RTA_IIF, state.devices[arriving].index)
    header = netlink.ROUTE.pack(family, length, source_length, 0, 0, 0, 0, 0, 0)
    return Message(netlink.RTM_GETROUTE, 0, header + body)


def _prefix(answer: bytes | None) -> str:
    """Return the prefix of the table entry in an answer."""
    if answer is None:
        return ""
    family, length = answer[16], answer[17]
    found = attributes(answer, 28, len(answer))
    packed = found.get(netlink.RTA_DST, bytes(4 if family == socket.AF_INET else 16))
    return f"{address_text(family, packed)}/{length}"


def _refused(state: NodeState, destination: str, number: int) -> Route:
    """Name the entry that rejects, where the table has one that answers so."""
    error = errno.errorcode.get(number, str(number))
    best = matching(state, destination)
    if best is not None and REJECTING.get(best.kind) == error:
        return Route(kind=best.kind, error=error, prefix=best.prefix)
    return Route(kind="none", error=error)


def matching(state: NodeState, destination: str) -> Route | None:
    """Return the longest match in the main table."""
    address = ipaddress.ip_address(destination.partition("%")[0])
    for entry in state.routes.get("ipv4" if address.version == 4 else "ipv6", ()):
        if address in ipaddress.ip_network(entry.prefix):
            return entry
    return None


def listens(protocol: str, port: int) -> tuple[str, ...]:
    """Return what addresses sockets listen on at a port.

    A socket of "::" that takes IPv4 as well gives both "::" and "0.0.0.0".
    """
    found: dict[str, None] = {}
    try:
        with Netlink(NETLINK_SOCK_DIAG) as link:
            for family in (socket.AF_INET, socket.AF_INET6):
                head = REQUEST.pack(family, PROTOCOLS[protocol], 0, LISTENING[protocol])
                answers = link.dump(Message(SOCK_DIAG_BY_FAMILY, 0, head + ANYTHING))
                found.update(dict.fromkeys(_bound(answers, family, port)))
    except OSError:  # a kernel without sock_diag for this protocol, or without IPv6
        pass
    return tuple(found)


def _bound(answers: Iterable[tuple[bytes, int, int]], family: int, port: int) -> Iterator[str]:
    for data, at, end in answers:
        source, destination, packed = DIAG_ID.unpack_from(data, at + 16)
        if source != port or destination:
            continue
        text = address_text(family, packed[: 4 if family == socket.AF_INET else 16])
        yield text
        only_six = attributes(data, at + 16 + DIAG_SIZE, end).get(DIAG_V6ONLY, b"\0")
        if text == "::" and only_six == b"\0":
            yield "0.0.0.0"  # noqa: S104 - a text, nothing is bound


def accept_queue(port: int) -> tuple[int, int]:
    """Return the connections that wait at a TCP port and its backlog; (0, 0) for no listener.

    Of a listener, inet_diag_msg has them as idiag_rqueue and idiag_wqueue (sock_diag(7)).
    """
    fullest = 0, 0
    try:
        with Netlink(NETLINK_SOCK_DIAG) as link:
            for family in (socket.AF_INET, socket.AF_INET6):
                head = REQUEST.pack(family, socket.IPPROTO_TCP, 0, LISTENING["tcp"])
                for data, at, _ in link.dump(Message(SOCK_DIAG_BY_FAMILY, 0, head + ANYTHING)):
                    if DIAG_ID.unpack_from(data, at + 16)[0] == port:
                        fullest = max(fullest, DIAG_QUEUES.unpack_from(data, at + 16))
    except OSError:  # a kernel without sock_diag
        pass
    return fullest


def has_rules() -> bool:
    """Tell whether there is any table of nf_tables: running nft costs thirty times as much."""
    request = Message(NFT_GETTABLE, 0, bytes(4))  # struct nfgenmsg: of all families
    try:
        with Netlink(NETLINK_NETFILTER) as link:
            return any(True for _ in link.dump(request))
    except OSError:
        return False


def sysctl(name: str) -> str:
    """Return a setting of this network namespace, "" where there is none.

    As with sysctl(8), a name whose first separator is a slash keeps its dots ("eth0.10"). Only
    settings below net belong to a namespace; others are the host's and are not told.
    """
    slash, dot = name.find("/"), name.find(".")
    path = name if slash >= 0 and (dot < 0 or slash < dot) else name.replace(".", "/")
    parts = path.split("/")
    if parts[0] != "net" or not all(parts) or "." in parts or ".." in parts:
        return ""
    try:
        return Path("/proc/sys", path).read_text().strip()
    except (OSError, ValueError):
        return ""


def counters() -> Mapping[str, int]:
    """Return snmp, snmp6 and netstat, named as nstat(8) does."""
    found: dict[str, int] = {}
    for table in ("snmp", "netstat"):
        lines = _lines(table)
        for heads, values in zip(lines[::2], lines[1::2], strict=False):
            group, *columns = heads.split()
            numbers = map(int, values.split()[1:])
            found.update(
                (group.removesuffix(":") + column, number)
                for column, number in zip(columns, numbers, strict=False)
            )
    for line in _lines("snmp6"):
        column, number = line.split()
        found[column] = int(number)
    return found


def _lines(table: str) -> list[str]:
    # Not /proc/net: that is the namespace of the process's first thread.
    try:
        return Path("/proc/thread-self/net", table).read_text().splitlines()
    except OSError:
        return []
