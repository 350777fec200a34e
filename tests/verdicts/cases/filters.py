"""The packet filter at every hook, and the sizes that do not fit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.verdicts.case import Case, ping, tcp
from tests.verdicts.labs import ROUTED

if TYPE_CHECKING:
    from collections.abc import Iterator


def rules(node: str, hook: str, *lines: str, policy: str = "accept", family: str = "inet") -> str:
    """Return the order that loads a table with one chain."""
    body = " ; ".join(lines)
    base = f"type filter hook {hook} priority 0 ; policy {policy} ;"
    text = f"table {family} exam {{ chain c {{ {base} {body} ; }} ; }}"
    return f"{node}: nft '{text}'"


def _hooks() -> Iterator[Case]:
    for lab, (host, target, router, far) in ROUTED.items():
        for hook, node in (
            ("prerouting", router), ("forward", router), ("postrouting", router),
            ("input", far), ("output", host),
        ):  # fmt: skip
            yield Case(
                name=f"a rule drops at {hook}", lab=lab, send=ping(host, target),
                code="filter-drop", node=node, remedy="edit-filter", mends=False,
                breaks=(rules(node, hook, "ip protocol icmp drop"),),
            )  # fmt: skip
        yield Case(
            name="a rule rejects", lab=lab, send=ping(host, target), code="filter-reject",
            node=router, remedy="edit-filter", mends=False,
            breaks=(rules(router, "forward", "ip protocol icmp reject"),),
        )  # fmt: skip
        yield Case(
            name="the policy is to drop", lab=lab, send=ping(host, target), code="filter-policy",
            node=router, remedy="edit-policy", mends=False,
            breaks=(rules(router, "forward", "tcp dport 22 accept", policy="drop"),),
        )  # fmt: skip
        yield Case(
            name="a rule drops only the answer", lab=lab, send=ping(host, target),
            code="filter-drop", node=router, remedy="edit-filter", mends=False,
            breaks=(rules(router, "forward", "icmp type echo-reply drop"),),
        )  # fmt: skip
        yield Case(
            name="a rule drops connections to a port", lab=lab, send=tcp(host, target, 80),
            listen=((far, "tcp", 80, ""),), code="filter-drop", node=far, remedy="edit-filter",
            mends=False, breaks=(rules(far, "input", "tcp dport 80 drop"),),
        )  # fmt: skip


def _sizes() -> Iterator[Case]:
    for lab, (host, target, router, far) in ROUTED.items():
        out = "eth2" if lab == "campus" else "eth1"
        large = ping(host, target, f"ping -n -c1 -W1 -M do -s 1200 {target}")
        peer = ("s2", "p9") if lab == "campus" else (far, "eth0")
        breaks = [
            f"{router}: ip link set {out} mtu 1000",
            f"{peer[0]}: ip link set {peer[1]} mtu 1000",
        ]
        yield Case(
            name="larger than the way on", lab=lab, send=large, code="mtu-too-big", node=router,
            remedy="send-smaller", breaks=tuple(breaks), mends=False,
        )  # fmt: skip
        yield Case(
            name="the other end takes less", lab=lab, send=large, code="peer-mtu", node=router,
            breaks=(f"{peer[0]}: ip link set {peer[1]} mtu 1000",), remedy="set-mtu",
        )  # fmt: skip
    for lab, switch, port, host, target in (
        ("lan", "s1", "p2", "h1", "10.0.1.1"), ("campus", "s1", "p2", "h11", "10.0.1.12"),
    ):  # fmt: skip
        yield Case(
            name="a switch's port carries less", lab=lab, code="port-mtu", node=switch,
            send=ping(host, target, f"ping -n -c1 -W1 -M do -s 1200 {target}"),
            breaks=(f"{switch}: ip link set {port} mtu 1000",), remedy="set-mtu",
        )  # fmt: skip


FILTERS = (*_hooks(), *_sizes())
