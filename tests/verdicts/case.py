"""What an exam case says: a healthy lab, how it is broken, what is sent, what must be found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Protocol = Literal["icmp", "tcp", "udp"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Send:
    """One packet of a trace. ``by``: a command in the source that sends it instead of a probe."""

    source: str
    target: str
    protocol: Protocol = "icmp"
    port: int | None = None
    by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One broken network.

    ``breaks`` and ``prepare`` are commands "node: program arguments", run inside the node;
    ``prepare`` is part of the healthy twin too.
    """

    name: str
    lab: str
    send: Send
    code: str
    node: str  # "s1 or s2" where both are right
    remedy: str = ""
    breaks: tuple[str, ...] = ()
    prepare: tuple[str, ...] = ()
    listen: tuple[tuple[str, str, int, str], ...] = ()  # (node, tcp or udp, port, address)
    serve: tuple[str, ...] = ()  # programs that run meanwhile, as "node: program arguments"
    joins: tuple[str, ...] = ()  # programs that are the fault
    host: tuple[tuple[str, str], ...] = ()  # the host's settings while the fault lasts
    kind: str = "fault"
    mends: bool = True  # the remedy's commands are run, and then the packet must arrive
    alone: bool = False  # it would disturb cases at the same time
    twin: bool = True  # without ``breaks`` there is no fault


def ping(source: str, target: str, by: str = "") -> Send:
    """An echo request."""
    return Send(source=source, target=target, by=by)


def tcp(source: str, target: str, port: int) -> Send:
    """A connection."""
    return Send(source=source, target=target, protocol="tcp", port=port)


def udp(source: str, target: str, port: int) -> Send:
    """A datagram."""
    return Send(source=source, target=target, protocol="udp", port=port)
