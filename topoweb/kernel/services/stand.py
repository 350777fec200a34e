"""Where a service stands, as its recipe needs to know it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from topoweb.core.topology.services.kind import Site

PLACES = "/run/topoweb"  # where a node sees what it is furnished with


@dataclass(frozen=True, slots=True, kw_only=True)
class Stand:
    """``place`` is the name of the service's files and of its log."""

    kind: str
    node: str
    place: str
    site: Site

    @property
    def seen(self) -> str:
        """The directory of the service's files, as the node sees it."""
        return f"{PLACES}/{self.place}"
