"""The stored drawing: JSON in, `Topology` out, and back.

`parse` accepts any JSON value and reports every structural fault at once; what it returns is
canonical and refers only to what exists. Whether the drawing makes sense as a network is for
`validate`.
"""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, Any

from topoweb.core.errors import ErrorKind, TopowebError
from topoweb.core.topology.fields import ID, FieldError, pointer_token, shown, type_name
from topoweb.core.topology.model import COLLECTIONS, Topology
from topoweb.core.topology.schema import DOCUMENT, SCHEMAS, Item, Schema
from topoweb.core.topology.services import dump_options
from topoweb.core.topology.upgrade import VERSION, upgrade
from topoweb.core.topology.validate.codes import problem

if TYPE_CHECKING:
    from collections.abc import Mapping

    from topoweb.core.topology.problem import Problem

FORMAT = "topoweb"
PROBLEM_LIMIT = 1_000


class DocumentError(TopowebError):
    """A document or an operation is refused. ``problems`` names every place."""

    def __init__(self, problems: list[Problem]) -> None:
        first = problems[0]
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        super().__init__(
            ErrorKind.INVALID,
            first.message + more,
            hint=first.hint,
            path=first.path,
            code=first.code,
        )
        if len(problems) > PROBLEM_LIMIT:
            problems = problems[:PROBLEM_LIMIT]
            problems.append(problem("too-many-problems", "", limit=PROBLEM_LIMIT))
        self.problems = problems


def parse(data: object) -> Topology:
    """Return the drawing in a document of any known version. DocumentError with all faults."""
    if not isinstance(data, dict):
        actual = type_name(data)
        raise DocumentError([problem("wrong-type", "", expected="an object", actual=actual)])
    data = upgrade(data, _version(data))
    problems: list[Problem] = []
    values = {
        key: value for key, value in data.items() if key not in COLLECTIONS and key not in _HEADER
    }
    settings = read_properties(DOCUMENT, values, "", problems)
    collections: dict[str, Any] = {
        name: _collection(name, data.get(name, {}), problems) for name in COLLECTIONS
    }
    problems += _references(data, collections)
    if problems:
        raise DocumentError(problems)
    return Topology(**settings, **collections)


def dump(topology: Topology) -> dict[str, Any]:
    """Return the drawing as a document of the newest version: all properties, ids sorted."""
    data: dict[str, Any] = {"format": FORMAT, "version": VERSION}
    data.update({name: getattr(topology, name) for name in DOCUMENT})
    for name in COLLECTIONS:
        objects = getattr(topology, name)
        data[name] = {key: dump_object(objects[key]) for key in sorted(objects)}
    return data


def dump_object(value: Item) -> dict[str, Any]:
    """Return a node, interface, link … with all its properties as JSON."""
    return {name: dump_value(getattr(value, name)) for name in _NAMES[type(value)]}


def dump_value(value: object) -> object:
    """Return one property as JSON."""
    if isinstance(value, tuple):
        return list(value)
    return dump_options(value) if is_dataclass(value) else value


def read_object(collection: str, value: object, path: str, problems: list[Problem]) -> Item | None:
    """Return one whole object; None, with the reasons in ``problems``, when it has faults."""
    schema, before = SCHEMAS[collection], len(problems)
    properties = read_properties(schema.checks, value, path, problems)
    if isinstance(value, dict):
        problems += [
            problem("missing-property", path, property=name)
            for name in _REQUIRED[collection]
            if name not in value
        ]
    properties = complete(schema, properties, None, path, problems)
    if len(problems) > before:
        return None
    item: Item = schema.type(**properties)
    return item


def read_properties(
    checks: Mapping[str, Any], value: object, path: str, problems: list[Problem]
) -> dict[str, Any]:
    """Return the properties in ``value`` that are right, canonical; faults go to ``problems``."""
    result: dict[str, Any] = {}
    if not isinstance(value, dict):
        problems.append(problem("wrong-type", path, expected="an object", actual=type_name(value)))
        return result
    for key, item in value.items():
        check = checks.get(key)
        if check is None:
            where = f"{path}/{pointer_token(key)}"
            problems.append(problem("unknown-property", where, property=shown(key)))
            continue
        try:
            result[key] = check(item)
        except FieldError as error:
            problems.append(problem(error.code, f"{path}/{key}{error.where}", **error.params))
    return result


def complete(
    schema: Schema,
    properties: dict[str, Any],
    present: Item | None,
    path: str,
    problems: list[Problem],
) -> dict[str, Any]:
    """Read the properties that depend on others of the same object; faults go to ``problems``."""
    if schema.complete is None:
        return properties
    try:
        return schema.complete(properties, present)
    except FieldError as error:
        problems.append(problem(error.code, f"{path}{error.where}", **error.params))
        return properties


_HEADER = ("format", "version")
_NAMES = {s.type: tuple(f.name for f in fields(s.type)) for s in SCHEMAS.values()}
_REQUIRED = {name: schema.required for name, schema in SCHEMAS.items()}


def _version(data: dict[str, Any]) -> int:
    if data.get("format", FORMAT) != FORMAT:
        raise DocumentError([problem("unknown-format", "/format")])
    version = data.get("version", 1)
    if not isinstance(version, int) or isinstance(version, bool) or not 1 <= version <= VERSION:
        words = {"version": shown(version), "newest": VERSION}
        raise DocumentError([problem("unknown-version", "/version", **words)])
    return version


def _collection(name: str, data: object, problems: list[Problem]) -> dict[str, Any]:
    path, schema = f"/{name}", SCHEMAS[name]
    if not isinstance(data, dict):
        problems.append(problem("wrong-type", path, expected="an object", actual=type_name(data)))
        return {}
    if len(data) > schema.limit:
        words = {"count": len(data), "collection": name, "limit": schema.limit}
        problems.append(problem("too-many", path, **words))
        return {}
    objects: dict[str, Any] = {}
    for key, value in data.items():
        where = f"{path}/{pointer_token(key)}"
        if not isinstance(key, str) or not ID.fullmatch(key):
            problems.append(problem("bad-id", where, value=shown(key)))
            continue
        item = read_object(name, value, where, problems)
        if item is not None:
            objects[key] = item
    return objects


def _references(data: dict[str, Any], collections: Mapping[str, Any]) -> list[Problem]:
    problems: list[Problem] = []
    for name, schema in SCHEMAS.items():
        if schema.references:
            problems += _dangling(name, schema, data, collections[name])
    return problems + _parents(collections["interfaces"]) + _ports(collections["links"])


def _dangling(
    name: str, schema: Schema, data: dict[str, Any], objects: Mapping[str, Any]
) -> list[Problem]:
    problems = []
    for field, target in schema.references:
        known = data.get(target, {})  # raw: an object with faults of its own is not missing
        if not isinstance(known, dict):
            continue
        for key, item in objects.items():
            wanted = getattr(item, field)
            if wanted is not None and wanted not in known:
                where = f"/{name}/{key}/{field}"
                problems.append(problem("dangling-reference", where, collection=target, id=wanted))
    return problems


def _parents(interfaces: Mapping[str, Any]) -> list[Problem]:
    return [
        problem("parent-loop", f"/interfaces/{key}/parent", interface=key)
        for key, item in interfaces.items()
        if item.parent is not None and hangs_on_itself(interfaces, key, item.parent)
    ]


def hangs_on_itself(interfaces: Mapping[str, Any], key: str, parent: str | None) -> bool:
    """Tell whether the parents of an interface, beginning with ``parent``, lead back to it."""
    seen: set[str] = set()
    while parent is not None and parent in interfaces and parent not in seen:
        if parent == key:
            return True
        seen.add(parent)
        parent = interfaces[parent].parent
    return False


def _ports(links: Mapping[str, Any]) -> list[Problem]:
    problems: list[Problem] = []
    used: dict[str, str] = {}
    for key in links:
        link = links[key]
        if link.a == link.b:
            problems.append(problem("link-to-itself", f"/links/{key}/b", interface=link.a))
            continue
        for end in ("a", "b"):
            port = getattr(link, end)
            if port in used:
                words = {"interface": port, "link": used[port]}
                problems.append(problem("port-in-use", f"/links/{key}/{end}", **words))
            used.setdefault(port, key)
    return problems
