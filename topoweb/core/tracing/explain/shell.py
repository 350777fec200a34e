"""State as a terminal of the node would show it: commands and what they print."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from topoweb.core.tracing.explain.facts import Interface, Route

ERRORS = {
    "ENETUNREACH": "RTNETLINK answers: Network is unreachable",
    "EHOSTUNREACH": "RTNETLINK answers: No route to host",
    "EACCES": "RTNETLINK answers: Permission denied",
    "EINVAL": "RTNETLINK answers: Invalid argument",
}


def route_get(destination: str, *, source: str = "", arriving: str = "") -> str:
    """Return the command that looks a route up (ip-route(8))."""
    words = ["ip route get", destination]
    if source:
        words += ["from", source]
    if arriving:
        words += ["iif", arriving]
    return " ".join(words)


def route_text(destination: str, route: Route) -> str:
    """Return what `route_get` prints, as far as it matters."""
    if route.kind == "none" or route.error:
        return ERRORS.get(route.error, f"RTNETLINK answers: {route.error or route.kind}")
    words: list[str] = [] if route.kind == "unicast" else [route.kind]
    words.append(destination)
    for name, value in (
        ("via", route.gateway),
        ("dev", route.interface),
        ("src", route.source),
    ):
        words += [name, value] if value else []
    return " ".join(words)


def sysctl(name: str) -> str:
    """Return the command that shows a setting."""
    return f"sysctl {name}"


def link_text(item: Interface) -> str:
    """Return the first line of `ip link show`, without index and flags that do not matter."""
    flags = ["UP"] * item.up + ["LOWER_UP"] * (item.up and item.carrier)
    flags += [] if item.arp else ["NOARP"]
    flags += ["NO-CARRIER"] * (item.up and not item.carrier)
    state = "UP" if item.up and item.carrier else "DOWN"
    queue = f" qdisc {item.qdisc}" if item.qdisc else ""
    return f"{item.name}: <{','.join(flags)}> mtu {item.mtu}{queue} state {state}"
