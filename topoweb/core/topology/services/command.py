"""A user's own command, kept running in the node."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from topoweb.core.topology import fields as check
from topoweb.core.topology.services.kind import Fault, Kind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from topoweb.core.topology.services.kind import Site


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnCommand:
    """``line`` is read by the node's shell, inside the sandbox and nowhere else."""

    line: str = ""


def _faults(options: OwnCommand, site: Site) -> Iterable[Fault]:  # noqa: ARG001 - one signature
    if not options.line.strip():
        yield Fault("command-empty", "/options/line")


KIND = Kind(OwnCommand, {"line": check.text(10_000, lines=True)}, _faults)
