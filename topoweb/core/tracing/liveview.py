"""How one node and one link look in a LIVE message (docs/protocol.md)."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from topoweb.core.plan.drift import Value, drift
from topoweb.core.plan.state import DeviceState, Endpoint, LabState, NamespaceState, RouteState
from topoweb.core.tracing.records import (
    LEARNED,
    AddressRecord,
    Counters,
    FdbRecord,
    ForwardingRecord,
    LinkRecord,
    NamespaceView,
    NeighbourRecord,
    RouteRecord,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

# Most entries of a node that are shown: a flood in a lab must not flood the browser, and a node
# has to fit one frame of 1 MiB.
MAX_ENTRIES = 1024  # neighbours, routes and FDB each
MAX_ADDRESSES = 4096
MAX_INTERFACES = 2048
NOT_FORWARDING = frozenset({"listening", "learning", "blocking"})


class Rates(NamedTuple):
    """Traffic of a link from end a to end b and back: bit/s and packets/s."""

    rate_ab: int = 0
    rate_ba: int = 0
    pps_ab: float = 0.0
    pps_ba: float = 0.0

    @classmethod
    def between(cls, before: Counters, after: Counters, span: float, *, mirrored: bool) -> Rates:
        """Return the mean over ``span`` seconds; ``mirrored``: the counters are those of end b."""
        if before == after:
            return IDLE
        # A device made anew starts from 0: no negative rates.
        rise = Counters(*(max(0, new - old) for old, new in zip(before, after, strict=True)))
        sent = round(rise.tx_bytes * 8 / span), round(rise.tx_packets / span, 1)
        received = round(rise.rx_bytes * 8 / span), round(rise.rx_packets / span, 1)
        ab, ba = (received, sent) if mirrored else (sent, received)
        return cls(ab[0], ba[0], ab[1], ba[1])


IDLE = Rates()


def interface_state(device: LinkRecord | None) -> str:
    """Return up, off, nocarrier, unknown (a loopback that is up), down or missing."""
    if device is None:
        return "missing"
    if not device.up:
        return "off"
    if not device.carrier:
        return "nocarrier"
    return device.oper if device.oper in ("up", "unknown") else "down"


def link_state(ends: Sequence[LinkRecord | None], drawn_up: bool) -> str:
    """Return a cable's state from its two ends: missing, off, down, blocked or up."""
    present = [end for end in ends if end is not None]
    if len(present) < len(ends):
        return "missing"
    if not drawn_up and not all(end.up for end in present):
        return "off"
    if not all(end.up and end.carrier for end in present):
        return "down"
    return "blocked" if any(end.stp_state in NOT_FORWARDING for end in present) else "up"


def as_state(view: NamespaceView, peers: Mapping[str, Endpoint]) -> NamespaceState:
    """Return the view as `NamespaceState`, to be compared with what is desired."""
    links: Mapping[int, LinkRecord] = view.table(LinkRecord)
    addresses: dict[int, set[str]] = {}
    for record in view.table(AddressRecord).values():
        if record.drawable:
            addresses.setdefault(record.index, set()).add(record.address)
    return NamespaceState(
        forward_ipv4=_forwards(view, 4),
        forward_ipv6=_forwards(view, 6),
        devices={
            link.name: DeviceState(
                name=link.name,
                kind=link.kind,
                up=link.up,
                mac=link.mac,
                mtu=link.mtu,
                master=_name(links, link.master),
                peer=peers.get(link.name),
                addresses=frozenset(addresses.get(link.index, ())),
                stp=link.stp,
                ageing=link.ageing,
                tag=link.tag,
                oper=link.oper,
                stp_state=link.stp_state,
            )
            for link in links.values()
        },
        routes=frozenset(
            RouteState(
                prefix=route.prefix,
                via=route.via,
                device=_name(links, route.index),
                metric=route.metric,
            )
            for route in view.table(RouteRecord).values()
            if route.proto not in LEARNED
        ),
    )


def render_node(
    node: str,
    view: NamespaceView | None,
    ids: Mapping[str, str],
    wished: NamespaceState | None,
    actual: NamespaceState | None,
) -> dict[str, Any]:
    """Return one node of a LIVE message. ``ids``: interface id by name, as drawn."""
    missing = {name: _missing(key) for name, key in ids.items()}
    if view is None or actual is None:
        return {"present": False, "interfaces": missing, "drift": []}
    links: Mapping[int, LinkRecord] = view.table(LinkRecord)
    addresses: dict[int, list[str]] = {}
    for record in _first(view.table(AddressRecord).values(), MAX_ADDRESSES):
        addresses.setdefault(record.index, []).append(record.address)
    interfaces = {
        link.name: _interface(link, ids.get(link.name), links, addresses.get(link.index, []))
        for link in _first(sorted(links.values(), key=lambda link: link.index), MAX_INTERFACES)
    }
    return {
        "present": True,
        "forward_ipv4": actual.forward_ipv4,
        "forward_ipv6": actual.forward_ipv6,
        "interfaces": {**interfaces, **{n: v for n, v in missing.items() if n not in interfaces}},
        "routes": _routes(view, links),
        "neighbours": _neighbours(view, links),
        "fdb": _fdb(view, links),
        "drift": _drift(node, wished, actual),
    }


def _drift(node: str, wished: NamespaceState | None, actual: NamespaceState) -> list[Any]:
    if wished is None:
        return []
    desired, observed = LabState(namespaces={node: wished}), LabState(namespaces={node: actual})
    return [
        {"path": entry.path, "drawn": entry.drawn, "actual": _cut(entry.actual)}
        for entry in _first(drift(desired, observed))
    ]


def _interface(
    link: LinkRecord, key: str | None, links: Mapping[int, LinkRecord], addresses: list[str]
) -> dict[str, Any]:
    return {
        "id": key,
        "kind": link.kind,
        "state": interface_state(link),
        "mac": link.mac,
        "mtu": link.mtu,
        "master": _name(links, link.master),
        "addresses": addresses,
        "stp": link.stp_state,
        "index": link.index,
    }


def _missing(key: str) -> dict[str, Any]:
    return {
        "id": key,
        "kind": None,
        "state": "missing",
        "mac": None,
        "mtu": None,
        "master": None,
        "addresses": [],
        "stp": None,
        "index": None,
    }


def _routes(view: NamespaceView, links: Mapping[int, LinkRecord]) -> list[dict[str, Any]]:
    return [
        {
            "prefix": route.prefix,
            "via": route.via,
            "device": _name(links, route.index),
            "metric": route.metric,
            "proto": route.proto,
        }
        for route in _first(view.table(RouteRecord).values())
    ]


def _neighbours(view: NamespaceView, links: Mapping[int, LinkRecord]) -> list[dict[str, Any]]:
    return [
        {
            "address": entry.address,
            "mac": entry.mac,
            "device": _name(links, entry.index),
            "state": entry.state,
        }
        for entry in _first(view.table(NeighbourRecord).values())
    ]


def _fdb(view: NamespaceView, links: Mapping[int, LinkRecord]) -> list[dict[str, Any]]:
    return [
        {"mac": entry.mac, "port": _name(links, entry.index), "age": entry.age}
        for entry in _first(view.table(FdbRecord).values())
    ]


def _cut(value: Value) -> Value:
    return value[:MAX_ENTRIES] if isinstance(value, list) else value


def _first(records: Iterable[Any], limit: int = MAX_ENTRIES) -> list[Any]:
    return list(islice(records, limit))


def _name(links: Mapping[int, LinkRecord], index: int) -> str | None:
    link = links.get(index)
    return link.name if link else None


def _forwards(view: NamespaceView, family: int) -> bool:
    record: ForwardingRecord | None = view.table(ForwardingRecord).get(family)
    return record is not None and record.on
