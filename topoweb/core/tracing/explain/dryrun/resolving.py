"""Who would answer for an address on a cable or switch, and why perhaps nobody."""

from __future__ import annotations

from typing import TYPE_CHECKING

from topoweb.core.tracing.explain.dryrun.endings import Ending, carrier
from topoweb.core.tracing.explain.dryrun.segment import ways

if TYPE_CHECKING:
    from topoweb.core.tracing.explain.dryrun.segment import Way
    from topoweb.core.tracing.explain.facts import Facts, Interface, Route

IGNORES_ALL = 8  # arp_ignore, Documentation/networking/ip-sysctl.rst


def next_hop(
    facts: Facts, node: str, route: Route, address: str, neighbour: tuple[str, str]
) -> Way | Ending:
    """Return the way to who has the next hop's ``address``, or why none leads there.

    ``neighbour``: state and MAC that are known already; ("none", "") when it must be asked for.
    """
    state, mac = neighbour
    interface = route.interface
    found = ways(facts, node, interface)
    claims = _claimants(facts, node, found, address)
    if not claims:
        return _nobody(facts, node, route, found, address)
    macs = [facts.interfaces(way.node)[way.interface].mac for way in claims]
    if mac in macs:
        return claims[macs.index(mac)]
    if state == "permanent":
        wrong = {"address": address, "mac": mac, "other_mac": macs[0]}
        return Ending("neighbour-wrong", node, interface, params=wrong)
    first = claims[0]
    if len(claims) > 1:
        other = {"other": claims[1].node, "other_interface": claims[1].interface}
        return Ending(
            "duplicate-address", first.node, first.interface, params={"address": address, **other}
        )
    deaf = "" if first.obstacle else _unheard(facts, first, address)
    params = {"address": address, "owner": first.node}
    return Ending(deaf, node, interface, params=params) if deaf else first


def _claimants(facts: Facts, node: str, found: tuple[Way, ...], address: str) -> tuple[Way, ...]:
    """Return the best way to each node with an address, those who would answer first.

    ARP is answered for the address of any interface (the weak host model), ND for its own.
    """
    best: dict[str, Way] = {}
    for way in found:
        devices = facts.interfaces(way.node)
        asked = (devices.get(way.interface),) if ":" in address else devices.values()
        if way.node != node and any(_has(device, address) for device in asked):
            best.setdefault(way.node, way)
    answering = [way for way in best.values() if not _unheard(facts, way, address)]
    return tuple(answering or best.values())


def _unheard(facts: Facts, way: Way, address: str) -> str:
    """Return why a node that has an address would not answer, "" when it would."""
    near = facts.interfaces(way.node)[way.interface]
    if not near.arp:
        return "arp-off"
    if ":" in address:
        return ""
    names = (f"net.ipv4.conf.{scope}.arp_ignore" for scope in ("all", near.name))
    values = [facts.sysctl(way.node, name) for name in names]
    level = max((int(value) for value in values if value.isdigit()), default=0)
    own = _has(near, address)
    return "arp-ignored" if level >= IGNORES_ALL or (level and not own) else ""


def _nobody(facts: Facts, node: str, route: Route, found: tuple[Way, ...], address: str) -> Ending:
    """Return why no one on a cable answers for an address."""
    interface = route.interface
    dead = next((way.obstacle for way in found if way.obstacle), None)
    if not found:
        return Ending("no-cable", node, interface)
    if len(found) == 1 and dead is not None and dead.cause == "no-carrier":
        return Ending("no-carrier", node, interface, params=carrier(facts, node, interface))
    owner = next((other for other in facts.holders(address) if _owns(facts, other, address)), "")
    if owner in ("", node):
        code = "gateway-unowned" if route.gateway else "neighbour-failed"
    else:
        code = "gateway-off-link" if route.gateway else "wrong-mask"
    return Ending(code, node, interface, params={"address": address, "owner": owner})


def _owns(facts: Facts, node: str, address: str) -> bool:
    """Tell whether a node has an address at an interface that is up."""
    return any(_has(item, address) for item in facts.interfaces(node).values())


def _has(device: Interface | None, address: str) -> bool:
    """Tell whether an interface is up and has an address."""
    return (
        device is not None
        and device.up
        and any(prefix.partition("/")[0] == address for prefix in device.addresses)
    )
