"""Steps in the making: collected by phase, each with its reason and subject."""

from __future__ import annotations

import enum
from collections import defaultdict
from typing import TYPE_CHECKING

from topoweb.core.plan.actions import Action, Plan, Step

if TYPE_CHECKING:
    from topoweb.core.plan.state import Endpoint
    from topoweb.core.plan.subjects import Subjects


class Phase(enum.IntEnum):
    """The order of a plan."""

    CLOSE_UPLINKS = 1
    REMOVE_ROUTES = 2
    REMOVE_ADDRESSES = 3
    REMOVE_DEVICES = 4
    REPLACE_NAMESPACES = 5  # of nodes that became an uplink, or are one no more
    ADD_NAMESPACES = 6
    ADD_BRIDGES = 7
    ADD_CABLES = 8
    SET_DOWN = 9  # before what comes up, lest a switching loop is closed for a moment
    SET_DEVICES = 10
    ADD_CHILDREN = 11  # after their parents' MTU, which theirs may not exceed
    SET_CHILDREN = 12
    ADD_ADDRESSES = 13
    SET_FORWARDING = 14
    ADD_ROUTES = 15
    OPEN_UPLINKS = 16
    REMOVE_NAMESPACES = 17


class Steps:
    """Collects steps; `plan` puts them in order."""

    def __init__(self, subjects: Subjects) -> None:
        self._subjects = subjects
        self._phases: defaultdict[Phase, list[Step]] = defaultdict(list)

    def add(self, phase: Phase, action: Action, reason: str, subject: str | None = None) -> None:
        """Add a step; no subject means a leftover that nobody drew."""
        self._phases[phase].append(Step(action, reason, subject or ""))

    def plan(self) -> Plan:
        """Return all steps, phase by phase, inside a phase as they were added."""
        return Plan(tuple(step for phase in Phase for step in self._phases[phase]))

    def node(self, namespace: str) -> str:
        """Return the name of the node behind a namespace."""
        return self._subjects.nodes.get(namespace, namespace)

    def port(self, at: Endpoint) -> str:
        """Return an interface as people write it: "h1:eth0"."""
        return f"{self.node(at.namespace)}:{at.name}"

    def owner(self, at: Endpoint) -> str:
        """Return the id of the drawn interface; on a device without one the node's."""
        drawn = at.namespace if at.namespace in self._subjects.nodes else ""
        return self._subjects.devices.get(at, drawn)

    @property
    def subjects(self) -> Subjects:
        """Return the drawn objects by state."""
        return self._subjects
