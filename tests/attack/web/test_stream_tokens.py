"""The stream socket between web and worker: tokens, frames, slow and greedy peers."""

from __future__ import annotations

import base64
import json
import struct
import time

import pytest

from tests.attack.register import attack, case
from tests.unit.test_streams import SECRET, Peer, make_token, serve  # noqa: F401 - a fixture
from topoweb.engine import streams
from topoweb.protocol.frames import Kind, Stream
from topoweb.protocol.stream import LENGTH, StreamToken, sign

OTHER = 2  # another user's lab


def part(value):
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def altered(**changes):
    """A genuine token with other words under its signature."""
    text, mac = make_token().split(".")
    body = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    return part(json.dumps({**body, **changes}).encode()) + "." + mac


def foreign(**changes):
    values = {"lab": OTHER, "user": 1, "stream": 1, "write": True, "expires": 2**40, "nonce": "n"}
    return sign(StreamToken(**{**values, **changes}), b"another secret of thirty-two byte")


TOKENS = {
    "none": lambda: None,
    "empty": lambda: "",
    "a-number": lambda: 5,
    "not-base64": lambda: "\xff.\xff",
    "no-signature": lambda: make_token().split(".")[0],
    "empty-signature": lambda: make_token().split(".")[0] + ".",
    "cut-signature": lambda: make_token()[:-8],
    "another-key": foreign,
    "empty-key": lambda: sign(StreamToken(lab=OTHER, user=1, stream=1, write=True, expires=2**40,
                                          nonce="n"), b""),
    "another-lab-under-its-signature": lambda: altered(lab=OTHER),
    "another-user-under-its-signature": lambda: altered(user=OTHER),
    "writing-under-its-signature": lambda: altered(write=True),
    "longer-life-under-its-signature": lambda: altered(expires=2**40),
    "expired": lambda: make_token(expires=int(time.time()) - 1),
    "of-another-stream": lambda: make_token(stream=Stream.TERMINAL),
    "two-tokens-in-one": lambda: make_token() + "." + make_token(),
    "deep-JSON": lambda: part(b"[" * 20_000) + "." + part(b"x" * 32),
}  # fmt: skip


@pytest.fixture
async def service(serve):  # noqa: F811 - the fixture
    """A service that keeps what it was asked for, and the way to connect to it."""

    class Service:
        opened = []

        @staticmethod
        async def handler(session):
            Service.opened.append(session.token)
            await session.send(b"secret")

    Service.opened = []
    Service.connect = staticmethod(await serve(Service.handler))
    return Service


@pytest.mark.parametrize(
    "token",
    [case(name, f"stream token: {name}", "CLOSE forbidden; no handler runs", make)
     for name, make in TOKENS.items()],
)  # fmt: skip
async def test_tokens(service, token):
    peer = await service.connect()
    await peer.send(Kind.OPEN, {"token": token(), "params": {}})
    await peer.send(Kind.CREDIT, {"credit": 4})
    assert await peer.closing() == "forbidden"
    assert service.opened == []


@attack("stream token: a genuine one used twice", "CLOSE forbidden the second time")
async def test_replay(service):
    token = make_token()
    for code in ("done", "forbidden"):
        peer = await service.connect()
        await peer.send(Kind.OPEN, {"token": token, "params": {}})
        await peer.send(Kind.CREDIT, {"credit": 4})
        assert await peer.closing() == code
    assert len(service.opened) == 1


@attack("stream token: a genuine one opens the frame's stream instead of its own", "forbidden")
async def test_another_stream_than_granted(service):
    peer = await service.connect()
    await peer.send(Kind.OPEN, {"token": make_token(), "params": {}}, Stream.TERMINAL)
    assert await peer.closing() == "forbidden"


FRAMES = {
    "length-4-GiB": struct.pack("<I", 2**32 - 1) + b"x",
    "length-over-64-KiB": struct.pack("<I", streams.MAX_INBOUND + 1),
    "length-zero": struct.pack("<I", 0),
    "shorter-than-its-header": struct.pack("<I", 3) + b"abc",
    "unknown-stream": LENGTH.pack(8) + struct.pack("<BBHI", 99, 1, 0, 0),
    "unknown-kind": LENGTH.pack(8) + struct.pack("<BBHI", 1, 99, 0, 0),
    "unknown-flags": LENGTH.pack(8) + struct.pack("<BBHI", 1, 1, 7, 0),
    "no-JSON": LENGTH.pack(10) + struct.pack("<BBHI", 1, 1, 0, 0) + b"{x",
    "deep-JSON": LENGTH.pack(60_008) + struct.pack("<BBHI", 1, 1, 0, 0) + b"[" * 60_000,
    "no-object": LENGTH.pack(10) + struct.pack("<BBHI", 1, 1, 0, 0) + b"[]",
    "data-before-open": LENGTH.pack(10) + struct.pack("<BBHI", 1, 2, 0, 0) + b"ls",
    "http": b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
}


@pytest.mark.parametrize(
    "data",
    [case(name, f"stream socket: a malformed first frame, {name}",
          "CLOSE invalid; no handler runs, the service stands", data)
     for name, data in FRAMES.items()],
)  # fmt: skip
async def test_frames(service, data):
    peer = await service.connect()
    peer.writer.write(data)
    assert await peer.closing() == "invalid"
    assert service.opened == []
    good = await service.connect()
    await good.open(credit=1)
    assert await good.closing() == "done"


BODIES = [b"{}", b"[]", b'{"credit": -1}', b'{"credit": "4"}', b'{"credit": 1.5}',
          b'{"credit": null}', b'{"credit": [1]}', b"x", b"[" * 50_000]  # fmt: skip


@attack("stream socket: credit that is no number of frames", "CLOSE invalid; the handler ends")
async def test_credit(serve):  # noqa: F811
    async def waits(session):
        await session.ready()

    connect = await serve(waits)
    for body in BODIES:
        peer = await connect()
        await peer.open()
        await peer.send(Kind.CREDIT, body)
        assert await peer.closing() == "invalid", body[:20]


@attack("stream socket: credit for 10^18 frames, none of which is read", "64 frames at most; CLOSE")
async def test_greedy_credit(serve, monkeypatch):  # noqa: F811
    monkeypatch.setattr(streams, "STALL", 0.2)
    sent = 0

    async def handler(session):
        nonlocal sent
        while True:
            await session.send(b"x" * 100_000)
            sent += 1

    peer = await (await serve(handler))()
    peer.reader._transport.pause_reading()
    await peer.open(credit=10**18)
    peer.reader._transport.resume_reading()
    while (await peer.receive()).kind is Kind.DATA and sent < streams.MAX_CREDIT:
        pass
    assert sent <= streams.MAX_CREDIT


@attack("stream socket, slow loris: connected, half a frame, silence", "CLOSE after five seconds")
async def test_slow_loris(serve, monkeypatch):  # noqa: F811
    monkeypatch.setattr(streams, "OPEN_WITHIN", 0.1)

    async def never(_session):
        raise AssertionError("opened")

    connect = await serve(never)
    for begun in (b"", b"\x40", struct.pack("<I", 64) + b"\x01\x01"):
        peer = await connect()
        peer.writer.write(begun)
        assert await peer.closing() == "invalid"


@attack("stream socket, slow loris: opened, then half a frame and silence", "CLOSE lost when idle")
async def test_silent_after_opening(serve):  # noqa: F811
    async def waits(session):
        await session.ready()

    peer = await (await serve(waits, idle=0.1))()
    await peer.open()
    peer.writer.write(b"\x40\x00")
    assert await peer.closing() == "lost"


@attack("stream socket: thousands of connections", "CLOSE limit beyond the ceiling; others go on")
async def test_too_many_connections(serve, monkeypatch):  # noqa: F811
    monkeypatch.setattr(streams, "MAX_SESSIONS", 4)

    async def echo(session):
        await session.send(b"here")

    connect = await serve(echo)
    idle = [await connect() for _ in range(4)]
    late = await connect()
    assert await late.closing() == "limit"
    await idle[0].open(credit=1)
    assert (await idle[0].receive()).payload == b"here"
