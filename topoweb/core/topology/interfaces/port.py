"""A port: the end of a cable."""

from __future__ import annotations

from dataclasses import dataclass

from topoweb.core.topology.interfaces.kind import Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Port:
    """A port has no options of its own; as a port of a bridge it has those of `bridge_port`."""


KIND = Kind(Port, {})
