"""The properties of each collection: the one table that parse, patches and dump follow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from topoweb.core.topology import fields as check
from topoweb.core.topology.bridge_port import bridge_port
from topoweb.core.topology.interfaces import INTERFACE_KINDS
from topoweb.core.topology.model import Group, Interface, Link, Node, Note, Route, Service
from topoweb.core.topology.services import KINDS, dump_options

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

MTU_MIN, MTU_MAX = 68, 65535  # RFC 791 §3.2 and the kernel's ETH_MAX_MTU
EXTENT = 1e6  # canvas units; farther out nothing is found again
Item = Node | Interface | Link | Route | Note | Group | Service
Properties = dict[str, Any]
_place = check.number(-EXTENT, EXTENT)
_size = check.number(0, EXTENT)


@dataclass(frozen=True, slots=True)
class Schema:
    """A collection: its class, its checks by property, and how many objects it may hold.

    ``complete`` reads the properties whose meaning depends on others of the object, of which the
    second argument is the present value; FieldError names the place.
    """

    type: type[Any]
    checks: Mapping[str, check.Check]
    limit: int
    references: tuple[tuple[str, str], ...] = ()  # (property, collection)
    complete: Callable[[Properties, Any], Properties] | None = None

    @property
    def required(self) -> tuple[str, ...]:
        """Return the properties without a default."""
        return check.required_fields(self.type)


def _typed_options(properties: Properties, present: Service | None) -> Properties:
    """Read a service's options by its kind."""
    if "kind" not in properties and "options" not in properties:
        return properties
    kind = properties.get("kind") or (present.kind if present else "")
    raw = properties.get("options", dump_options(present.options) if present else None)
    if kind not in KINDS or raw is None:
        return properties  # the fault is reported already
    return _with_options(properties, KINDS[kind], raw)


def _options_of_interface(properties: Properties, present: Interface | None) -> Properties:
    """Read an interface's options by its kind; a new kind begins with its defaults."""
    if "kind" not in properties and "options" not in properties and present is not None:
        return properties
    kind = properties.get("kind") or (present.kind if present else "port")
    kept = present is not None and present.kind == kind
    raw = properties.get("options", dump_options(present.options) if present and kept else {})
    return _with_options(properties, INTERFACE_KINDS[kind], raw)


def _with_options(properties: Properties, kind: Any, raw: object) -> Properties:  # noqa: ANN401
    try:
        return {**properties, "options": kind.read(raw)}
    except check.FieldError as error:
        where = f"/options{error.where}"
        raise check.FieldError(error.code, where, **error.params) from None


DOCUMENT: Mapping[str, check.Check] = {
    "name": check.text(120),
    "description": check.text(10_000, lines=True),
    "auto_address": check.boolean,
    "offloads": check.boolean,
}

SCHEMAS: Mapping[str, Schema] = {
    "nodes": Schema(
        Node,
        {
            "kind": check.choice("host", "router", "switch", "uplink"),
            "name": check.name,
            "x": _place,
            "y": _place,
            "forward_ipv4": check.boolean,
            "forward_ipv6": check.boolean,
            "stp": check.boolean,
            "ageing": check.integer(0, 1_000_000),
            "priority": check.integer(0, 65535),
            "vlan_filtering": check.boolean,
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
            "dhcp": check.boolean,
            "kind": check.choice(*INTERFACE_KINDS),
            "parent": check.optional(check.reference),
            "options": check.json_object,
            "bridge_port": bridge_port,
        },
        limit=40_000,
        references=(("node", "nodes"), ("parent", "interfaces")),
        complete=_options_of_interface,
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
    "services": Schema(
        Service,
        {
            "node": check.reference,
            "kind": check.choice(*KINDS),
            "options": check.json_object,
            "up": check.boolean,
        },
        limit=5_000,
        references=(("node", "nodes"),),
        complete=_typed_options,
    ),
}
