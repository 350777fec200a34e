"""FRRouting: typed options → its configuration language, and which daemons that needs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from topoweb.core.programs import Command, Recipe
from topoweb.kernel.services.scripts import script

if TYPE_CHECKING:
    from collections.abc import Iterator

    from topoweb.core.topology.services import Frr
    from topoweb.core.topology.services.frr import Bgp
    from topoweb.kernel.services.stand import Stand

PYTHON = "/usr/bin/python3"
DIRECTORY = "/usr/lib/frr"
DAEMONS = {  # a line "router <protocol>" of the configuration → who understands it
    "ospf": "ospfd",
    "ospf6": "ospf6d",
    "bgp": "bgpd",
    "rip": "ripd",
    "ripng": "ripngd",
    "isis": "isisd",
    "babel": "babeld",
    "eigrp": "eigrpd",
}
IPV4_ONLY = ("ospf", "rip")  # their IPv6 namesakes are other protocols
_ROUTER = re.compile(r"^\s*router\s+(\w+)", re.MULTILINE)


def recipe(options: Frr, stand: Stand) -> Recipe:
    """Run zebra, staticd and the daemons that the configuration speaks of, as one."""
    text = config(options)
    command = (PYTHON, "-I", "-u", f"{stand.seen}/frr.py", f"{stand.seen}/frr.conf", *daemons(text))
    return Recipe(
        kind=stand.kind,
        node=stand.node,
        place=stand.place,
        command=Command(arguments=command, directory="/", daemon=True),
        files={"frr.py": script("frr.py"), "frr.conf": text.encode()},
        needs={PYTHON: "python3-minimal", f"{DIRECTORY}/zebra": "frr"},
    )


def daemons(text: str) -> list[str]:
    """Return the daemons that a configuration needs, zebra first."""
    spoken = {found[1] for found in _ROUTER.finditer(text)}
    return ["zebra", "staticd", *(DAEMONS[name] for name in DAEMONS if name in spoken)]


def config(options: Frr) -> str:
    """Return the configuration.

    What a user wrote comes first: an interface's OSPF timers must stand before OSPF speaks there,
    for it waits one dead interval (RFC 2328 §9.4) of those that it began with.
    """
    own = options.config.rstrip()
    lines = [*([own] if own else ()), *_ospf(options), *_bgp(options), *_rip(options)]
    return "".join(f"{line}\n" for line in lines)


def _ospf(options: Frr) -> Iterator[str]:
    if options.ospf:
        yield "router ospf"
        if options.router_id:
            yield f" ospf router-id {options.router_id}"
        yield from _redistribute(options, "ospf")
        for one in options.ospf:
            yield f" network {one.prefix} area {one.area}"
        yield "exit"


def _bgp(options: Frr) -> Iterator[str]:
    bgp = options.bgp
    if bgp is None:
        return
    yield f"router bgp {bgp.asn}"
    if options.router_id:
        yield f" bgp router-id {options.router_id}"
    # RFC 8212 would refuse every route between two ASes until a policy says which.
    yield " no bgp ebgp-requires-policy"
    for peer in bgp.neighbours:
        yield f" neighbor {peer.address} remote-as {peer.asn}"
    yield from _family(options, bgp, "ipv4")
    if any(":" in text for text in (*bgp.networks, *(p.address for p in bgp.neighbours))):
        yield from _family(options, bgp, "ipv6")
    yield "exit"


def _family(options: Frr, bgp: Bgp, family: str) -> Iterator[str]:
    ipv6 = family == "ipv6"
    yield f" address-family {family} unicast"
    for line in _redistribute(options, "bgp"):
        if not (ipv6 and line.split()[-1] in IPV4_ONLY):
            yield f" {line}"
    for prefix in bgp.networks:
        if (":" in prefix) == ipv6:
            yield f"  network {prefix}"
    if ipv6:
        for peer in bgp.neighbours:
            if ":" in peer.address:
                yield f"  neighbor {peer.address} activate"
    yield " exit-address-family"


def _rip(options: Frr) -> Iterator[str]:
    if options.rip:
        yield "router rip"
        yield from _redistribute(options, "rip")
        for prefix in options.rip:
            yield f" network {prefix}"
        yield "exit"


def _redistribute(options: Frr, into: str) -> Iterator[str]:
    return (f" redistribute {source}" for source in options.redistribute if source != into)
