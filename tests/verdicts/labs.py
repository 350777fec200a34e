"""The healthy networks that the exam breaks. Node ids are names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.unit.core.drawing import Drawing

if TYPE_CHECKING:
    from collections.abc import Callable


def lan() -> Drawing:
    """h1 and h3 on the switch s1, the router r1, and h2 behind it."""
    drawing = Drawing(auto_address=False)
    drawing.cable("h1.eth0 10.0.1.11/24 2001:db8:1::11/64", "s1.p1")
    drawing.cable("h3.eth0 10.0.1.13/24 2001:db8:1::13/64", "s1.p3")
    drawing.cable("r1.eth0 10.0.1.1/24 2001:db8:1::1/64", "s1.p2")
    drawing.cable("r1.eth1 10.0.2.1/24 2001:db8:2::1/64", "h2.eth0 10.0.2.11/24 2001:db8:2::11/64")
    for node, net in (("h1", 1), ("h3", 1), ("h2", 2)):
        drawing.route(node, "0.0.0.0/0", f"10.0.{net}.1")
        drawing.route(node, "::/0", f"2001:db8:{net}::1")
    return drawing


def chain() -> Drawing:
    """h1 - r1 - r2 - h2."""
    drawing = Drawing(auto_address=False)
    drawing.cable("h1.eth0 10.0.1.11/24 2001:db8:1::11/64", "r1.eth0 10.0.1.1/24 2001:db8:1::1/64")
    drawing.cable("r1.eth1 10.0.2.1/24 2001:db8:2::1/64", "r2.eth0 10.0.2.2/24 2001:db8:2::2/64")
    drawing.cable("r2.eth1 10.0.3.1/24 2001:db8:3::1/64", "h2.eth0 10.0.3.11/24 2001:db8:3::11/64")
    drawing.route("h1", "0.0.0.0/0", "10.0.1.1").route("h1", "::/0", "2001:db8:1::1")
    drawing.route("h2", "0.0.0.0/0", "10.0.3.1").route("h2", "::/0", "2001:db8:3::1")
    drawing.route("r1", "10.0.3.0/24", "10.0.2.2").route("r1", "2001:db8:3::/64", "2001:db8:2::2")
    drawing.route("r2", "10.0.1.0/24", "10.0.2.1").route("r2", "2001:db8:1::/64", "2001:db8:2::1")
    return drawing


def campus() -> Drawing:
    """Two switches with two hosts each, a router between them."""
    drawing = Drawing(auto_address=False)
    for net in (1, 2):
        for number in (1, 2):
            host = f"h{net}{number}"
            drawing.cable(f"{host}.eth0 10.0.{net}.{10 + number}/24", f"s{net}.p{number}")
            drawing.route(host, "0.0.0.0/0", f"10.0.{net}.1")
        drawing.cable(f"s{net}.p9", f"r1.eth{net} 10.0.{net}.1/24")
    return drawing


def twohomed() -> Drawing:
    """h1 - r1, and two cables from r1 to h2."""
    drawing = Drawing(auto_address=False)
    drawing.cable("h1.eth0 10.0.1.11/24", "r1.eth0 10.0.1.1/24")
    drawing.cable("r1.eth1 10.0.2.1/24", "h2.eth0 10.0.2.11/24")
    drawing.cable("r1.eth2 10.0.3.1/24", "h2.eth1 10.0.3.11/24")
    return drawing.route("h1", "0.0.0.0/0", "10.0.1.1").route("h2", "0.0.0.0/0", "10.0.2.1")


def ring() -> Drawing:
    """Two switches with two cables between them, a host on each."""
    return (
        Drawing(auto_address=False)
        .cable("h1.eth0 10.0.1.11/24", "s1.p1")
        .cable("h2.eth0 10.0.1.12/24", "s2.p1")
        .cable("s1.p8", "s2.p8")
        .cable("s1.p9", "s2.p9")
    )


def triangle() -> Drawing:
    """Three switches in a circle, a host on two of them."""
    return (
        Drawing(auto_address=False)
        .cable("h1.eth0 10.0.1.11/24", "s1.p1")
        .cable("h2.eth0 10.0.1.12/24", "s2.p1")
        .cable("s1.p8", "s2.p8")
        .cable("s2.p7", "s3.p7")
        .cable("s3.p9", "s1.p9")
    )


def routers() -> Drawing:
    """h1 at r1, h2 at r2, and r3: the three routers in a circle."""
    drawing = Drawing(auto_address=False)
    drawing.cable("h1.eth0 10.0.1.11/24", "r1.eth0 10.0.1.1/24")
    drawing.cable("h2.eth0 10.0.2.11/24", "r2.eth0 10.0.2.1/24")
    drawing.cable("r1.eth1 10.0.12.1/24", "r2.eth1 10.0.12.2/24")
    drawing.cable("r2.eth2 10.0.23.2/24", "r3.eth1 10.0.23.3/24")
    drawing.cable("r3.eth2 10.0.31.3/24", "r1.eth2 10.0.31.1/24")
    drawing.route("h1", "0.0.0.0/0", "10.0.1.1").route("h2", "0.0.0.0/0", "10.0.2.1")
    drawing.route("r1", "10.0.2.0/24", "10.0.12.2").route("r2", "10.0.1.0/24", "10.0.12.1")
    return drawing.route("r3", "10.0.1.0/24", "10.0.31.1").route("r3", "10.0.2.0/24", "10.0.23.2")


def hung() -> Drawing:
    """h1 with the macvlans of h6 and h7 on its cable to the router r1."""
    drawing = Drawing(auto_address=False)
    drawing.cable("h1.eth0 10.0.1.10/24", "r1.eth0 10.0.1.1/24")
    return _children(drawing, "h1-eth0")


def hung_on_switch() -> Drawing:
    """The same, with a switch between, and h3 on it."""
    drawing = Drawing(auto_address=False)
    drawing.cable("h1.eth0 10.0.1.10/24", "s1.p1").cable("s1.p2", "r1.eth0 10.0.1.1/24")
    drawing.cable("h3.eth0 10.0.1.13/24", "s1.p3")
    return _children(drawing, "h1-eth0")


def _children(drawing: Drawing, parent: str) -> Drawing:
    for number in (1, 2):
        drawing.interface(
            f"h{5 + number}.mv0", f"10.0.1.{20 + number}/24", kind="macvlan", parent=parent,
            options={"mode": "bridge"},
        )  # fmt: skip
    return drawing


LABS: dict[str, Callable[[], Drawing]] = {
    "lan": lan,
    "chain": chain,
    "campus": campus,
    "twohomed": twohomed,
    "ring": ring,
    "triangle": triangle,
    "routers": routers,
    "hung": hung,
    "hung_on_switch": hung_on_switch,
}
# Where things are in each of them: a host, the way to another network, its router, the host there.
ROUTED = {
    "lan": ("h1", "10.0.2.11", "r1", "h2"),
    "chain": ("h1", "10.0.3.11", "r2", "h2"),
    "campus": ("h11", "10.0.2.11", "r1", "h21"),
}
