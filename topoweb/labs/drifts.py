"""A difference made by hand, taken into the drawing as an operation."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any

from topoweb.core.errors import ErrorKind, TopowebError
from topoweb.core.texts import refusal
from topoweb.core.topology.document import dump_value

if TYPE_CHECKING:
    from collections.abc import Mapping

    from topoweb.core.topology.model import Route, Topology

FORWARDING = ("forward_ipv4", "forward_ipv6")
PORT = ("up", "mtu", "mac", "addresses")
BRIDGE = ("stp", "ageing", "priority", "vlan_filtering", "addresses")


def keep_operation(
    topology: Topology, live: Mapping[str, Any], node: str, path: str
) -> dict[str, Any]:
    """Return the operation that makes the drawing say what the kernel has at ``path``.

    ``live`` is the worker's snapshot: the value is the worker's, never the client's.
    TopowebError: NOT_FOUND when nothing differs there, UNSUPPORTED when it cannot be drawn.
    """
    if node not in topology.nodes:
        raise TopowebError(ErrorKind.NOT_FOUND, "There is no such node", path="/node")
    actual = _actual(live, node, path)
    match path.split("/"):
        case [field] if field in FORWARDING:
            return _set("nodes", node, field, actual)
        case ["routes"]:
            return _routes(topology, node, actual)
        case ["interfaces", name, "options" | "bridge_port" as part, field]:
            return _part(topology, _port(topology, node, name), (part, field), actual)
        case ["interfaces", name, field]:
            return _device(topology, node, (name, field), actual)
        case ["interfaces", name] if actual is None:
            return {"kind": "remove", "collection": "interfaces", "id": _port(topology, node, name)}
    raise _undrawable(path)


def _actual(live: Mapping[str, Any], node: str, path: str) -> Any:  # noqa: ANN401 - JSON
    seen = (live.get("nodes") or {}).get(node) or {}
    for drift in seen.get("drift", ()):
        if drift["path"] == path:
            return drift["actual"]
    raise refusal(ErrorKind.NOT_FOUND, "no-such-drift", path="/path")


def _device(
    topology: Topology,
    node: str,
    place: tuple[str, str],
    actual: Any,  # noqa: ANN401 - JSON
) -> dict[str, Any]:
    name, field = place
    if name == "lo" and field == "up":
        return _set("nodes", node, "lo_up", actual)
    if name == "br0" and topology.nodes[node].kind == "switch" and field in BRIDGE:
        return _set("nodes", node, field, actual)
    if field in PORT:
        return _set("interfaces", _port(topology, node, name), field, actual)
    raise _undrawable("/".join(("interfaces", *place)))


def _part(
    topology: Topology,
    port: str,
    place: tuple[str, str],
    actual: Any,  # noqa: ANN401 - JSON
) -> dict[str, Any]:
    """Return what changes one of an interface's options: they are replaced as a whole."""
    part, field = place
    drawn = dump_value(getattr(topology.interfaces[port], part))
    assert isinstance(drawn, dict)
    return _set("interfaces", port, part, {**drawn, field: actual})


def _routes(topology: Topology, node: str, actual: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """Return one batch: drawn routes that the kernel lacks go, those it has besides come."""
    ports = {port.name: key for key, port in topology.interfaces.items() if port.node == node}
    found = [_route(text) for text in actual or ()]
    steps: list[dict[str, Any]] = []
    for key, route in topology.routes.items():
        if route.node != node:
            continue
        same = next((one for one in found if _is(one, route, ports)), None)
        if same is None:
            steps.append({"kind": "remove", "collection": "routes", "id": key})
        else:
            found.remove(same)
    names = (name for n in count(1) if (name := f"{node[:30]}-kept{n}") not in topology.routes)
    for one, key in zip(found, names, strict=False):
        if one["via"] is None and one["dev"] not in ports:
            raise _undrawable("routes")
        # The next hop says the device; a drawn one would tie the route to the cable.
        device = ports[one["dev"]] if one["via"] is None else None
        value = {"node": node, "prefix": one["prefix"], "via": one["via"], "device": device}
        value["metric"] = None if one["metric"] is None else int(one["metric"])
        steps.append({"kind": "add", "collection": "routes", "id": key, "value": value})
    return {"kind": "batch", "operations": steps, "auto": False}


def _route(text: str) -> dict[str, Any]:
    """Return "10.0.2.0/24 via 10.0.1.1 dev eth0 metric 5", as drift words it, by its words."""
    prefix, *words = text.split()
    given = dict(zip(words[::2], words[1::2], strict=True))
    return {"prefix": prefix, **{word: given.get(word) for word in ("via", "dev", "metric")}}


def _is(found: Mapping[str, Any], route: Route, ports: Mapping[str, str]) -> bool:
    return (
        found["prefix"] == route.prefix
        and found["via"] == route.via
        and route.device in (None, ports.get(found["dev"] or ""))
        and (route.metric is None or str(route.metric) == found["metric"])
    )


def _port(topology: Topology, node: str, name: str) -> str:
    for key, port in topology.interfaces.items():
        if port.node == node and port.name == name:
            return key
    raise _undrawable(f"interfaces/{name}")


def _set(collection: str, key: str, field: str, value: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    return {"kind": "set", "collection": collection, "id": key, "patch": {field: value}}


def _undrawable(path: str) -> TopowebError:
    return TopowebError(
        ErrorKind.CONFLICT,
        f"{path} cannot be drawn, so it cannot be kept",
        hint="Restore it, or leave it as it is.",
        path="/path",
        code="drift-undrawable",
    )
