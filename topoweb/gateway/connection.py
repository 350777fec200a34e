"""One connection to the stream socket of the worker or the tracer, kept alive while it is used."""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import TYPE_CHECKING, Any

from django.conf import settings

from topoweb.core.texts import SILENT, Text
from topoweb.protocol import frames
from topoweb.protocol.frames import HEADER, MAX_PAYLOAD, Frame, Kind, Stream
from topoweb.protocol.stream import LENGTH

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

HEARTBEAT = 20.0  # seconds
SILENCE = 60.0  # seconds without a frame, heartbeats included
BACKOFF = (0.2, 0.4, 0.8, 1.5, 2.0)  # seconds between attempts


class Connection:
    """Frames out, frames in. It belongs to one task."""

    def __init__(
        self, stream: Stream, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._stream, self._reader, self._writer = stream, reader, writer
        self._beat = asyncio.create_task(self._beating())
        self.code = ""  # why the service closed, once it has
        self.said = SILENT

    @classmethod
    async def open(cls, service: str, stream: Stream) -> Connection:
        """Connect to ``worker`` or ``tracer``. OSError when it is away."""
        path = settings.TOPOWEB_RUN / f"{service}.sock"
        return cls(stream, *await asyncio.open_unix_connection(path, limit=MAX_PAYLOAD))

    def put(self, kind: Kind, body: Mapping[str, Any] | bytes) -> None:
        """Write a frame. The credit of both sides bounds how much can wait."""
        payload = body if isinstance(body, bytes) else json.dumps(body).encode()
        data = frames.encode(Frame(self._stream, kind, 0, payload))
        self._writer.write(LENGTH.pack(len(data)) + data)

    async def frames(self) -> AsyncIterator[Frame]:
        """Yield what comes until the connection is lost or closed; ``code`` then says why."""
        lost = (TimeoutError, OSError, asyncio.IncompleteReadError, ValueError)
        with contextlib.suppress(*lost):
            while True:
                async with asyncio.timeout(SILENCE):
                    frame = await self._read()
                if frame.kind is Kind.CLOSE:
                    body = json.loads(frame.payload)
                    self.code, self.said = str(body.get("code")), _said(body)
                    return
                yield frame

    async def drain(self) -> None:
        """Wait until most of what was written is on its way."""
        with contextlib.suppress(OSError):
            await self._writer.drain()

    def close(self) -> None:
        """Let go."""
        self._beat.cancel()
        self._writer.close()

    async def _read(self) -> Frame:
        (length,) = LENGTH.unpack(await self._reader.readexactly(LENGTH.size))
        if length > MAX_PAYLOAD + HEADER.size:
            raise ValueError("frame too large")
        return frames.decode(await self._reader.readexactly(length))

    async def _beating(self) -> None:
        while True:
            await asyncio.sleep(HEARTBEAT)
            self.put(Kind.CREDIT, {"credit": 0})


def _said(body: Mapping[str, Any]) -> Text:
    """Return what a service says in its CLOSE."""
    params = body.get("params")
    return Text(
        message=str(body.get("reason", "")),
        code=str(body.get("said", "")),
        params=params if isinstance(params, dict) else {},
    )
