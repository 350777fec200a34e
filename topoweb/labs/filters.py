"""Display filters as people write them: checked, and with names of the drawing in them."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from topoweb.core.errors import ErrorKind, TopowebError
from topoweb.core.packets import filter as filters
from topoweb.core.packets.filter import Filter, FilterError
from topoweb.core.tracing.explain.catalogue import VERDICTS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from topoweb.core.packets.filter.lexer import Token
    from topoweb.core.topology.model import Topology

Objects = dict[str, dict[str, list[str]]]  # field → name → ids

ENDS = ("-", "–", "→", " ")  # between the names of a cable's ends
SUGGESTIONS = 3
OBJECTS_MAX = 500  # ids of all names: what a stream is opened with is bounded


def asked(text: str, topology: Topology) -> dict[str, Any]:
    """Return what the tracer is told of a filter; nothing for one that lets everything pass.

    TopowebError(INVALID) with the place as params ``position`` and ``length``.
    """
    if not text.strip():
        return {}
    try:
        return {"filter": text, "objects": _objects(Filter(text), topology)}
    except FilterError as error:
        raise TopowebError(
            ErrorKind.INVALID,
            error.text()["en"],
            hint=error.hint()["en"],
            path="query:filter",
            code=error.code,
            params={
                **error.params,
                "position": str(error.position),
                "length": str(error.length),
            },
        ) from None


def of_stream(params: Mapping[str, Any], topology: Topology) -> dict[str, Any]:
    """Return the params of a packet stream as the tracer gets them: names are resolved."""
    text = params.get("filter")
    rest = {key: value for key, value in params.items() if key not in ("filter", "objects")}
    if text is None:
        return rest
    if not isinstance(text, str):
        raise TopowebError(ErrorKind.INVALID, "The filter is no text", path="filter")
    return {**rest, **asked(text, topology)}


def check(text: str, topology: Topology | None) -> dict[str, Any]:
    """Return whether a filter can be used, and if not, where it is wrong and what helps.

    Without a drawing any name of a node or cable will do.
    """
    try:
        found = Filter(text)
        if topology is not None:
            _objects(found, topology)
    except FilterError as error:
        return {"ok": False, "error": _shown(error), "fields": [], "late": False}
    return {"ok": True, "error": None, "fields": list(found.parsed.fields), "late": found.late}


def described() -> dict[str, Any]:
    """Return all fields and operators, and the verdicts that there are."""
    shown = filters.described()
    for one in shown["fields"]:
        if one["name"] == "verdict":
            one["values"] = [f'"{code}"' for code in VERDICTS]
    return shown


def _shown(error: FilterError) -> dict[str, Any]:
    return {
        "code": error.code,
        "position": error.position,
        "length": error.length,
        "params": error.params,
        "text": error.text(),
        "hint": error.hint(),
        "suggestions": list(error.suggestions),
    }


def _objects(found: Filter, topology: Topology) -> Objects:
    """Return the ids that the names in a filter stand for. FilterError for an unknown name."""
    objects: Objects = {}
    left = OBJECTS_MAX
    for field, token in found.parsed.names:
        ids = _nodes(token, topology) if field == "node" else _links(token, topology)
        objects.setdefault(field, {})[token.value] = ids[:left]
        left -= len(ids[:left])
    return objects


def _nodes(token: Token, topology: Topology) -> list[str]:
    if token.value in topology.nodes:
        return [token.value]
    found = [key for key, node in topology.nodes.items() if node.name == token.value]
    if not found:
        names = {node.name for node in topology.nodes.values()}
        raise _unknown("node", token, sorted(names))
    return found


def _links(token: Token, topology: Topology) -> list[str]:
    if token.value in topology.links:
        return [token.value]
    found, names = [], []
    for key, link in topology.links.items():
        ports = topology.interfaces[link.a], topology.interfaces[link.b]
        here, there = (topology.nodes[port.node].name for port in ports)
        names.append(f"{here}-{there}")
        if any(token.value in (here + sign + there, there + sign + here) for sign in ENDS):
            found.append(key)
    if not found:
        raise _unknown("link", token, names)
    return found


def _unknown(what: str, token: Token, names: list[str]) -> FilterError:
    close = get_close_matches(token.value, names, SUGGESTIONS, 0.5)
    params = {"name": token.value}
    if what == "link":
        params["example"] = (close or names or [""])[0]
    return FilterError(
        f"filter-unknown-{what}",
        token.position,
        token.length,
        suggestions=tuple(f'"{name}"' for name in close if '"' not in name and "\\" not in name),
        **params,
    )
