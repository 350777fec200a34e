"""The differences of uplinks. No drift here: who may go out is never merged, always enforced."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from topoweb.core.plan.actions import CloseUplink, OpenUplink, RemoveNamespace
from topoweb.core.plan.state import CLOSED, LabState, NamespaceState
from topoweb.core.plan.steps import Phase, Steps
from topoweb.core.topology.onlink import WAN

SHUT = (None, CLOSED)


def close(desired: LabState, observed: LabState, steps: Steps) -> None:
    """Add the steps that close what is not to be open any more, or lies about in parts."""
    for key, have in observed.namespaces.items():
        want = desired.namespaces.get(key)
        stays = want is not None and want.uplink not in SHUT  # what is wrong of it `open_` settles
        if have.uplink in SHUT or stays:
            continue
        why = "has no grant to be open" if want and want.uplink is not None else "is not drawn"
        reason = f"{steps.node(key)}: the way out {why}"
        steps.add(Phase.CLOSE_UPLINKS, CloseUplink(namespace=key), reason, key if want else "")


def without_changed(desired: LabState, observed: LabState, steps: Steps) -> LabState:
    """Remove the namespaces whose node became an uplink, or is one no more.

    They belong to the wrong user namespace, and nothing changes that. Returns what is left.
    """
    kept = {}
    for key, have in observed.namespaces.items():
        want = desired.namespaces.get(key)
        if want is None or (want.uplink is None) == (have.uplink is None):
            kept[key] = have
            continue
        reason = f"{steps.node(key)} changes hands and is made again"
        steps.add(Phase.REPLACE_NAMESPACES, RemoveNamespace(namespace=key), reason, key)
    return observed if len(kept) == len(observed.namespaces) else LabState(namespaces=kept)


def open_(desired: LabState, observed: LabState, steps: Steps) -> None:
    """Add the steps that open what is to be open, or open until another moment."""
    for key, want in desired.namespaces.items():
        have = observed.namespaces.get(key)
        if want.uplink in SHUT or (have is not None and have.uplink == want.uplink):
            continue
        assert want.uplink is not None
        end = datetime.fromtimestamp(want.uplink, UTC).strftime("%Y-%m-%d %H:%M UTC")
        reason = f"{steps.node(key)}: the way out is granted until {end}"
        action = OpenUplink(namespace=key, until=want.uplink)
        steps.add(Phase.OPEN_UPLINKS, action, reason, key)


def without_way_out(namespace: NamespaceState) -> NamespaceState:
    """Return an uplink's namespace without the device toward the host, which nobody drew."""
    return replace(
        namespace,
        devices={name: device for name, device in namespace.devices.items() if name != WAN},
        routes=frozenset(route for route in namespace.routes if route.device != WAN),
    )
