"""What a drawing's services become: argument lists and files, never shell text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.unit.core.drawing import Drawing
from topoweb.kernel.services import recipes
from topoweb.kernel.services.frr import config, daemons

if TYPE_CHECKING:
    from topoweb.core.programs import Recipe


def built(kind: str, node: str = "r1", **options: Any) -> Recipe:
    return recipes(lan({"s": {"node": node, "kind": kind, "options": options}}).parse())["s"]


def lan(services: dict[str, Any]) -> Drawing:
    drawing = (
        Drawing()
        .interface("h1.eth0", dhcp=True)
        .cable("r1.lan 10.0.1.1/24 2001:db8::1/64", "h1.eth0")
    )
    drawing.document["services"] = services
    return drawing


def test_dhcp_server() -> None:
    recipe = built(
        "dhcp-server", interface="r1-lan", first="10.0.1.50", last="10.0.1.60", dns="10.0.1.9"
    )
    lines = recipe.files["dnsmasq.conf"].decode().splitlines()
    assert "interface=lan" in lines
    assert "dhcp-range=10.0.1.50,10.0.1.60,255.255.255.0,600" in lines
    assert "dhcp-option=option:dns-server,10.0.1.9" in lines
    assert "port=0" in lines
    assert not any("option:router" in line for line in lines)


def test_dhcp_hands_out_the_nodes_own_dns() -> None:
    options = {"interface": "r1-lan", "first": "10.0.1.50", "last": "10.0.1.60"}
    drawing = lan(
        {
            "d": {"node": "r1", "kind": "dhcp-server", "options": options},
            "n": {"node": "r1", "kind": "dns", "options": {}},
        }
    )
    own = b"dhcp-option=option:dns-server,0.0.0.0\n"
    assert own in recipes(drawing.parse())["d"].files["dnsmasq.conf"]
    drawing.document["services"]["n"]["up"] = False
    assert own not in recipes(drawing.parse())["d"].files["dnsmasq.conf"]


def test_dns_knows_the_lab() -> None:
    recipe = built("dns", domain="example.lab", records=[{"name": "www", "address": "10.0.1.9"}])
    hosts = recipe.files["hosts"].decode().splitlines()
    assert hosts == [
        "10.0.1.9 www.example.lab www",
        "10.0.1.1 r1.example.lab r1",
        "2001:db8::1 r1.example.lab r1",
    ]
    assert b"no-resolv\n" in recipe.files["dnsmasq.conf"]


def test_the_page_shows_text_as_text() -> None:
    drawing = lan({"s": {"node": "r1", "kind": "http", "options": {"text": "<script>"}}})
    drawing.document["nodes"]["r1"]["name"] = "<r&1>"
    page = recipes(drawing.parse())["s"].files["page.html"].decode()
    assert "<h1>&lt;r&amp;1&gt;</h1>" in page
    assert "<pre>&lt;script&gt;</pre>" in page


def test_a_users_line_is_one_argument_of_the_nodes_shell() -> None:
    line = "echo $(id); cat /etc/shadow"
    assert built("command", line=line).command.arguments == ("/bin/sh", "-c", line)
    assert built("command").fault


def test_only_frr_is_a_daemon() -> None:
    for kind in ("http", "echo", "iperf3", "dns", "command"):
        assert not built(kind).command.daemon
    assert built("frr").command.daemon


def test_frr_configuration() -> None:
    recipe = built(
        "frr",
        router_id="1.1.1.1",
        ospf=[{"prefix": "10.0.0.0/8", "area": "0.0.0.1"}],
        bgp={
            "asn": 65001,
            "neighbours": [
                {"address": "10.0.1.2", "asn": 65002},
                {"address": "2001:db8::2", "asn": 65002},
            ],
            "networks": ["10.0.1.0/24", "2001:db8::/64"],
        },
        rip=["10.0.0.0/8"],
        redistribute=["connected", "ospf"],
        config="interface lan\n ip ospf hello-interval 1\nexit\nrouter ospf6\nexit",
    )
    text = recipe.files["frr.conf"].decode()
    assert text == (
        "interface lan\n ip ospf hello-interval 1\nexit\nrouter ospf6\nexit\n"
        "router ospf\n ospf router-id 1.1.1.1\n redistribute connected\n"
        " network 10.0.0.0/8 area 0.0.0.1\nexit\n"
        "router bgp 65001\n bgp router-id 1.1.1.1\n no bgp ebgp-requires-policy\n"
        " neighbor 10.0.1.2 remote-as 65002\n neighbor 2001:db8::2 remote-as 65002\n"
        " address-family ipv4 unicast\n  redistribute connected\n  redistribute ospf\n"
        "  network 10.0.1.0/24\n exit-address-family\n"
        " address-family ipv6 unicast\n  redistribute connected\n"
        "  network 2001:db8::/64\n  neighbor 2001:db8::2 activate\n exit-address-family\nexit\n"
        "router rip\n redistribute connected\n redistribute ospf\n network 10.0.0.0/8\nexit\n"
    )
    assert daemons(text) == ["zebra", "staticd", "ospfd", "ospf6d", "bgpd", "ripd"]
    assert recipe.command.arguments[-6:] == tuple(daemons(text))


def test_nothing_configured_is_zebra_and_static() -> None:
    options = built("frr").files["frr.conf"]
    assert options == b""
    assert daemons("") == ["zebra", "staticd"]
    assert callable(config)


def test_a_dhcp_client_runs_while_its_cable_is_up() -> None:
    drawing = lan({})
    recipe = recipes(drawing.parse())["dhcp:h1-eth0"]
    assert recipe.command.arguments[-2:] == ("eth0", "h1")
    drawing.document["links"]["l1"]["up"] = False
    assert recipes(drawing.parse()) == {}


def test_another_cable_is_another_lease() -> None:
    drawing = lan({})
    before = recipes(drawing.parse())["dhcp:h1-eth0"].digest
    drawing.document["links"]["l9"] = drawing.document["links"].pop("l1")
    assert recipes(drawing.parse())["dhcp:h1-eth0"].digest != before


def test_a_service_whose_interface_went_says_so() -> None:
    assert "interface" in built("router-advertisements", node="h1", interface="r1-lan").fault


def test_what_is_off_does_not_run() -> None:
    service = {"node": "r1", "kind": "http", "options": {}, "up": False}
    assert "s" not in recipes(lan({"s": service}).parse())
