"""The terminal socket as a browser has it, and a worker as far as terminals go."""

from __future__ import annotations

import asyncio
import contextlib
import json

import pytest
from asgiref.sync import sync_to_async
from channels.testing import WebsocketCommunicator
from django.test import Client

from tests.fakes.sandboxes import LocalSandboxes
from topoweb.core.plan.state import LabState, NamespaceState
from topoweb.core.topology.model import Node, Topology
from topoweb.engine.streams import StreamServer
from topoweb.engine.terminals import TerminalService
from topoweb.gateway.routing import websocket_application
from topoweb.labs.streamclient import stream_key
from topoweb.protocol.frames import Stream

ORIGIN = (b"origin", b"http://localhost")
PATIENCE = 10
in_thread = sync_to_async
OPEN = {"type": "open", "node": "n1", "terminal": None, "columns": 80, "rows": 24}


class Browser:
    """A terminal socket as the browser has it."""

    def __init__(self, socket):
        self.socket = socket
        self.texts, self.output = [], bytearray()
        self.code = None
        self.spends = True

    async def tell(self, **message):
        await self.socket.send_to(text_data=json.dumps(message))

    async def open(self, **changes):
        await self.tell(**{**OPEN, **changes})

    async def type(self, text):
        await self.socket.send_to(bytes_data=text.encode() if isinstance(text, str) else text)

    async def step(self):
        event = await self.socket.receive_output(PATIENCE)
        if event["type"] == "websocket.close":
            self.code = event.get("code")
        elif (data := event.get("bytes")) is not None:
            self.output += data
            if self.spends:
                await self.tell(type="credit", bytes=len(data))
        else:
            self.texts.append(json.loads(event["text"]))

    async def until(self, condition):
        async with asyncio.timeout(PATIENCE):
            while not condition():
                assert self.code is None, f"closed with {self.code}, {self.texts}"
                await self.step()

    async def shows(self, text):
        await self.until(lambda: text.encode() in self.output)

    async def said(self, kind):
        """Return the first text of a kind not returned before."""
        found = lambda: next((t for t in self.texts if t["type"] == kind), None)  # noqa: E731
        await self.until(found)
        self.texts.remove(message := found())
        return message

    async def closes(self):
        async with asyncio.timeout(PATIENCE):
            while self.code is None:
                await self.step()
        return self.code

    def taken(self):
        return sum(text["bytes"] for text in self.texts if text["type"] == "credit")


class Worker:
    """A worker as far as terminals go; its labs run."""

    def __init__(self, run_directory, lab):
        self.path, self.lab = run_directory / "worker.sock", lab
        self.sandboxes = LocalSandboxes()
        self.program()

    def program(self, *arguments):
        self.sandboxes.program = arguments or ("/bin/sh", "-c", "echo ready; exec cat")

    async def start(self):
        self.service = TerminalService(self.sandboxes, shell="/bin/sh")
        self.server = StreamServer({Stream.TERMINAL: self.service.stream}, stream_key())
        await self.server.start(self.path)
        nodes = {node: Node(kind="host", name=node) for node in ("n1", "n2")}
        desired = LabState(namespaces={node: NamespaceState() for node in nodes})
        self.service.desired(self.lab, Topology(nodes=nodes), desired)

    async def stop(self):
        await self.server.stop()
        await self.service.stop()


@pytest.fixture
async def worker(run_directory, lab):
    one = Worker(run_directory, lab.pk)
    await one.start()
    yield one
    await one.stop()
    assert not one.sandboxes.left()


@pytest.fixture
async def connect(owner, lab):
    opened = []

    async def start(user=owner, headers=None):
        if headers is None:
            headers = [ORIGIN, await in_thread(cookie_of)(user)]
        path = f"/ws/labs/{lab.pk}/terminal"
        socket = WebsocketCommunicator(websocket_application, path, headers)
        opened.append(socket)
        connected, _ = await socket.connect(timeout=5)
        return Browser(socket) if connected else None

    yield start
    for socket in opened:
        with contextlib.suppress(asyncio.CancelledError):
            await socket.disconnect(timeout=5)


def cookie_of(user):
    client = Client()
    client.force_login(user)
    return b"cookie", f"sessionid={client.cookies['sessionid'].value}".encode()


async def at_work(connect, *, ready="ready\r\n", **changes):
    """A browser with an open terminal that echoes lines.

    It has seen the program's whole first line: a terminal writes text and line end apart, and the
    echo of what is typed meanwhile would come between them.
    """
    browser = await connect()
    await browser.open(**changes)
    await browser.shows(ready)
    return browser
