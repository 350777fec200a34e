"""Changes of a drawing: untrusted operations in, the changes they make out.

A change is JSON as `docs/protocol.md` stores and sends it; the list of changes is the truth, in
order, with cascades and automatic addresses, and each carries the old values, so that `invert`
needs nothing else.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, NoReturn

from topoweb.core.topology.addressing import auto_address
from topoweb.core.topology.document import (
    DocumentError,
    complete,
    dump,
    hangs_on_itself,
    parse,
    read_object,
    read_properties,
)
from topoweb.core.topology.draft import Change, Draft
from topoweb.core.topology.fields import ID, pointer_token, shown, type_name
from topoweb.core.topology.model import COLLECTIONS, Topology
from topoweb.core.topology.schema import DOCUMENT, SCHEMAS
from topoweb.core.topology.validate.codes import problem

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from topoweb.core.topology.problem import Problem

__all__ = ["Change", "apply", "invert", "replay"]

SINGLE = ("add", "set", "remove")
KINDS = (*SINGLE, "batch", "replace")
BATCH_LIMIT = 20_000
_ENVELOPE = {"op_id", "base_seq", "kind", "auto"}
_FIELDS = {
    "add": {"collection", "id", "value"},
    "set": {"collection", "id", "patch"},
    "remove": {"collection", "id"},
    "batch": {"operations"},
    "replace": {"document"},
}


def apply(topology: Topology, operation: object) -> tuple[Topology, tuple[Change, ...]]:
    """Return the changed drawing and what changed. DocumentError names every wrong place.

    Paths in the problems point into the operation ("/value/mtu", "/operations/3/patch/name").
    """
    op = _fields(operation, "", KINDS)
    if op["kind"] == "replace":
        return _replace(topology, op["document"])
    draft = Draft(topology)
    if op["kind"] == "batch":
        _batch(draft, op["operations"])
    else:
        _single(draft, op, "")
    if draft.auto_address and op.get("auto", True):
        auto_address(draft)
    return draft.topology(), tuple(draft.changes)


def replay(topology: Topology, changes: Sequence[Change]) -> Topology:
    """Return the drawing after ``changes``, as `apply` made them."""
    if len(changes) == 1 and changes[0]["op"] == "replace":
        return parse(changes[0]["document"])
    draft = Draft(topology)
    for change in changes:
        _single(draft, {**change, "kind": change["op"]}, "")
    return draft.topology()


def invert(changes: Sequence[Change]) -> dict[str, Any]:
    """Return the operation that undoes ``changes``: everything back to the old values."""
    if len(changes) == 1 and changes[0]["op"] == "replace":
        return {"kind": "replace", "document": changes[0]["before"]}
    inverse = [_inverse(change) for change in reversed(changes)]
    return {"kind": "batch", "operations": inverse, "auto": False}


def _inverse(change: Change) -> dict[str, Any]:
    place = {"collection": change["collection"], "id": change["id"]}
    if change["op"] == "add":
        return {"kind": "remove", **place}
    if change["op"] == "remove":
        return {"kind": "add", **place, "value": change["before"]}
    return {"kind": "set", **place, "patch": change["before"]}


def _replace(topology: Topology, document: object) -> tuple[Topology, tuple[Change, ...]]:
    try:
        new = parse(document)
    except DocumentError as error:
        raise DocumentError([_under("/document", p) for p in error.problems]) from None
    return new, ({"op": "replace", "document": dump(new), "before": dump(topology)},)


def _batch(draft: Draft, operations: object) -> None:
    if not isinstance(operations, list):
        actual = type_name(operations)
        _refuse("wrong-type", "/operations", expected="a list", actual=actual)
    if len(operations) > BATCH_LIMIT:
        words = {"count": len(operations), "collection": "operations", "limit": BATCH_LIMIT}
        _refuse("too-many", "/operations", **words)
    for number, operation in enumerate(operations):
        path = f"/operations/{number}"
        _single(draft, _fields(operation, path, SINGLE), path)


def _single(draft: Draft, op: Mapping[str, Any], path: str) -> None:
    collection, key = op["collection"], op["id"]
    if op["kind"] == "set" and collection == "document":
        _set_document(draft, key, op["patch"], path)
        return
    _check_place(collection, key, path)
    exists = key in draft.objects(collection)
    if op["kind"] == "add":
        if exists:
            _refuse("duplicate-id", f"{path}/id", collection=collection, id=key)
        _add(draft, collection, key, op["value"], f"{path}/value")
    elif not exists:
        _refuse("no-such-object", f"{path}/id", collection=collection, id=key)
    elif op["kind"] == "set":
        _set(draft, collection, key, op["patch"], f"{path}/patch")
    else:
        _remove(draft, collection, key)


def _check_place(collection: object, key: object, path: str) -> None:
    if not isinstance(collection, str) or collection not in COLLECTIONS:
        words = {"collection": shown(collection), "choices": ", ".join(COLLECTIONS)}
        _refuse("unknown-collection", f"{path}/collection", **words)
    if not isinstance(key, str) or not ID.fullmatch(key):
        _refuse("bad-id", f"{path}/id", value=shown(key))


def _set_document(draft: Draft, key: object, patch: object, path: str) -> None:
    if key != "":
        _refuse("bad-id", f"{path}/id", value=shown(key))
    draft.set_document(_properties(DOCUMENT, patch, f"{path}/patch"))


def _add(draft: Draft, collection: str, key: str, value: object, path: str) -> None:
    count, limit = len(draft.objects(collection)) + 1, SCHEMAS[collection].limit
    if count > limit:
        _refuse("too-many", path, count=count, collection=collection, limit=limit)
    problems: list[Problem] = []
    item = read_object(collection, value, path, problems)
    if item is None:
        raise DocumentError(problems)
    properties = {name: getattr(item, name) for name in SCHEMAS[collection].checks}
    _check_references(draft, collection, key, properties, path)
    draft.add(collection, key, item)


def _set(draft: Draft, collection: str, key: str, patch: object, path: str) -> None:
    schema = SCHEMAS[collection]
    properties = _properties(schema.checks, patch, path)
    problems: list[Problem] = []
    properties = complete(schema, properties, draft.objects(collection)[key], path, problems)
    if problems:
        raise DocumentError(problems)
    if collection == "links":
        link = draft.objects("links")[key]
        ends = {"a": link.a, "b": link.b, **properties}
        _check_references(draft, collection, key, ends, path)
    else:
        _check_references(draft, collection, key, properties, path)
    draft.patch(collection, key, properties)


def _remove(draft: Draft, collection: str, key: str) -> None:
    """Remove an object after all that refers to it, so that each step leaves a whole drawing."""
    if collection == "nodes":
        _empty_node(draft, key)
    elif collection == "interfaces":
        _strip_interface(draft, key)
    draft.remove(collection, key)


def _empty_node(draft: Draft, key: str) -> None:
    for route in list(draft.index.routes_of[key]):
        draft.remove("routes", route)
    for service in list(draft.index.services_of[key]):
        draft.remove("services", service)
    for interface in list(draft.index.interfaces_of[key]):
        if interface in draft.objects("interfaces"):  # else it went with its parent
            _remove(draft, "interfaces", interface)


def _strip_interface(draft: Draft, key: str) -> None:
    for child in list(draft.index.children_of[key]):
        _remove(draft, "interfaces", child)
    for route in list(draft.index.routes_by[key]):
        draft.remove("routes", route)
    link = draft.index.link_of.get(key)
    if link is not None:
        draft.remove("links", link)


def _check_references(
    draft: Draft, collection: str, key: str, properties: Mapping[str, Any], path: str
) -> None:
    problems = []
    for field, target in SCHEMAS[collection].references:
        wanted = properties.get(field)
        if wanted is not None and wanted not in draft.objects(target):
            where = f"{path}/{field}"
            problems.append(problem("dangling-reference", where, collection=target, id=wanted))
    if collection == "links":
        problems += _check_ports(draft, key, properties, path)
    parent = properties.get("parent")
    if parent is not None and hangs_on_itself(draft.objects("interfaces"), key, parent):
        problems.append(problem("parent-loop", f"{path}/parent", interface=key))
    if problems:
        raise DocumentError(problems)


def _check_ports(draft: Draft, key: str, properties: Mapping[str, Any], path: str) -> list[Problem]:
    if properties["a"] == properties["b"]:
        return [problem("link-to-itself", f"{path}/b", interface=properties["a"])]
    problems = []
    for end in ("a", "b"):
        other = draft.index.link_of.get(properties[end], key)
        if other != key:
            words = {"interface": properties[end], "link": other}
            problems.append(problem("port-in-use", f"{path}/{end}", **words))
    return problems


def _properties(checks: Mapping[str, Any], value: object, path: str) -> dict[str, Any]:
    problems: list[Problem] = []
    properties = read_properties(checks, value, path, problems)
    if problems:
        raise DocumentError(problems)
    return properties


def _fields(operation: object, path: str, kinds: Sequence[str]) -> dict[str, Any]:
    """Return the operation when it has a known kind and just the fields of that kind."""
    if not isinstance(operation, dict):
        _refuse("wrong-type", path, expected="an object", actual=type_name(operation))
    kind = operation.get("kind")
    if not isinstance(kind, str) or kind not in kinds:
        words = {"kind": shown(kind), "choices": ", ".join(kinds)}
        _refuse("unknown-operation", f"{path}/kind", **words)
    expected = _FIELDS[kind]
    allowed = expected | (_ENVELOPE if kinds == KINDS else {"kind"})
    problems = [
        problem("unknown-property", f"{path}/{pointer_token(name)}", property=shown(name))
        for name in operation
        if name not in allowed
    ]
    missing = sorted(expected - operation.keys())
    problems += [problem("missing-property", path, property=name) for name in missing]
    if problems:
        raise DocumentError(problems)
    auto = operation.get("auto", True)
    if not isinstance(auto, bool):
        _refuse("wrong-type", f"{path}/auto", expected="a boolean", actual=type_name(auto))
    return operation


def _refuse(code: str, path: str, **params: object) -> NoReturn:
    raise DocumentError([problem(code, path, **params)])


def _under(path: str, found: Problem) -> Problem:
    return replace(found, path=path + found.path)
