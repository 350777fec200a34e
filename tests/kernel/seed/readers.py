"""Readers of the product's two streams, as the gateway is one: they keep what was sent."""

from __future__ import annotations

import asyncio
import json
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

DEADLINE = 15.0  # seconds for what must come


class Reader:
    """A session of the stream server with credit without end."""

    def __init__(self, lab: int, **params: Any) -> None:
        self.token = SimpleNamespace(lab=lab)
        self.params = params
        self._news = asyncio.Condition()

    async def ready(self) -> None:
        """Take whatever comes."""

    async def send(self, payload: bytes) -> None:
        async with self._news:
            self.take(json.loads(payload))
            self._news.notify_all()

    send_all = send

    async def until(
        self, holds: Callable[[], object], what: str, deadline: float = DEADLINE
    ) -> None:
        """Return once it holds; it is asked again after each message."""
        try:
            async with asyncio.timeout(deadline), self._news:
                await self._news.wait_for(lambda: bool(holds()))
        except TimeoutError:
            raise AssertionError(f"{what}: not within {deadline} s") from None

    def take(self, message: Any) -> None:
        raise NotImplementedError


class Answer(Reader):
    """Takes the answer of a query."""

    body: Any = None

    def take(self, message: Any) -> None:
        self.body = message


class File(Reader):
    """Takes a download."""

    def __init__(self, lab: int, **params: Any) -> None:
        super().__init__(lab, **params)
        self.data = bytearray()

    async def send(self, payload: bytes) -> None:
        self.data += payload


class Live(Reader):
    """The canvas: nodes and links as the LIVE stream says they are."""

    def __init__(self, lab: int) -> None:
        super().__init__(lab)
        self.nodes: dict[str, dict[str, Any]] = {}
        self.links: dict[str, dict[str, Any]] = {}

    def take(self, message: Any) -> None:
        if message["full"]:
            self.nodes, self.links = {}, {}
        for mine, news in (self.nodes, message["nodes"]), (self.links, message["links"]):
            mine.update(news)
            for key in [key for key, value in news.items() if value is None]:
                del mine[key]

    def node(self, key: str) -> dict[str, Any]:
        """Return a node; an empty one when it is not shown."""
        return self.nodes.get(key, {})

    def link(self, key: str) -> str | None:
        """Return a link's state; None when it is not shown."""
        return self.links.get(key, {}).get("state")

    def interface(self, place: str) -> dict[str, Any]:
        """Return "net1:veth0"; an empty one when it is not shown."""
        node, _, name = place.partition(":")
        interfaces: dict[str, dict[str, Any]] = self.node(node).get("interfaces", {})
        return interfaces.get(name, {})

    def state(self, place: str) -> str | None:
        return self.interface(place).get("state")

    def routes(self, node: str) -> set[tuple[str, str | None, str]]:
        """Return (prefix, next hop, device) of the IPv4 routes that are shown."""
        shown = self.node(node).get("routes", [])
        return {
            (one["prefix"], one["via"], one["device"]) for one in shown if ":" not in one["prefix"]
        }

    def neighbours(self, node: str) -> dict[str, str]:
        shown = self.node(node).get("neighbours", [])
        return {one["address"]: one["mac"] for one in shown}

    def fdb(self, node: str) -> set[tuple[str, str]]:
        """Return (MAC, port)."""
        return {(one["mac"], one["port"]) for one in self.node(node).get("fdb", [])}


class Row(NamedTuple):
    """A row of the packet list (docs/protocol.md, "PACKETS payload")."""

    number: int
    time: float
    link: str
    along: str
    packet: int
    protocol: str
    source: str
    destination: str
    info: str
    length: int
    flags: str

    @property
    def ttl(self) -> int:
        return int(self.info.rpartition("ttl ")[2])

    @property
    def hop(self) -> tuple[str, str, str]:
        return self.link, self.source, self.destination


class Rows(list[Row]):
    """Some rows, and what can be asked of them."""

    def on(self, link: str) -> Rows:
        return Rows(row for row in self if row.link == link)

    def icmp(self) -> Rows:
        return Rows(row for row in self if row.protocol == "ICMP")

    def arp(self) -> Rows:
        return Rows(row for row in self if row.protocol == "ARP")

    def requests(self) -> Rows:
        return Rows(row for row in self.icmp() if row.info.startswith("echo request"))

    def replies(self) -> Rows:
        return Rows(row for row in self.icmp() if row.info.startswith("echo reply"))

    def hops(self) -> list[tuple[str, str, str]]:
        """Return each (link, source, destination) once, in the order of first sight."""
        return list(dict.fromkeys(row.hop for row in self))


class Packets(Reader):
    """The packet list."""

    def __init__(self, lab: int) -> None:
        super().__init__(lab)
        self.rows = Rows()
        self.started = False

    def take(self, message: Any) -> None:
        assert message["gap"] == message["lost"] == 0
        self.started = True
        self.rows += [Row(*row) for row in message["rows"]]
