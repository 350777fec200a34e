"""One UDP datagram from inside a node, told apart: answered, refused, unreachable, silence.

RFC 1122, 4.1.3.3: ICMP errors reach a connected socket; IP_RECVERR (ip(7)) says whose word it is.
"""

from __future__ import annotations

import errno
import select
import socket
import struct
import time

from topoweb.kernel import icmp
from topoweb.kernel.verdict import ProbeResult, of_errno

PATIENCE = 2.0  # seconds
PAYLOAD = b"topoweb\n"
MAX_ANSWER = 2048  # bytes
IP_RECVERR, IPV6_RECVERR = 11, 25
EXTENDED_ERROR = struct.Struct("=IBBBxII")  # sock_extended_err: errno, origin, type, code, …
FROM_NETWORK = (2, 3)  # SO_EE_ORIGIN_ICMP, SO_EE_ORIGIN_ICMP6


def send(target: str, port: int) -> ProbeResult:
    """Send a datagram from the calling thread's namespace and wait for what comes back."""
    family = socket.AF_INET6 if ":" in target else socket.AF_INET
    result = ProbeResult()
    start = time.perf_counter()
    with socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as udp:
        if family == socket.AF_INET6:
            udp.setsockopt(socket.IPPROTO_IPV6, IPV6_RECVERR, 1)
        else:
            udp.setsockopt(socket.IPPROTO_IP, IP_RECVERR, 1)
        try:
            udp.connect((target, port))
            udp.send(PAYLOAD)
            result.sent = 1
            size = _await(udp)
        except OSError as error:
            _failed(result, udp, family, error.errno or 0)
            if result.verdict == "refused":
                result.message = f"{target} refuses: nothing listens on port {port}"
        else:
            result.message = f"No answer from port {port} of {target}"
            if size is not None:
                result.verdict, result.message = "reply", f"{target} answered with {size} bytes"
    if result.verdict in ("reply", "refused"):
        result.received = 1
        result.rtt_ms.append(round((time.perf_counter() - start) * 1e3, 3))
    result.output = f"{target} UDP port {port}: {result.message}"
    return result


def _await(udp: socket.socket) -> int | None:
    """Return the size of the answer, None when none came; OSError for what the network said."""
    if not select.select([udp], [], [], PATIENCE)[0]:
        return None
    return len(udp.recv(MAX_ANSWER))


def _failed(result: ProbeResult, udp: socket.socket, family: int, code: int) -> None:
    result.verdict, result.message = of_errno(code)
    if code == errno.EACCES:  # a prohibiting route here, or a filter on the way
        result.verdict = "unreachable"
    said = _reported(udp, family) if result.sent else ""
    if said and result.verdict != "refused":
        result.verdict, result.message = "unreachable", said


def _reported(udp: socket.socket, family: int) -> str:
    """Return who on the way reported what; "" when the node's own kernel did."""
    try:
        _, ancillary, _, _ = udp.recvmsg(0, 512, socket.MSG_ERRQUEUE | socket.MSG_DONTWAIT)
    except OSError:
        return ""
    for _, kind, data in ancillary:
        if kind in (IP_RECVERR, IPV6_RECVERR) and len(data) >= EXTENDED_ERROR.size:
            _, origin, icmp_type, icmp_code, _, _ = EXTENDED_ERROR.unpack_from(data)
            words = icmp.trouble(family, icmp_type, icmp_code)
            if origin in FROM_NETWORK and words:
                return f"{_offender(family, data[EXTENDED_ERROR.size :])} reports: {words}"
    return ""


def _offender(family: int, address: bytes) -> str:
    """Return the address in a sockaddr_in or sockaddr_in6."""
    packed = address[8:24] if family == socket.AF_INET6 else address[4:8]
    return socket.inet_ntop(family, packed)
