"""Faults that show themselves only in time: loops, black holes, full tables, lost fragments."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.verdicts.case import Case, Send, ping, tcp, udp
from tests.verdicts.cases.filters import rules
from tests.verdicts.cases.segments import SWITCHED
from tests.verdicts.cases.services import PYTHON
from tests.verdicts.labs import ROUTED

if TYPE_CHECKING:
    from collections.abc import Iterator

TRACKED = 400  # connections that the host's kernel may track while a table is full


def _slow(switch: str, *ports: str) -> tuple[str, ...]:
    """Cables that carry little: a storm at full speed takes all of a machine."""
    rate = "tbf rate 100kbit burst 2000 limit 5000"
    return tuple(f"{switch}: tc qdisc add dev {port} root {rate}" for port in ports)


def _loops() -> Iterator[Case]:
    switch, spare = "s1", "p9"
    forwards = f'bridge link show dev {spare} | grep -q "state forwarding"'
    for lab, loop in (("ring", "s1 or s2"), ("triangle", "s1 or s2 or s3")):
        yield Case(
            name="switches in a circle", lab=lab, send=ping("h1", "10.0.1.12"), mends=False,
            code="bridge-loop", node=loop, remedy="turn-stp-on",
            prepare=(f"{switch}: ip link set {spare} down", *_slow(switch, "p8", spare)),
            alone=True, breaks=(
                f"{switch}: ip link set {spare} up",
                f"{switch}: bash -c 'until {forwards}; do sleep 0.05; done'",
                "h1: ip neigh flush all",
            ),
        )  # fmt: skip
    yield Case(
        name="three routers send in a circle", lab="routers", send=ping("h1", "192.0.2.1"),
        code="routing-circle", node="r1", remedy="break-routing-loop", twin=False, mends=False,
        prepare=(
            "r1: ip route add default via 10.0.12.2", "r2: ip route add default via 10.0.23.3",
            "r3: ip route add default via 10.0.31.1",
        ),
    )  # fmt: skip
    yield Case(
        name="two of three routers send to each other", lab="routers",
        send=ping("h1", "10.0.2.11"), code="routing-loop", node="r3", mends=False,
        remedy="break-routing-loop", breaks=(
            "r1: ip route replace 10.0.2.0/24 via 10.0.31.3",
            "r3: ip route replace 10.0.2.0/24 via 10.0.31.1",
        ),
    )  # fmt: skip


def _sizes() -> Iterator[Case]:
    # In the middle: a target says itself what its own interface takes (RFC 879).
    for lab, target, port in (("chain", "10.0.3.11", "eth0"), ("routers", "10.0.2.11", "eth1")):
        host, router, far = "h1", "r1", "h2"
        load = f"timeout 5 bash -c 'head -c 50000 /dev/zero | ncat -w 3 {target} 80'"
        sends = Send(source=host, target=target, protocol="tcp", port=80, by=load)
        narrow = ("r1: ip link set eth1 mtu 1000", f"r2: ip link set {port} mtu 1000")
        reads = (f"{far}: bash -c 'exec ncat -lk 80 >/dev/null'",)
        yield Case(
            name="healthy: a connection learns the way's MTU", lab=lab, send=sends, serve=reads,
            code="delivered", node=far, kind="delivered", prepare=narrow,
        )  # fmt: skip
        yield Case(
            name="a connection never learns the way's MTU", lab=lab, send=sends, serve=reads,
            code="mtu-black-hole", node=router, prepare=narrow, mends=False,
            remedy="let-too-big-pass",
            breaks=(rules(router, "output", "icmp type destination-unreachable drop"),),
        )  # fmt: skip
        yield Case(
            name="the sender's filter hides the way's MTU", lab=lab, send=sends, serve=reads,
            code="mtu-black-hole", node=router, prepare=narrow, mends=False,
            remedy="let-too-big-pass",
            breaks=(rules(host, "input", "icmp type destination-unreachable drop"),),
        )  # fmt: skip
        yield Case(
            name="a connection's large segments vanish in silence", lab=lab, send=sends,
            serve=reads, code="peer-mtu", node=router, remedy="set-mtu", mends=False,
            prepare=("h1: ethtool -K eth0 tso off gso off",),  # super-packets pass any veth
            breaks=(f"r2: ip link set {port} mtu 1000",),
        )  # fmt: skip


def _fragments() -> Iterator[Case]:
    for lab, (host, target, router, far) in ROUTED.items():
        large = ping(host, target, f"ping -n -c1 -W1 -s 3000 {target}")
        yield Case(
            name="a rule drops later fragments", lab=lab, send=large, code="filter-drop",
            node=router, remedy="edit-filter", mends=False,
            breaks=(rules(router, "prerouting", "ip frag-off & 0x1fff != 0 drop"),),
        )  # fmt: skip
        half = f"{PYTHON}/forge.py {target} half"
        yield Case(
            name="the other fragment never comes", lab=lab, send=ping(host, target, half),
            code="fragment-lost", node=far, remedy="find-lost-fragment", mends=False, twin=False,
            prepare=(
                f"{host}: ping -n -c1 -W1 {target}", f"{far}: sysctl -qw net.ipv4.ipfrag_time=1",
            ),
        )  # fmt: skip


def _forged() -> Iterator[Case]:
    for lab, (host, target, router, _) in ROUTED.items():
        warm = (f"{host}: ping -n -c1 -W1 {target}",)
        back = "10.0.1.1" if lab != "chain" else "10.0.2.2"
        for name, words, code, node, remedy in (
            ("a wrong checksum", "checksum", "bad-checksum", "r1" if lab == "chain" else "s1", ""),
            ("a loopback address on a cable", "from 127.0.0.1", "source-invalid", "r1", ""),
            ("a router's own address as the source", f"from {back}", "source-is-own", router,
             "send-from-own-address"),
        ):  # fmt: skip
            forged = f"{PYTHON}/forge.py {target} {words}"
            yield Case(
                name=name, lab=lab, send=ping(host, target, forged), code=code, node=node,
                remedy=remedy, prepare=warm, twin=False, mends=False,
            )  # fmt: skip
        yield Case(
            name="a rule drops at ingress", lab=lab, send=ping(host, target), code="filter-drop",
            node=router, remedy="edit-filter", mends=False, breaks=(_ingress(lab, router),),
        )  # fmt: skip


def _ingress(lab: str, router: str) -> str:
    port = "eth1" if lab == "campus" else "eth0"
    base = f"type filter hook ingress device {port} priority 0 ;"
    return f"{router}: nft 'table netdev exam {{ chain c {{ {base} ip protocol icmp drop ; }} ; }}'"


def _switches() -> Iterator[Case]:
    for lab, switch, host, _, near, _, _ in SWITCHED:
        yield Case(
            name="a switch's rule drops", lab=lab, send=ping(host, near), code="filter-drop",
            node=switch, remedy="edit-filter", mends=False,
            breaks=(rules(switch, "forward", "ip protocol icmp drop", family="bridge"),),
        )  # fmt: skip


def _full() -> Iterator[Case]:
    for lab, (host, target, router, far) in ROUTED.items():
        yield Case(
            name="the table of connections is full", lab=lab, send=udp(host, target, 53),
            code="conntrack-full", node=router, remedy="raise-conntrack-limit", mends=False,
            listen=((far, "udp", 53, ""), (far, "tcp", 80, "")),
            prepare=(rules(router, "forward", "ct state new"),),
            joins=(f"{host}: {PYTHON}/callers.py {target} 80 {TRACKED}",),
            host=(("net.netfilter.nf_conntrack_max", str(TRACKED)),), alone=True,
        )  # fmt: skip
        yield Case(
            name="a program that accepts nobody", lab=lab, send=tcp(host, target, 80), node=far,
            code="queue-of-listener-full", remedy="read-faster", mends=False, twin=False,
            listen=((far, "tcp", 80, ""),), prepare=(f"{far}: sysctl -qw net.core.somaxconn=1",),
            joins=(f"{host}: {PYTHON}/callers.py {target} 80 2",),
        )  # fmt: skip


DEEPER = (*_loops(), *_sizes(), *_fragments(), *_forged(), *_switches(), *_full())
