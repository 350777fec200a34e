"""The labs of these tests: written-down state, whole and then broken."""

from __future__ import annotations

from tests.fakes.facts import FakeFacts

H1, H2 = "10.0.1.2", "10.0.2.2"


def routed() -> FakeFacts:
    """h1 - r1 - h2, two networks, all routes in place."""
    lab = FakeFacts()
    lab.node("h1", eth0=f"{H1}/24")
    lab.node("r1", forward=True, eth0="10.0.1.1/24", eth1="10.0.2.1/24")
    lab.node("h2", eth0=f"{H2}/24")
    lab.cable("l1", "h1/eth0", "r1/eth0")
    lab.cable("l2", "r1/eth1", "h2/eth0")
    lab.add_route("h1", "0.0.0.0/0", "10.0.1.1")
    lab.add_route("h2", "0.0.0.0/0", "10.0.2.1")
    return lab


def switched(*hosts: str) -> FakeFacts:
    """Hosts h1, h2 … at one switch sw; each with the addresses given."""
    lab = FakeFacts()
    ports = [f"p{number}" for number, _ in enumerate(hosts, 1)]
    for number, addresses in enumerate(hosts, 1):
        lab.node(f"h{number}", eth0=addresses)
    lab.switch("sw", *ports)
    for number, port in enumerate(ports, 1):
        lab.cable(f"l{number}", f"h{number}/eth0", f"sw/{port}")
    for number, port in enumerate(ports, 1):
        lab.learned["sw", "br0", lab.devices[f"h{number}"]["eth0"].mac] = port
    return lab


def campus() -> FakeFacts:
    """Two networks with a switch each, a router between.

    h1, h3, r1 at s1 (10.0.1.0/24); r1, h2 at s2 (10.0.2.0/24).
    """
    lab = FakeFacts()
    lab.node("h1", eth0=f"{H1}/24")
    lab.node("h3", eth0="10.0.1.3/24")
    lab.node("r1", forward=True, eth0="10.0.1.1/24", eth1="10.0.2.1/24")
    lab.node("h2", eth0=f"{H2}/24")
    lab.switch("s1", "p1", "p2", "p3")
    lab.switch("s2", "p1", "p2")
    lab.cable("l1", "h1/eth0", "s1/p1")
    lab.cable("l2", "r1/eth0", "s1/p2")
    lab.cable("l3", "h3/eth0", "s1/p3")
    lab.cable("l4", "r1/eth1", "s2/p1")
    lab.cable("l5", "h2/eth0", "s2/p2")
    lab.add_route("h1", "0.0.0.0/0", "10.0.1.1")
    lab.add_route("h3", "0.0.0.0/0", "10.0.1.1")
    lab.add_route("h2", "0.0.0.0/0", "10.0.2.1")
    for node, port in (("h1", "p1"), ("r1", "p2"), ("h3", "p3")):
        lab.learned["s1", "br0", lab.devices[node]["eth0"].mac] = port
    lab.learned["s2", "br0", lab.devices["r1"]["eth1"].mac] = "p1"
    lab.learned["s2", "br0", lab.devices["h2"]["eth0"].mac] = "p2"
    return lab
