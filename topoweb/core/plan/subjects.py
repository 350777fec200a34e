"""Which drawn object asked for what: gives each step its subject and its words."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from topoweb.core.plan.state import Endpoint, RouteState


@dataclass(frozen=True, slots=True)
class Subjects:
    """Names and ids of the drawing behind a state. Empty: everything is shown by its key."""

    nodes: Mapping[str, str] = field(default_factory=dict)  # namespace → node name
    devices: Mapping[Endpoint, str] = field(default_factory=dict)  # → interface (node for br0)
    links: Mapping[Endpoint, str] = field(default_factory=dict)  # → link
    routes: Mapping[tuple[str, RouteState], str] = field(default_factory=dict)  # → route
