"""What the kernel's reasons for a drop mean: (reason, function) → kind and family.

Names are those of enum skb_drop_reason (include/net/dropreason-core.h) without the prefix; the
function is the one at ``location`` of the tracepoint skb:kfree_skb. The first row that fits
counts. Numbers are of no use: they change from kernel to kernel.
"""

from __future__ import annotations

from collections.abc import Callable
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from topoweb.core.packets.numbers import ARP, ICMPV6, IPV4, IPV6, LLC_BELOW, TCP, UDP, VLAN

if TYPE_CHECKING:
    from topoweb.core.tracing.explain.verdict import Kind


class Row(NamedTuple):
    """One line of the table. ``family`` is a key of `explain.drops.FAMILIES`."""

    reason: str
    symbol: str  # with * and ?
    kind: Kind
    family: str = ""


NOISE = (
    "NOT_DROPPED_YET", "CONSUMED", "QUEUE_PURGE", "SOCKET_CLOSE", "SOCKET_FILTER",
    "UNIX_DISCONNECT", "UNIX_SKIP_OOB", "PACKET_SOCK_ERROR", "DUP_FRAG", "TCP_ABORT_ON_DATA",
    "TCP_ZEROWINDOW", "TCP_OLD_DATA", "TCP_OVERWINDOW", "TCP_OFOMERGE", "TCP_RFC7323_PAWS",
    "TCP_RFC7323_PAWS_ACK", "TCP_RFC7323_TW_PAWS", "TCP_RFC7323_TSECR", "TCP_OLD_SEQUENCE",
    "TCP_INVALID_SEQUENCE", "TCP_INVALID_END_SEQUENCE", "TCP_INVALID_ACK_SEQUENCE", "TCP_RESET",
    "TCP_CLOSE", "TCP_FASTOPEN", "TCP_OLD_ACK", "TCP_TOO_OLD_ACK", "TCP_ACK_UNSENT_DATA",
    "TCP_OFO_QUEUE_PRUNE", "TCP_OFO_DROP", "IPV6_NDISC_NS_OTHERHOST", "LOCAL_MAC",
    "MAC_IEEE_MAC_CONTROL",
)  # fmt: skip
HEADER = (
    "PKT_TOO_SMALL", "HDR_TRUNC", "DEV_HDR", "IP_INHDR", "IPV6_BAD_EXTHDR", "IPV6_NDISC_FRAG",
    "IPV6_NDISC_HOP_LIMIT", "IPV6_NDISC_BAD_CODE", "IPV6_NDISC_BAD_OPTIONS", "TCP_FLAGS",
    "TCP_INVALID_SYN", "INVALID_PROTO", "VXLAN_INVALID_HDR",
)  # fmt: skip
CHECKSUM = ("IP_CSUM", "TCP_CSUM", "UDP_CSUM", "ICMP_CSUM", "CSUM")
QUEUE = (
    "QDISC_DROP", "QDISC_OVERLIMIT", "QDISC_CONGESTED", "CAKE_FLOOD", "FQ_BAND_LIMIT",
    "FQ_HORIZON_LIMIT", "FQ_FLOW_LIMIT", "DEV_READY",
)  # fmt: skip
UNRESOLVED = ("NEIGH_FAILED", "NEIGH_CREATEFAIL", "NEIGH_QUEUEFULL", "NEIGH_DEAD")

ROWS: tuple[Row, ...] = (
    *(Row(reason, "*", "noise") for reason in NOISE),
    Row("NO_SOCKET", "ping_*", "noise"),  # each echo reply that a raw socket reads
    Row("NO_SOCKET", "raw*", "noise"),
    Row("NO_SOCKET", "__udp?_lib_*", "fault", "socket"),
    Row("NO_SOCKET", "udp*", "fault", "socket"),
    Row("NO_SOCKET", "tcp_v?_*", "fault", "socket"),
    Row("NO_SOCKET", "", "fault", "socket"),  # a kernel that hides its symbols
    Row("SOCKET_RCVBUFF", "*", "fault", "buffer"),
    Row("SOCKET_BACKLOG", "*", "fault", "buffer"),
    Row("PROTO_MEM", "*", "fault", "buffer"),
    Row("TCP_LISTEN_OVERFLOW", "*", "fault", "accept-queue"),
    Row("IP_NOPROTO", "*", "fault", "protocol"),
    Row("UNHANDLED_PROTO", "*", "fault", "ethertype"),
    *(Row(reason, "*", "fault", "checksum") for reason in CHECKSUM),
    Row("IP_INHDR", "ip_forward*", "fault", "ttl"),  # elsewhere a malformed header
    Row("IP_INHDR", "ip6_forward*", "fault", "ttl"),
    *(Row(reason, "*", "fault", "header") for reason in HEADER),
    Row("IP_INADDRERRORS", "*", "fault", "forwarding"),  # the name misleads: forwarding is off
    Row("IP_INNOROUTES", "*", "fault", "no-route"),
    Row("IP_OUTNOROUTES", "*", "fault", "no-route"),
    Row("IP_RPFILTER", "*", "fault", "rp-filter"),
    Row("IP_LOCAL_SOURCE", "*", "fault", "source-own"),
    Row("IP_INVALID_SOURCE", "*", "fault", "source-invalid"),
    Row("IP_INVALID_DEST", "*", "fault", "source-invalid"),
    Row("IP_LOCALNET", "*", "fault", "source-invalid"),
    Row("IPV6DISABLED", "*", "fault", "ipv6"),
    Row("NETFILTER_DROP", "*", "fault", "filter"),
    *(Row(reason, "*", "fault", "neighbour") for reason in UNRESOLVED),
    Row("PKT_TOO_BIG", "*", "fault", "too-big"),
    Row("FRAG_REASM_TIMEOUT", "*", "fault", "fragment"),
    Row("FRAG_TOO_FAR", "*", "fault", "fragment"),
    *(Row(reason, "*", "fault", "queue") for reason in QUEUE),
    Row("CPU_BACKLOG", "*", "fault", "overload"),
    Row("FULL_RING", "*", "fault", "overload"),
    Row("NOMEM", "*", "fault", "overload"),
    Row("BRIDGE_INGRESS_STP_STATE", "*", "fault", "port-state"),
    Row("NO_TX_TARGET", "*", "fault", "no-port"),
    Row("OTHERHOST", "*", "expected", "other-host"),
    Row("NOT_SPECIFIED", "ip_error", "fault", "route-kind"),
    Row("NOT_SPECIFIED", "ip6_pkt_*", "fault", "route-kind"),
    Row("NOT_SPECIFIED", "dst_discard*", "fault", "route-kind"),
    Row("NOT_SPECIFIED", "ip6_forward", "fault", "forwarding"),
    Row("NOT_SPECIFIED", "br_handle_frame_finish", "fault", "bridge"),
    Row("NOT_SPECIFIED", "br_handle_frame", "fault", "bridge"),
    Row("NOT_SPECIFIED", "br_*queue*", "fault", "port-size"),
    Row("NOT_SPECIFIED", "*br_forward*", "fault", "bridge"),
    Row("NOT_SPECIFIED", "__dev_forward_skb*", "fault", "peer"),
    Row("NOT_SPECIFIED", "veth_xmit", "fault", "peer"),
    Row("NOT_SPECIFIED", "icmpv6_rcv", "fault", "taken"),  # an echo request without an answer
    Row("NOT_SPECIFIED", "tcp_*", "fault", "taken"),
    Row("NOT_SPECIFIED", "neigh_*", "fault", "neighbour"),  # IPv6 has no name for it
    Row("NOT_SPECIFIED", "*_error_report", "fault", "neighbour"),
    Row("NOT_SPECIFIED", "arp_*", "noise"),
    Row("NOT_SPECIFIED", "igmp_*", "noise"),
    Row("NOT_SPECIFIED", "mld_*", "noise"),
    Row("NOT_SPECIFIED", "ndisc_*", "noise"),
    Row("NOT_SPECIFIED", "unix_*", "noise"),
    Row("NOT_SPECIFIED", "netlink_*", "noise"),
    Row("NOT_SPECIFIED", "*packet_rcv*", "noise"),
)
UNKNOWN = Row("", "", "unknown")
_TO_MANY = {
    "NOT_SPECIFIED", "NO_SOCKET", "NO_TX_TARGET", "IPV6DISABLED", "IP_NOPROTO", "OTHERHOST",
    "UNHANDLED_PROTO", "IP_INNOROUTES", "IP_OUTNOROUTES",
}  # fmt: skip
_SYN = 0x02
CLIENT_PORT = b"\0\x44"  # 68


def row(reason: str, symbol: str) -> Row:
    """Return the line of the table for a reason and a function; kind unknown for none."""
    return _row(reason, symbol.partition("+")[0].partition(".")[0])


@lru_cache(1024)
def _row(reason: str, symbol: str) -> Row:
    for line in ROWS:
        if line.reason == reason and fnmatchcase(symbol, line.symbol):
            return line
    return UNKNOWN


def classify(reason: str, symbol: str, data: bytes) -> Kind:
    """Return what kind of drop it is, before anything is asked: noise needs no explanation.

    A healthy lab drops all the time: what is sent to everybody and concerns only one, what a
    closed connection still gets, what a raw socket has read already.
    """
    if len(data) < 14 or not any(data[:14]):
        return "noise"  # no frame: a message between sockets, or a buffer that was never used
    tests, kind = _sorting(reason, symbol)
    for test in tests:
        if test(reason, data):
            return "noise"
    return kind


@lru_cache(1024)  # a flood may be dropped, packet by packet
def _sorting(reason: str, symbol: str) -> tuple[tuple[Test, ...], Kind]:
    """Return what is to be asked of a frame's bytes, and its kind when it is no noise by them."""
    tests = tuple(one.test for one in QUIET if one.concerns(reason, symbol))
    return tests, row(reason, symbol).kind


def _to_many(reason: str, data: bytes) -> bool:
    """What is sent to everybody concerns only some.

    An ARP request that a bridge cannot pass on is none: who asks will get no answer.
    """
    kind, at = _ethertype(data)
    if kind == IPV4 and len(data) >= at + 20:
        first = data[at + 16]
        group = 224 <= first <= 239 or data[at + 16 : at + 20] == b"\xff\xff\xff\xff"
        return group or bool(data[0] & 1)
    if kind == IPV6 and len(data) >= at + 40:
        return data[at + 24] == 0xFF or bool(data[0] & 1)
    if kind == ARP:
        return reason == "OTHERHOST"
    return bool(data[0] & 1)


def _unheard(reason: str, data: bytes) -> bool:  # noqa: ARG001 - one signature
    """A host has no use for a spanning tree's messages."""
    return _ethertype(data)[0] < LLC_BELOW


def _lease(reason: str, data: bytes) -> bool:  # noqa: ARG001 - one signature
    """A DHCP client reads its answers below IP, before it has the address that they go to."""
    return _transport(data, UDP)[2:4] == CLIENT_PORT


def _before_socket(reason: str, symbol: str) -> bool:
    return row(reason, symbol).family in {"forwarding", "no-route", "rp-filter", "socket"}


def _done(reason: str, data: bytes) -> bool:  # noqa: ARG001 - one signature
    """What TCP itself dropped and neither opens nor answers an opening comes after the end."""
    segment = _transport(data, TCP)
    return len(segment) > 13 and not segment[13] & _SYN


def _by_tcp(reason: str, symbol: str) -> bool:
    """A kernel that hides its symbols leaves open who dropped it."""
    return reason in {"NO_SOCKET", "NOT_SPECIFIED"} and (not symbol or symbol.startswith("tcp_"))


def _no_request(reason: str, data: bytes) -> bool:  # noqa: ARG001 - one signature
    """Of what ICMPv6 took, only echo requests wait for an answer."""
    return _transport(data, ICMPV6)[:1] != b"\x80"


Test = Callable[[str, bytes], bool]  # reason and frame


class Quiet(NamedTuple):
    """A test for noise, and of which reasons and functions it is to be asked."""

    concerns: Callable[[str, str], bool]
    test: Test


QUIET = (
    Quiet(lambda reason, _: reason in _TO_MANY, _to_many),
    Quiet(_by_tcp, _done),
    Quiet(_before_socket, _lease),
    Quiet(lambda _, symbol: symbol.startswith("icmpv6_rcv"), _no_request),
    Quiet(lambda reason, _: reason == "UNHANDLED_PROTO", _unheard),
)


def _transport(data: bytes, protocol: int) -> bytes:
    """Return what follows the IP header of a packet of this protocol; b"" for others."""
    kind, at = _ethertype(data)
    if kind == IPV4 and len(data) >= at + 20 and data[at + 9] == protocol:
        return data[at + (data[at] & 15) * 4 :]
    if kind == IPV6 and len(data) >= at + 40 and data[at + 6] == protocol:
        return data[at + 40 :]
    return b""


def _ethertype(data: bytes) -> tuple[int, int]:
    kind = data[12] << 8 | data[13]
    if kind == VLAN and len(data) >= 18:
        return data[16] << 8 | data[17], 18
    return kind, 14
