"""Faults that mislead: wrong next hops, masks, translation, IPv6; and pairs of faults."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.verdicts.case import Case, Send, ping, tcp
from tests.verdicts.cases.filters import rules
from tests.verdicts.cases.segments import SWITCHED
from tests.verdicts.labs import ROUTED

if TYPE_CHECKING:
    from collections.abc import Iterator

RATE = "tc qdisc add dev {} root tbf rate 8kbit burst 1600 limit 1600"


def _misled() -> Iterator[Case]:
    for lab, switch, host, _, near, other, port in SWITCHED:
        far = ROUTED[lab][1]
        yield Case(
            name="the next hop is a host", lab=lab, send=ping(host, far), code="wrong-next-hop",
            node=other, remedy="change-route",
            breaks=(f"{host}: ip route replace default via {near}",),
        )  # fmt: skip
        yield Case(
            name="the mask is too narrow", lab=lab, send=ping(host, near), node=host,
            code="wrong-mask-narrow", remedy="change-mask", breaks=(
                f"{host}: ip addr flush dev eth0 scope global",
                f"{host}: ip addr add 10.0.1.11/32 dev eth0",
            ),
        )  # fmt: skip
        third = "p2" if lab == "lan" else "p9"
        yield Case(
            name="a switch may not flood", lab=lab, send=ping(host, near), code="flooding-off",
            node=switch, remedy="turn-flooding-on", mends=False, breaks=(
                f"{switch}: bridge link set dev {port} learning off flood off",
                f"{switch}: bridge link set dev {third} flood off",
                f"{switch}: ip link set br0 type bridge fdb_flush",
            ),
        )  # fmt: skip
        yield Case(
            name="translation sends it back to the same switch", lab=lab, node="r1",
            send=tcp(host, "10.0.1.1", 8080), code="hairpin-nat", remedy="translate-source-too",
            listen=((other, "tcp", 80, ""),), twin=False, mends=False,
            prepare=(
                f"r1: nft 'table ip n {{ chain c {{ type nat hook prerouting priority -100 ;"
                f" tcp dport 8080 dnat to {near}:80 ; }} ; }}'",
            ),
        )  # fmt: skip
    for lab, (host, target, router, far) in ROUTED.items():
        out = "eth2" if lab == "campus" else "eth1"
        yield Case(
            name="the router's way on is off", lab=lab, send=ping(host, target), node=router,
            code="interface-down", remedy="turn-interface-on",
            breaks=(f"{router}: ip link set {out} down",),
        )  # fmt: skip
        yield Case(
            name="more than a rate limit lets through", lab=lab, code="queue-full", node=router,
            send=ping(host, target, f"ping -n -c8 -i0.002 -s1000 -W1 {target}"), mends=False,
            breaks=(f"{router}: {RATE.format(out)}",), remedy="send-slower",
        )  # fmt: skip
        yield Case(
            name="the program listens elsewhere", lab=lab, send=tcp(host, target, 80), node=far,
            listen=((far, "tcp", 80, "127.0.0.1"),), code="listens-elsewhere",
            remedy="listen-everywhere", twin=False, mends=False,
        )  # fmt: skip
    for at in ("10.0.2.11", "10.0.3.11"):  # each comes in where the other one's answers go out
        near, away = ("eth0", "10.0.3.1") if at == "10.0.2.11" else ("eth1", "10.0.2.1")
        yield Case(
            name=f"the answer takes another way than {near}", lab="twohomed", send=ping("h1", at),
            code="rp-filter", node="h2", remedy="loosen-rp-filter",
            prepare=(f"h2: ip route replace default via {away}",),
            breaks=(f"h2: sysctl -qw net.ipv4.conf.{near}.rp_filter=1",),
        )  # fmt: skip


def _claimed() -> Iterator[Case]:
    """Two nodes have the address that is asked, and the wrong one answers for it."""
    for lab, _, host, _, near, other, _ in SWITCHED:
        yield Case(
            name="another node has the address too", lab=lab, send=tcp(host, near, 80),
            listen=((other, "tcp", 80, ""),), code="duplicate-address", node="r1",
            remedy="change-address", mends=False, breaks=(
                f"r1: ip addr add {near}/24 dev eth{int(lab == 'campus')}",
                f"{other}: sysctl -qw net.ipv4.conf.all.arp_ignore=8",
                f"{host}: ip neigh flush all",
            ),
        )  # fmt: skip
    for lab, (host, target, _, far) in ROUTED.items():
        loop = "for i in 1 2 3 4 5 6 7 8; do head -c 900 /dev/zero >&3; done"
        flood = f"bash -c 'exec 3>/dev/udp/{target}/7000; {loop}'"
        yield Case(
            name="a program that does not read", lab=lab, code="buffer-full", node=far,
            send=Send(source=host, target=target, protocol="udp", port=7000, by=flood),
            listen=((far, "udp", 7000, ""),), remedy="read-faster", twin=False, mends=False,
        )  # fmt: skip


def _six() -> Iterator[Case]:
    for lab, router, net in (("lan", "r1", 2), ("chain", "r1", 3)):
        target = f"2001:db8:{net}::11"
        yield Case(
            name="the hop limit is used up", lab=lab, code="ttl-exceeded", node=router,
            send=ping("h1", target, f"ping -n -c1 -W1 -t1 {target}"), kind="expected",
            twin=False, mends=False,
        )  # fmt: skip
        yield Case(
            name="the router has no IPv6 route", lab=lab, send=ping("h1", "2001:db8:99::1"),
            code="no-route", node=router, remedy="add-some-route", twin=False, mends=False,
        )  # fmt: skip
        yield Case(
            name="nobody has the IPv6 address", lab=lab, send=ping("h1", "2001:db8:1::77"),
            code="neighbour-failed", node="h1", remedy="give-address", twin=False, mends=False,
        )  # fmt: skip
        yield Case(
            name="a rule drops IPv6", lab=lab, send=ping("h1", target), code="filter-drop",
            node=router, remedy="edit-filter", mends=False,
            breaks=(rules(router, "forward", "icmpv6 type echo-request drop"),),
        )  # fmt: skip
        yield Case(
            name="IPv6 echo requests are ignored", lab=lab, send=ping("h1", target), node="h2",
            code="echo-ignored", remedy="allow-echo",
            breaks=("h2: sysctl -qw net.ipv6.icmp.echo_ignore_all=1",),
        )  # fmt: skip


def _pairs() -> Iterator[Case]:
    for lab, (host, target, router, far) in ROUTED.items():
        send = ping(host, target)
        yield Case(
            name="no way back, and echo requests ignored", lab=lab, send=send, node=far,
            code="echo-ignored", remedy="allow-echo", mends=False, breaks=(
                f"{far}: ip route del default",
                f"{far}: sysctl -qw net.ipv4.icmp_echo_ignore_all=1",
            ),
        )  # fmt: skip
        yield Case(
            name="forwarding off, and a rule drops at prerouting", lab=lab, send=send, node=router,
            code="filter-drop", remedy="edit-filter", mends=False, breaks=(
                rules(router, "prerouting", "ip protocol icmp drop"),
                f"{router}: sysctl -qw net.ipv4.ip_forward=0",
            ),
        )  # fmt: skip
        yield Case(
            name="no route at the sender, and forwarding off", lab=lab, send=send, node=host,
            code="source-no-route", mends=False,
            remedy="add-route" if lab == "chain" else "add-some-route", breaks=(
                f"{host}: ip route del default", f"{router}: sysctl -qw net.ipv4.ip_forward=0",
            ),
        )  # fmt: skip
        if lab != "campus":
            large = f"ping -n -c1 -W1 -M do -s 1200 {target}"
            yield Case(
                name="larger than the way on, and a rule drops the word of it", lab=lab,
                send=ping(host, target, large), code="mtu-too-big", node=router, mends=False,
                remedy="send-smaller", breaks=(
                    f"{router}: ip link set eth1 mtu 1000", f"{far}: ip link set eth0 mtu 1000",
                    rules(host, "input", "icmp type destination-unreachable drop"),
                ),
            )  # fmt: skip
        yield Case(
            name="a rule for another port, and no program", lab=lab, send=tcp(host, target, 81),
            code="no-listener", node=far, remedy="start-program", twin=False, mends=False,
            breaks=(rules(far, "input", "tcp dport 80 drop"),),
        )  # fmt: skip


HARDER = (*_misled(), *_claimed(), *_six(), *_pairs())
