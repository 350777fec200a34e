"""S6 to S9: veth pairs, their two ends, and their addresses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.kernel.seed.drawings import NET1_NET2, change, document, remove
from tests.kernel.seed.lab import LAB, own_links
from topoweb.core.plan.state import Endpoint

if TYPE_CHECKING:
    from tests.kernel.seed.lab import SeedLab

CABLE = "net1:veth0 net2:veth1"
SECOND = 1.0  # the table's promise: a line vanishes everywhere within it


async def test_s6_veth_pairs_on_one_node_are_born_down(lab: SeedLab) -> None:
    before = own_links()
    drawn = document("host:veth0 host:veth1")
    drawn["links"]["host-host"]["up"] = False
    await lab.draw(drawn)
    listed = lab.inside("host", "ip -o link show veth1")
    assert "veth1@veth0: <BROADCAST,MULTICAST,M-DOWN>" in listed
    assert "state DOWN" in listed
    await lab.live.until(
        lambda: lab.live.state("host:veth0") == lab.live.state("host:veth1") == "off",
        "both ends are shown off",
    )
    assert lab.live.link("host-host") == "off"
    assert own_links() == before


async def test_s6_ends_of_a_cable_move_to_other_nodes(lab: SeedLab) -> None:
    await lab.draw(
        document(
            "host:veth0 host:veth1",
            "net1:veth2 host:veth3",
            nodes={"net1": {}, "net2": {}, "host": {}},
        )
    )
    await lab.change(
        change("interfaces", "host-veth0", node="net1"),
        change("interfaces", "host-veth1", node="net2"),
    )
    seen = lab.kernel.observe(LAB).namespaces
    names = {node: set(state.devices) - {"lo"} for node, state in seen.items()}
    assert names == {"host": {"veth3"}, "net1": {"veth0", "veth2"}, "net2": {"veth1"}}
    assert seen["net2"].devices["veth1"].peer == Endpoint(namespace="net1", name="veth0")
    assert "link-netns" in lab.inside("net2", "ip link show veth1")
    await lab.live.until(lambda: lab.live.link("host-host") == "up", "the drawn line is up")


async def test_s7_deleting_one_end_deletes_the_other(lab: SeedLab) -> None:
    await lab.draw(document(NET1_NET2))
    await lab.change(remove("interfaces", "net1-veth0"))
    assert lab.device("net1:veth0") is None
    assert lab.device("net2:veth1") is None
    assert lab.topology.links == {}
    await lab.live.until(lambda: "net1-net2" not in lab.live.links, "the line is gone")


async def test_s7_deleting_one_end_by_hand_shows_within_a_second(lab: SeedLab) -> None:
    await lab.draw(document(NET1_NET2))
    await lab.live.until(lambda: lab.live.link("net1-net2") == "up", "the cable is up")
    lab.inside("net1", "ip link delete veth0")
    await lab.live.until(
        lambda: (
            lab.live.link("net1-net2")
            == lab.live.state("net1:veth0")
            == lab.live.state("net2:veth1")
            == "missing"
        ),
        "the line has vanished",
        SECOND,
    )


async def test_s8_one_end_up_only_has_no_carrier(lab: SeedLab) -> None:
    drawn = document(NET1_NET2)
    drawn["interfaces"]["net2-veth1"]["up"] = False
    await lab.draw(drawn)
    await lab.live.until(
        lambda: (
            (lab.live.state("net1:veth0"), lab.live.state("net2:veth1")) == ("nocarrier", "off")
        ),
        "the two ends are told apart",
    )
    assert lab.live.link("net1-net2") == "down"
    # The kernel's own word follows within a second and drops what waits for ARP (linkwatch).
    await lab.eventually(
        lambda: "<NO-CARRIER,BROADCAST,MULTICAST,UP>" in lab.inside("net1", "ip link show veth0"),
        "the kernel says NO-CARRIER",
    )
    assert await lab.verdict("net1", "192.167.2.2") == "unreachable"
    await lab.change(change("interfaces", "net2-veth1", up=True))
    await lab.live.until(lambda: lab.live.link("net1-net2") == "up", "the cable is up")
    assert await lab.verdict("net1", "192.167.2.2") == "reply 64"


async def test_s9_connected_route_comes_with_the_address(lab: SeedLab) -> None:
    await lab.draw(document(CABLE))
    assert lab.live.routes("net1") == lab.live.routes("net2") == set()
    await lab.change(
        change("interfaces", "net1-veth0", addresses=["192.167.2.1/24"]),
        change("interfaces", "net2-veth1", addresses=["192.167.2.2/24"]),
    )
    await lab.live.until(
        lambda: (
            lab.live.routes("net1") == {("192.167.2.0/24", None, "veth0")}
            and lab.live.routes("net2") == {("192.167.2.0/24", None, "veth1")}
        ),
        "each address has brought its connected route",
    )
    (route,) = [one for one in lab.live.nodes["net1"]["routes"] if ":" not in one["prefix"]]
    assert route["proto"] == "kernel"
    assert "192.167.2.1/24" in lab.live.interface("net1:veth0")["addresses"]
    assert "src 192.167.2.1" in lab.inside("net1", "ip route show 192.167.2.0/24")
