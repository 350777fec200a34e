"""Terminals as a browser has them: `manage.py serve`, its HTTP API and its WebSocket."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
import urllib.request
from http.cookiejar import CookieJar
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from autobahn.asyncio.websocket import WebSocketClientFactory, WebSocketClientProtocol

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.browser.product import Product

DEADLINE = 60.0  # seconds
PROMPT = b"\x1b[1;"
KEPT = 65_536  # bytes of output
WINDOW = 16_384  # bytes after which credit goes back, as the page does it


class Server:
    """A running product, signed in."""

    def __init__(self, product: Product) -> None:
        self.origin = product.origin
        self._jar = CookieJar()
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self._jar))
        self._opener.open(product.address).read()
        self._csrf = self.call("GET", "/session")["csrf"]

    @property
    def cookie(self) -> str:
        return "; ".join(f"{one.name}={one.value}" for one in self._jar)

    def call(self, method: str, path: str, body: object = None) -> Any:
        """Return the JSON answer of the API."""
        headers = {"Content-Type": "application/json", "Referer": self.origin}
        if method != "GET":
            headers["X-CSRFToken"] = self._csrf
        data = None if body is None else json.dumps(body).encode()
        url = f"{self.origin}/api/v1{path}"
        request = urllib.request.Request(url, data=data, headers=headers, method=method)
        with self._opener.open(request, timeout=DEADLINE) as answer:
            return json.loads(answer.read() or b"null")

    def run(self, document: object) -> int:
        """Make a lab and return its id once it runs."""
        lab = int(self.call("POST", "/labs", {"document": document})["id"])
        self.call("POST", f"/labs/{lab}/run", {})
        until = time.monotonic() + DEADLINE
        while (status := self.call("GET", f"/labs/{lab}/status"))["phase"] != "running":
            assert status["phase"] != "failed", status
            assert time.monotonic() < until, status
            time.sleep(0.05)
        return lab

    @contextlib.asynccontextmanager
    async def socket(self, lab: int) -> AsyncIterator[Socket]:
        """A terminal socket that has not opened its terminal yet."""
        where = urlsplit(self.origin)
        factory = WebSocketClientFactory(
            f"ws://{where.netloc}/ws/labs/{lab}/terminal",
            origin=self.origin,
            headers={"Cookie": self.cookie},
        )
        factory.protocol = Socket
        loop = asyncio.get_running_loop()
        transport, socket = await loop.create_connection(factory, where.hostname, where.port)
        try:
            await asyncio.wait_for(socket.standing.wait(), DEADLINE)
            yield socket
        finally:
            transport.close()


class Socket(WebSocketClientProtocol):  # type: ignore[misc]
    """One terminal; parses at once and gives credit back in lumps."""

    def __init__(self) -> None:
        super().__init__()
        self.standing = asyncio.Event()
        self.news = asyncio.Event()
        self.output = bytearray()
        self.received = 0
        self.texts: list[dict[str, Any]] = []
        self.owed = 0  # bytes read that were not given back
        self.patient = False  # keeps all output, and gives credit back when it is told to
        self.notices = False  # they are no fault

    def onOpen(self) -> None:  # noqa: N802 - autobahn's names
        self.standing.set()

    def onMessage(self, payload: bytes, isBinary: bool) -> None:  # noqa: N802, N803
        if isBinary:
            self.output += payload
            self.received += len(payload)
            self.owed += len(payload)
            if not self.patient:
                del self.output[:-KEPT]
                if self.owed >= WINDOW:
                    self.give_back()
        else:
            self.texts.append(json.loads(payload))
        self.news.set()

    def give_back(self) -> None:
        self.tell(type="credit", bytes=self.owed)
        self.owed = 0

    def tell(self, **message: object) -> None:
        self.sendMessage(json.dumps(message).encode())

    def type(self, data: bytes) -> None:
        self.sendMessage(data, isBinary=True)

    def open(self, node: str) -> None:
        self.tell(type="open", node=node, terminal=None, columns=80, rows=24)

    async def until(self, condition: Any) -> None:
        async with asyncio.timeout(DEADLINE):
            while not condition():
                faults = [t for t in self.texts if t["type"] in ("notice", "ended")]
                assert self.notices or not faults, faults
                self.news.clear()
                await self.news.wait()

    async def shell(self, node: str) -> None:
        """Open a terminal and wait for its prompt."""
        self.open(node)
        await self.until(lambda: PROMPT in self.output)

    async def echo(self, number: int) -> float:
        """Press a key; ms until it shows."""
        key = b"abcdefgh"[number % 8 : number % 8 + 1]
        self.output.clear()
        begun = time.perf_counter()
        self.type(key)
        await self.until(lambda: key in self.output)
        return (time.perf_counter() - begun) * 1e3


async def echoes(socket: Socket, count: int) -> list[float]:
    """Return the times of ``count`` keys, ms, sorted; pressed as a quick typist does."""
    samples = []
    for number in range(count):
        samples.append(await socket.echo(number))
        await asyncio.sleep(0.04)
        if number % 40 == 39:
            socket.type(b"\x15")  # readline: kill the line
            await asyncio.sleep(0.1)
    return sorted(samples)


def hosts(count: int) -> dict[str, object]:
    """Return the document of a switch with hosts around it."""
    nodes: dict[str, object] = {"s": {"kind": "switch", "name": "s"}}
    interfaces, links = {}, {}
    for n in range(count):
        nodes[f"n{n}"] = {"kind": "host", "name": f"h{n}"}
        interfaces[f"i{n}"] = {
            "node": f"n{n}",
            "name": "eth0",
            "addresses": [f"10.30.{n // 250}.{n % 250 + 1}/16"],
        }
        interfaces[f"p{n}"] = {"node": "s", "name": f"p{n}"}
        links[f"l{n}"] = {"a": f"i{n}", "b": f"p{n}"}
    head = {"format": "topoweb", "version": 1, "name": "terminals", "auto_address": False}
    return {**head, "nodes": nodes, "interfaces": interfaces, "links": links}
