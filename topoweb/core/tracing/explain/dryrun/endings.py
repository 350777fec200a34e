"""How a walk can end, and the routing reasons for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from topoweb.core.tracing.explain.dryrun.flow import Flow
    from topoweb.core.tracing.explain.facts import Facts, Route, Rule

WALKABLE = ("veth", "bridge", "loopback")
REJECTING = {
    "blackhole": "route-blackhole",
    "prohibit": "route-prohibit",
    "unreachable": "route-unreachable",
}
# What the kernel would say: reason and symbol, by the code of the end.
WORDS: Mapping[str, tuple[str, str]] = {
    "forwarding-off": ("IP_INADDRERRORS", "ip_error"),
    "no-route": ("IP_INNOROUTES", "ip_error"),
    "route-blackhole": ("NOT_SPECIFIED", "ip_error"),
    "route-prohibit": ("NOT_SPECIFIED", "ip_error"),
    "route-unreachable": ("NOT_SPECIFIED", "ip_error"),
    "rp-filter": ("IP_RPFILTER", "ip_rcv_finish_core"),
    "ttl-exceeded": ("IP_INHDR", "ip_forward"),
    "mtu-too-big": ("PKT_TOO_BIG", "ip_forward"),
    "filter-drop": ("NETFILTER_DROP", "nft_do_chain"),
    "neighbour-failed": ("NEIGH_FAILED", "neigh_invalidate"),
    "gateway-unowned": ("NEIGH_FAILED", "neigh_invalidate"),
    "gateway-off-link": ("NEIGH_FAILED", "neigh_invalidate"),
    "wrong-mask": ("NEIGH_FAILED", "neigh_invalidate"),
    "arp-off": ("NEIGH_FAILED", "neigh_invalidate"),
    "arp-ignored": ("NEIGH_FAILED", "neigh_invalidate"),
    "no-carrier": ("QDISC_DROP", "__dev_queue_xmit"),
    "no-cable": ("QDISC_DROP", "__dev_queue_xmit"),
    "stp-blocking": ("BRIDGE_INGRESS_STP_STATE", "br_handle_frame"),
    "stp-learning": ("BRIDGE_INGRESS_STP_STATE", "br_handle_frame"),
    "port-isolated": ("NOT_SPECIFIED", "br_handle_frame_finish"),
    "port-locked": ("NOT_SPECIFIED", "br_handle_frame_finish"),
    "bridge-down": ("NOT_SPECIFIED", "br_handle_frame_finish"),
    "flooding-off": ("NO_TX_TARGET", "br_handle_frame_finish"),
    "port-mtu": ("NOT_SPECIFIED", "br_dev_queue_push_xmit"),
    "peer-mtu": ("NOT_SPECIFIED", "__dev_forward_skb2"),
}


class Ending(NamedTuple):
    """Where and why a packet ends. ``code`` is one of the explainer's verdicts."""

    code: str
    node: str
    interface: str = ""
    rule: Rule | None = None
    params: Mapping[str, Any] = {}
    asker: str = ""  # the node that waits for an answer, where that is another one

    @property
    def words(self) -> tuple[str, str]:
        """The kernel's reason and symbol; "" where it says nothing."""
        return WORDS.get("filter-drop" if self.code.startswith("filter-") else self.code, ("", ""))


class Arrival(NamedTuple):
    """A packet has come to its target."""

    node: str
    interface: str
    flow: Flow


def no_way_out(facts: Facts, node: str, flow: Flow, route: Route) -> Ending | None:
    """Return why a node cannot send, None when it can."""
    if route.kind in REJECTING:
        return Ending(REJECTING[route.kind], node, params={"prefix": route.prefix})
    if route.kind == "none":
        off = _switched_off(facts, node)
        if off:
            return Ending("interface-down", node, off)
        return Ending("no-return-route" if flow.reply else "source-no-route", node)
    return _unusable(facts, node, route)


def not_forwarded(
    facts: Facts, node: str, interface: str, flow: Flow, route: Route
) -> Ending | None:
    """Return why a router does not pass on what came in at an interface, None when it does."""
    if route.kind in REJECTING:
        return Ending(REJECTING[route.kind], node, interface, params={"prefix": route.prefix})
    if route.kind == "none":
        errors = {"EHOSTUNREACH": "forwarding-off", "EINVAL": "rp-filter", "EXDEV": "rp-filter"}
        return Ending(errors.get(route.error, "no-route"), node, interface)
    # An IPv6 look-up does not ask whether the node forwards (net/ipv6/ip6_output.c does).
    if flow.version == 6 and facts.sysctl(node, "net.ipv6.conf.all.forwarding") == "0":
        return Ending("forwarding-off", node, interface)
    if flow.ttl <= 1:
        return Ending("ttl-exceeded", node, interface)
    out = facts.interfaces(node).get(route.interface)
    mtu = route.mtu or (out.mtu if out else 0)
    if mtu and flow.size > mtu:
        return Ending("mtu-too-big", node, interface, params={"mtu": mtu})
    return _unusable(facts, node, route)


def carrier(facts: Facts, node: str, interface: str) -> dict[str, str]:
    """Return who is at the other end of a dead cable, as params of "no-carrier"."""
    end = facts.peer(node, interface)
    return {"peer": end.node, "peer_interface": end.interface} if end else {}


def _unusable(facts: Facts, node: str, route: Route) -> Ending | None:
    device = facts.interfaces(node).get(route.interface)
    to_many = route.kind != "unicast"
    if to_many or device is None or device.kind not in WALKABLE:
        return Ending("not-foretold", node, route.interface)
    return None if device.up else Ending("interface-down", node, route.interface)


def _switched_off(facts: Facts, node: str) -> str:
    """Return the interface whose being down took the routes away: the last one of the node."""
    own = [item for item in facts.interfaces(node).values() if item.kind != "loopback"]
    addressed = [item for item in own if item.addresses] or own
    down = [item.name for item in addressed if not item.up]
    return down[0] if down and len(down) == len(addressed) else ""
