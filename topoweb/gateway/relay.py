"""One stream of one browser: frames pass between the service's socket and the WebSocket.

The browser's credit is the service's credit, so nothing piles up here. When the service goes away
the relay says so, and opens the stream anew as soon as it is back; credit for frames that never
came is granted again.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from topoweb.core.errors import TopowebError
from topoweb.core.tracing.flow import CreditWindow
from topoweb.gateway.connection import BACKOFF, Connection
from topoweb.labs.streamclient import grant
from topoweb.protocol import frames
from topoweb.protocol.frames import Kind, Stream

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

SERVICES = {Stream.LIVE: "worker", Stream.PACKETS: "tracer"}
INITIAL_CREDIT = 4  # frames a browser takes before it has answered any
MAX_CREDIT = 16
FINAL = frozenset({"forbidden", "invalid", "unsupported", "not_found"})  # asking again cannot help


class Refused(Exception):  # noqa: N818 - an outcome rather than a fault
    """The service will not serve this stream."""


class Relay:
    """Keeps one stream open for a browser until cancelled or refused.

    ``send(bytes)`` writes a binary frame to the browser, ``notify(code, message)`` a notice,
    ``authorize()`` returns, before each opening, the id of the viewer who may look at the lab;
    ``prepare(params)`` what the service is told, or TopowebError for params that cannot be.
    """

    def __init__(
        self,
        stream: Stream,
        params: Mapping[str, Any],
        lab: int,
        *,
        send: Callable[[bytes], Awaitable[None]],
        notify: Callable[[str, str], Awaitable[None]],
        authorize: Callable[[], Awaitable[int | None]],
        prepare: Callable[[Mapping[str, Any]], Awaitable[Mapping[str, Any]]] | None = None,
    ) -> None:
        self._stream, self._params = stream, dict(params)
        self._lab = lab
        self._send, self._notify, self._authorize = send, notify, authorize
        self._prepare = prepare
        self._service = SERVICES[stream]
        self._window = CreditWindow(MAX_CREDIT)
        self._window.grant(INITIAL_CREDIT)
        self._connection: Connection | None = None
        self._away = False

    def credit(self, amount: int) -> None:
        """The browser takes ``amount`` more frames."""
        before = self._window.available
        self._window.grant(amount)
        if self._connection and self._window.available > before:
            self._connection.put(Kind.CREDIT, {"credit": self._window.available - before})

    async def run(self) -> None:
        """Relay until cancelled, refused, or the viewer may no longer look."""
        attempt = 0
        while (user := await self._authorize()) is not None:
            try:
                if await self._once(user):
                    attempt = 0
            except (Refused, TopowebError) as refusal:
                await self._notify("stream-refused", str(refusal))
                return
            if not self._away:
                self._away = True
                await self._notify("stream-away", f"The {self._service} is away")
            await asyncio.sleep(BACKOFF[min(attempt, len(BACKOFF) - 1)])
            attempt += 1

    async def _once(self, user: int) -> bool:
        """Hold one connection until it ends; return whether it ever carried anything."""
        params = self._params if self._prepare is None else await self._prepare(self._params)
        try:
            self._connection = await Connection.open(self._service, self._stream)
        except OSError:
            return False
        try:
            token = await asyncio.to_thread(grant, self._lab, user, self._stream)
            self._connection.put(Kind.OPEN, {"token": token, "params": dict(params)})
            self._connection.put(Kind.CREDIT, {"credit": self._window.available})
            self._connection.put(Kind.CREDIT, {"credit": 0})  # answered: the stream stands
            return await self._pump(self._connection)
        finally:
            self._connection.close()
            self._connection = None

    async def _pump(self, connection: Connection) -> bool:
        carried = False
        async for frame in connection.frames():
            carried = True
            await self._back()
            if frame.kind is Kind.DATA and frame.stream is self._stream:
                self._window.spend()
                await self._send(frames.encode(frame))
        if connection.code in FINAL:
            raise Refused(connection.said.message)
        return carried

    async def _back(self) -> None:
        if self._away:
            self._away = False
            await self._notify("stream-back", f"The {self._service} is back")
