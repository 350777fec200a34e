"""iperf3 server: the far end of a throughput measurement."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from topoweb.core.topology import fields as check
from topoweb.core.topology.services.kind import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from topoweb.core.topology.services.kind import Site


@dataclass(frozen=True, slots=True, kw_only=True)
class Iperf3:
    """Where it listens; a test uses the port over TCP and UDP."""

    port: int = 5201


def _claims(options: Iperf3, site: Site) -> Iterable[str]:  # noqa: ARG001 - one signature
    return (f"{protocol} {options.port}" for protocol in ("TCP", "UDP"))


KIND = Kind(Iperf3, {"port": check.integer(1, 65535)}, claims=_claims)
