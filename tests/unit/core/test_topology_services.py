"""Services in a drawing: typed options in and out, operations on them, undo."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.unit.core.drawing import Drawing, two_hosts
from topoweb.core.topology.document import DocumentError, dump, parse
from topoweb.core.topology.operations import apply, invert, replay
from topoweb.core.topology.services import KINDS, DhcpServer, Frr, Http
from topoweb.core.topology.services.frr import Bgp, BgpNeighbour, OspfNetwork

if TYPE_CHECKING:
    from topoweb.core.topology.model import Topology

LEAST: dict[str, dict[str, Any]] = {
    "dhcp-server": {"interface": "h1-eth0", "first": "10.0.0.50", "last": "10.0.0.60"},
    "router-advertisements": {"interface": "h1-eth0"},
}


def with_services() -> Drawing:
    drawing = two_hosts()
    drawing.document["services"] = {
        kind: {"node": "h1", "kind": kind, "options": LEAST.get(kind, {})} for kind in KINDS
    }
    return drawing


def codes(error: DocumentError) -> list[tuple[str, str]]:
    return [(problem.path, problem.code) for problem in error.problems]


def test_a_document_without_services_is_as_before() -> None:
    topology = two_hosts().parse()
    assert topology.services == {}
    assert not any(item.dhcp for item in topology.interfaces.values())


@pytest.mark.parametrize("kind", KINDS)
def test_defaults_are_filled_in_and_written_out(kind: str) -> None:
    topology = with_services().parse()
    options = topology.services[kind].options
    assert isinstance(options, KINDS[kind].options)
    written = dump(topology)["services"][kind]["options"]
    assert written.keys() == KINDS[kind].checks.keys()
    assert parse(dump(topology)) == topology


def test_nested_options_are_typed() -> None:
    drawing = two_hosts()
    options = {
        "ospf": [{"prefix": "10.0.0.9/8"}],
        "bgp": {"asn": 65001, "neighbours": [{"address": "10.0.0.2", "asn": 65002}]},
    }
    drawing.document["services"] = {"f": {"node": "h1", "kind": "frr", "options": options}}
    assert drawing.parse().services["f"].options == Frr(
        ospf=(OspfNetwork(prefix="10.0.0.0/8", area="0.0.0.0"),),
        bgp=Bgp(asn=65001, neighbours=(BgpNeighbour(address="10.0.0.2", asn=65002),)),
    )


def changed(topology: Topology, operation: dict[str, Any]) -> Topology:
    """Apply, and check that the changes replay and that the inverse undoes them."""
    new, changes = apply(topology, operation)
    assert replay(topology, changes) == new
    assert apply(new, invert(changes))[0] == topology
    return new


def test_operations_and_their_undo() -> None:
    topology = two_hosts().parse()
    place = {"collection": "services", "id": "s1"}
    value = {"node": "h1", "kind": "http", "options": {"port": 8080}}
    topology = changed(topology, {"kind": "add", **place, "value": value})
    assert topology.services["s1"].options == Http(port=8080)
    topology = changed(topology, {"kind": "set", **place, "patch": {"up": False}})
    assert not topology.services["s1"].up
    topology = changed(topology, {"kind": "set", **place, "patch": {"options": {"text": "hi"}}})
    assert topology.services["s1"].options == Http(text="hi")
    patch = {"kind": "dhcp-server", "options": LEAST["dhcp-server"]}
    topology = changed(topology, {"kind": "set", **place, "patch": patch})
    assert isinstance(topology.services["s1"].options, DhcpServer)
    changed(topology, {"kind": "remove", **place})
    without = changed(topology, {"kind": "remove", "collection": "nodes", "id": "h1"})
    assert without.services == {}


@pytest.mark.parametrize(
    ("patch", "path", "code"),
    [
        ({"options": {"port": 0}}, "/patch/options/port", "out-of-range"),
        ({"options": {"shell": "x"}}, "/patch/options/shell", "unknown-property"),
        ({"options": None}, "/patch/options", "wrong-type"),
        ({"kind": "iperf3"}, "/patch/options/text", "unknown-property"),
        ({"kind": "sshd"}, "/patch/kind", "bad-choice"),
        ({"node": "h9"}, "/patch/node", "dangling-reference"),
    ],
)
def test_what_does_not_fit_is_refused(patch: dict[str, Any], path: str, code: str) -> None:
    drawing = two_hosts()
    drawing.document["services"] = {"s1": {"node": "h1", "kind": "http", "options": {}}}
    operation = {"kind": "set", "collection": "services", "id": "s1", "patch": patch}
    with pytest.raises(DocumentError) as refused:
        apply(drawing.parse(), operation)
    assert (path, code) in codes(refused.value)


def test_an_interface_with_dhcp_gets_no_automatic_address() -> None:
    drawing = Drawing().interface("h1.eth0", dhcp=True).interface("r1.eth0")
    link = {"a": "h1-eth0", "b": "r1-eth0"}
    operation = {"kind": "add", "collection": "links", "id": "l1", "value": link}
    topology, _ = apply(drawing.parse(), operation)
    assert topology.interfaces["h1-eth0"].addresses == ()
    assert topology.interfaces["r1-eth0"].addresses == ("10.0.1.1/24",)
    assert topology.routes == {}
