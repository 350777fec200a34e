"""IPv6 twins of faults that IPv4 has, too."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.verdicts.case import Case, ping, tcp
from tests.verdicts.cases.filters import rules

if TYPE_CHECKING:
    from collections.abc import Iterator

# Lab, its last router, the target.
PLACES = (("lan", "r1", "2001:db8:2::11"), ("chain", "r2", "2001:db8:3::11"))


def _cases() -> Iterator[Case]:
    for lab, router, target in PLACES:
        send = ping("h1", target)
        for kind in ("blackhole", "prohibit", "unreachable"):
            yield Case(
                name=f"the router has an IPv6 route of type {kind}", lab=lab, send=send,
                code=f"route-{kind}", node=router, remedy="remove-route",
                breaks=(f"{router}: ip -6 route add {kind} {target}/128",),
            )  # fmt: skip
        yield Case(
            name="an IPv6 packet larger than the way on", lab=lab, code="mtu-too-big",
            node=router, send=ping("h1", target, f"ping -n -c1 -W1 -M do -s 1400 {target}"),
            remedy="send-smaller", mends=False, breaks=(
                f"{router}: ip link set eth1 mtu 1300", "h2: ip link set eth0 mtu 1300",
            ),
        )  # fmt: skip
        yield Case(
            name="the sender has no IPv6 route", lab=lab, send=send, code="source-no-route",
            node="h1", remedy="add-route", breaks=("h1: ip -6 route del default",),
        )  # fmt: skip
        yield Case(
            name="the IPv6 next hop does not exist", lab=lab, send=send, code="gateway-unowned",
            node="h1", remedy="change-route",
            breaks=("h1: ip -6 route replace default via 2001:db8:1::99",),
        )  # fmt: skip
        yield Case(
            name="no program listens at IPv6", lab=lab, send=tcp("h1", target, 81), node="h2",
            code="no-listener", remedy="start-program", twin=False, mends=False,
        )  # fmt: skip
        yield Case(
            name="IPv6 is disabled at the target", lab=lab, send=send, code="ipv6-disabled",
            node="h2", remedy="turn-ipv6-on", mends=False, breaks=(
                f"h1: ping -n -c1 -W1 {target}",
                f"{router}: ip -6 neigh change {target} dev eth1 nud permanent",
                "h2: sysctl -qw net.ipv6.conf.eth0.disable_ipv6=1",
            ),
        )  # fmt: skip
        yield Case(
            name="a rule rejects IPv6", lab=lab, send=send, code="filter-reject", node=router,
            remedy="edit-filter", mends=False,
            breaks=(rules(router, "forward", "icmpv6 type echo-request reject"),),
        )  # fmt: skip


SIX = tuple(_cases())
