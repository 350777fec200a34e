"""The gateway's end of one terminal stream."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import time
from typing import TYPE_CHECKING

from topoweb.protocol import frames
from topoweb.protocol.frames import Frame, Kind, Stream
from topoweb.protocol.stream import LENGTH, StreamToken, sign

if TYPE_CHECKING:
    from pathlib import Path

PATIENCE = 10.0  # seconds
_nonces = itertools.count()


class Viewer:
    """Reads what the worker sends; `until` spends as a browser does that parses at once."""

    def __init__(self, reader, writer):
        self.reader, self.writer = reader, writer
        self.texts, self.output, self.taken = [], bytearray(), 0
        self.beats = 0
        self.closed = None

    @classmethod
    async def connect(cls, path: Path) -> Viewer:
        return cls(*await asyncio.open_unix_connection(path, limit=1 << 21))

    def open(self, secret, node, terminal, size, **token):
        """Send OPEN for a new terminal, or for an id."""
        nonce, expires = f"{id(self)}-{next(_nonces)}", int(time.time()) + 60
        granted = StreamToken(stream=Stream.TERMINAL, expires=expires, nonce=nonce, **token)
        params = {"node": node, "terminal": terminal, "columns": size[0], "rows": size[1]}
        self.put(Kind.OPEN, {"token": sign(granted, secret), "params": params})

    def put(self, kind, body):
        payload = body if isinstance(body, bytes) else json.dumps(body).encode()
        data = frames.encode(Frame(Stream.TERMINAL, kind, 0, payload))
        self.writer.write(LENGTH.pack(len(data)) + data)

    def type(self, text):
        self.put(Kind.DATA, text.encode() if isinstance(text, str) else text)

    def tell(self, **message):
        self.put(Kind.CONTROL, message)

    def grant(self, amount):
        self.put(Kind.CREDIT, {"credit": amount})

    async def step(self):
        """Take one frame."""
        async with asyncio.timeout(PATIENCE):
            (length,) = LENGTH.unpack(await self.reader.readexactly(4))
            frame = frames.decode(await self.reader.readexactly(length))
        if frame.kind is Kind.DATA:
            self.output += frame.payload
            return len(frame.payload)
        body = json.loads(frame.payload)
        if frame.kind is Kind.CONTROL:
            self.texts.append(body)
        elif frame.kind is Kind.CREDIT:
            self.taken += body["credit"]
            self.beats += not body["credit"]
        else:
            self.closed = body
        return 0

    async def until(self, condition, *, spend=True):
        """Read, as a browser that parses at once, until the condition holds."""
        while not condition():
            size = await self.step()
            if size and spend:
                self.grant(size)

    async def shows(self, text):
        wanted = text.encode()
        await self.until(lambda: wanted in self.output)

    async def said(self, kind):
        """Return the first text of a kind that was not returned before."""
        found = lambda: next((t for t in self.texts if t["type"] == kind), None)  # noqa: E731
        await self.until(found)
        message = found()
        self.texts.remove(message)
        return message

    async def close_code(self):
        await self.until(lambda: self.closed)
        return self.closed["code"]

    async def leave(self):
        self.writer.close()
        with contextlib.suppress(ConnectionError):
            await self.writer.wait_closed()
