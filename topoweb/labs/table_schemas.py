"""A node's tables at a moment as types (docs/protocol.md "Tables at a hop")."""

from __future__ import annotations

from typing import Any, Literal

from topoweb.labs.schemas import Output


class TableRow(Output):
    """What every row says of itself besides its fields; ``new``: it was not there yet."""

    change: Literal["same", "changed", "gone", "new"]
    now: dict[str, Any] | None
    changed_at: float | None
    near: bool


class InterfaceRow(TableRow):
    """An interface."""

    interface: str
    up: bool
    carrier: bool
    mac: str | None
    mtu: int
    stp_state: str | None


class AddressRow(TableRow):
    """An address with its prefix length."""

    interface: str
    address: str


class ForwardingRow(TableRow):
    """Whether the node forwards a family, 4 or 6."""

    family: int
    on: bool


class RouteRow(TableRow):
    """A route of the main table."""

    prefix: str
    via: str | None
    interface: str
    metric: int
    protocol: str


class NeighbourRow(TableRow):
    """An ARP or neighbour discovery entry."""

    address: str
    interface: str
    mac: str | None
    state: str


class FdbRow(TableRow):
    """A MAC and the port behind which a switch believes it."""

    mac: str
    interface: str


class NodeTables(Output):
    """The tables of a node."""

    interfaces: list[InterfaceRow]
    addresses: list[AddressRow]
    forwarding: list[ForwardingRow]
    routes: list[RouteRow]
    neighbours: list[NeighbourRow]
    fdb: list[FdbRow]


class ConnectionRow(Output):
    """A tracked connection, with the answer that it awaits; ports are null for ICMP."""

    protocol: str
    state: str
    source: str
    target: str
    source_port: int | None
    target_port: int | None
    reply_source: str
    reply_target: str
    reply_source_port: int | None
    reply_target_port: int | None


class Connections(Output):
    """The tracked connections as of a moment: the kernel keeps no log of them."""

    as_of: float
    rows: list[ConnectionRow]


class TablesThen(Output):
    """A node's tables at a hop; not ``exact``: as of another moment, ``as_of``."""

    packet: int
    hop: int
    node: str
    interface: str
    time: float
    exact: bool
    as_of: float
    tables: NodeTables
    conntrack: Connections
