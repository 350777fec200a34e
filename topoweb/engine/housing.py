"""Tells the sandboxes what a lab's nodes are called and may use, and then who works in them."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from topoweb.core.programs import Residence

if TYPE_CHECKING:
    from collections.abc import Callable

    from topoweb.core.limits import Limits
    from topoweb.core.plan.state import LabState
    from topoweb.core.topology.model import Topology
    from topoweb.engine.labtask import Listener
    from topoweb.engine.ports import Sandboxes

log = logging.getLogger(__name__)


class Housing:
    """A listener between the passes and those who start programs in nodes.

    They hear of a lab in the order of its passes, once its sandboxes know its names and limits;
    so nothing runs in a node under another's. ``limits`` may block.
    """

    def __init__(self, sandboxes: Sandboxes, limits: Callable[[int], Limits]) -> None:
        self._sandboxes, self._limits = sandboxes, limits
        self._listeners: list[Listener] = []
        self._last: dict[int, asyncio.Task[None]] = {}

    def also(self, hear: Listener) -> None:
        """Tell a listener, after those before it."""
        self._listeners.append(hear)

    def desired(
        self, lab: int, topology: Topology, desired: LabState | None, *, applying: bool = False
    ) -> None:
        """Hear of a pass."""
        work = self._tell(self._last.get(lab), lab, topology, desired, applying=applying)
        task = self._last[lab] = asyncio.create_task(work, name=f"housing {lab}")
        task.add_done_callback(lambda done: self._over(lab, done))

    async def close(self) -> None:
        """Return when everybody has heard all."""
        if self._last:
            await asyncio.wait(self._last.values())

    async def _tell(
        self,
        before: asyncio.Task[None] | None,
        lab: int,
        topology: Topology,
        desired: LabState | None,
        *,
        applying: bool,
    ) -> None:
        if before is not None:
            await asyncio.wait([before])
        if desired is not None:
            try:
                await asyncio.to_thread(self._house, lab, topology)
            except Exception:  # what runs goes on as it did; the next pass tries again
                log.exception("the sandboxes of lab %d were not told of it", lab)
        for hear in self._listeners:
            hear(lab, topology, desired, applying=applying)

    def _house(self, lab: int, topology: Topology) -> None:
        nodes = topology.nodes.items()
        names = {key: node.name for key, node in nodes if node.kind != "uplink"}
        self._sandboxes.house(lab, Residence(names=names, limits=self._limits(lab)))

    def _over(self, lab: int, task: asyncio.Task[None]) -> None:
        if self._last.get(lab) is task:
            del self._last[lab]
        if not task.cancelled() and (error := task.exception()):
            log.error("lab %d: a listener failed", lab, exc_info=error)
