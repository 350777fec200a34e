"""Forwarding, routes there and back, reverse path filters, time to live."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.verdicts.case import Case, ping, tcp
from tests.verdicts.labs import ROUTED

if TYPE_CHECKING:
    from collections.abc import Iterator

FOREIGN = "10.9.9.9"  # an address that no route leads back to
NOWHERE = "198.51.100.9"
SIX = {"lan": "2001:db8:2::11", "chain": "2001:db8:3::11"}


def _routed() -> Iterator[Case]:
    for lab, (host, target, router, far) in ROUTED.items():
        back = "eth1" if lab == "campus" else "eth0"
        send = ping(host, target)
        yield Case(
            name="forwarding is off", lab=lab, send=send, code="forwarding-off", node=router,
            breaks=(f"{router}: sysctl -qw net.ipv4.ip_forward=0",), remedy="turn-forwarding-on",
        )  # fmt: skip
        yield Case(
            name="forwarding is off at one interface", lab=lab, send=send,
            code="forwarding-off-interface", node=router, remedy="turn-interface-forwarding-on",
            breaks=(f"{router}: sysctl -qw net.ipv4.conf.{back}.forwarding=0",),
        )  # fmt: skip
        yield Case(
            name="the target has no way back", lab=lab, send=send, code="no-return-route",
            node=far, remedy="add-route", breaks=(f"{far}: ip route del default",),
        )  # fmt: skip
        yield Case(
            name="the sender has no route", lab=lab, send=send, code="source-no-route", node=host,
            remedy="add-route", breaks=(f"{host}: ip route del default",),
        )  # fmt: skip
        yield Case(
            name="the target of a connection has no way back", lab=lab, send=tcp(host, target, 80),
            listen=((far, "tcp", 80, ""),), code="no-return-route", node=far, remedy="add-route",
            breaks=(f"{far}: ip route del default",),
        )  # fmt: skip
        for kind in ("blackhole", "prohibit", "unreachable"):
            yield Case(
                name=f"the router has a route of type {kind}", lab=lab, send=send,
                code=f"route-{kind}", node=router, remedy="remove-route",
                breaks=(f"{router}: ip route add {kind} {target}/32",),
            )  # fmt: skip
        yield Case(
            name="strict reverse path filtering", lab=lab, code="rp-filter", node=router,
            send=ping(host, target, f"ping -n -c1 -W1 -I {FOREIGN} {target}"),
            prepare=(f"{host}: ip addr add {FOREIGN}/32 dev lo",), twin=False,
            breaks=(
                f"{router}: sysctl -qw net.ipv4.conf.{back}.rp_filter=1",
                f"{host}: ping -n -c1 -W1 {target}",  # strict filters ignore the ARP request too
            ),
            remedy="add-some-route",
        )  # fmt: skip


def _others() -> Iterator[Case]:
    for lab, router in (("lan", "r1"), ("chain", "r1")):
        yield Case(
            name="the router has no route", lab=lab, send=ping("h1", NOWHERE), code="no-route",
            node=router, remedy="add-some-route", twin=False, mends=False,
        )  # fmt: skip
    for lab, router in (("lan", "r1"), ("chain", "r2")):
        yield Case(
            name="forwarding of IPv6 is off", lab=lab, send=ping("h1", SIX[lab]),
            code="forwarding-off", node=router, remedy="turn-forwarding-on",
            breaks=(f"{router}: sysctl -qw net.ipv6.conf.all.forwarding=0",),
        )  # fmt: skip
        yield Case(
            name="the target has no IPv6 way back", lab=lab, send=ping("h1", SIX[lab]),
            code="no-return-route", node="h2", remedy="add-route", mends=False,
            breaks=("h2: ip -6 route del default",),
        )  # fmt: skip
    yield Case(
        name="the second router has no way back", lab="chain", send=ping("h1", "10.0.3.11"),
        code="no-route-for-reply", node="r2", remedy="add-route",
        breaks=("r2: ip route del 10.0.1.0/24",),
    )  # fmt: skip
    yield Case(
        name="the first router has no route on", lab="chain", send=ping("h1", "10.0.3.11"),
        code="no-route", node="r1", remedy="add-route",
        breaks=("r1: ip route del 10.0.3.0/24",),
    )  # fmt: skip
    yield Case(
        name="the router has no way back", lab="lan", code="no-route-for-reply", node="r1",
        send=ping("h1", "10.0.2.11", f"ping -n -c1 -W1 -I {FOREIGN} 10.0.2.11"),
        breaks=(f"h1: ip addr add {FOREIGN}/32 dev lo",), remedy="add-some-route",
        twin=False,
    )  # fmt: skip
    for lab, ttl, node in (("lan", 1, "r1"), ("chain", 2, "r2")):
        target = ROUTED[lab][1]
        yield Case(
            name="the time to live is used up", lab=lab, code="ttl-exceeded", node=node,
            send=ping("h1", target, f"ping -n -c1 -W1 -t {ttl} {target}"),
            kind="expected", twin=False, mends=False,
        )  # fmt: skip
    yield Case(
        name="two routers send to each other", lab="chain", send=ping("h1", "192.0.2.1"),
        code="routing-loop", node="r2", remedy="break-routing-loop", twin=False, mends=False,
        prepare=("r1: ip route add default via 10.0.2.2", "r2: ip route add default via 10.0.2.1"),
    )  # fmt: skip
    yield Case(
        name="forwarding off and no way back: the first counts", lab="lan",
        send=ping("h1", "10.0.2.11"), code="forwarding-off", node="r1", mends=False,
        breaks=("r1: sysctl -qw net.ipv4.ip_forward=0", "h2: ip route del default"),
        remedy="turn-forwarding-on",
    )  # fmt: skip


ROUTING = (*_routed(), *_others())
