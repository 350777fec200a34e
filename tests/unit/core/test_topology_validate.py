from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings

from tests.unit.core.drawing import Drawing, routed, two_hosts
from tests.unit.core.strategies import drawings
from topoweb.core.topology.validate import all_codes, validate
from topoweb.core.topology.validate.codes import CODES

if TYPE_CHECKING:
    from topoweb.core.topology.model import Topology


def found(drawing: Drawing) -> dict[str, str]:
    return {problem.path: problem.code for problem in validate(drawing.parse())}


def test_a_sound_drawing_has_no_problems() -> None:
    assert found(two_hosts()) == {}
    assert found(routed()) == {}


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("a/b", "name-forbidden-character"),
        ("a b", "name-forbidden-character"),
        ("a:b", "name-forbidden-character"),
        ("eth%d", "name-forbidden-character"),
        ("..", "name-dots"),
        ("-x", "name-starts-with-dash"),
        ("lo", "name-reserved"),
        ("all", "name-reserved"),
        ("default", "name-reserved"),
    ],
)
def test_interface_names(name: str, code: str) -> None:
    drawing = two_hosts()
    drawing.document["interfaces"]["h1-eth0"]["name"] = name
    assert found(drawing) == {"/interfaces/h1-eth0/name": code}


def test_names_are_unique_in_their_scope() -> None:
    drawing = two_hosts().cable("h1.eth1", "h2.eth1")
    drawing.document["nodes"]["h2"]["name"] = "h1"
    drawing.document["interfaces"]["h1-eth1"]["name"] = "eth0"
    assert found(drawing) == {
        "/nodes/h2/name": "name-duplicate",
        "/interfaces/h1-eth1/name": "name-duplicate",
    }


def test_a_switch_reserves_its_bridge() -> None:
    drawing = Drawing().cable("s1.br0", "h1.br0")
    assert found(drawing) == {"/interfaces/s1-br0/name": "name-reserved"}


@pytest.mark.parametrize(
    ("address", "code"),
    [
        ("224.0.0.1/24", "address-unusable"),
        ("127.0.0.1/8", "address-unusable"),
        ("0.0.0.0/24", "address-unusable"),
        ("255.255.255.255/32", "address-unusable"),
        ("ff02::1/64", "address-unusable"),
        ("::1/128", "address-unusable"),
        ("10.0.0.0/24", "address-is-network"),
        ("10.0.0.255/24", "address-is-broadcast"),
        ("192.167.2.1/24", "address-public"),
        ("2600::1/64", "address-public"),
    ],
)
def test_addresses(address: str, code: str) -> None:
    drawing = Drawing().cable(f"h1.eth0 {address}", "h2.eth0")
    assert found(drawing) == {"/interfaces/h1-eth0/addresses/0": code}


@pytest.mark.parametrize(
    "address",
    ["10.0.0.0/31", "10.0.0.255/32", "203.0.113.9/24", "100.64.0.1/10", "fd00::1/64", "fe80::1/64"],
)
def test_usable_addresses(address: str) -> None:
    assert found(Drawing().cable(f"h1.eth0 {address}", "h2.eth0")) == {}


def test_duplicates() -> None:
    drawing = Drawing().cable("h1.eth0 10.0.0.1/24", "h2.eth0 10.0.0.1/16")
    for node in ("h1", "h2"):
        drawing.document["interfaces"][f"{node}-eth0"]["mac"] = "02:00:00:00:00:01"
    problems = validate(drawing.parse())
    assert [(p.code, p.path, p.severity) for p in problems] == [
        ("address-duplicate", "/interfaces/h2-eth0/addresses/0", "warning"),
        ("mac-duplicate", "/interfaces/h2-eth0/mac", "warning"),
    ]
    assert problems[0].message == "10.0.0.1 is also the address of h1:eth0."


def test_macs() -> None:
    drawing = two_hosts()
    drawing.document["interfaces"]["h1-eth0"]["mac"] = "01:00:5e:00:00:01"
    drawing.document["interfaces"]["h2-eth0"]["mac"] = "00:00:00:00:00:00"
    assert found(drawing) == {
        "/interfaces/h1-eth0/mac": "mac-multicast",
        "/interfaces/h2-eth0/mac": "mac-zero",
    }


def test_links() -> None:
    drawing = two_hosts().interface("h1.eth1").node("h3", lo_up=False, stp=True)
    drawing.document["interfaces"]["h2-eth0"]["mtu"] = 1400
    drawing.document["interfaces"]["h2-eth0"]["bridged"] = False
    drawing.document["nodes"]["h3"]["addresses"] = ["10.9.9.9/24"]
    assert found(drawing) == {
        "/interfaces/h1-eth1": "interface-without-cable",
        "/links/l1": "mtu-mismatch",
        "/nodes/h3/lo_up": "loopback-down",
        "/nodes/h3/stp": "property-without-effect",
        "/nodes/h3/addresses": "property-without-effect",
        "/interfaces/h2-eth0/bridged": "property-without-effect",
    }


def test_ipv6_needs_1280() -> None:
    drawing = Drawing().node("s1", addresses=["fd00::9/64"])
    drawing.cable("h1.eth0 fd00::1/64", "s1.p1")
    for key in ("h1-eth0", "s1-p1"):
        drawing.document["interfaces"][key]["mtu"] = 1279
    assert found(drawing) == {
        "/interfaces/h1-eth0/mtu": "ipv6-mtu",
        "/nodes/s1/addresses": "ipv6-mtu",
    }


def test_an_address_on_a_bridge_port() -> None:
    drawing = Drawing().cable("h1.eth0", "s1.p1 10.0.0.1/24")
    assert found(drawing) == {"/interfaces/s1-p1/addresses": "address-on-port"}


def triangle(**properties: bool) -> Drawing:
    drawing = Drawing().node("s1", **properties)
    return drawing.cable("s1.p1", "s2.p1").cable("s2.p2", "s3.p1").cable("s3.p2", "s1.p2")


def test_a_loop_of_switches_needs_one_with_stp() -> None:
    assert found(triangle()) == {"/links/l3": "switch-loop"}
    assert found(triangle(stp=True)) == {}
    assert found(Drawing().cable("s1.p1", "s1.p2")) == {"/links/l1": "switch-loop"}
    off = triangle()
    off.document["links"]["l2"]["up"] = False
    assert found(off) == {}


def test_a_bridge_has_1023_ports() -> None:
    drawing = Drawing()
    for n in range(1024):
        drawing.cable(f"h{n}.eth0", f"s1.p{n}")
    assert found(drawing) == {"/nodes/s1": "bridge-ports"}
    del drawing.document["links"]["l5"]
    assert "/nodes/s1" not in found(drawing)


@pytest.mark.parametrize(
    ("prefix", "via", "device", "path", "code"),
    [
        ("0.0.0.0/0", "10.1.0.1", None, "/routes/t1/via", "route-off-link"),
        ("0.0.0.0/0", "10.0.0.2", "h1-eth1", "/routes/t1/via", "route-off-link"),
        ("0.0.0.0/0", "10.0.0.1", None, "/routes/t1/via", "route-via-self"),
        ("0.0.0.0/0", "10.0.0.255", None, "/routes/t1/via", "next-hop-unusable"),
        ("::/0", "10.0.0.2", None, "/routes/t1/via", "route-family"),
        ("::/0", "fe80::1", None, "/routes/t1/via", "route-device-needed"),
        ("10.5.0.0/16", None, None, "/routes/t1", "route-without-target"),
        ("10.5.0.0/16", None, "h2-eth0", "/routes/t1/device", "route-foreign-device"),
        ("10.5.0.0/16", None, "h1-eth1", "/routes/t1", "route-inactive"),
        ("10.5.0.0/16", "10.3.0.9", None, "/routes/t1", "route-inactive"),
        ("10.0.0.0/24", "10.0.0.2", None, "/routes/t1", "route-duplicate"),
    ],
)
def test_routes(prefix: str, via: str | None, device: str | None, path: str, code: str) -> None:
    drawing = two_hosts().interface("h1.eth1", "10.3.0.1/24")
    drawing.route("h1", prefix, via, device=device)
    problems = found(drawing)
    assert problems.pop("/interfaces/h1-eth1") == "interface-without-cable"
    assert problems == {path: code}


def test_an_off_link_next_hop_says_what_is_near() -> None:
    (problem,) = validate(two_hosts().route("h1", "0.0.0.0/0", "10.1.0.1").parse())
    assert problem.message.startswith("Nexthop has invalid gateway")
    assert "10.0.0.0/24" in problem.hint
    assert dict(problem.params)["via"] == "10.1.0.1"


def test_a_device_route_makes_next_hops_on_link() -> None:
    drawing = two_hosts().route("h1", "10.7.0.0/16", device="h1-eth0")
    assert found(drawing.route("h1", "0.0.0.0/0", "10.7.0.1")) == {}
    link_local = two_hosts().route("h1", "::/0", "fe80::2", device="h1-eth0")
    assert found(link_local) == {}


def test_the_same_prefix_twice_needs_another_metric() -> None:
    drawing = (
        two_hosts().route("h1", "10.9.0.0/16", "10.0.0.2").route("h1", "10.9.0.0/16", "10.0.0.3")
    )
    assert found(drawing) == {"/routes/t2": "route-duplicate"}
    drawing.document["routes"]["t2"]["metric"] = 10
    assert found(drawing) == {}


def test_two_routers_that_point_at_each_other() -> None:
    drawing = Drawing().cable("r1.eth0 10.0.0.1/24", "r2.eth0 10.0.0.2/24")
    drawing.route("r1", "10.9.0.0/16", "10.0.0.2").route("r2", "10.9.0.0/16", "10.0.0.1")
    (problem,) = validate(drawing.parse())
    assert (problem.code, problem.severity) == ("route-loop", "warning")


def test_codes_and_their_params_can_be_translated() -> None:
    assert set(all_codes()) == set(CODES)
    for name, code in CODES.items():
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name)
        assert code.message.endswith((".", ")"))
        assert code.hint


@settings(max_examples=300, deadline=None)
@given(drawings())
def test_any_drawing_is_validated(topology: Topology) -> None:
    for problem in validate(topology):
        assert problem.code in CODES
        assert problem.path.count("/") >= 2
        assert "{" not in problem.message + problem.hint
        for value in dict(problem.params).values():
            assert value != ""
