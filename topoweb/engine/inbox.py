"""What a peer sends on a two-way stream and its handler has not used yet: a bounded amount."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Any

from topoweb.core.errors import ErrorKind, TopowebError

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_CONTROLS = 64  # control messages that wait


class Inbox:
    """Input bytes, for which the peer has a window, and control messages, which pass them by."""

    def __init__(self, window: int) -> None:
        self._window = window
        self._held = 0  # bytes received and not freed
        self._input: asyncio.Queue[bytes] = asyncio.Queue()
        self._controls: deque[Mapping[str, Any]] = deque()
        self._told = asyncio.Event()

    def put_input(self, data: bytes) -> None:
        """Take input. TopowebError(INVALID) for none, and for more than the peer's window."""
        if not 0 < len(data) <= self._window - self._held:
            raise TopowebError(ErrorKind.INVALID, "more input than was granted")
        self._held += len(data)
        self._input.put_nowait(data)

    def put_control(self, message: Mapping[str, Any]) -> None:
        """Take a control message. TopowebError(INVALID) when the stream takes none or so many."""
        if not self._window or len(self._controls) >= MAX_CONTROLS:
            raise TopowebError(ErrorKind.INVALID, "unexpected CONTROL")
        self._controls.append(message)
        self._told.set()

    async def input(self) -> bytes:
        """Wait for input; it counts against the window until it is freed."""
        return await self._input.get()

    async def control(self) -> Mapping[str, Any]:
        """Wait for a control message."""
        while not self._controls:
            self._told.clear()
            await self._told.wait()
        return self._controls.popleft()

    def free(self, amount: int) -> None:
        """Count ``amount`` bytes of input as used."""
        self._held -= amount
