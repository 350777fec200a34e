"""rtnetlink messages, packed and parsed by hand where it pays.

A message is ``(type, flags, body)``; the header with its sequence number is added when a batch
is sent. The bodies are byte-equal to what pyroute2 encodes (``tests/kernel/test_encoder.py``),
at about a hundredth of its time. Layouts: linux/netlink.h, if_link.h, if_addr.h, rtnetlink.h,
netconf.h. All integers are in host order unless a comment says otherwise.
"""

from __future__ import annotations

import contextlib
import os
import socket
import struct
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

HEADER = struct.Struct("=IHHII")  # length, type, flags, sequence, port
IFINFO = struct.Struct("=BxHiII")  # family, type, index, flags, change
IFADDR = struct.Struct("=BBBBi")  # family, prefix length, flags, scope, index
ROUTE = struct.Struct("=BBBBBBBBI")  # family, dst len, src len, tos, table, proto, scope, type, fl
ATTRIBUTE = struct.Struct("=HH")  # length, type
ATTRIBUTE_U32 = struct.Struct("=HHI")
ERROR = struct.Struct("=i")
STATS_REQUEST = struct.Struct("=BxHII")  # if_stats_msg: family, ifindex, filter mask

NLMSG_ERROR, NLMSG_DONE = 2, 3
NLM_F_REQUEST, NLM_F_ACK, NLM_F_DUMP = 0x1, 0x4, 0x300
NLM_F_CAPPED, NLM_F_ACK_TLVS = 0x100, 0x200
NLM_F_EXCL, NLM_F_CREATE = 0x200, 0x400
RTM_NEWLINK, RTM_DELLINK, RTM_GETLINK = 16, 17, 18
RTM_NEWADDR, RTM_DELADDR, RTM_GETADDR = 20, 21, 22
RTM_NEWROUTE, RTM_DELROUTE, RTM_GETROUTE = 24, 25, 26
RTM_NEWNETCONF, RTM_GETNETCONF = 80, 82
RTM_NEWNSID, RTM_DELNSID = 88, 89
RTM_NEWSTATS, RTM_GETSTATS = 92, 94
RTNLGRP_NSID = 28

SOL_NETLINK = 270
NETLINK_ADD_MEMBERSHIP, NETLINK_CAP_ACK, NETLINK_EXT_ACK = 1, 10, 11
NETLINK_GET_STRICT_CHK = 12

IFF_UP = 0x1
IFLA_ADDRESS, IFLA_IFNAME, IFLA_MTU, IFLA_LINK, IFLA_QDISC, IFLA_MASTER = 1, 3, 4, 5, 6, 10
IFLA_OPERSTATE, IFLA_LINKINFO, IFLA_IFALIAS, IFLA_GROUP = 16, 18, 20, 27
IFLA_NET_NS_FD, IFLA_EXT_MASK, IFLA_NUM_TX_QUEUES, IFLA_NUM_RX_QUEUES = 28, 29, 31, 32
IFLA_LINK_NETNSID, IFLA_TARGET_NETNSID = 37, 46
IFLA_INFO_KIND, IFLA_INFO_DATA, IFLA_INFO_SLAVE_DATA = 1, 2, 5
IFLA_BR_FORWARD_DELAY, IFLA_BR_AGEING_TIME, IFLA_BR_STP_STATE = 1, 4, 5
IFLA_BR_PRIORITY, IFLA_BR_VLAN_FILTERING, IFLA_BR_VLAN_DEFAULT_PVID = 6, 7, 39
IFLA_BR_TOPOLOGY_CHANGE, IFLA_BRPORT_STATE = 14, 1
VETH_INFO_PEER = 1
RTEXT_FILTER_SKIP_STATS = 8
IFA_ADDRESS, IFA_LOCAL, IFA_BROADCAST, IFA_FLAGS, IFA_PROTO = 1, 2, 4, 8, 11
IFA_F_NODAD, IFA_F_MANAGETEMPADDR = 0x02, 0x100
RTA_DST, RTA_OIF, RTA_GATEWAY, RTA_PRIORITY, RTA_TABLE, RTA_VIA = 1, 4, 5, 6, 15, 18
RT_TABLE_MAIN, RT_SCOPE_UNIVERSE, RT_SCOPE_LINK, RT_SCOPE_NOWHERE = 254, 0, 253, 255
RTN_UNSPEC, RTN_UNICAST = 0, 1
RTPROT_UNSPEC, RTPROT_REDIRECT, RTPROT_KERNEL, RTPROT_RA = 0, 1, 2, 9
RTPROT_TOPOWEB = 200  # our mark on routes; unassigned in iproute2's rt_protos
IFAPROT_TOPOWEB = 0xFE  # our mark on addresses, since Linux 5.18; older kernels ignore it
NETCONFA_IFINDEX, NETCONFA_FORWARDING = 1, 2
NETNSA_NSID, NETNSA_FD = 1, 3
IFLA_STATS_LINK_64 = 1

BATCH = 96  # messages a send: all of them may fail and each error must fit the receive buffer
SEND_BYTES = 64 << 10  # well under the default send buffer, which rootless cannot raise
RECEIVE_BYTES = 1 << 16


class Message(NamedTuple):
    """A request without its header."""

    type: int
    flags: int
    body: bytes


class Refusal(NamedTuple):
    """What the kernel says of a message that it refused: errno and its own words."""

    errno: int
    text: str

    def __str__(self) -> str:
        words = os.strerror(self.errno)
        return f"{words} ({self.text})" if self.text else words


def attribute(kind: int, data: bytes) -> bytes:
    """Return a padded attribute."""
    size = len(data)
    return ATTRIBUTE.pack(size + 4, kind) + data + b"\0" * (-size & 3)


def attribute_u32(kind: int, value: int) -> bytes:
    """Return a 32-bit attribute."""
    return ATTRIBUTE_U32.pack(8, kind, value)


def name_attribute(name: str) -> bytes:
    """Return IFLA_IFNAME, zero terminated."""
    return attribute(IFLA_IFNAME, name.encode() + b"\0")


def attributes(data: bytes, start: int, end: int) -> dict[int, bytes]:
    """Return the attributes in ``data[start:end]`` by type, flag bits removed."""
    found = {}
    while start + 4 <= end:
        size, kind = ATTRIBUTE.unpack_from(data, start)
        if size < 4:
            break
        found[kind & 0x3FFF] = data[start + 4 : start + size]
        start += (size + 3) & ~3
    return found


def get_link(name: str) -> Message:
    """Ask for one device by name."""
    body = IFINFO.pack(0, 0, 0, 0, 0) + name_attribute(name)
    return Message(RTM_GETLINK, 0, body + attribute_u32(IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS))


def get_stats(index: int = 0) -> Message:
    """Ask for the 64-bit counters of one device, or of all with index 0 (a dump)."""
    body = STATS_REQUEST.pack(0, 0, index, IFLA_STATS_LINK_64)
    return Message(RTM_GETSTATS, 0 if index else NLM_F_DUMP, body)


def get_forwarding(family: int) -> Message:
    """Ask for ``conf/all`` of a family, without a file of procfs."""
    body = bytes((family, 0, 0, 0)) + struct.pack("=HHi", 8, NETCONFA_IFINDEX, -1)
    return Message(RTM_GETNETCONF, 0, body)


class Netlink:
    """A netlink socket in the namespace of the thread that makes it. Not thread-safe."""

    def __init__(self, protocol: int = socket.NETLINK_ROUTE) -> None:
        self.socket = socket.socket(
            socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, protocol
        )
        self.socket.setsockopt(SOL_NETLINK, NETLINK_CAP_ACK, 1)
        self.socket.setsockopt(SOL_NETLINK, NETLINK_EXT_ACK, 1)

    def __enter__(self) -> Netlink:
        return self

    def __exit__(self, *exception: object) -> None:
        self.socket.close()

    def send(self, messages: Sequence[Message]) -> dict[int, Refusal]:
        """Send requests in few system calls; return the refusals by position.

        Later messages run although an earlier one failed. Blocks until all are done.
        """
        refusals: dict[int, Refusal] = {}
        for start, end in _chunks(messages):
            self._send(messages, start, end)
            for sequence, _, data, at, size in self._answers(end - 1):
                refusal = _refusal(data, at, size)
                if refusal:
                    refusals[sequence] = refusal
        return refusals

    def _send(self, messages: Sequence[Message], start: int, end: int) -> None:
        parts = []
        for sequence in range(start, end):
            kind, flags, body = messages[sequence]
            flags |= NLM_F_REQUEST | (NLM_F_ACK if sequence == end - 1 else 0)
            parts.append(HEADER.pack(16 + len(body), kind, flags, sequence, 0))
            parts.append(body)
        self.socket.send(b"".join(parts))

    def _answers(self, last: int) -> Iterator[tuple[int, int, bytes, int, int]]:
        """Yield (sequence, type, data, offset, size) up to the acknowledgement of ``last``."""
        while True:
            data = self.socket.recv(RECEIVE_BYTES)
            at = 0
            while at < len(data):
                size, kind, _, sequence, _ = HEADER.unpack_from(data, at)
                yield sequence, kind, data, at, size
                if kind == NLMSG_ERROR and sequence == last:
                    return
                at += (size + 3) & ~3

    def ask(self, messages: Sequence[Message]) -> tuple[list[bytes | None], dict[int, Refusal]]:
        """Send requests that have one answer each (no dumps); return answers and refusals."""
        answers: list[bytes | None] = [None] * len(messages)
        refusals: dict[int, Refusal] = {}
        for start, end in _chunks(messages):
            self._send(messages, start, end)
            for sequence, kind, data, at, size in self._answers(end - 1):
                if kind != NLMSG_ERROR:
                    answers[sequence] = data[at : at + size]
                elif refusal := _refusal(data, at, size):
                    refusals[sequence] = refusal
        return answers, refusals

    def dump(self, request: Message) -> Iterator[tuple[bytes, int, int]]:
        """Yield (data, offset, end) of each message of a dump; OSError when it is refused."""
        kind, flags, body = request
        flags |= NLM_F_REQUEST | NLM_F_DUMP
        self.socket.send(HEADER.pack(16 + len(body), kind, flags, 0, 0) + body)
        while True:
            data = self.socket.recv(RECEIVE_BYTES)
            at = 0
            while at < len(data):
                size, kind, _, _, _ = HEADER.unpack_from(data, at)
                if kind == NLMSG_DONE:
                    return
                if kind == NLMSG_ERROR:
                    (code,) = ERROR.unpack_from(data, at + 16)
                    raise OSError(-code, os.strerror(-code))
                yield data, at, at + size
                at += (size + 3) & ~3

    def index(self, name: str) -> int:
        """Return a device's index, 0 when there is none of this name."""
        answers, _ = self.ask([get_link(name)])
        return IFINFO.unpack_from(answers[0], 16)[2] if answers[0] else 0


def _chunks(messages: Sequence[Message]) -> Iterator[tuple[int, int]]:
    start = size = 0
    for position, message in enumerate(messages):
        size += 16 + len(message.body)
        if position > start and (position - start >= BATCH or size > SEND_BYTES):
            yield start, position
            start, size = position, 16 + len(message.body)
    if start < len(messages):
        yield start, len(messages)


def _refusal(data: bytes, at: int, size: int) -> Refusal | None:
    _, kind, flags, _, _ = HEADER.unpack_from(data, at)
    if kind != NLMSG_ERROR:
        return None
    (code,) = ERROR.unpack_from(data, at + 16)
    if not code:
        return None
    text = ""
    if flags & NLM_F_ACK_TLVS:
        start = at + 36 if flags & NLM_F_CAPPED else at + 20 + HEADER.unpack_from(data, at + 20)[0]
        with contextlib.suppress(UnicodeDecodeError):
            text = attributes(data, (start + 3) & ~3, at + size).get(1, b"").rstrip(b"\0").decode()
    return Refusal(-code, text)
