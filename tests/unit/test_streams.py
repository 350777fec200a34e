"""The stream socket: what is refused, and what a slow or dead reader costs."""

from __future__ import annotations

import asyncio
import itertools
import json
import time
import tracemalloc

import pytest

from topoweb.core.errors import ErrorKind, TopowebError
from topoweb.core.tracing.flow import CreditWindow, GapRing
from topoweb.engine.feeds import ConflatingFeed, GapFeed
from topoweb.engine.streams import MAX_INBOUND, StreamServer
from topoweb.protocol import frames
from topoweb.protocol.frames import Frame, Kind, Stream
from topoweb.protocol.stream import LENGTH, StreamToken, sign

SECRET = b"s" * 32
_nonces = itertools.count()


def make_token(**changes):
    values = {
        "lab": 1,
        "user": 1,
        "stream": Stream.LIVE,
        "write": False,
        "expires": int(time.time()) + 60,
        "nonce": str(next(_nonces)),
    }
    return sign(StreamToken(**{**values, **changes}), SECRET)


class Peer:
    """The gateway's end, frame by frame."""

    def __init__(self, reader, writer):
        self.reader, self.writer = reader, writer

    @classmethod
    async def connect(cls, path):
        return cls(*await asyncio.open_unix_connection(path, limit=1 << 21))

    async def send(self, kind, body, stream=Stream.LIVE):
        payload = body if isinstance(body, bytes) else json.dumps(body).encode()
        data = frames.encode(Frame(stream, kind, 0, payload))
        self.writer.write(LENGTH.pack(len(data)) + data)
        await self.writer.drain()

    async def receive(self):
        async with asyncio.timeout(5):
            (length,) = LENGTH.unpack(await self.reader.readexactly(4))
            return frames.decode(await self.reader.readexactly(length))

    async def open(self, credit=0, stream=Stream.LIVE, params=None, **changes):
        token = make_token(stream=stream, **changes)
        await self.send(Kind.OPEN, {"token": token, "params": params or {}}, stream)
        if credit:
            await self.send(Kind.CREDIT, {"credit": credit}, stream)

    async def closing(self):
        """Read until CLOSE and return its code."""
        while (frame := await self.receive()).kind is not Kind.CLOSE:
            pass
        return json.loads(frame.payload)["code"]

    def close(self):
        self.writer.close()


@pytest.fixture
async def serve(tmp_path):
    servers, peers = [], []

    async def start(handler, **options):
        server = StreamServer({Stream.LIVE: handler}, SECRET, **options)
        await server.start(tmp_path / "s.sock")
        servers.append(server)

        async def connect():
            peers.append(await Peer.connect(tmp_path / "s.sock"))
            return peers[-1]

        return connect

    yield start
    for peer in peers:
        peer.close()
    for server in servers:
        await server.stop()
    assert not (tmp_path / "s.sock").exists()


async def ended(_session):
    """A handler with nothing to say."""


async def test_answer_then_done(serve):
    async def handler(session):
        assert session.token.lab == 1
        await session.send_all(json.dumps(session.params).encode())

    peer = await (await serve(handler))()
    await peer.open(credit=1, params={"a": 1})
    frame = await peer.receive()
    assert (frame.kind, frame.stream, frame.payload) == (Kind.DATA, Stream.LIVE, b'{"a": 1}')
    assert await peer.closing() == "done"


async def test_large_answer_comes_in_pieces(serve):
    data = bytes(range(256)) * 10_000

    async def handler(session):
        await session.send_all(data)

    peer = await (await serve(handler))()
    await peer.open(credit=8)
    pieces = [await peer.receive() for _ in range(3)]
    assert b"".join(p.payload for p in pieces) == data
    assert [p.sequence for p in pieces] == [0, 1, 2]


@pytest.mark.parametrize(
    "token",
    [
        "",
        "x.y",
        "=.=",
        None,
        5,
        lambda: make_token()[:-4] + "AAAA",
        lambda: make_token(expires=int(time.time()) - 1),
        lambda: make_token(stream=Stream.PACKETS),
        lambda: sign(
            StreamToken(lab=1, user=1, stream=1, write=False, expires=2**40, nonce="n"), b"other"
        ),
    ],
)
async def test_refused_token(serve, token):
    peer = await (await serve(ended))()
    await peer.send(Kind.OPEN, {"token": token() if callable(token) else token})
    assert await peer.closing() == "forbidden"


async def test_replayed_token(serve):
    connect = await serve(ended)
    token = make_token()
    for expected in ("done", "forbidden"):
        peer = await connect()
        await peer.send(Kind.OPEN, {"token": token})
        assert await peer.closing() == expected


async def test_expired_nonces_are_forgotten(serve):
    now = time.time()
    connect = await serve(ended, clock=lambda: now)
    token = make_token(expires=int(now) + 1)
    for step, expected in ((0, "done"), (10, "forbidden")):
        now += step
        peer = await connect()
        await peer.send(Kind.OPEN, {"token": token})
        assert await peer.closing() == expected


@pytest.mark.parametrize(
    "wire",
    [
        LENGTH.pack(MAX_INBOUND + 1),
        LENGTH.pack(3) + b"abc",
        LENGTH.pack(8) + frames.HEADER.pack(1, 99, 0, 0),
        LENGTH.pack(8) + frames.HEADER.pack(77, 1, 0, 0),
        LENGTH.pack(8) + frames.HEADER.pack(1, 1, 5, 0),
        LENGTH.pack(10) + frames.HEADER.pack(1, 1, 0, 0) + b"[]",
        LENGTH.pack(9 + 20_000) + frames.HEADER.pack(1, 1, 0, 0) + b"[" * 20_001,
        LENGTH.pack(10) + frames.HEADER.pack(1, 3, 0, 0) + b"{}",
    ],
)
async def test_malformed_opening(serve, wire):
    peer = await (await serve(ended))()
    peer.writer.write(wire)
    assert await peer.closing() == "invalid"


async def test_silence_before_open(serve, monkeypatch):
    monkeypatch.setattr("topoweb.engine.streams.OPEN_WITHIN", 0.05)
    peer = await (await serve(ended))()
    assert await peer.closing() == "invalid"


async def test_silent_peer_is_dropped_and_heartbeat_is_answered(serve):
    async def handler(_session):
        await asyncio.Event().wait()

    peer = await (await serve(handler, idle=0.3))()
    await peer.open()
    await peer.send(Kind.CREDIT, {"credit": 0})
    frame = await peer.receive()
    assert (frame.kind, json.loads(frame.payload)) == (Kind.CREDIT, {"credit": 0})
    assert await peer.closing() == "lost"


@pytest.mark.parametrize("credit", [-1, 1.5, "4", None])
async def test_bad_credit(serve, credit):
    async def handler(_session):
        await asyncio.Event().wait()

    peer = await (await serve(handler))()
    await peer.open()
    await peer.send(Kind.CREDIT, {"credit": credit})
    assert await peer.closing() == "invalid"


async def test_nothing_is_sent_without_credit(serve):
    sent = 0
    waiting = asyncio.Event()

    async def handler(session):
        nonlocal sent
        for _ in range(5):
            if sent == 2:
                waiting.set()
            await session.send(b"x")
            sent += 1

    peer = await (await serve(handler))()
    await peer.open(credit=2)
    async with asyncio.timeout(5):
        await waiting.wait()
    await asyncio.sleep(0)
    assert sent == 2
    await peer.send(Kind.CREDIT, {"credit": 3})
    assert await peer.closing() == "done"
    assert sent == 5


async def test_dead_peer_cancels_the_handler(serve):
    started, cancelled = asyncio.Event(), asyncio.Event()

    async def handler(_session):
        started.set()
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    peer = await (await serve(handler))()
    await peer.open()
    async with asyncio.timeout(5):
        await started.wait()
        peer.close()
        await cancelled.wait()


async def test_reader_that_leaves_its_socket_full_is_dropped(serve, monkeypatch):
    monkeypatch.setattr("topoweb.engine.streams.STALL", 0.1)
    failure = asyncio.get_running_loop().create_future()

    async def handler(session):
        try:
            while True:
                await session.send(b"x" * frames.MAX_PAYLOAD)
        except TopowebError as error:
            failure.set_result(error.kind)
            raise

    peer = await (await serve(handler))()
    peer.writer.transport.pause_reading()
    await peer.open(credit=64)
    async with asyncio.timeout(5):
        assert await failure is ErrorKind.LOST


async def test_errors_of_the_handler_are_named_but_not_leaked(serve):
    async def handler(session):
        if session.params.get("typed"):
            raise TopowebError(ErrorKind.NOT_FOUND, "no such packet")
        raise ZeroDivisionError("secret")

    connect = await serve(handler)
    peer = await connect()
    await peer.open(params={"typed": True})
    frame = await peer.receive()
    assert json.loads(frame.payload) == {"code": "not_found", "reason": "no such packet"}
    peer = await connect()
    await peer.open()
    frame = await peer.receive()
    assert json.loads(frame.payload) == {"code": "internal", "reason": "the stream failed"}


async def test_slow_reader_gets_the_newest_state_and_memory_stays_flat(serve):
    value = 0
    feed = ConflatingFeed(
        snapshot=lambda: {"n": value, "full": True},
        merge=lambda _old, new: new,
        encode=lambda d: (json.dumps(d).encode().ljust(4096),),
    )

    async def handler(session):
        reader = feed.subscribe()
        while True:
            await session.ready()
            for payload in await reader.take():
                await session.send(payload)

    peer = await (await serve(handler))()
    await peer.open(credit=1)
    assert json.loads((await peer.receive()).payload) == {"n": 0, "full": True}
    tracemalloc.start()
    for value in range(1, 20_001):
        feed.publish({"n": value})
        if value % 500 == 0:
            await asyncio.sleep(0)
    assert tracemalloc.get_traced_memory()[0] < 200_000
    tracemalloc.stop()
    await peer.send(Kind.CREDIT, {"credit": 1})
    assert json.loads((await peer.receive()).payload)["n"] == 20_000


async def test_messages_are_encoded_once_for_all_readers():
    encoded = []
    feed = ConflatingFeed(
        snapshot=lambda: "all",
        merge=lambda old, new: old + new,
        encode=lambda d: (encoded.append(d) or d.encode(),),
    )
    readers = [feed.subscribe() for _ in range(40)]
    assert {await r.take() for r in readers} == {(b"all",)}
    feed.publish("a")
    assert {await r.take() for r in readers[:20]} == {(b"a",)}
    feed.publish("b")
    assert {await r.take() for r in readers[:20]} == {(b"b",)}
    assert {await r.take() for r in readers[20:]} == {(b"ab",)}
    assert encoded == ["all", "a", "b", "ab"]


async def test_a_reader_too_far_behind_gets_a_snapshot():
    feed = ConflatingFeed(
        snapshot=lambda: "S",
        merge=lambda old, new: old + new,
        encode=lambda d: (d.encode(),),
        history=4,
    )
    reader = feed.subscribe()
    await reader.take()
    for letter in "abcde":
        feed.publish(letter)
    assert await reader.take() == (b"S",)


async def test_gap_feed_counts_what_a_slow_reader_missed():
    feed = GapFeed(capacity=100)
    feed.publish(range(10))
    reader, late = feed.subscribe(), feed.subscribe(backlog=5)
    assert late.take(100) == (0, [5, 6, 7, 8, 9])
    feed.publish(range(10, 260))
    gap, items = reader.take(40)
    assert (gap, items) == (150, list(range(160, 200)))
    seen = [*items]
    while len(seen) < 100:
        gap, items = reader.take(40)
        assert gap == 0
        seen += items
    assert seen == list(range(160, 260))
    assert not reader.waiting()
    assert reader.take(40) == (0, [])
    waiting = asyncio.ensure_future(feed.arrival.wait())
    await asyncio.sleep(0)
    feed.publish([1000])
    await waiting
    assert reader.waiting()
    assert reader.take(40) == (0, [1000])


def test_credit_is_bounded():
    window = CreditWindow(8)
    assert not window.spend()
    window.grant(10**9)
    assert sum(window.spend() for _ in range(20)) == 8


def test_ring_reads_in_pieces():
    ring = GapRing(3)
    ring.extend("abcde")
    assert ring.read(0, 2) == (2, ["c", "d"], 4)
    assert ring.read(4, 2) == (0, ["e"], 5)
    assert ring.read(5, 2) == (0, [], 5)
