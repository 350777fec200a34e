"""The worker's end of the channel layer: the doorbell is heard here, and rung here.

The channel is read directly (`channel_layer.receive`) instead of by Channels' `runworker`,
because `runworker` drains the layer into an unbounded queue of consumer instances and does not
handle SIGTERM. One reader a channel is also what the Redis PubSub layer asks for: with two, both
receive. A handler only sets an event, so nothing can pile up behind it; a message that is lost
costs one sweep of the supervisor.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

from topoweb.protocol import doorbell

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from channels.layers import BaseChannelLayer

RETRY = 1.0  # seconds before the layer is asked again after an error

log = logging.getLogger(__name__)


class Consumer:
    """Reads the worker's channel and calls one function a ring."""

    def __init__(self, layer: BaseChannelLayer, host: str, wake: Callable[[int], None]) -> None:
        self._layer = layer
        self._channel = doorbell.worker_channel(host)
        self._wake = wake

    async def run(self) -> None:
        """Hear rings until cancelled, whatever becomes of the layer."""
        while True:
            try:
                self.hear(await self._layer.receive(self._channel))
            except Exception:  # the layer is away; the sweep does its work meanwhile
                log.warning("the channel layer is away; trying again", exc_info=True)
                await asyncio.sleep(RETRY)
                await self._renew()

    def hear(self, message: Mapping[str, Any]) -> None:
        """Handle one message. One that is not ours is logged, not believed."""
        lab = message.get("lab")
        if message.get("type") == "lab.wake" and type(lab) is int and 0 < lab < 2**63:
            self._wake(lab)
        else:
            log.warning("not a doorbell: %.200r", message)

    async def _renew(self) -> None:
        """Make the Redis layer subscribe anew: it takes a failed subscription for a good one."""
        try:
            await self._layer.flush()
        except Exception:  # still away
            log.debug("the channel layer could not be flushed", exc_info=True)


class Bell:
    """Rings the viewers of a lab, from any thread, on the loop that owns the layer."""

    def __init__(self, layer: BaseChannelLayer, loop: asyncio.AbstractEventLoop) -> None:
        self._layer = layer
        self._loop = loop
        self._sending: set[asyncio.Task[None]] = set()

    def ring(self, lab: int) -> None:
        """Tell the viewers of a lab to look again; never blocks, never fails."""
        try:
            self._loop.call_soon_threadsafe(self._start, lab)
        except RuntimeError:  # the loop is closed: the worker leaves
            log.debug("no loop left to ring lab %d", lab)

    def _start(self, lab: int) -> None:
        task = self._loop.create_task(self._send(lab))
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)

    async def _send(self, lab: int) -> None:
        try:
            await self._layer.group_send(doorbell.lab_group(lab), dict(doorbell.changed(lab)))
        except Exception:  # the row is stored; viewers read it when they next look
            log.warning("doorbell of lab %d was not heard", lab, exc_info=True)
