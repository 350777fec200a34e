"""What happens at the target: programs, settings, addresses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.verdicts.case import Case, ping, tcp, udp
from tests.verdicts.labs import ROUTED

if TYPE_CHECKING:
    from collections.abc import Iterator


def _programs() -> Iterator[Case]:
    for lab, (host, target, _, far) in ROUTED.items():
        yield Case(
            name="no program listens (TCP)", lab=lab, send=tcp(host, target, 81),
            code="no-listener", node=far, remedy="start-program", twin=False, mends=False,
        )  # fmt: skip
        yield Case(
            name="no program listens (UDP)", lab=lab, send=udp(host, target, 9),
            code="no-listener", node=far, remedy="start-program", twin=False, mends=False,
        )  # fmt: skip
        yield Case(
            name="echo requests are ignored", lab=lab, send=ping(host, target),
            code="echo-ignored", node=far, remedy="allow-echo",
            breaks=(f"{far}: sysctl -qw net.ipv4.icmp_echo_ignore_all=1",),
        )  # fmt: skip


def _healthy() -> Iterator[Case]:
    for lab, (host, target, _, far) in ROUTED.items():
        yield Case(
            name="healthy: a ping", lab=lab, send=ping(host, target), code="delivered",
            node=far, kind="delivered",
        )  # fmt: skip
        yield Case(
            name="healthy: a connection", lab=lab, send=tcp(host, target, 80),
            listen=((far, "tcp", 80, ""),), code="delivered", node=far, kind="delivered",
        )  # fmt: skip


ENDS = (*_programs(), *_healthy())
