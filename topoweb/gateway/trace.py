"""The TRACE stream of a browser: the tracer's messages, and the probe that sends the packet.

Unlike the other streams it has an end, and is not begun anew when the tracer goes away.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from topoweb.core.errors import ErrorKind, TopowebError
from topoweb.core.tracing.flow import CreditWindow
from topoweb.gateway.access import Denied, in_thread, look
from topoweb.gateway.connection import Connection
from topoweb.gateway.relay import INITIAL_CREDIT, MAX_CREDIT
from topoweb.labs import traces
from topoweb.labs.permissions import can
from topoweb.labs.streamclient import grant
from topoweb.protocol import frames
from topoweb.protocol.frames import ARMED, Kind, Stream

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from django.contrib.auth.models import AbstractBaseUser

    from topoweb.gateway.access import Credentials
    from topoweb.labs.models import Lab
    from topoweb.labs.traces import TraceWish


class TraceRelay:
    """Relays one trace until its verdict; whoever may run probes in the lab may trace."""

    def __init__(
        self,
        wish: TraceWish,
        credentials: Credentials,
        lab: int,
        *,
        send: Callable[[bytes], Awaitable[None]],
        notify: Callable[[str, str], Awaitable[None]],
    ) -> None:
        self._wish, self._credentials, self._lab = wish, credentials, lab
        self._send, self._notify = send, notify
        self._window = CreditWindow(MAX_CREDIT)
        self._window.grant(INITIAL_CREDIT)
        self._connection: Connection | None = None

    def credit(self, amount: int) -> None:
        """The browser takes ``amount`` more frames."""
        before = self._window.available
        self._window.grant(amount)
        if self._connection and self._window.available > before:
            self._connection.put(Kind.CREDIT, {"credit": self._window.available - before})

    async def run(self) -> None:
        """Relay until the tracer has said all, or it is refused."""
        try:
            token, params = await in_thread(self._prepare)()
            self._connection = await Connection.open("tracer", Stream.TRACE)
            try:
                self._connection.put(Kind.OPEN, {"token": token, "params": params})
                self._connection.put(Kind.CREDIT, {"credit": self._window.available})
                await self._pump(self._connection, params)
            finally:
                self._connection.close()
        except Denied:
            return  # the socket's next look at the rows closes it with the reason
        except TopowebError as error:
            await self._notify("stream-refused", f"{error.message} {error.hint}".strip())
        except OSError:
            await self._notify("stream-away", "The tracer is away")

    def _prepare(self) -> tuple[str, dict[str, Any]]:
        user, lab = self._runner()
        return grant(lab.pk, int(user.pk), Stream.TRACE), traces.stream_params(lab, self._wish)

    def _runner(self) -> tuple[AbstractBaseUser, Lab]:
        """Return who traces and the lab, as the rows are now."""
        user, lab = look(self._credentials, self._lab)
        if not can(user, "run", lab):
            raise TopowebError(ErrorKind.FORBIDDEN, "You may look at this lab, not send in it.")
        return user, lab

    async def _pump(self, connection: Connection, params: dict[str, Any]) -> None:
        async for frame in connection.frames():
            if frame.kind is not Kind.DATA or frame.stream is not Stream.TRACE:
                continue
            self._window.spend()
            await self._send(frames.encode(frame))
            if frame.payload == ARMED:
                await in_thread(lambda: traces.send(*self._runner(), params))()
        if connection.code == "done":
            return
        if connection.code in {"", "away"}:
            raise ConnectionResetError
        raise TopowebError(ErrorKind.LOST, connection.said.message)
