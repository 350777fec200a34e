"""A sentence in every language of the product, with typed parameters."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Language = Literal["en", "zh-CN"]
Type = Literal["node", "nodes", "text", "number"]

PARAMS: Mapping[str, Type] = {
    # ids of nodes: a sentence has {name:<id>} in their place
    "node": "node", "owner": "node", "other": "node", "peer": "node", "previous": "node",
    "server": "node", "asker": "node",
    "routers": "nodes",  # in the order of their way
    # numbers
    "count": "number", "limit": "number", "mtu": "number", "number": "number", "port": "number",
    "size": "number", "ttl": "number", "smaller": "number",
    # as a terminal shows them
    "address": "text", "addresses": "text", "chain": "text",
    "counter": "text", "error": "text", "gateway": "text", "hook": "text",
    "interface": "text", "mac": "text", "name": "text", "other_interface": "text",
    "other_mac": "text", "owner_interface": "text", "peer_interface": "text", "prefix": "text",
    "protocol": "text", "qdisc": "text", "reason": "text", "result": "text", "rule": "text",
    "setting": "text", "source": "text", "state": "text", "symbol": "text", "table": "text",
    "target": "text", "value": "text", "way": "text",
}  # fmt: skip
_PLACE = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Sentence:
    """What is said, in English and in Simplified Chinese, with the same ``{params}``."""

    en: str
    zh: str

    def params(self, language: Language = "en") -> frozenset[str]:
        """Return the names of the parameters that it needs."""
        return frozenset(_PLACE.findall(self.en if language == "en" else self.zh))

    def fill(self, params: Mapping[str, Any]) -> dict[Language, str]:
        """Return the finished texts. KeyError for a parameter left out, TypeError for a wrong one.

        A node's drawn name is not known here: ``{name:<node id>}`` stands in its place.
        """
        words = {name: _shown(name, params[name]) for name in self.params()}
        return {
            "en": _PLACE.sub(lambda found: words[found[1]], self.en),
            "zh-CN": _PLACE.sub(lambda found: words[found[1]], self.zh),
        }


def _listed(name: str, value: object) -> Sequence[object]:
    if not isinstance(value, tuple | list):
        raise TypeError(f"{name} is {value!r}, no list of nodes")
    return value


def _shown(name: str, value: object) -> str:
    kind = PARAMS[name]
    if kind == "nodes":
        return " → ".join(_shown("node", node) for node in _listed(name, value))
    wanted = int if kind == "number" else str
    if not isinstance(value, wanted):
        raise TypeError(f"{name} is {value!r}, not a {kind}")
    return f"{{name:{value}}}" if kind == "node" else str(value)
