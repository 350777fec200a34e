"""Echo server (RFC 862): sends back what it gets, over TCP, UDP or both."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from topoweb.core.topology import fields as check
from topoweb.core.topology.services.kind import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from topoweb.core.topology.services.kind import Site


@dataclass(frozen=True, slots=True, kw_only=True)
class Echo:
    """Where it listens."""

    port: int = 7
    protocol: Literal["both", "tcp", "udp"] = "both"

    @property
    def protocols(self) -> tuple[str, ...]:
        """The transports it serves."""
        return ("tcp", "udp") if self.protocol == "both" else (self.protocol,)


def _claims(options: Echo, site: Site) -> Iterable[str]:  # noqa: ARG001 - one signature
    return (f"{protocol.upper()} {options.port}" for protocol in options.protocols)


CHECKS = {"port": check.integer(1, 65535), "protocol": check.choice("both", "tcp", "udp")}
KIND = Kind(Echo, CHECKS, claims=_claims)
