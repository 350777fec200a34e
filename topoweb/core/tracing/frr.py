"""What FRR's vtysh says, read strictly: it was printed inside a node, where a student is root.

Formats: FRR 8 and later, ``show … json``; RIP has no JSON and is read as the text that it is.
"""

from __future__ import annotations

import json
import re
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

MANY = 1024  # entries of a list that are shown
SHOWN = 60  # characters of a text
LONGEST = 1 << 53  # ms; a larger number is no time
ROUTES = ("show daemons", "show ip route json", "show ipv6 route json")
NEIGHBOURS = {
    "ospfd": "show ip ospf neighbor json",
    "bgpd": "show bgp summary json",
    "ripd": "show ip rip status",  # last: what follows a text cannot be told from it
}
_SOURCE = re.compile(r"^ {4}(\S+) +\d+ +\d+ +\d+ +[\d:]+$", re.MULTILINE)
_WORD = re.compile(r"[a-z][a-z0-9]{0,15}")


def read_routes(text: str) -> tuple[list[str], list[dict[str, Any]]]:
    """Return the daemons and the routes in the answers to `ROUTES`. ValueError otherwise."""
    first, _, rest = text.strip().partition("\n")
    daemons = [word for word in first.split() if _WORD.fullmatch(word)]
    ipv4, rest = _json(rest)
    ipv6, _ = _json(rest)
    found = [
        route
        for table in (ipv4, ipv6)
        for prefix, entries in table.items()
        for route in _routes(prefix, entries)
    ]
    return daemons, found[:MANY]


def read_neighbours(text: str, daemons: Iterable[str], now: float) -> list[dict[str, Any]]:
    """Return who the daemons speak with, from the answers to their `NEIGHBOURS` in that order.

    ``now``: epoch seconds. ValueError for anything else than such answers.
    """
    found: list[dict[str, Any]] = []
    for daemon in NEIGHBOURS:
        if daemon not in daemons:
            continue
        if daemon == "ripd":
            found += [_neighbour("rip", address, state="up") for address in _SOURCE.findall(text)]
            break
        answer, text = _json(text)
        found += _ospf(answer, now) if daemon == "ospfd" else _bgp(answer, now)
    return [one for one in found if _is_address(one["address"])][:MANY]


def _json(text: str) -> tuple[dict[str, Any], str]:
    text = text.lstrip()
    try:
        value, end = json.JSONDecoder().raw_decode(text)
    except RecursionError:
        raise ValueError("too deep") from None
    if not isinstance(value, dict):
        raise ValueError("not an object")  # noqa: TRY004 - a bad answer, no bad call
    return value, text[end:]


def _routes(prefix: str, entries: object) -> Iterator[dict[str, Any]]:
    for entry in _objects(entries):
        for hop in _objects(entry.get("nexthops")) or [{}]:
            via = _text(hop.get("ip"))
            yield {
                "prefix": _shown(prefix),
                "via": via if via and _is_address(via) else None,
                "device": _text(hop.get("interfaceName")),
                "protocol": _text(entry.get("protocol")) or "",
                "selected": entry.get("selected") is True,
            }


def _ospf(answer: Mapping[str, Any], now: float) -> Iterator[dict[str, Any]]:
    neighbours = answer.get("neighbors")
    for router, entries in neighbours.items() if isinstance(neighbours, dict) else ():
        for entry in _objects(entries):
            device, _, _ = (_text(entry.get("ifaceName")) or "").partition(":")
            yield _neighbour(
                "ospf",
                _text(entry.get("ifaceAddress")) or _text(entry.get("address")) or "",
                router_id=_shown(router),
                state=_text(entry.get("nbrState")) or _text(entry.get("state")) or "",
                interface=device or None,
                since=_since(entry.get("upTimeInMsec"), now),
            )


def _bgp(answer: Mapping[str, Any], now: float) -> Iterator[dict[str, Any]]:
    seen: set[str] = set()
    for family in answer.values():
        peers = family.get("peers") if isinstance(family, dict) else None
        for address, entry in peers.items() if isinstance(peers, dict) else ():
            if address in seen or not isinstance(entry, dict):
                continue
            seen.add(address)  # a peer of two address families is one peer
            state = _text(entry.get("state")) or ""
            up = _since(entry.get("peerUptimeMsec"), now) if state == "Established" else None
            yield _neighbour("bgp", address, state=state, since=up)


def _neighbour(
    protocol: str,
    address: str,
    *,
    state: str,
    router_id: str | None = None,
    interface: str | None = None,
    since: float | None = None,
) -> dict[str, Any]:
    return {
        "protocol": protocol,
        "address": address,
        "router_id": router_id,
        "state": state,
        "interface": interface,
        "since": since,
    }


def _objects(value: object) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _text(value: object) -> str | None:
    return _shown(value) if isinstance(value, str) else None


def _shown(text: str) -> str:
    """Return the beginning of a text, without the lone surrogates that JSON can write."""
    return text[:SHOWN].encode(errors="replace").decode()


def _since(milliseconds: object, now: float) -> float | None:
    if not isinstance(milliseconds, int) or not 0 <= milliseconds < LONGEST:
        return None
    return round(now - milliseconds / 1000, 3)


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
