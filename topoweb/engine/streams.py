"""The service end of the stream socket: checks the token, hands a session to its handler.

Generic over the kinds of stream: a process registers ``{Stream: async handler(session)}``. A
handler sends with `Session.send`, which waits for the reader's credit; it is cancelled when the
peer goes away, its return ends the stream with CLOSE ``done``, a TopowebError with its code. A
CREDIT of 0 is the heartbeat: the service answers it in kind, and a peer silent for `IDLE` seconds
is gone. TERMINAL alone is two-way, and its credit counts bytes instead of frames.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

from topoweb.core.errors import ErrorKind, TopowebError
from topoweb.core.texts import SILENT, Text
from topoweb.core.tracing.flow import CreditWindow
from topoweb.engine.inbox import Inbox
from topoweb.protocol import frames
from topoweb.protocol.frames import TERMINAL_INPUT, TERMINAL_OUTPUT, Frame, Kind, Stream
from topoweb.protocol.stream import LENGTH, StreamToken, verify

if TYPE_CHECKING:
    from pathlib import Path

OPEN_WITHIN = 5.0  # seconds from connect to OPEN
IDLE = 60.0  # seconds without a frame from the peer
STALL = 30.0  # seconds a granted frame may wait for the peer's socket
MAX_INBOUND = 64 * 1024  # bytes of a frame from the gateway
MAX_CREDIT = 64  # frames in flight at most
MAX_SESSIONS = 1024
WRITE_BUFFER = 64 * 1024  # bytes above which a write waits for the peer

log = logging.getLogger(__name__)


class Session:
    """One open stream: what was granted (``token``, ``params``) and the way to send."""

    def __init__(
        self, token: StreamToken, params: Mapping[str, Any], writer: asyncio.StreamWriter
    ) -> None:
        self.token = token
        self.params = params
        self.inbox = Inbox(TERMINAL_INPUT if token.stream == Stream.TERMINAL else 0)
        self._writer = writer
        self._by_bytes = token.stream == Stream.TERMINAL
        self._credit = CreditWindow(TERMINAL_OUTPUT if self._by_bytes else MAX_CREDIT)
        self._granted = asyncio.Event()
        self._sequence = 0

    @property
    def credit(self) -> int:
        """Frames that the reader takes now; of a terminal, bytes."""
        return self._credit.available

    async def ready(self) -> None:
        """Wait until the reader takes more. Take news from a feed only after it."""
        while not self._credit.available:
            self._granted.clear()
            await self._granted.wait()

    async def send(self, payload: bytes) -> None:
        """Send one DATA frame (≤ 1 MiB) when the reader has credit. LOST when it stalls.

        Of a terminal it must not be larger than `credit`.
        """
        await self.ready()
        self._credit.spend(len(payload) if self._by_bytes else 1)
        await self._write(Kind.DATA, payload)

    async def control(self, message: Mapping[str, Any]) -> None:
        """Send a CONTROL message, which needs no credit."""
        await self._write(Kind.CONTROL, json.dumps(message).encode())

    async def took(self, amount: int) -> None:
        """Let the peer send ``amount`` more bytes: those of the inbox that were used."""
        self.inbox.free(amount)
        await self._write(Kind.CREDIT, json.dumps({"credit": amount}).encode())

    async def send_all(self, data: bytes) -> None:
        """Send an answer of any size as DATA frames; the reader joins them until CLOSE."""
        for start in range(0, max(len(data), 1), frames.MAX_PAYLOAD):
            await self.send(data[start : start + frames.MAX_PAYLOAD])

    def grant(self, amount: int) -> None:
        """Credit came from the reader."""
        self._credit.grant(amount)
        self._granted.set()

    async def beat(self) -> None:
        """Answer a heartbeat."""
        await self._write(Kind.CREDIT, b'{"credit":0}')

    async def _write(self, kind: Kind, payload: bytes) -> None:
        sequence = self._sequence
        if kind is Kind.DATA:
            self._sequence += 1
        _put(self._writer, Frame(Stream(self.token.stream), kind, sequence, payload))
        try:
            async with asyncio.timeout(STALL):
                await self._writer.drain()
        except (TimeoutError, ConnectionError):
            raise TopowebError(ErrorKind.LOST, "the reader stopped reading") from None


Handler = Callable[[Session], Awaitable[None]]


class StreamServer:
    """Listens on a unix socket and runs one handler a connection."""

    def __init__(
        self,
        handlers: Mapping[Stream, Handler],
        secret: bytes,
        *,
        clock: Callable[[], float] = time.time,
        idle: float = IDLE,
    ) -> None:
        self._handlers = dict(handlers)
        self._secret = secret
        self._clock = clock
        self._idle = idle
        self._nonces: dict[str, int] = {}  # seen nonce → when its token expires
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self._path: Path | None = None

    async def start(self, path: Path, *, mode: int = 0o660, group: int | None = None) -> None:
        """Listen at ``path``; ``group`` (gid) may connect besides the owner."""
        self._server = await asyncio.start_unix_server(self._accept, path, limit=MAX_INBOUND)
        self._path = path
        _permit(path, mode, group)

    async def stop(self) -> None:
        """Stop listening and end every session; returns when all handlers have ended."""
        if self._server is not None:
            self._server.close()
            self._server = None
        if self._path is not None:
            self._path.unlink(missing_ok=True)
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        writer.transport.set_write_buffer_limits(high=WRITE_BUFFER)
        try:
            await self._serve(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the peer went away
        except asyncio.CancelledError:
            _close(writer, "away", Text("the service stops"))
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            session, handler = await self._open(reader, writer)
            await self._run(session, handler, reader)
        except TopowebError as error:
            _close(writer, error.kind.value, Text.of(error))
            if error.kind is ErrorKind.LOST:
                writer.transport.abort()  # a peer that does not read would hold its buffer
        else:
            _close(writer, "done")

    async def _open(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> tuple[Session, Handler]:
        if len(self._tasks) > MAX_SESSIONS:
            raise TopowebError(ErrorKind.LIMIT, "too many open streams")
        try:
            async with asyncio.timeout(OPEN_WITHIN):
                frame = await _read(reader)
        except TimeoutError:
            raise _invalid("no OPEN frame in time") from None
        body = _json(frame.payload)
        if frame.kind is not Kind.OPEN:
            raise _invalid("the first frame is not OPEN")
        token = self._admit(body.get("token"))
        handler = self._handlers.get(frame.stream)
        if token.stream != frame.stream or handler is None:
            raise TopowebError(ErrorKind.FORBIDDEN, "this stream is not granted here")
        params = body.get("params", {})
        if not isinstance(params, dict):
            raise _invalid("params is not an object")
        return Session(token, params, writer), handler

    def _admit(self, text: object) -> StreamToken:
        """Return a token that is genuine, in time, and never seen before."""
        now = self._clock()
        try:
            token = verify(text if isinstance(text, str) else "", self._secret, now)
        except ValueError as error:
            raise TopowebError(ErrorKind.FORBIDDEN, str(error)) from None
        self._nonces = {nonce: end for nonce, end in self._nonces.items() if end >= now}
        if token.nonce in self._nonces:
            raise TopowebError(ErrorKind.FORBIDDEN, "stream token was used before")
        self._nonces[token.nonce] = token.expires
        return token

    async def _run(self, session: Session, handler: Handler, reader: asyncio.StreamReader) -> None:
        """Run the handler until it ends or the peer does, whichever is first."""
        work = asyncio.ensure_future(handler(session))
        listen = asyncio.create_task(self._listen(session, reader))
        try:
            await asyncio.wait((work, listen), return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (work, listen):
                task.cancel()
            results = await asyncio.gather(work, listen, return_exceptions=True)
        for result in results:
            if isinstance(result, TopowebError):
                raise result
            if isinstance(result, Exception) and not isinstance(
                result, (ConnectionError, asyncio.IncompleteReadError)
            ):
                log.error("stream handler failed", exc_info=result)
                raise TopowebError(ErrorKind.INTERNAL, "the stream failed")

    async def _listen(self, session: Session, reader: asyncio.StreamReader) -> None:
        """Take credit and heartbeats until the peer closes."""
        while True:
            try:
                async with asyncio.timeout(self._idle):
                    frame = await _read(reader)
            except TimeoutError:
                raise TopowebError(ErrorKind.LOST, "the peer is silent") from None
            if frame.kind is Kind.CLOSE:
                return
            if frame.kind is Kind.DATA:
                session.inbox.put_input(frame.payload)
            elif frame.kind is Kind.CONTROL:
                session.inbox.put_control(_json(frame.payload))
            else:
                await self._credit(session, frame)

    async def _credit(self, session: Session, frame: Frame) -> None:
        credit = _json(frame.payload).get("credit")
        if frame.kind is not Kind.CREDIT or not isinstance(credit, int) or credit < 0:
            raise _invalid("expected CREDIT or CLOSE")
        if credit:
            session.grant(credit)
        else:
            await session.beat()


def _permit(path: Path, mode: int, group: int | None) -> None:
    if group is not None:
        os.chown(path, -1, group)
    path.chmod(mode)


async def _read(reader: asyncio.StreamReader) -> Frame:
    (length,) = LENGTH.unpack(await reader.readexactly(LENGTH.size))
    if length > MAX_INBOUND:
        raise _invalid("frame is too large")
    try:
        return frames.decode(await reader.readexactly(length))
    except ValueError as error:
        raise _invalid(str(error)) from None


def _put(writer: asyncio.StreamWriter, frame: Frame) -> None:
    data = frames.encode(frame)
    writer.write(LENGTH.pack(len(data)) + data)


def _close(writer: asyncio.StreamWriter, code: str, said: Text = SILENT) -> None:
    """Say goodbye as far as the peer still listens."""
    body: dict[str, Any] = {"code": code, "reason": said.line}
    if said.code:
        body |= {"said": said.code, "params": dict(said.params)}
    with contextlib.suppress(ConnectionError):
        _put(writer, Frame(Stream.QUERY, Kind.CLOSE, 0, json.dumps(body).encode()))


def _json(payload: bytes) -> dict[str, Any]:
    try:
        body = json.loads(payload)
    except (ValueError, RecursionError):
        raise _invalid("payload is not JSON") from None
    if not isinstance(body, dict):
        raise _invalid("payload is not a JSON object")
    return body


def _invalid(message: str) -> TopowebError:
    return TopowebError(ErrorKind.INVALID, message)
