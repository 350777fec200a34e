"""The differences of bridge ports and of children, by their options."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from topoweb.core.plan.actions import SetChild, SetPort, SetVlans
from topoweb.core.plan.state import NEW_PORT_VLANS, DeviceState, Endpoint, PortState
from topoweb.core.plan.steps import Phase, Steps
from topoweb.core.topology.interfaces import INTERFACE_KINDS

NEW_PORT = PortState()
PORT_OPTIONS = tuple(one.name for one in fields(PortState))


def port_steps(at: Endpoint, want: DeviceState, have: DeviceState | None, steps: Steps) -> None:
    """Add what makes a bridge port as wanted. One that joins its bridge now has the defaults."""
    stays = have is not None and have.master == want.master
    port = have.port if have is not None and stays else NEW_PORT
    if None not in (want.port, port) and want.port != port:
        names = [name for name in PORT_OPTIONS if getattr(want.port, name) != getattr(port, name)]
        changes: dict[str, Any] = {name: getattr(want.port, name) for name in names}
        words = ", ".join(f"{name} {_word(value)}" for name, value in changes.items())
        reason = f"{steps.port(at)}: drawn {words}"
        steps.add(Phase.SET_DEVICES, SetPort(at=at, **changes), reason, steps.owner(at))
    vlans = have.vlans if have is not None and stays else NEW_PORT_VLANS
    if want.vlans is not None and vlans is not None and want.vlans != vlans:
        remove, add = (tuple(sorted(one)) for one in (vlans - want.vlans, want.vlans - vlans))
        reason = f"{steps.port(at)}: drawn in VLAN {', '.join(sorted(want.vlans)) or 'none'}"
        action = SetVlans(at=at, remove=remove, add=add)
        steps.add(Phase.SET_DEVICES, action, reason, steps.owner(at))


def child_steps(at: Endpoint, want: DeviceState, have: DeviceState, steps: Steps) -> None:
    """Add what makes a child as wanted: after its parent, which may be in another namespace."""
    changes: dict[str, Any] = {}
    for name in ("options", "mtu", "mac", "up"):
        wanted, actual = getattr(want, name), getattr(have, name)
        if wanted is not None and wanted != actual:
            changes[name] = wanted
    if not changes:
        return
    words = ", ".join(_child_words(want, name, value) for name, value in changes.items())
    reason = f"{steps.port(at)}: drawn {words}"
    steps.add(Phase.SET_CHILDREN, SetChild(at=at, **changes), reason, steps.owner(at))


def _child_words(want: DeviceState, name: str, value: Any) -> str:  # noqa: ANN401 - any property
    match name:
        case "options":
            return " ".join(INTERFACE_KINDS[want.kind].words(value))
        case "up":
            return "up" if value else "down"
        case _:
            return f"{name.upper()} {value}"


def _word(value: bool | int) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return str(value)
