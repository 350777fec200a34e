from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings

from tests.unit.core.drawing import Drawing, routed, two_hosts
from tests.unit.core.strategies import JSON, broken_documents, drawings
from topoweb.core.errors import ErrorKind
from topoweb.core.topology.document import PROBLEM_LIMIT, DocumentError, dump, parse
from topoweb.core.topology.model import Topology

if TYPE_CHECKING:
    from topoweb.core.topology.problem import Problem


def found(data: object) -> dict[str, str]:
    """Return path → code of what parse says."""
    with pytest.raises(DocumentError) as caught:
        parse(data)
    assert caught.value.kind is ErrorKind.INVALID
    return {problem.path: problem.code for problem in caught.value.problems}


def changed(path: str, value: Any) -> dict[str, Any]:
    document = routed().document
    place = document
    *parents, last = path.strip("/").split("/")
    for parent in parents:
        place = place[parent]
    place[last] = value
    return document


def test_an_empty_object_is_an_empty_drawing() -> None:
    assert parse({}) == Topology()


def test_dump_writes_defaults_and_sorts_ids() -> None:
    node = {"kind": "host", "name": "h1"}
    document = dump(parse({"nodes": {"b": node, "a": node}}))
    assert list(document)[:5] == ["format", "version", "name", "description", "auto_address"]
    assert list(document["nodes"]) == ["a", "b"]
    assert document["nodes"]["b"]["lo_up"] is True
    assert document["nodes"]["b"]["addresses"] == []


def test_every_fault_is_reported_at_its_place() -> None:
    document = routed().document
    document["nodes"]["h11"]["kind"] = "toaster"
    document["nodes"]["h12"]["x"] = float("nan")
    document["nodes"]["a b"] = {}
    document["interfaces"]["h21-eth0"]["mtu"] = True
    document["interfaces"]["h22-eth0"]["addresses"] = ["10.0.2.12/24", "10.0.2.300/24"]
    document["interfaces"]["s1-p1"]["name"] = "a-name-of-16-byt"
    document["links"]["l1"]["b"] = "nowhere"
    document["links"]["l2"]["b"] = document["links"]["l2"]["a"]
    document["links"]["l9"] = {"a": "s2-p1", "b": "h21-eth0"}
    document["routes"]["t1"]["colour"] = "red"
    del document["routes"]["t2"]["prefix"]
    document["routes"]["t3"]["node"] = "gone"
    document["notes"] = []
    document["surplus/~"] = 1
    assert found(document) == {
        "/nodes/h11/kind": "bad-choice",
        "/nodes/h12/x": "out-of-range",
        "/nodes/a b": "bad-id",
        "/interfaces/h21-eth0/mtu": "wrong-type",
        "/interfaces/h22-eth0/addresses/1": "bad-address",
        "/interfaces/s1-p1/name": "name-too-long",
        "/links/l1/b": "dangling-reference",
        "/links/l2/b": "link-to-itself",
        "/links/l9/a": "port-in-use",
        "/links/l9/b": "port-in-use",
        "/routes/t1/colour": "unknown-property",
        "/routes/t2": "missing-property",
        "/routes/t3/node": "dangling-reference",
        "/notes": "wrong-type",
        "/surplus~1~0": "unknown-property",
    }


@pytest.mark.parametrize("data", [None, [], "x", 1, True])
def test_what_is_no_object_is_refused(data: object) -> None:
    assert found(data) == {"": "wrong-type"}


def test_other_formats_and_versions_are_refused() -> None:
    assert found({"format": "drawio"}) == {"/format": "unknown-format"}
    for version in (0, 2, 1.0, True, "1", 10**400):
        assert found({"version": version}) == {"/version": "unknown-version"}


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("10.0.1.11/24", "10.0.1.11/24"),
        ("2001:DB8:0:0::1/64", "2001:db8::1/64"),
        ("::1/128", "::1/128"),
    ],
)
def test_addresses_become_canonical(written: str, canonical: str) -> None:
    drawing = Drawing().interface("h1.eth0", written).parse()
    assert drawing.interfaces["h1-eth0"].addresses == (canonical,)


@pytest.mark.parametrize(
    "address",
    [
        *("", "10.0.0.1", "10.0.0.1/33", "10.0.0.1/-1", "10.0.0.01/24", "10.0.0.1/024"),
        *("10.0.0.1/255.255.255.0", " 10.0.0.1/24", "10.0.0.1/24 ", "10.0.0.1/24\n", "10.1/8"),
        *("fe80::1%eth0/64", "::ffff:10.0.0.1/96", "::10.0.0.1/96", "٣.0.0.1/24", "1" * 200, 7),
    ],
)
def test_ambiguous_addresses_are_refused(address: object) -> None:
    document = Drawing().interface("h1.eth0").document
    document["interfaces"]["h1-eth0"]["addresses"] = [address]
    assert set(found(document)) == {"/interfaces/h1-eth0/addresses/0"}


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("10.0.2.7/24", "10.0.2.0/24"),
        ("10.0.2.7", "10.0.2.7/32"),
        ("2001:DB8::5/64", "2001:db8::/64"),
        ("0.0.0.0/0", "0.0.0.0/0"),
    ],
)
def test_route_prefixes_become_canonical(written: str, canonical: str) -> None:
    drawing = Drawing().node("h1").route("h1", written, "10.0.0.1").parse()
    assert drawing.routes["t1"].prefix == canonical


def test_macs_become_canonical() -> None:
    drawing = Drawing().interface("h1.eth0", mac="02-AB-00-00-00-01").parse()
    assert drawing.interfaces["h1-eth0"].mac == "02:ab:00:00:00:01"
    for wrong in ("02:ab:00:00:00", "02:ab-00:00:00:01", "0g:00:00:00:00:00", 5):
        document = changed("/interfaces/h11-eth0/mac", wrong)
        assert set(found(document)) == {"/interfaces/h11-eth0/mac"}


@pytest.mark.parametrize(
    ("path", "value", "code"),
    [
        ("/nodes/h11/name", "", "name-empty"),
        ("/nodes/h11/name", "路由器一号A", "name-too-long"),
        ("/nodes/h11/name", "a\x00b", "text-unprintable"),
        ("/nodes/h11/name", "a\ud800", "text-unprintable"),
        ("/nodes/h11/name", "a\u202eb", "text-unprintable"),
        ("/nodes/h11/x", 1e7, "out-of-range"),
        ("/nodes/h11/x", float("inf"), "out-of-range"),
        ("/nodes/h11/x", 10**400, "out-of-range"),
        ("/nodes/h11/x", False, "wrong-type"),
        ("/nodes/h11/ageing", 1.5, "wrong-type"),
        ("/interfaces/h11-eth0/mtu", 67, "out-of-range"),
        ("/interfaces/h11-eth0/mtu", 65536, "out-of-range"),
        ("/interfaces/h11-eth0/mtu", 1500.0, "wrong-type"),
        ("/interfaces/h11-eth0/up", 1, "wrong-type"),
        ("/routes/t1/metric", -1, "out-of-range"),
        ("/routes/t1/metric", 2**32, "out-of-range"),
        ("/routes/t1/via", "10.0.0.1/24", "bad-next-hop"),
    ],
)
def test_a_wrong_property_is_named(path: str, value: object, code: str) -> None:
    assert found(changed(path, value)) == {path: code}


def test_fifteen_bytes_are_allowed() -> None:
    assert parse(changed("/nodes/h11/name", "路由器一号")).nodes["h11"].name == "路由器一号"


def test_limits_of_size() -> None:
    nodes = {f"n{i}": {"kind": "host", "name": f"h{i}"} for i in range(5001)}
    assert found({"nodes": nodes}) == {"/nodes": "too-many"}
    assert found({"description": "x" * 10_001}) == {"/description": "text-too-long"}
    addresses = [f"10.0.0.{i}/24" for i in range(65)]
    document = changed("/interfaces/h11-eth0/addresses", addresses)
    assert found(document) == {"/interfaces/h11-eth0/addresses": "too-many"}


def test_endless_problems_are_cut_off_with_a_word() -> None:
    with pytest.raises(DocumentError) as caught:
        parse({"nodes": {f"n{i}": {"kind": i, "name": i} for i in range(2000)}})
    assert len(caught.value.problems) == PROBLEM_LIMIT + 1
    assert caught.value.problems[-1].code == "too-many-problems"


def test_the_error_names_its_first_place() -> None:
    with pytest.raises(DocumentError) as caught:
        parse(changed("/interfaces/h11-eth0/mtu", 5))
    error = caught.value
    assert (error.path, error.code) == ("/interfaces/h11-eth0/mtu", "out-of-range")
    assert "5" in error.message
    assert error.hint


@settings(max_examples=400, deadline=None)
@given(JSON)
def test_any_json_is_parsed_or_refused(data: object) -> None:
    check_refusal(data)


@settings(max_examples=400, deadline=None)
@given(broken_documents())
def test_any_damage_is_parsed_or_refused(data: object) -> None:
    check_refusal(data)


def check_refusal(data: object) -> None:
    problems: list[Problem] = []
    try:
        topology = parse(data)
    except DocumentError as error:
        problems = error.problems
    else:
        assert parse(dump(topology)) == topology
        return
    assert problems
    for problem in problems:
        assert problem.path == "" or problem.path.startswith("/")
        (problem.path + problem.message + problem.hint).encode()  # no lone surrogates


@settings(max_examples=200, deadline=None)
@given(drawings())
def test_dump_and_parse_are_inverse(topology: Topology) -> None:
    document = json.loads(json.dumps(dump(topology)))
    assert parse(document) == topology
    assert dump(parse(document)) == document


def test_two_hosts_is_as_small_as_it_looks() -> None:
    topology = two_hosts().parse()
    assert topology.links["l1"].a == "h1-eth0"
