"""What is wrong with a drawing as a network: one file a rule family, all problems at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from topoweb.core.topology.index import Index
from topoweb.core.topology.onlink import OnLink
from topoweb.core.topology.validate import (
    addresses,
    interfaces,
    links,
    macs,
    names,
    nodes,
    routes,
    services,
    switches,
    uplinks,
)
from topoweb.core.topology.validate.codes import all_codes

if TYPE_CHECKING:
    from topoweb.core.topology.model import Topology
    from topoweb.core.topology.problem import Problem

__all__ = ["all_codes", "validate"]

RULES = (
    nodes.check,
    names.check,
    addresses.check,
    macs.check,
    links.check,
    interfaces.check,
    switches.check,
    routes.check,
    services.check,
    uplinks.check,
)


def validate(topology: Topology) -> list[Problem]:
    """Return every problem of a drawing, errors (which stop Run) and warnings."""
    drawing = OnLink(topology, Index.of(topology))
    return [problem for rule in RULES for problem in rule(drawing)]
