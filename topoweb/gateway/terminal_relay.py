"""One terminal of one browser: bytes both ways, and nothing typed that is not allowed now.

Output passes under the browser's credit. Input waits here, a bounded amount, until the viewer's
right has been looked at and the worker has room. When the worker goes away the relay says so and
opens the terminal anew; one that did not survive is replaced by a new one, and that is said too.
"""

from __future__ import annotations

import asyncio
import json
import logging
from typing import TYPE_CHECKING, Any

from topoweb.core.texts import Text
from topoweb.core.tracing.flow import CreditWindow
from topoweb.gateway.access import Denied
from topoweb.gateway.connection import BACKOFF, Connection
from topoweb.labs.streamclient import grant
from topoweb.protocol.frames import TERMINAL_INPUT, TERMINAL_OUTPUT, Frame, Kind, Stream

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from topoweb.gateway.access import Right, Rights

    Message = dict[str, Any]

MAX_WAITING = 1 << 20  # bytes of input: eight times what a browser sends that keeps to its credit
CHUNK = 16 * 1024  # bytes of input in a frame; the worker takes at most 64 KiB
RETRY = 0.5  # seconds until the rows are asked again that could not be read
TRANSIENT = frozenset({"", "away", "busy", "lost", "done"})  # of CLOSE: asking again can help
BACK = "The worker is back."
REPLACED = (
    "The program that ran here has ended: its worker was restarted, or nobody looked at it for "
    "long. This is a new one."
)

log = logging.getLogger(__name__)


class TerminalRelay:
    """Keeps one terminal open for a browser until it ends, is refused, or is cancelled.

    ``send`` writes bytes to the browser, ``say`` a text; ``opened(user, node, terminal)`` is
    called when a new terminal was made.
    """

    def __init__(
        self,
        lab: int,
        opening: Mapping[str, Any],
        rights: Rights,
        *,
        send: Callable[[bytes], Awaitable[None]],
        say: Callable[[Message], Awaitable[None]],
        opened: Callable[[int, str, str], None],
    ) -> None:
        self._lab, self._rights = lab, rights
        self._node: str = opening["node"]
        self._terminal: str | None = opening["terminal"]
        self._size = (opening["columns"], opening["rows"])
        self._send, self._say, self._opened = send, say, opened
        self._output = CreditWindow(TERMINAL_OUTPUT)
        self._output.grant(TERMINAL_OUTPUT)
        self._room = TERMINAL_INPUT  # bytes of input that the worker takes now
        self._input = bytearray()
        self._resized = self._ending = False
        self._work = asyncio.Event()  # there may be something to pass to the worker
        self._connection: Connection | None = None
        self._standing = False  # `opened` has come on this connection
        self._away = self._over = False
        self._replaced = False
        self._told = asyncio.Event()  # the worker was told to hang up

    def input(self, data: bytes) -> bool:
        """Take what was typed. False when more waits than a browser may have under way."""
        self._input += data
        self._work.set()
        return len(self._input) <= MAX_WAITING

    def resize(self, columns: int, rows: int) -> None:
        """Take a new size; of several that wait the last one counts."""
        self._size, self._resized = (columns, rows), True
        self._work.set()

    def end(self) -> None:
        """Hang up for good."""
        self._ending = True
        self._work.set()

    async def farewell(self) -> None:
        """Wait until an `end` is on its way; return at once when none waits."""
        if self._ending and not self._over:
            await self._told.wait()

    def look(self) -> None:
        """The viewer's right may have changed."""
        self._work.set()

    def credit(self, amount: int) -> None:
        """The browser takes ``amount`` more bytes."""
        before = self._output.available
        self._output.grant(amount)
        if self._connection and self._output.available > before:
            self._connection.put(Kind.CREDIT, {"credit": self._output.available - before})

    async def run(self) -> None:
        """Relay until the terminal has ended or was refused. `Denied` for a stranger."""
        attempt = 0
        while True:
            stood = await self._once()
            if self._over:
                return
            if stood is None:  # not there any more: a new one at once
                continue
            await self._lost()
            attempt = 0 if stood else attempt + 1
            await asyncio.sleep(BACKOFF[min(attempt, len(BACKOFF) - 1)])

    async def _once(self) -> bool | None:
        """Hold one connection until it ends; return whether the terminal stood.

        None: the worker does not know it, so it is to be opened as a new one.
        """
        right = await self._allowed()
        try:
            connection = await Connection.open("worker", Stream.TERMINAL)
        except OSError:
            return False
        self._connection = connection
        acting = asyncio.create_task(self._act(connection, right.write))
        try:
            await self._request(connection, right)
            async for frame in connection.frames():
                await self._take(frame, right)
        finally:
            self._connection = None
            connection.close()
            acting.cancel()
            results = await asyncio.gather(acting, return_exceptions=True)
        if isinstance(results[0], Exception):
            raise results[0]
        return await self._conclude(connection)

    async def _allowed(self) -> Right:
        """Return what the viewer may do now. `Denied`. Waits for a database that is away."""
        while True:
            try:
                return await self._rights.check()
            except Denied:
                raise
            except Exception:
                log.exception("rights in lab %d could not be read", self._lab)
                await asyncio.sleep(RETRY)

    async def _request(self, connection: Connection, right: Right) -> None:
        write = right.write
        token = await asyncio.to_thread(grant, self._lab, right.user, Stream.TERMINAL, write=write)
        params = {
            "node": self._node,
            "terminal": self._terminal,
            "columns": self._size[0],
            "rows": self._size[1],
        }
        connection.put(Kind.OPEN, {"token": token, "params": params})
        connection.put(Kind.CREDIT, {"credit": self._output.available})

    async def _conclude(self, connection: Connection) -> bool | None:
        """Return what `_once` returns, once the connection has ended."""
        stood, self._standing = self._standing, False
        if self._over or connection.code in TRANSIENT:
            return stood
        if connection.code == "not_found" and self._terminal is not None:
            self._terminal, self._replaced = None, True
            return None
        self._over = True
        await self._notify("stream-refused", connection.said)
        return stood

    async def _take(self, frame: Frame, right: Right) -> None:
        """Pass a frame of the worker on."""
        if frame.kind is Kind.DATA:
            self._output.spend(len(frame.payload))
            await self._send(frame.payload)
        elif frame.kind is Kind.CREDIT:
            amount = json.loads(frame.payload)["credit"]
            if amount:
                self._room += amount
                self._work.set()
                await self._give_back(amount)
        elif frame.kind is Kind.CONTROL:
            message: Message = json.loads(frame.payload)
            if message["type"] == "opened" and not self._standing:
                await self._stands(message, right)
            self._over |= message["type"] == "ended"
            await self._say(message)

    async def _stands(self, message: Message, right: Right) -> None:
        """The terminal is there: say what became of it meanwhile, and begin to type."""
        if self._away or self._replaced:
            await self._drop(len(self._input))
            await self._notify("stream-back", Text(REPLACED if self._replaced else BACK))
        self._away = self._replaced = False
        fresh, self._terminal = self._terminal is None, message["terminal"]
        self._standing = True
        self._work.set()
        if fresh:
            self._opened(right.user, self._node, message["terminal"])

    async def _lost(self) -> None:
        """The worker is away; what it had of the input is gone."""
        await self._give_back(TERMINAL_INPUT - self._room)
        self._room = TERMINAL_INPUT
        if not self._away:
            self._away = True
            await self._notify("stream-away", Text("The worker is away."))

    async def _act(self, connection: Connection, write: bool) -> None:
        """Pass on what the browser wants as long as it may; ``write`` is what the worker knows."""
        while True:
            await self._work.wait()
            self._work.clear()
            typed = len(self._input)  # what comes while the rows are read waits for the next look
            try:
                right = await self._allowed()
            except Denied:
                connection.close()  # which ends the reading of it
                raise
            if self._standing:
                if right.write != write:
                    write = right.write
                    connection.put(Kind.CONTROL, {"write": write})
                await self._pass(connection, typed, write=write)

    async def _pass(self, connection: Connection, typed: int, *, write: bool) -> None:
        """Pass on the end, the size, and the first ``typed`` bytes of the input."""
        if self._ending:
            self._ending = False
            if write:
                connection.put(Kind.CONTROL, {"end": True})
            self._told.set()
        if self._resized:
            self._resized = False
            connection.put(Kind.CONTROL, {"resize": self._size})
        if not write:
            await self._drop(typed)
        else:
            self._type(connection, min(typed, self._room, len(self._input)))
        await connection.drain()

    def _type(self, connection: Connection, amount: int) -> None:
        self._room -= amount
        while amount:
            chunk = bytes(self._input[: min(amount, CHUNK)])
            del self._input[: len(chunk)]
            amount -= len(chunk)
            connection.put(Kind.DATA, chunk)

    async def _drop(self, amount: int) -> None:
        """Forget input; for the browser it is out of the way."""
        amount = min(amount, len(self._input))
        del self._input[:amount]
        await self._give_back(amount)

    async def _give_back(self, amount: int) -> None:
        if amount:
            await self._say({"type": "credit", "bytes": amount})

    async def _notify(self, code: str, said: Text) -> None:
        words = {"message": said.message, "said": said.code, "params": dict(said.params)}
        await self._say({"type": "notice", "code": code, **words})
