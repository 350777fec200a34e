"""The ways out of one lab, by node."""

from __future__ import annotations

import contextlib
import os
from dataclasses import replace
from typing import TYPE_CHECKING

from topoweb.core.errors import ErrorKind, TopowebError
from topoweb.core.plan.state import LabState
from topoweb.core.plan.uplink_diff import without_way_out

if TYPE_CHECKING:
    from collections.abc import Iterator

    from topoweb.kernel.manifest import Manifest
    from topoweb.kernel.spaces import LabSpaces
    from topoweb.kernel.uplink.gate import Gate


class LabGate:
    """Opens and closes; implements `apply.run.Uplinks`."""

    def __init__(self, gate: Gate, spaces: LabSpaces) -> None:
        self._gate = gate
        self._spaces = spaces

    def open(self, node: str, until: int) -> None:
        """Open the way out of a node. TopowebError FORBIDDEN when the lab owns its namespace."""
        with self._namespace(node) as (namespace, outer):
            if not outer:
                raise TopowebError(ErrorKind.FORBIDDEN, "the namespace belongs to the lab")
            self._gate.open(self._spaces.lab, namespace, until)

    def close(self, node: str) -> None:
        """Close the way out of a node, whatever is there of it."""
        with self._namespace(node) as (namespace, _):
            self._gate.close(self._spaces.lab, namespace)

    def shown(self, manifest: Manifest, seen: LabState) -> LabState:
        """Return what was read with the uplinks told apart; the device outward is not shown."""
        uplinks = {n for n, at in manifest.namespaces.items() if at.outer and n in seen.namespaces}
        if not uplinks:
            return seen
        namespaces = dict(seen.namespaces)
        for node in uplinks:
            with self._namespace(node) as (namespace, _):
                state = self._gate.state(manifest.lab, namespace, namespaces[node])
            namespaces[node] = replace(without_way_out(namespaces[node]), uplink=state)
        return LabState(namespaces=namespaces)

    @contextlib.contextmanager
    def _namespace(self, node: str) -> Iterator[tuple[int, bool]]:
        manifest = self._spaces.proved()
        if manifest is None or node not in manifest.namespaces:
            raise TopowebError(ErrorKind.LOST, f"node {node} has no namespace")
        descriptor = self._spaces.open(node)
        try:
            yield descriptor, manifest.namespaces[node].outer
        finally:
            os.close(descriptor)
