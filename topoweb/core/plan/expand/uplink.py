"""An uplink: a router of the host's, whose device toward the host is made when it is opened."""

from __future__ import annotations

from typing import TYPE_CHECKING

from topoweb.core.plan.expand.host import devices, master
from topoweb.core.plan.state import CLOSED

if TYPE_CHECKING:
    from topoweb.core.topology.model import Node

__all__ = ["devices", "master", "state"]


def state(node: Node, until: int | None) -> int | None:
    """Return what `NamespaceState.uplink` should be of a node, under the lab's grant."""
    if node.kind != "uplink":
        return None
    return CLOSED if until is None else until
