"""Where the running lab differs from its drawing, place by place."""

from __future__ import annotations

from dataclasses import dataclass, fields, is_dataclass
from typing import TYPE_CHECKING

from topoweb.core.plan.merge import LOOPBACK_ADDRESSES, resolved
from topoweb.core.plan.uplink_diff import without_way_out

if TYPE_CHECKING:
    from collections.abc import Iterator

    from topoweb.core.plan.state import DeviceState, Endpoint, LabState, NamespaceState, RouteState

# Made by the kernel itself in every new namespace when their module is loaded.
FALLBACK_DEVICES = frozenset(
    {
        *("tunl0", "gre0", "gretap0", "erspan0", "ip_vti0"),
        *("ip6_vti0", "sit0", "ip6tnl0", "ip6gre0"),
    }
)

Value = bool | int | str | None | list[str]


@dataclass(frozen=True, slots=True)
class Drift:
    """One difference. ``path``: "interfaces/eth0/mtu", "interfaces/eth0", "routes", "forward_ipv4".

    ``drawn`` and ``actual`` are JSON values; None: it is not there.
    """

    namespace: str
    path: str
    drawn: Value
    actual: Value


def drift(desired: LabState, observed: LabState) -> list[Drift]:
    """Return all differences of the namespaces that exist; empty when the kernel is as drawn."""
    return [
        Drift(key, path, drawn, actual)
        for key, want in desired.namespaces.items()
        if key in observed.namespaces
        for path, drawn, actual in _namespace(want, observed.namespaces[key])
    ]


Difference = tuple[str, Value, Value]


def _namespace(want: NamespaceState, have: NamespaceState) -> Iterator[Difference]:
    if want.uplink is not None:
        have = without_way_out(have)
    for name in ("forward_ipv4", "forward_ipv6"):
        yield from _differs(name, getattr(want, name), getattr(have, name))
    for name in sorted(want.devices.keys() | have.devices.keys()):
        drawn, actual = want.devices.get(name), have.devices.get(name)
        path = f"interfaces/{name}"
        if drawn is None or actual is None:
            if name not in FALLBACK_DEVICES:
                yield path, drawn.kind if drawn else None, actual.kind if actual else None
        else:
            yield from _device(path, drawn, actual)
    routes = resolved(want.routes, have.routes)
    yield from _differs("routes", _route_texts(routes), _route_texts(have.routes))


def _device(path: str, want: DeviceState, have: DeviceState) -> Iterator[Difference]:
    yield from _differs(f"{path}/kind", want.kind, have.kind)
    yield from _differs(f"{path}/up", want.up, have.up)
    if want.kind != "loopback":
        for name in ("mtu", "master"):
            yield from _differs(f"{path}/{name}", getattr(want, name), getattr(have, name))
    for name in ("mac", "stp", "ageing", "priority", "vlan_filtering"):
        wanted, actual = getattr(want, name), getattr(have, name)
        if wanted is not None and actual is not None:  # no wish; not told
            yield from _differs(f"{path}/{name}", wanted, actual)
    for name in ("peer", "parent"):
        ends = [_place(getattr(device, name)) for device in (want, have)]
        yield from _differs(f"{path}/{name}", *ends)
    yield from _inner(f"{path}/options", want.options, have.options)
    yield from _inner(f"{path}/bridge_port", want.port, have.port)
    if want.vlans is not None and have.vlans is not None:
        yield from _differs(f"{path}/vlans", sorted(want.vlans), sorted(have.vlans))
    ignored = LOOPBACK_ADDRESSES if want.kind == "loopback" else frozenset()
    addresses = (sorted(set(d.addresses) - ignored) for d in (want, have))
    yield from _differs(f"{path}/addresses", *addresses)


def _inner(path: str, want: object | None, have: object | None) -> Iterator[Difference]:
    """Compare two records of one kind option by option; one that is not there is no wish."""
    if want == have or type(want) is not type(have) or not is_dataclass(want):
        return
    for one in fields(want):
        yield from _differs(f"{path}/{one.name}", getattr(want, one.name), getattr(have, one.name))


def _place(at: Endpoint | None) -> str | None:
    return f"{at.namespace}/{at.name}" if at else None


def _differs(path: str, drawn: Value, actual: Value) -> Iterator[Difference]:
    if drawn != actual:
        yield path, drawn, actual


def _route_texts(routes: frozenset[RouteState]) -> list[str]:
    return sorted(_route_text(route) for route in routes)


def _route_text(route: RouteState) -> str:
    via = f" via {route.via}" if route.via else ""
    device = f" dev {route.device}" if route.device else ""
    metric = f" metric {route.metric}" if route.metric else ""
    return f"{route.prefix}{via}{device}{metric}"
