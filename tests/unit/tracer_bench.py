"""A tracer service over a scripted source, and the gateway's end of its streams."""

from __future__ import annotations

import asyncio
import json
import secrets
import threading
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from tests.fakes.facts import FakeFacts
from topoweb.core.tracing import pcapng
from topoweb.core.tracing.observation import Observation, Unseen
from topoweb.engine.streams import StreamServer
from topoweb.engine.tracing import Tracing
from topoweb.protocol.frames import Frame, Kind, Stream, decode, encode
from topoweb.protocol.stream import LENGTH, StreamToken, sign

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping
    from pathlib import Path

    from topoweb.core.tracing.explain.facts import Interface
SECRET = bytes(32)
MACS = bytes.fromhex("020000000002020000000001")  # the same on each cable
DEADLINE = 10.0


def frame(sequence: int, ttl: int = 64) -> bytes:
    """An ICMP echo request by hand."""
    body = b"\x08\0\0\0\0\x03" + sequence.to_bytes(2, "big") + b"topoweb"
    header = bytearray(b"\x45\0\0\0\0\0\x40\0\0\x01\0\0\x0a\0\x01\x0b\x0a\0\x02\x0b")
    header[2:4] = (20 + len(body)).to_bytes(2, "big")
    header[8] = ttl
    return MACS + b"\x08\0" + bytes(header) + body


def sighting(sequence: int, link: str = "l1", lab: int = 7, ttl: int = 64) -> Observation:
    data = frame(sequence, ttl)
    ends = {"l1": ("n1", "n2"), "l2": ("n2", "n3")}[link]
    at = 1_763_871_000_123_456_789 + sequence * 1000 + 64 - ttl
    return Observation(at, ends[0], "eth0", "tx", data, len(data), lab, link, "ab", ends[1])


ARP = MACS + b"\x08\x06\0\x01\x08\0\x06\x04\0\x01" + bytes(20)


class ScriptedSource:
    """Gives out what a test puts in, one list a poll."""

    tier = "scripted"

    def __init__(self) -> None:
        self.watched: set[int] = set()
        self.lost_packets = 0
        self.counted = Unseen()
        self.followed: set[tuple[int, str, str, int]] = set()
        self.whole: set[int] = set()
        self.closed = False
        self.failures = 0
        self._changed = threading.Condition()
        self._ready: list[Observation] = []
        self._woken = False

    def see(self, *seen: Observation) -> None:
        with self._changed:
            self._ready += seen
            self._changed.notify_all()

    def watch(self, lab: int) -> None:
        self.watched.add(lab)

    def unwatch(self, lab: int) -> None:
        self.watched.discard(lab)

    def poll(self, timeout: float) -> list[Observation]:
        with self._changed:
            self._changed.wait_for(lambda: self._ready or self._woken, timeout)
            self._woken = False
            if self.failures:
                self.failures -= 1
                raise OSError("scripted")
            ready, self._ready = self._ready, []
            return [one for one in ready if one.lab in self.watched]

    def lost(self, lab: int) -> int:
        return self.lost_packets

    def unseen(self, lab: int) -> Unseen:
        return self.counted

    def follow(self, lab: int, source: str, target: str, protocol: int) -> None:
        self.followed.add((lab, source, target, protocol))

    def unfollow(self, lab: int, source: str, target: str, protocol: int) -> None:
        self.followed.discard((lab, source, target, protocol))

    def take_whole(self, lab: int, wanted: bool) -> None:
        self.whole = {*self.whole, lab} if wanted else self.whole - {lab}

    def wake(self) -> None:
        with self._changed:
            self._woken = True
            self._changed.notify_all()

    def close(self) -> None:
        self.closed = True


class BenchFacts(FakeFacts):
    """Two hosts and the router between them; counts how many are open."""

    open = 0

    def __init__(self) -> None:
        super().__init__()
        type(self).open += 1
        self.broken = False
        self.node("n1", eth0="10.0.1.11/24")
        self.node("n2", forward=True, eth0="10.0.1.1/24", eth1="10.0.2.1/24")
        self.node("n3", eth0="10.0.2.11/24")
        self.cable("l1", "n1/eth0", "n2/eth0")
        self.cable("l2", "n2/eth1", "n3/eth0")
        self.add_route("n1", "0.0.0.0/0", "10.0.1.1")
        self.add_route("n3", "0.0.0.0/0", "10.0.2.1")
        for node, devices in self.devices.items():
            for name in devices:
                self.change(node, name, mac="")  # our frames carry the same everywhere

    def interfaces(self, node: str) -> Mapping[str, Interface]:
        if self.broken:
            raise OSError("scripted")
        return super().interfaces(node)

    def close(self) -> None:
        type(self).open -= 1


class Client:
    """The gateway's end of one stream."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, stream: Stream
    ) -> None:
        self.reader, self.writer, self.stream = reader, writer, stream

    def put(self, stream: Stream, kind: Kind, body: object) -> None:
        data = encode(Frame(stream, kind, 0, json.dumps(body).encode()))
        self.writer.write(LENGTH.pack(len(data)) + data)

    def credit(self, amount: int = 1) -> None:
        self.put(self.stream, Kind.CREDIT, {"credit": amount})

    async def frame(self) -> Frame:
        async with asyncio.timeout(DEADLINE):
            (size,) = LENGTH.unpack(await self.reader.readexactly(4))
            return decode(await self.reader.readexactly(size))

    async def message(self) -> dict[str, Any]:
        got = await self.frame()
        assert got.kind is Kind.DATA, got
        message: dict[str, Any] = json.loads(got.payload)
        return message

    async def rows(self, count: int) -> list[list[Any]]:
        """Read messages, returning a credit for each, until there are enough rows."""
        rows: list[list[Any]] = []
        while len(rows) < count:
            rows += (await self.message())["rows"]
            self.credit()
        return rows

    async def whole(self) -> tuple[bytes, dict[str, Any]]:
        """Return an answer's joined bytes and what CLOSE said."""
        body = b""
        while (got := await self.frame()).kind is Kind.DATA:
            body += got.payload
        return body, json.loads(got.payload)


class Bench:
    """A running tracer service over a scripted source."""

    def __init__(
        self,
        path: Path,
        linger: float,
        facts: Callable[[int], BenchFacts] | None = None,
        **options: Any,
    ) -> None:
        self.source = ScriptedSource()
        facts = facts or (lambda lab: BenchFacts())
        self.tracing = Tracing(self.source, pcapng.blocks, facts=facts, linger=linger, **options)
        self.server = StreamServer(self.tracing.handlers, SECRET)
        self.path = path
        self.writers: list[asyncio.StreamWriter] = []

    async def open(
        self, stream: Stream, params: object = None, lab: int = 7, credit: int = 4
    ) -> Client:
        reader, writer = await asyncio.open_unix_connection(self.path)
        self.writers.append(writer)
        client = Client(reader, writer, stream)
        token = StreamToken(
            lab=lab, user=1, stream=stream, write=False,
            expires=int(time.time()) + 60, nonce=secrets.token_hex(8),
        )  # fmt: skip
        client.put(stream, Kind.OPEN, {"token": sign(token, SECRET), "params": params or {}})
        client.put(stream, Kind.CREDIT, {"credit": credit})
        return client

    async def watch(self, params: object = None, lab: int = 7, credit: int = 4) -> Client:
        """Open PACKETS and read the first message: the capture runs."""
        client = await self.open(Stream.PACKETS, params, lab, credit)
        first = await client.message()
        assert first == {"gap": 0, "lost": 0, "tier": "scripted", "kept": True, "rows": []}
        return client

    async def query(self, **params: object) -> tuple[Any, dict[str, Any]]:
        client = await self.open(Stream.QUERY, params, credit=64)
        body, close = await client.whole()
        return json.loads(body) if body else None, close

    async def until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(DEADLINE):
            while not holds():  # noqa: ASYNC110 - what it waits for has no event
                await asyncio.sleep(0.002)


@asynccontextmanager
async def running(
    tmp_path: Path,
    linger: float = 0.05,
    facts: Callable[[int], BenchFacts] | None = None,
    **options: Any,
) -> AsyncIterator[Bench]:
    """``options`` are those of `Tracing`."""
    bench = Bench(tmp_path / "t.sock", linger, facts, **options)
    await bench.server.start(bench.path)
    bench.tracing.start()
    try:
        yield bench
    finally:
        for writer in bench.writers:
            writer.close()
        await bench.server.stop()
        await bench.tracing.stop()
        assert bench.source.closed
        names = {"capture", "explainer"}
        assert not [one for one in threading.enumerate() if one.name in names]
        assert BenchFacts.open == 0
