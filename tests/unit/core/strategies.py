"""Random documents, drawings and operations for Hypothesis."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from topoweb.core.topology.document import dump, parse
from topoweb.core.topology.operations import apply
from topoweb.core.topology.validate import validate

if TYPE_CHECKING:
    from topoweb.core.topology.model import Topology

ODD = """n1 i1 i2 host 10.0.0.1/24 ::1/64 0.0.0.0/0 veth topoweb ٣.0.0.1/24 fe80::1%eth0/64 a/b~c"""
KNOWN_KEYS = """nodes interfaces links routes notes groups kind name node a b mtu addresses n1 i1 i2
version format prefix via x patch collection id value operations document auto"""
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.text(st.characters(codec=None), max_size=5)  # lone surrogates too
    | st.sampled_from([*ODD.split(), 10**400, -(10**4000), "x" * 200])
)
KEYS = st.text(max_size=4) | st.sampled_from(KNOWN_KEYS.split())
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=5),
    max_leaves=25,
)

ADDRESSES = [f"10.0.{net}.{host}/24" for net in (1, 2) for host in (1, 2, 3)] + [
    "10.0.0.9/16",
    "2001:db8:1::1/64",
    "2001:db8:1::2/64",
    "2001:db8:2::1/64",
]
PREFIXES = ["0.0.0.0/0", "10.9.0.0/16", "10.8.0.0/24", "::/0", "2001:db8:9::/48"]
SERVICES: list[dict[str, Any]] = [
    {"kind": "http", "options": {}},
    {"kind": "echo", "options": {"port": 80, "protocol": "udp"}},
    {"kind": "dns", "options": {"records": [{"name": "www", "address": "10.0.1.1"}]}},
    {"kind": "command", "options": {"line": "true"}},
    {"kind": "frr", "options": {"bgp": {"asn": 65001}, "rip": ["10.0.0.0/8"]}},
    {"kind": "router-advertisements", "options": {"interface": "i00"}},
    {
        "kind": "dhcp-server",
        "options": {"interface": "i01", "first": "10.0.1.50", "last": "10.0.1.60"},
    },
]
CHILDREN: list[tuple[str, dict[str, Any]]] = [
    ("macvlan", {}),
    ("macvlan", {"mode": "private"}),
    ("macvlan", {"mode": "passthru"}),
    ("ipvlan", {"mode": "l3"}),
    ("ipvlan", {"flag": "vepa"}),
    ("vlan", {"id": 10}),
    ("vlan", {"id": 20}),
]
BRIDGE_PORTS: list[dict[str, Any]] = [
    {},
    {"hairpin": True, "cost": 5},
    {"isolated": True, "learning": False, "priority": 1},
    {"flood": False, "untagged": 10},
    {"untagged": None, "tagged": [10, 20]},
]
HOPS = [None, "10.0.1.2", "10.0.2.1", "10.0.1.3", "2001:db8:1::2", "2001:db8:2::7"]


@st.composite
def drawings(draw: st.DrawFn) -> Topology:
    """A structurally right drawing of up to five nodes, with names that do not clash."""
    document: dict[str, Any] = {name: {} for name in ("nodes", "interfaces", "links", "routes")}
    kinds = draw(st.lists(st.sampled_from(["host", "router", "switch"]), max_size=5))
    flag = st.booleans()
    up = st.sampled_from([True, True, True, False])
    for number, kind in enumerate(kinds):
        node: dict[str, Any] = {"kind": kind, "name": f"{kind[0]}{number}", "lo_up": draw(up)}
        node |= {"forward_ipv4": draw(flag), "forward_ipv6": draw(flag)}
        if kind == "switch":
            node |= {"stp": draw(flag), "ageing": draw(st.sampled_from([0, 300]))}
            node |= {"vlan_filtering": draw(flag), "priority": draw(st.sampled_from([4096, 32768]))}
            node["addresses"] = draw(st.lists(st.sampled_from(ADDRESSES), unique=True, max_size=1))
        document["nodes"][f"n{number}"] = node
        for port in range(draw(st.integers(0, 3))):
            document["interfaces"][f"i{number}{port}"] = {
                "node": f"n{number}",
                "name": f"e{port}",
                "mtu": draw(st.sampled_from([1500, 1500, 1400, 1200])),
                "up": draw(up),
                "mac": draw(st.sampled_from([None, f"02:00:00:00:00:{number}{port}"])),
                "bridged": draw(up) if kind == "switch" else True,
                "dhcp": not draw(up),
                "addresses": draw(st.lists(st.sampled_from(ADDRESSES), unique=True, max_size=3)),
                "bridge_port": draw(st.sampled_from(BRIDGE_PORTS)) if kind == "switch" else {},
            }
    _children(draw, document, up)
    _cables(draw, document, up)
    _routes(draw, document)
    _services(draw, document)
    return parse(document)


def _children(draw: st.DrawFn, document: dict[str, Any], up: st.SearchStrategy[bool]) -> None:
    ports = sorted(document["interfaces"])
    for number in range(draw(st.integers(0, 3)) if ports else 0):
        kind, options = draw(st.sampled_from(CHILDREN))
        document["interfaces"][f"c{number}"] = {
            "node": draw(st.sampled_from(sorted(document["nodes"]))),
            "name": f"c{number}",
            "kind": kind,
            "options": options,
            "parent": draw(st.sampled_from([*ports, *(f"c{other}" for other in range(number))])),
            "mtu": draw(st.sampled_from([1500, 1200])),
            "up": draw(up),
            "addresses": draw(st.lists(st.sampled_from(ADDRESSES), unique=True, max_size=2)),
        }


def _cables(draw: st.DrawFn, document: dict[str, Any], up: st.SearchStrategy[bool]) -> None:
    drawn = document["interfaces"].items()
    ports = draw(st.permutations(sorted(key for key, item in drawn if "kind" not in item)))
    count = draw(st.integers(0, len(ports) // 2))
    for number in range(count):
        ends = {"a": ports[2 * number], "b": ports[2 * number + 1]}
        key = f"l{draw(st.integers(0, 1))}{number}"
        document["links"][key] = {**ends, "up": draw(up)}


def _services(draw: st.DrawFn, document: dict[str, Any]) -> None:
    document["services"] = {}
    for number in range(draw(st.integers(0, 2)) if document["nodes"] else 0):
        node = draw(st.sampled_from(sorted(document["nodes"])))
        document["services"][f"s{number}"] = {
            "node": node,
            "up": draw(st.booleans()),
            **draw(st.sampled_from(SERVICES)),
        }


def _routes(draw: st.DrawFn, document: dict[str, Any]) -> None:
    for node in document["nodes"]:
        own = [key for key, item in document["interfaces"].items() if item["node"] == node]
        for number in range(draw(st.integers(0, 2))):
            document["routes"][f"t{node}{number}"] = {
                "node": node,
                "prefix": draw(st.sampled_from(PREFIXES)),
                "via": draw(st.sampled_from(HOPS)),
                "device": draw(st.sampled_from([None, *own])),
                "metric": draw(st.sampled_from([None, None, 5])),
            }


def runnable(topology: Topology) -> Topology:
    """The same drawing without what stops it from running: wrong routes, IPv6 on small MTUs."""
    document = dump(topology)
    while errors := [p for p in validate(parse(document)) if p.severity == "error"]:
        for error in errors:
            _, collection, key, *_ = error.path.split("/")
            if collection in ("routes", "services"):
                document[collection].pop(key, None)
            elif collection == "interfaces" and document[collection][key]["kind"] != "port":
                document = dump(removed(parse(document), key))
                break
            else:
                document[collection][key]["addresses"] = []
    return parse(document)


def removed(topology: Topology, interface: str) -> Topology:
    operation = {"kind": "remove", "collection": "interfaces", "id": interface}
    return apply(topology, operation)[0]


RUNNABLE = drawings().map(runnable)


@st.composite
def broken_documents(draw: st.DrawFn) -> Any:
    """A right document of which one place is replaced by any JSON."""
    document = dump(draw(drawings()))
    return damaged(draw, document)


def damaged(draw: st.DrawFn, document: Any) -> Any:
    document = copy.deepcopy(document)
    place = document
    while isinstance(place, dict | list) and place:
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        key = draw(st.sampled_from(keys))
        inner = place[key]
        if not isinstance(inner, dict | list) or not inner or draw(st.booleans()):
            action = draw(st.sampled_from(["replace", "remove", "add"]))
            if action == "replace":
                place[key] = draw(JSON)
            elif action == "remove":
                del place[key]
            elif isinstance(place, dict):
                place[draw(KEYS)] = draw(JSON)
            break
        place = inner
    return document


@st.composite
def operations(draw: st.DrawFn, topology: Topology) -> dict[str, Any]:
    """An operation that is often right for this drawing."""
    kind = draw(st.sampled_from(["single", "single", "batch", "replace"]))
    if kind == "batch":
        inner = draw(st.lists(single_operations(topology), max_size=6))
        return {"kind": "batch", "operations": inner, "auto": draw(st.booleans())}
    if kind == "replace":
        return {"kind": "replace", "document": dump(draw(drawings()))}
    return draw(single_operations(topology))


@st.composite
def single_operations(draw: st.DrawFn, topology: Topology) -> dict[str, Any]:
    document = dump(topology)
    nodes = st.sampled_from([*topology.nodes, "n0", "n9"])
    interfaces = st.sampled_from([*topology.interfaces, "i00", "i99"])
    values = {
        "nodes": st.sampled_from(["host", "router", "switch"]).map(
            lambda kind: {"kind": kind, "name": kind}
        ),
        "interfaces": st.tuples(nodes, interfaces).flatmap(
            lambda place: st.sampled_from(
                [
                    {"node": place[0], "name": "eth9"},
                    {"node": place[0], "name": "mv9", "kind": "macvlan", "parent": place[1]},
                ]
            )
        ),
        "links": st.tuples(interfaces, interfaces).map(lambda ends: {"a": ends[0], "b": ends[1]}),
        "routes": st.tuples(nodes, st.sampled_from(PREFIXES), interfaces).map(
            lambda parts: {"node": parts[0], "prefix": parts[1], "device": parts[2]}
        ),
        "notes": st.just({"text": "note"}),
        "groups": st.just({"name": "group"}),
        "services": st.tuples(nodes, st.sampled_from(SERVICES)).map(
            lambda parts: {"node": parts[0], **parts[1]}
        ),
    }
    collection = draw(st.sampled_from(sorted(values)))
    known = st.sampled_from([*document[collection], "new1", "new2"])
    kind = draw(st.sampled_from(["add", "set", "remove"]))
    place = {"kind": kind, "collection": collection, "id": draw(known)}
    if kind == "add":
        return {**place, "value": draw(values[collection])}
    if kind == "remove":
        return place
    if draw(st.integers(0, 9)) == 0:
        flags = st.fixed_dictionaries({"auto_address": st.booleans(), "offloads": st.booleans()})
        return {"kind": "set", "collection": "document", "id": "", "patch": draw(flags)}
    return {**place, "patch": draw(values[collection])}
