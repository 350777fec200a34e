"""What became of each step: done, refused, or left out because it needed a refused one."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from topoweb.core.plan.actions import (
    AddAddress,
    AddBridge,
    AddChild,
    AddNamespace,
    AddRoute,
    AddVeth,
    CloseUplink,
    OpenUplink,
    RemoveAddress,
    RemoveDevice,
    RemoveNamespace,
    RemoveRoute,
    SetChild,
    SetDevice,
    SetForwarding,
    SetOffloads,
    SetPort,
    SetRate,
    SetVlans,
)
from topoweb.core.plan.result import Failure
from topoweb.core.plan.state import Endpoint
from topoweb.core.topology.interfaces import Macvlan

if TYPE_CHECKING:
    from topoweb.core.plan.actions import Action, Step
    from topoweb.kernel.netlink import Refusal

RETRYABLE = frozenset(
    (
        *(errno.EBUSY, errno.EAGAIN, errno.ENOBUFS, errno.ENOMEM, errno.EINTR, errno.ETIMEDOUT),
        *(errno.ENODEV, errno.ESRCH, errno.ENOENT),  # something vanished: the next pass sees it
    )
)
# The wish holds already: the plan was made from a moment ago.
HOLDS_ALREADY = {
    AddAddress: frozenset((errno.EEXIST,)),
    AddRoute: frozenset((errno.EEXIST,)),
    RemoveAddress: frozenset((errno.EADDRNOTAVAIL, errno.ENODEV)),
    RemoveRoute: frozenset((errno.ESRCH, errno.ENODEV)),
    RemoveDevice: frozenset((errno.ENODEV,)),
    SetRate: frozenset((errno.ENOENT,)),  # no bucket is there to be taken away
}


class Outcome:
    """Counts steps and keeps failures, one a step: the first refusal is the cause."""

    def __init__(self) -> None:
        self.processed = 0
        self.failures: dict[int, Failure] = {}
        self._unmade: set[Endpoint] = set()
        self._unmade_namespaces: set[str] = set()

    @property
    def done(self) -> int:
        """Steps that were run and not refused."""
        return self.processed - len(self.failures)

    def refuse(self, step: Step, refusal: Refusal) -> None:
        """Note that the kernel refused a step, unless what it asks for holds already."""
        if refusal.errno in HOLDS_ALREADY.get(type(step.action), ()):
            return
        message = f"could not {describe(step.action)}: {refusal}"
        failure = Failure(step, refusal.errno, message, _retryable(step.action, refusal.errno))
        self.failures.setdefault(id(step), failure)
        match step.action:
            case AddNamespace(namespace=namespace):
                self._unmade_namespaces.add(namespace)
            case AddBridge(namespace=namespace, name=name):
                self._unmade.add(Endpoint(namespace=namespace, name=name))
            case AddVeth(a=a, b=b):
                self._unmade.update((a.at, b.at))
            case AddChild(at=at):
                self._unmade.add(at)

    def needs_refused(self, action: Action) -> bool:
        """True when an action cannot succeed because of an earlier refusal."""
        if not self.failures:
            return False
        if isinstance(action, AddVeth):
            ends = [action.a.at, action.b.at]
            ends += [
                Endpoint(namespace=end.at.namespace, name=end.master)
                for end in (action.a, action.b)
                if end.master
            ]
        elif isinstance(action, AddChild):
            ends = [action.at, action.parent]
        else:
            ends = [_place(action)]
        return any(end.namespace in self._unmade_namespaces or end in self._unmade for end in ends)


def _retryable(action: Action, refused: int) -> bool:
    # A parent is held for a moment by children that are gone already, and then refuses one that
    # must be alone (macvlan_newlink: EINVAL).
    held = isinstance(action, AddChild) and action.options == Macvlan(mode="passthru")
    return refused in RETRYABLE or (held and refused == errno.EINVAL)


def _place(action: Action) -> Endpoint:
    match action:
        case SetDevice(at=at) | RemoveDevice(at=at) | AddAddress(at=at) | RemoveAddress(at=at):
            return at
        case SetOffloads(at=at):
            return at
        case SetRate(at=at) | SetPort(at=at) | SetVlans(at=at) | AddChild(at=at) | SetChild(at=at):
            return at
        case (
            AddRoute(namespace=namespace, route=route)
            | RemoveRoute(namespace=namespace, route=route)
        ):
            return Endpoint(namespace=namespace, name=route.device or "")
        case AddVeth(a=a):
            return a.at
        case _:
            return Endpoint(namespace=action.namespace, name="")


def namespace_of(action: Action) -> str:
    """Return the key of the namespace that an action is written into."""
    return _place(action).namespace


def namespaces_of(action: Action) -> tuple[str, ...]:
    """Return the keys of all namespaces that an action changes: a cable has two ends,
    a child its parent elsewhere.
    """
    if isinstance(action, AddVeth):
        return action.a.at.namespace, action.b.at.namespace
    if isinstance(action, AddChild):
        return action.parent.namespace, action.at.namespace
    return (namespace_of(action),)


def describe(action: Action) -> str:  # noqa: C901, PLR0911, PLR0912 - a table, one line an action
    """Return an action in a few words, without the node's name (the step's reason has it)."""
    match action:
        case AddNamespace():
            return "create the network namespace"
        case RemoveNamespace():
            return "remove the network namespace"
        case AddBridge(name=name):
            return f"create bridge {name}"
        case AddVeth(a=a, b=b):
            return f"create the cable {a.at.name} - {b.at.name}"
        case AddChild(at=at, parent=parent):
            return f"create {at.name} on {parent.name}"
        case SetPort(at=at) | SetVlans(at=at):
            return f"set bridge port {at.name}"
        case RemoveDevice(at=at):
            return f"delete {at.name}"
        case SetDevice(at=at) | SetChild(at=at):
            return f"change {at.name}"
        case AddAddress(at=at, address=address):
            return f"add address {address} to {at.name}"
        case RemoveAddress(at=at, address=address):
            return f"remove address {address} from {at.name}"
        case AddRoute(route=route):
            return f"add route {route.prefix}"
        case RemoveRoute(route=route):
            return f"remove route {route.prefix}"
        case SetForwarding():
            return "set forwarding"
        case OpenUplink():
            return "open the way out"
        case CloseUplink():
            return "close the way out"
        case SetRate(at=at):
            return f"hold {at.name} to its rate"
        case SetOffloads(at=at):
            return f"set the offloads of {at.name}"
