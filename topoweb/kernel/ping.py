"""Echo requests from inside a node, told apart: reply, no answer, unreachable and by whose word."""

from __future__ import annotations

import secrets
import select
import socket
import struct
import time
from dataclasses import dataclass, field

from topoweb.kernel import icmp
from topoweb.kernel.verdict import ProbeResult, of_errno

INTERVAL = 0.2  # seconds between requests
PATIENCE = 3.6  # seconds after the last: a failed ARP or ND resolution is reported after 3
PAYLOAD = bytes(range(48))
IPV6_RECVHOPLIMIT, IPV6_HOPLIMIT = 51, 52


@dataclass(slots=True)
class _Echo:
    """A run of echo requests to one target."""

    family: int
    target: str
    count: int
    identifier: int = field(default_factory=lambda: secrets.randbits(16))
    sent_at: dict[int, float] = field(default_factory=dict)
    settled: set[int] = field(default_factory=set)
    lines: list[str] = field(default_factory=list)
    troubles: list[str] = field(default_factory=list)
    result: ProbeResult = field(default_factory=ProbeResult)


def ping(target: str, count: int) -> ProbeResult:
    """Send ``count`` echo requests from the calling thread's namespace and await the answers."""
    family = socket.AF_INET6 if ":" in target else socket.AF_INET
    protocol = socket.IPPROTO_ICMPV6 if family == socket.AF_INET6 else socket.IPPROTO_ICMP
    echo = _Echo(family, target, count)
    echo.lines.append(f"PING {target} ({target}) {len(PAYLOAD)} bytes of data.")
    with socket.socket(family, socket.SOCK_RAW | socket.SOCK_NONBLOCK, protocol) as raw:
        if family == socket.AF_INET6:
            raw.setsockopt(socket.IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1)
        try:
            _exchange(raw, echo)
        except OSError as error:
            echo.result.verdict, echo.result.message = of_errno(error.errno or 0)
            echo.lines.append(f"ping: sendmsg: {error.strerror}")
    return _concluded(echo)


def _exchange(raw: socket.socket, echo: _Echo) -> None:
    next_send = time.monotonic()
    deadline = next_send + (echo.count - 1) * INTERVAL + PATIENCE
    while len(echo.settled) < echo.count and time.monotonic() < deadline:
        now = time.monotonic()
        sequence = echo.result.sent + 1
        if sequence <= echo.count and now >= next_send:
            request = icmp.echo_request(echo.family, echo.identifier, sequence, PAYLOAD)
            echo.sent_at[sequence] = time.perf_counter()
            raw.sendto(request, (echo.target, 0))
            echo.result.sent = sequence
            next_send += INTERVAL
            continue
        until = min(next_send, deadline) if sequence <= echo.count else deadline
        if select.select([raw], [], [], max(0.0, until - now))[0]:
            _receive(raw, echo)


def _receive(raw: socket.socket, echo: _Echo) -> None:
    arrived = time.perf_counter()
    data, ancillary, _, sender = raw.recvmsg(2048, 64)
    ttl = _hop_limit(ancillary)
    if echo.family == socket.AF_INET:  # a raw IPv4 socket gives the header too
        ttl, data = data[8], data[(data[0] & 15) * 4 :]
    answer = icmp.understand(echo.family, data, echo.identifier)
    if answer is None or answer.sequence in echo.settled or answer.sequence not in echo.sent_at:
        return
    echo.settled.add(answer.sequence)
    source = sender[0]
    if answer.trouble:
        echo.troubles.append(f"{source} reports: {answer.trouble}")
        echo.lines.append(f"From {source} icmp_seq={answer.sequence} {answer.trouble}")
        return
    rtt = round((arrived - echo.sent_at[answer.sequence]) * 1e3, 3)
    echo.result.received += 1
    echo.result.rtt_ms.append(rtt)
    echo.result.ttl = ttl
    echo.lines.append(
        f"{len(data)} bytes from {source}: icmp_seq={answer.sequence} ttl={ttl} time={rtt} ms"
    )


def _hop_limit(ancillary: list[tuple[int, int, bytes]]) -> int | None:
    for level, kind, value in ancillary:
        if (level, kind) == (socket.IPPROTO_IPV6, IPV6_HOPLIMIT):
            limit: int = struct.unpack("=i", value)[0]
            return limit
    return None


def _concluded(echo: _Echo) -> ProbeResult:
    result = echo.result
    if result.received:
        result.verdict = "reply"
        result.message = f"{result.received} of {result.sent} answered, ttl {result.ttl}"
    elif echo.troubles:
        result.verdict, result.message = "unreachable", echo.troubles[-1]
    elif not result.message:
        result.message = f"No answer to {result.sent} requests"
    loss = 100 - 100 * result.received // max(result.sent, 1)
    echo.lines += ["", f"--- {echo.target} ping statistics ---"]
    echo.lines.append(
        f"{result.sent} packets transmitted, {result.received} received, {loss}% packet loss"
    )
    if result.rtt_ms:
        low, high = min(result.rtt_ms), max(result.rtt_ms)
        mean = sum(result.rtt_ms) / len(result.rtt_ms)
        echo.lines.append(f"rtt min/avg/max = {low:.3f}/{mean:.3f}/{high:.3f} ms")
    result.output = "\n".join(echo.lines)
    return result
