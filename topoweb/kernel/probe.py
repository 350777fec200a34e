"""Probes from inside a node: typed in, typed out, no shell and no program of the node.

Each runs in a throw-away thread in the node's namespace and ends by itself within 30 s.
"""

from __future__ import annotations

import errno
import ipaddress
import select
import socket
import time
from typing import Any

from topoweb.core.errors import ErrorKind, TopowebError
from topoweb.kernel import datagram, netns
from topoweb.kernel.ping import ping
from topoweb.kernel.traceroute import traceroute
from topoweb.kernel.verdict import ProbeResult, of_errno

CONNECT_TIMEOUT = 6.0  # seconds: first SYN, two repetitions, and a failed ARP resolution
MAX_COUNT = 20


def probe(
    fd: int, kind: str, target: str, *, port: int | None = None, count: int = 3
) -> dict[str, Any]:
    """Run a probe inside the namespace of ``fd`` and return the result of docs/protocol.md.

    ``kind`` is ping, tcp or udp (which need ``port``), or traceroute; ``target`` is an IP address.
    TopowebError INVALID for anything else.
    """
    address = _address(target)
    count = max(1, min(count, MAX_COUNT))
    if kind == "ping":
        return netns.run_inside(fd, lambda: ping(address, count)).as_json()
    if kind == "traceroute":
        return netns.run_inside(fd, lambda: traceroute(address)).as_json()
    if kind not in ("tcp", "udp"):
        raise TopowebError(ErrorKind.INVALID, f"there is no probe {kind!r}", path="/kind")
    if port is None or not 0 < port < 65536:
        raise TopowebError(
            ErrorKind.INVALID, "a TCP or UDP probe needs a port from 1 to 65535", path="/port"
        )
    attempt = connect if kind == "tcp" else datagram.send
    return netns.run_inside(fd, lambda: attempt(address, port)).as_json()


def _address(target: str) -> str:
    try:
        return str(ipaddress.ip_address(target))
    except ValueError as error:
        raise TopowebError(
            ErrorKind.INVALID, f"{target!r} is not an IP address", path="/target"
        ) from error


def connect(target: str, port: int) -> ProbeResult:
    """Open and close a TCP connection from the calling thread's namespace."""
    family = socket.AF_INET6 if ":" in target else socket.AF_INET
    result = ProbeResult(sent=1)
    start = time.perf_counter()
    with socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK) as tcp:
        code = tcp.connect_ex((target, port))
        if code == errno.EINPROGRESS:
            ready = select.select([], [tcp], [], CONNECT_TIMEOUT)[1]
            code = tcp.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) if ready else errno.ETIMEDOUT
    rtt = round((time.perf_counter() - start) * 1e3, 3)
    if code:
        result.verdict, result.message = of_errno(code)
        if code == errno.ECONNREFUSED:
            result.received = 1
            result.message = f"{target} refuses: nothing listens on port {port}"
    else:
        result.verdict, result.received = "connected", 1
        result.message = f"Port {port} of {target} accepts connections"
    if result.received:
        result.rtt_ms.append(rtt)
    result.output = f"{target} port {port}: {result.message}"
    return result
