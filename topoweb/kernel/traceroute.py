"""The way to a target, hop by hop: UDP with a rising TTL, errors read by IP_RECVERR (ip(7))."""

from __future__ import annotations

import errno
import select
import socket
import struct
import time
from typing import NamedTuple

from topoweb.kernel import icmp
from topoweb.kernel.verdict import Hop, ProbeResult, of_errno

FIRST_PORT = 33434
MAX_HOPS = 30
TRIES = 2
WAIT = 1.0  # seconds for each try
SILENT_HOPS = 4  # after so many in a row nobody will answer any more
DEADLINE = 25.0
IP_RECVERR, IPV6_RECVERR = 11, 25
EXTENDED_ERROR = struct.Struct("=IBBBBII")  # errno, origin, type, code, pad, info, data
PORT_UNREACHABLE = {socket.AF_INET: (3, 3), socket.AF_INET6: (1, 4)}


class Report(NamedTuple):
    """An ICMP error that came back: from whom, which, after how long."""

    address: str
    kind: int
    code: int
    rtt_ms: float


def traceroute(target: str) -> ProbeResult:
    """Trace from the calling thread's namespace."""
    family = socket.AF_INET6 if ":" in target else socket.AF_INET
    result = ProbeResult(message=f"{target} was not reached")
    lines = [f"traceroute to {target} ({target}), {MAX_HOPS} hops max"]
    deadline = time.monotonic() + DEADLINE
    silent = 0
    for ttl in range(1, MAX_HOPS + 1):
        try:
            report = _probe_hop(family, target, ttl, result)
        except OSError as error:
            result.verdict, result.message = of_errno(error.errno or 0)
            lines.append(f"{ttl:2}  {error.strerror}")
            break
        lines.append(_note(result, ttl, report))
        silent = 0 if report else silent + 1
        if report and _is_end(family, target, ttl, report, result):
            break
        if silent >= SILENT_HOPS or time.monotonic() > deadline:
            break
    result.output = "\n".join(lines)
    return result


def _note(result: ProbeResult, ttl: int, report: Report | None) -> str:
    if report is None:
        result.hops.append(Hop(ttl, None, None))
        return f"{ttl:2}  *"
    result.received += 1
    result.rtt_ms.append(report.rtt_ms)
    result.hops.append(Hop(ttl, report.address, report.rtt_ms))
    return f"{ttl:2}  {report.address}  {report.rtt_ms:.3f} ms"


def _is_end(family: int, target: str, ttl: int, report: Report, result: ProbeResult) -> bool:
    reached = (report.kind, report.code) == PORT_UNREACHABLE[socket.AddressFamily(family)]
    if reached:
        result.verdict, result.message = "reply", f"{target} is {ttl} hops away"
        return True
    words = icmp.trouble(family, report.kind, report.code)
    if words != icmp.TIME_EXCEEDED:
        result.verdict, result.message = "unreachable", f"{report.address} reports: {words}"
        return True
    return False


def _probe_hop(family: int, target: str, ttl: int, result: ProbeResult) -> Report | None:
    for attempt in range(TRIES):
        with socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as udp:
            if family == socket.AF_INET6:
                udp.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS, ttl)
                udp.setsockopt(socket.IPPROTO_IPV6, IPV6_RECVERR, 1)
            else:
                udp.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, ttl)
                udp.setsockopt(socket.IPPROTO_IP, IP_RECVERR, 1)
            start = time.perf_counter()
            udp.sendto(bytes(32), (target, FIRST_PORT + ttl * TRIES + attempt))
            result.sent += 1
            report = _await_report(udp, start)
            if report:
                return report
    return None


def _await_report(udp: socket.socket, start: float) -> Report | None:
    deadline = time.monotonic() + WAIT
    poll = select.poll()
    poll.register(udp, 0)  # errors are always reported
    while (left := deadline - time.monotonic()) > 0:
        if not poll.poll(left * 1000):
            return None
        rtt = round((time.perf_counter() - start) * 1e3, 3)
        try:
            _, ancillary, _, _ = udp.recvmsg(512, 512, socket.MSG_ERRQUEUE)
        except BlockingIOError:
            continue
        for _, kind, value in ancillary:
            if kind in (IP_RECVERR, IPV6_RECVERR):
                return _report(value, rtt)
    return None


def _report(value: bytes, rtt: float) -> Report:
    code, origin, kind, icmp_code, *_ = EXTENDED_ERROR.unpack_from(value)
    if origin not in (2, 3):  # the node's own kernel, not an ICMP message
        raise OSError(code, errno.errorcode.get(code, "error"))
    offender = value[EXTENDED_ERROR.size :]
    (family,) = struct.unpack_from("=H", offender)
    packed = offender[8:24] if family == socket.AF_INET6 else offender[4:8]
    return Report(socket.inet_ntop(family, packed), kind, icmp_code, rtt)
