"""Drops on the way: packet filters, neighbours, switches."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from tests.fakes.traces import Way, arp, ping
from tests.unit.explain.judging import ACROSS, THERE, commands, judge, operation
from tests.unit.explain.labs import H1, H2, campus, routed, switched
from topoweb.core.tracing.explain.facts import Port, Rule

if TYPE_CHECKING:
    from tests.fakes.facts import FakeFacts

DROP = Rule(table="inet t", chain="f", hook="forward", text="ip protocol icmp drop", verdict="drop")


def filtered(lab: FakeFacts, node: str, *rules: Rule) -> None:
    lab.filters[node] = list(rules)


@pytest.mark.parametrize("hook", ["prerouting", "forward", "postrouting"])
def test_filter_drop_in_a_router(hook: str) -> None:
    lab = routed()
    filtered(lab, "r1", replace(DROP, hook=hook, comment="no ping"))
    way = Way(lab, ping(H1, H2)).go(*THERE)
    if hook != "prerouting":
        way.routed()
    place = "r1/eth1" if hook == "postrouting" else "r1/eth0"
    way.go(drop=(place, "NETFILTER_DROP", "nft_do_chain"))
    verdict = judge(lab, way, "filter-drop", "r1")
    assert (verdict.params["hook"], verdict.params["rule"]) == (hook, "ip protocol icmp drop")
    assert commands(verdict) == ("nft -a list chain inet t f",)


def test_the_hook_that_the_packet_was_at_counts() -> None:
    """Two rules would drop it; by its TTL it had not been routed yet."""
    lab = routed()
    filtered(lab, "r1", DROP, replace(DROP, chain="pre", hook="prerouting", text="drop"))
    way = Way(lab, ping(H1, H2)).go(*THERE, drop=("r1/eth0", "NETFILTER_DROP", "nft_do_chain"))
    assert judge(lab, way, "filter-drop", "r1").params["hook"] == "prerouting"


def test_a_rule_for_others_is_not_blamed() -> None:
    lab = routed()
    rule = replace(DROP, text="udp dport 53 drop")
    filtered(lab, "r1", replace(rule, hook="forward"), replace(DROP, chain="g"))
    way = Way(lab, ping(H1, H2)).go(*THERE).routed()
    way.go(drop=("r1/eth0", "NETFILTER_DROP", "nft_do_chain"))
    assert judge(lab, way, "filter-drop", "r1").params["rule"] == "ip protocol icmp drop"


def test_filter_input_and_output() -> None:
    lab = routed()
    filtered(lab, "h2", replace(DROP, hook="input"))
    way = Way(lab, ping(H1, H2)).go(*ACROSS, drop=("h2/eth0", "NETFILTER_DROP", "nft_do_chain"))
    assert judge(lab, way, "filter-drop", "h2").params["hook"] == "input"
    filtered(lab, "h1", replace(DROP, hook="output"))
    way = Way(lab, ping(H1, H2)).go(drop=("h1/", "NETFILTER_DROP", "nft_do_chain"))
    assert judge(lab, way, "filter-drop", "h1").params["hook"] == "output"


def test_filter_policy_and_reject() -> None:
    lab = routed()
    accept = replace(DROP, text="tcp dport 22 accept", verdict="accept")
    filtered(lab, "r1", accept, replace(DROP, text="policy drop", policy=True))
    way = Way(lab, ping(H1, H2)).go(*THERE).routed()
    way.go(drop=("r1/eth0", "NETFILTER_DROP", "nft_do_chain"))
    assert judge(lab, way, "filter-policy", "r1").params["chain"] == "f"
    filtered(lab, "r1", replace(DROP, text="ip protocol icmp reject", verdict="reject"))
    judge(lab, way, "filter-reject", "r1")


def test_filter_that_is_gone_is_not_invented() -> None:
    lab = routed()
    way = Way(lab, ping(H1, H2)).go(*THERE, drop=("r1/eth0", "NETFILTER_DROP", "nft_do_chain"))
    judge(lab, way, "filter-unknown", "r1")


def test_filter_of_a_switch() -> None:
    lab = switched("10.0.1.2/24", "10.0.1.3/24")
    filtered(lab, "sw", replace(DROP, table="bridge t"))
    way = Way(lab, ping(H1, "10.0.1.3"))
    way.go("h1/eth0>", "sw/p1", drop=("sw/p2", "NETFILTER_DROP", "nft_do_chain"))
    judge(lab, way, "filter-drop", "sw")


def test_connection_table_full() -> None:
    lab = routed()
    lab.settings["r1", "net.netfilter.nf_conntrack_count"] = "1024"
    lab.settings["r1", "net.netfilter.nf_conntrack_max"] = "1024"
    way = Way(lab, ping(H1, H2)).go(*THERE, drop=("r1/eth0", "NETFILTER_DROP", "nf_hook_slow"))
    assert judge(lab, way, "conntrack-full", "r1").params["limit"] == 1024


def test_nobody_has_the_address() -> None:
    lab = routed()
    way = Way(lab, ping(H1, "10.0.1.77"))
    way.go(drop=("h1/eth0", "NEIGH_FAILED", "neigh_invalidate"))
    verdict = judge(lab, way, "neighbour-failed", "h1")
    assert any(e.code == "address-unowned" for e in verdict.evidence)


def test_nobody_has_the_address_behind_a_router() -> None:
    lab = routed()
    way = Way(lab, ping(H1, "10.0.2.77"))
    way.go(*THERE).routed().go(drop=("r1/eth1", "NEIGH_FAILED", "neigh_invalidate"))
    judge(lab, way, "neighbour-failed", "r1")


def test_nobody_has_the_ipv6_address() -> None:
    lab = routed()
    lab.change("h1", "eth0", addresses=("2001:db8:1::2/64",))
    way = Way(lab, ping("2001:db8:1::2", "2001:db8:1::77"))
    way.go(drop=("h1/eth0", "NOT_SPECIFIED", "neigh_invalidate"))
    judge(lab, way, "neighbour-failed", "h1")


def test_gateway_that_nobody_has() -> None:
    lab = campus()
    lab.tables["h1"].clear()
    lab.add_route("h1", "0.0.0.0/0", "10.0.1.254")
    way = Way(lab, ping(H1, H2)).go(drop=("h1/eth0", "NEIGH_FAILED", "neigh_invalidate"))
    verdict = judge(lab, way, "gateway-unowned", "h1")
    assert operation(verdict)["patch"] == {"via": "10.0.1.1", "device": None}


def test_gateway_on_another_cable() -> None:
    lab = routed()
    lab.tables["h1"].clear()
    lab.add_route("h1", "0.0.0.0/0", "10.0.2.1", device="eth0")
    way = Way(lab, ping(H1, H2)).go(drop=("h1/eth0", "NEIGH_FAILED", "neigh_invalidate"))
    # r1 has 10.0.2.1 at its other interface: Linux answers for it there, so ask for h2's instead
    lab.tables["h1"].clear()
    lab.add_route("h1", "0.0.0.0/0", "10.0.2.2", device="eth0")
    verdict = judge(lab, way, "gateway-off-link", "h1")
    assert verdict.params["owner"] == "h2"


def test_mask_too_wide() -> None:
    lab = routed()
    lab.change("h1", "eth0", addresses=(f"{H1}/16",))
    way = Way(lab, ping(H1, H2)).go(drop=("h1/eth0", "NEIGH_FAILED", "neigh_invalidate"))
    verdict = judge(lab, way, "wrong-mask", "h1")
    assert operation(verdict) == {
        "kind": "set", "collection": "interfaces", "id": "h1/eth0",
        "patch": {"addresses": [f"{H1}/24"]},
    }  # fmt: skip


def test_arp_is_off() -> None:
    lab = routed()
    lab.change("h2", "eth0", arp=False)
    way = Way(lab, ping(H1, H2))
    way.go(*THERE).routed().go(drop=("r1/eth1", "NEIGH_FAILED", "neigh_invalidate"))
    verdict = judge(lab, way, "arp-off", "r1")
    assert verdict.remedy is not None
    assert (verdict.remedy.node, commands(verdict)) == ("h2", ("ip link set eth0 arp on",))


def test_arp_is_ignored() -> None:
    lab = routed()
    lab.settings["h2", "net.ipv4.conf.all.arp_ignore"] = "8"
    way = Way(lab, ping(H1, H2))
    way.go(*THERE).routed().go(drop=("r1/eth1", "NEIGH_FAILED", "neigh_invalidate"))
    assert commands(judge(lab, way, "arp-ignored", "r1")) == (
        "sysctl -w net.ipv4.conf.all.arp_ignore=0",
    )


def test_arp_is_ignored_by_a_strict_filter() -> None:
    """The asker's address has no way back through the interface that the request came in at."""
    lab = routed()
    lab.settings["r1", "net.ipv4.conf.eth0.rp_filter"] = "1"
    way = Way(lab, ping("10.9.9.9", H2)).go(drop=("h1/eth0", "NEIGH_FAILED", "neigh_invalidate"))
    assert judge(lab, way, "rp-filter", "h1").params["node"] == "r1"


def test_wrong_fixed_neighbour() -> None:
    lab = switched("10.0.1.2/24", "10.0.1.3/24")
    lab.neighbours["h1", "eth0", "10.0.1.3"] = ("permanent", "02:00:00:00:99:99")
    way = Way(lab, ping(H1, "10.0.1.3"))
    way.go("h1/eth0>", "sw/p1", "sw/p2>", "h2/eth0", drop=("h2/eth0", "OTHERHOST", "ip_rcv_core"))
    verdict = judge(lab, way, "neighbour-wrong", "h1")
    assert commands(verdict) == ("ip neigh del 10.0.1.3 dev eth0",)


def test_flooded_copy_is_expected() -> None:
    lab = switched("10.0.1.2/24", "10.0.1.3/24", "10.0.1.4/24")
    way = Way(lab, ping(H1, "10.0.1.3"))
    way.go("h1/eth0>", "sw/p1", "sw/p3>", "h3/eth0", drop=("h3/eth0", "OTHERHOST", "ip_rcv_core"))
    verdict = judge(lab, way, "not-for-this-host", "h3", "expected")
    assert verdict.remedy is None


def at_switch(lab: FakeFacts, reason: str, symbol: str, port: str = "p1") -> Way:
    way = Way(lab, ping(H1, "10.0.1.3"))
    return way.go("h1/eth0>", "sw/p1", drop=(f"sw/{port}", reason, symbol))


@pytest.mark.parametrize(
    ("state", "code"), [("blocking", "stp-blocking"), ("listening", "stp-learning")]
)
def test_spanning_tree(state: Any, code: str) -> None:
    lab = switched("10.0.1.2/24", "10.0.1.3/24")
    lab.change("sw", "p1", port=Port(bridge="br0", state=state))
    way = at_switch(lab, "BRIDGE_INGRESS_STP_STATE", "br_handle_frame")
    judge(lab, way, code, "sw", "expected")


def test_bridge_is_down() -> None:
    lab = switched("10.0.1.2/24", "10.0.1.3/24")
    lab.change("sw", "br0", up=False)
    lab.change("sw", "p1", port=Port(bridge="br0", state="disabled"))
    way = at_switch(lab, "BRIDGE_INGRESS_STP_STATE", "br_handle_frame")
    assert commands(judge(lab, way, "bridge-down", "sw")) == ("ip link set br0 up",)


def test_isolated_ports() -> None:
    lab = switched("10.0.1.2/24", "10.0.1.3/24", "10.0.1.4/24")
    for port in ("p1", "p2"):
        lab.change("sw", port, port=Port(bridge="br0", isolated=True))
    verdict = judge(lab, at_switch(lab, "NOT_SPECIFIED", "br_handle_frame_finish"),
                    "port-isolated", "sw")  # fmt: skip
    assert (verdict.params["interface"], verdict.params["other_interface"]) == ("p1", "p2")


def test_locked_port() -> None:
    lab = switched("10.0.1.2/24", "10.0.1.3/24")
    lab.change("sw", "p1", port=Port(bridge="br0", locked=True))
    del lab.learned["sw", "br0", lab.devices["h1"]["eth0"].mac]
    judge(lab, at_switch(lab, "NOT_SPECIFIED", "br_handle_frame_finish"), "port-locked", "sw")


def test_flooding_is_off() -> None:
    lab = switched("10.0.1.2/24", "10.0.1.3/24")
    lab.change("sw", "p2", port=Port(bridge="br0", flood=False))
    lab.learned.clear()
    way = at_switch(lab, "NO_TX_TARGET", "br_handle_frame_finish")
    assert commands(judge(lab, way, "flooding-off", "sw")) == ("bridge link set dev p2 flood on",)


def test_switch_whose_other_port_is_off() -> None:
    lab = switched("10.0.1.2/24", "10.0.1.3/24")
    lab.change("sw", "p2", up=False, port=Port(bridge="br0", state="disabled"))
    lab.learned.clear()
    way = Way(lab, arp(H1, "10.0.1.3"))
    way.go("h1/eth0>", "sw/p1", drop=("sw/p1", "NO_TX_TARGET", "br_handle_frame_finish"))
    verdict = judge(lab, way, "interface-down", "sw")
    assert operation(verdict)["id"] == "sw/p2"


def test_storm() -> None:
    lab = switched("10.0.1.2/24", "10.0.1.3/24")
    lab.switch("s2", "p8", "p9")
    lab.devices["sw"] |= {n: replace(lab.devices["sw"]["p1"], name=n) for n in ("p8", "p9")}
    way = Way(lab, arp(H1, "10.0.1.9"))
    way.go("h1/eth0>", "sw/p1", *["sw/p8>", "s2/p8", "s2/p9>", "sw/p9"] * 4)
    way.go(drop=("sw/p9", "NO_TX_TARGET", "br_handle_frame_finish"))
    verdict = judge(lab, way, "bridge-loop", "sw")
    assert verdict.params["count"] == 4
    assert operation(verdict)["patch"] == {"stp": True}
