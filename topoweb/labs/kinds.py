"""Kinds of interfaces and switches that not every host's kernel has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from topoweb.core.texts import Text
from topoweb.core.topology.needs import lacking, needs
from topoweb.hosts.queries import features
from topoweb.labs.drawing import ProblemsError

if TYPE_CHECKING:
    from topoweb.core.topology.model import Topology
    from topoweb.core.topology.problem import Problem


def lacking_here(topology: Topology) -> list[Problem]:
    """Return what of the drawing this host cannot make, as its worker has found out."""
    return lacking(topology, features()) if any(needs(topology)) else []


def require_features(topology: Topology) -> None:
    """Raise ProblemsError when the drawing needs what the host's kernel lacks."""
    problems = lacking_here(topology)
    if problems:
        raise ProblemsError(Text.of_problem(problems[0]), problems)
