"""Names as the kernel takes them (dev_valid_name, net/core/dev.c), each unique in its scope."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from topoweb.core.topology.onlink import BRIDGE, WAN, OnLink
from topoweb.core.topology.validate.codes import problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from topoweb.core.topology.problem import Problem

RESERVED = frozenset({"lo", "all", "default"})  # the last two are directories of net.*.conf
OWN_DEVICES = {"switch": BRIDGE, "uplink": WAN}
# A percent sign makes the kernel fill in a number: "eth%d".
_FORBIDDEN = re.compile(r"[/:%\s]")
_CHARACTERS = {"/": "a slash", ":": "a colon", "%": "a percent sign"}


def check(drawing: OnLink) -> Iterator[Problem]:
    """Check the names of nodes and interfaces."""
    topology = drawing.topology
    nodes: dict[str, str] = {}
    for key, node in topology.nodes.items():
        path = f"/nodes/{key}/name"
        yield from _syntax(node.name, path)
        if node.name in nodes:
            yield problem("name-duplicate", path, name=node.name, other=nodes[node.name])
        nodes.setdefault(node.name, f"another {node.kind}")
    interfaces: set[tuple[str, str]] = set()
    for key, item in topology.interfaces.items():
        path, owner = f"/interfaces/{key}/name", topology.nodes[item.node]
        yield from _syntax(item.name, path)
        if item.name in RESERVED or item.name == OWN_DEVICES.get(owner.kind):
            yield problem("name-reserved", path, name=item.name)
        if (item.node, item.name) in interfaces:
            other = f"another interface of {owner.name}"
            yield problem("name-duplicate", path, name=item.name, other=other)
        interfaces.add((item.node, item.name))


def _syntax(name: str, path: str) -> Iterator[Problem]:
    found = _FORBIDDEN.search(name)
    if found:
        character = _CHARACTERS.get(found[0], "white space")
        yield problem("name-forbidden-character", path, name=name, character=character)
    if name in (".", ".."):
        yield problem("name-dots", path, name=name)
    if name.startswith("-"):
        yield problem("name-starts-with-dash", path, name=name)
