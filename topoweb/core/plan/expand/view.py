"""What every kind needs to know to expand its part of a drawing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from topoweb.core.topology.index import Index
from topoweb.core.topology.onlink import OnLink

if TYPE_CHECKING:
    from topoweb.core.topology.model import Topology


@dataclass(frozen=True, slots=True)
class View:
    """A drawing with its reverse references, and the lab that it becomes."""

    lab: int
    topology: Topology
    index: Index
    onlink: OnLink
    link_rate: int | None = None  # bit/s of every cable

    @classmethod
    def of(cls, lab: int, topology: Topology, *, link_rate: int | None = None) -> View:
        """Read a drawing once for all kinds."""
        index = Index.of(topology)
        return cls(lab, topology, index, OnLink(topology, index), link_rate)
