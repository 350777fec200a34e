"""The lab's socket as a browser has it, and a worker as far as its streams go."""

from __future__ import annotations

import asyncio
import contextlib
import json

import pytest
from asgiref.sync import sync_to_async
from channels.testing import WebsocketCommunicator
from django.test import Client

from topoweb.engine.feeds import ConflatingFeed
from topoweb.engine.streams import StreamServer
from topoweb.gateway.routing import websocket_application
from topoweb.labs.streamclient import stream_key
from topoweb.protocol import frames
from topoweb.protocol.frames import Stream

ORIGIN = (b"origin", b"http://localhost")
in_thread = sync_to_async


@pytest.fixture
async def connect(owner):
    """Open a socket as the owner, or as given; all are closed at the end."""
    opened = []

    async def start(lab, headers=None, path=None):
        if headers is None:
            headers = [ORIGIN, await in_thread(cookie_of)(owner)]
        number = lab if isinstance(lab, int) else lab.pk
        socket = WebsocketCommunicator(websocket_application, path or f"/ws/labs/{number}", headers)
        opened.append(socket)
        connected, _ = await socket.connect(timeout=5)
        return socket if connected else None

    yield start
    for socket in opened:
        with contextlib.suppress(asyncio.CancelledError):
            await socket.disconnect(timeout=5)


def cookie_of(user):
    client = Client()
    client.force_login(user)
    return b"cookie", f"sessionid={client.cookies['sessionid'].value}".encode()


async def said(socket, kind):
    """Return the next message of a kind, passing over others."""
    async with asyncio.timeout(5):
        while (message := json.loads(await socket.receive_from(5)))["type"] != kind:
            pass
    return message


async def frame_of(socket):
    """Return the next binary frame, passing over text."""
    async with asyncio.timeout(5):
        while True:
            event = await socket.receive_output(5)
            if event.get("bytes") is not None:
                return frames.decode(event["bytes"])


async def close_code(socket):
    async with asyncio.timeout(10):
        while True:
            event = await socket.receive_output(10)
            if event["type"] == "websocket.close":
                return event["code"]


async def say(socket, **message):
    await socket.send_to(text_data=json.dumps(message))


@pytest.fixture
async def worker(run_directory):
    """A worker as far as streams go: one feed whose state is a number."""

    class Worker:
        value = 0
        opened = []
        server = None

        def __init__(self):
            self.feed = ConflatingFeed(
                lambda: {"n": self.value, "full": True},
                lambda _older, newer: newer,
                lambda message: (json.dumps(message).encode(),),
            )

        def publish(self, value):
            self.value = value
            self.feed.publish({"n": value})

        async def live(self, session):
            self.opened.append((session.token, session.params))
            reader = self.feed.subscribe()
            while True:
                await session.ready()
                for payload in await reader.take():
                    await session.send(payload)

        async def start(self):
            self.server = StreamServer({Stream.LIVE: self.live}, stream_key())
            await self.server.start(run_directory / "worker.sock")

        async def stop(self):
            await self.server.stop()

    one = Worker()
    await one.start()
    yield one
    await one.stop()
