"""The properties of each collection: the one table that parse, patches and dump follow."""

from __future__ import annotations

from dataclasses import MISSING, dataclass, fields
from typing import TYPE_CHECKING, Any

from topoweb.core.topology import fields as check
from topoweb.core.topology.model import Group, Interface, Link, Node, Note, Route

if TYPE_CHECKING:
    from collections.abc import Mapping

MTU_MIN, MTU_MAX = 68, 65535  # RFC 791 §3.2 and the kernel's ETH_MAX_MTU
EXTENT = 1e6  # canvas units; farther out nothing is found again
Item = Node | Interface | Link | Route | Note | Group
_place = check.number(-EXTENT, EXTENT)
_size = check.number(0, EXTENT)


@dataclass(frozen=True, slots=True)
class Schema:
    """A collection: its class, its checks by property, and how many objects it may hold."""

    type: type[Any]
    checks: Mapping[str, check.Check]
    limit: int
    references: tuple[tuple[str, str], ...] = ()  # (property, collection)

    @property
    def required(self) -> tuple[str, ...]:
        """Return the properties without a default."""
        return tuple(
            f.name
            for f in fields(self.type)
            if f.default is MISSING and f.default_factory is MISSING
        )


DOCUMENT: Mapping[str, check.Check] = {
    "name": check.text(120),
    "description": check.text(10_000, lines=True),
    "auto_address": check.boolean,
}

SCHEMAS: Mapping[str, Schema] = {
    "nodes": Schema(
        Node,
        {
            "kind": check.choice("host", "router", "switch"),
            "name": check.name,
            "x": _place,
            "y": _place,
            "forward_ipv4": check.boolean,
            "forward_ipv6": check.boolean,
            "stp": check.boolean,
            "ageing": check.integer(0, 1_000_000),
            "addresses": check.addresses,
            "lo_up": check.boolean,
        },
        limit=5_000,
    ),
    "interfaces": Schema(
        Interface,
        {
            "node": check.reference,
            "name": check.name,
            "mac": check.optional(check.mac),
            "mtu": check.integer(MTU_MIN, MTU_MAX),
            "up": check.boolean,
            "addresses": check.addresses,
            "bridged": check.boolean,
        },
        limit=40_000,
        references=(("node", "nodes"),),
    ),
    "links": Schema(
        Link,
        {
            "kind": check.choice("veth"),
            "a": check.reference,
            "b": check.reference,
            "up": check.boolean,
        },
        limit=20_000,
        references=(("a", "interfaces"), ("b", "interfaces")),
    ),
    "routes": Schema(
        Route,
        {
            "node": check.reference,
            "prefix": check.prefix,
            "via": check.optional(check.next_hop),
            "device": check.optional(check.reference),
            "metric": check.optional(check.integer(0, 2**32 - 1)),
        },
        limit=40_000,
        references=(("node", "nodes"), ("device", "interfaces")),
    ),
    "notes": Schema(
        Note,
        {
            "text": check.text(10_000, lines=True),
            "x": _place,
            "y": _place,
            "width": _size,
            "height": _size,
        },
        limit=5_000,
    ),
    "groups": Schema(
        Group,
        {
            "name": check.text(120),
            "x": _place,
            "y": _place,
            "width": _size,
            "height": _size,
            "color": check.choice("blue", "orange", "teal", "violet", "grey"),
        },
        limit=5_000,
    ),
}
