"""Runs the steps of a plan with few system calls.

Steps keep their order where it matters: a plan is cut into phases (namespaces, cables, inside
namespaces, removal of namespaces), and inside a phase everything of one namespace goes out in
one send, errors told apart by sequence number.
"""

from __future__ import annotations

import errno
import itertools
import os
import threading
from collections import defaultdict
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING, Protocol

from topoweb.core.errors import ErrorKind, TopowebError
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
from topoweb.kernel import netns
from topoweb.kernel.apply import (
    addresses,
    children,
    forwarding,
    links,
    offloads,
    ports,
    rates,
    routes,
)
from topoweb.kernel.apply.outcome import Outcome, namespace_of
from topoweb.kernel.apply.site import Devices, MissingDeviceError, Site
from topoweb.kernel.netlink import Netlink, Refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from contextlib import AbstractContextManager

    from topoweb.core.plan.actions import Action, Step
    from topoweb.core.plan.state import Endpoint
    from topoweb.kernel.netlink import Message

    Handler = Callable[[Site, Step], None]
    Kind = type[
        AddNamespace | AddVeth | AddChild | SetChild | RemoveNamespace | OpenUplink | CloseUplink
    ]
    Queue = Sequence[tuple[Handler | None, Step]]

VETH_BATCH = 64
KEPT_DESCRIPTORS = 512  # a plain process may have 1,024
ERRNO = {ErrorKind.LOST: errno.ENODEV, ErrorKind.BUSY: errno.EBUSY, ErrorKind.LIMIT: errno.ENOSPC}


class Spaces(Protocol):
    """A lab's namespaces as a run needs them."""

    def add(self, nodes: Sequence[str], outer: Collection[str] = ()) -> Sequence[str]:
        """Create those namespaces that do not exist, all at once, and return them.

        Those of ``outer`` belong to the host. OSError or TopowebError when the kernel refuses.
        """

    def remove(self, nodes: Sequence[str]) -> None:
        """Drop namespaces and return when they and their cables are gone."""

    def lease(self) -> AbstractContextManager[Callable[[str], int]]:
        """Give a function that opens namespaces, valid until some are added or removed."""

    def foresee(self, steps: Sequence[Step]) -> None:
        """Note which cables a plan makes and takes away."""

    def flush(self) -> None:
        """Write down what was noted."""


class Uplinks(Protocol):
    """The ways out of a lab as a run needs them. OSError or TopowebError when refused."""

    def open(self, node: str, until: int) -> None:
        """Open the way out of a node until a moment; refused, nothing is open."""

    def close(self, node: str) -> None:
        """Take the way out of a node away, whatever is there of it."""


HANDLERS: dict[type[Action], Handler] = {
    AddBridge: links.add_bridge,
    SetDevice: links.set_device,
    SetChild: children.set_child,
    SetPort: ports.set_port,
    SetVlans: ports.set_vlans,
    AddAddress: addresses.add_address,
    RemoveAddress: addresses.remove_address,
    AddRoute: routes.add_route,
    RemoveRoute: routes.remove_route,
    SetForwarding: forwarding.set_forwarding,
    SetRate: rates.set_rate,
    SetOffloads: offloads.set_offloads,
}


class Run:
    """One plan on its way into the kernel.

    Each phase inside namespaces has a throw-away thread of its own: a thread keeps the namespace
    that it entered last alive, so none may outlive its phase.
    """

    def __init__(self, spaces: Spaces, uplinks: Uplinks) -> None:
        self.outcome = Outcome()
        self.cancel = threading.Event()
        self._spaces = spaces
        self._uplinks = uplinks
        self._devices: defaultdict[str, Devices] = defaultdict(Devices)
        self._pending: defaultdict[str, list[tuple[Handler | None, Step]]] = defaultdict(list)
        self._ipv6: set[str] = set()
        self._fds: dict[str, int] = {}
        self._lease = ExitStack()
        self._open: Callable[[str], int] | None = None

    def execute(self, steps: Sequence[Step]) -> None:
        """Run all steps, or up to the batch in which ``cancel`` was set."""
        self._spaces.foresee(steps)
        self._ipv6 = addresses.namespaces_with_ipv6(steps)
        try:
            for kind, group in itertools.groupby(steps, lambda step: _phase(step.action)):
                wanted = [step for step in group if not self.outcome.needs_refused(step.action)]
                if kind is None:
                    self._queue(wanted)
                    continue
                self._write_all_pending()
                if self.cancel.is_set():
                    return
                self._run_phase(kind, wanted)
            self._write_all_pending()
        finally:
            self._let_go()

    def _run_phase(self, kind: Kind, steps: Sequence[Step]) -> None:
        if kind is AddNamespace:
            self._add_namespaces(steps)
        elif kind is AddVeth:
            self._spaces.flush()
            netns.run_apart(lambda: self._add_veths(steps))
        elif kind is AddChild:
            netns.run_apart(lambda: self._add_children(steps))
        elif kind is SetChild:
            self._queue(steps)  # a phase: their parents, in other namespaces, are written now
        elif kind is RemoveNamespace:
            self._remove_namespaces(steps)
        else:
            self._change_uplinks(steps)

    def _change_uplinks(self, steps: Sequence[Step]) -> None:
        for step in steps:
            self.outcome.processed += 1
            try:
                match step.action:
                    case OpenUplink(namespace=node, until=until):
                        self._uplinks.open(node, until)
                    case CloseUplink(namespace=node):
                        self._uplinks.close(node)
            except (OSError, TopowebError) as error:
                self.outcome.refuse(step, _refusal_of(error))

    def _write_all_pending(self) -> None:
        if self._pending:
            netns.run_apart(self._write_pending)

    def _add_namespaces(self, steps: Sequence[Step]) -> None:
        nodes = [namespace_of(step.action) for step in steps]
        actions = (step.action for step in steps)
        outer = {one.namespace for one in actions if isinstance(one, AddNamespace) and one.uplink}

        def add() -> None:
            made = self._spaces.add(nodes, outer)
            born: dict[int, bool] = {}
            for node in made:
                self._devices[node] = Devices(fresh=True, forwarding=born)
            strange = set(made) if addresses.copies_the_host() else set[str]()
            if prepared := strange | self._ipv6.intersection(made):
                netns.run_apart(lambda: self._prepare_ipv6(prepared, strange))

        self._all_or_none(steps, add)

    def _prepare_ipv6(self, nodes: set[str], strange: set[str]) -> None:
        for node in nodes:
            self._spare_descriptors()
            netns.enter(self._fd(node))
            if node in self._ipv6:
                addresses.skip_duplicate_detection()
            if node in strange:
                addresses.accept_advertisements()

    def _remove_namespaces(self, steps: Sequence[Step]) -> None:
        nodes = [namespace_of(step.action) for step in steps]
        for node in nodes:
            self._devices.pop(node, None)
        self._all_or_none(steps, lambda: self._spaces.remove(nodes))

    def _all_or_none(self, steps: Sequence[Step], work: Callable[[], None]) -> None:
        self.outcome.processed += len(steps)
        self._let_go()
        try:
            work()
        except (OSError, TopowebError) as error:
            for step in steps:
                self.outcome.refuse(step, _refusal_of(error))

    def _add_veths(self, steps: Sequence[Step]) -> None:
        by_near: defaultdict[str, list[Step]] = defaultdict(list)
        for step in steps:
            assert isinstance(step.action, AddVeth)
            by_near[links.oriented(step.action)[0].at.namespace].append(step)
        for node, own in by_near.items():
            self._inside(node, own, partial(self._create_veths, steps=own))

    def _create_veths(self, site: Site, steps: Sequence[Step]) -> None:
        for start in range(0, len(steps), VETH_BATCH):
            if self.cancel.is_set():
                return
            self._spare_descriptors()
            batch = steps[start : start + VETH_BATCH]
            for step in batch:
                self._attempt(site, step, self._create_veth)
            site.flush()
            self.outcome.processed += len(batch)
            for step in batch:
                self._queue_finish(step)

    def _create_veth(self, site: Site, step: Step) -> None:
        assert isinstance(step.action, AddVeth)
        far = links.oriented(step.action)[1].at.namespace
        links.add_veth(site, step, self._devices[far], self._fd(far))

    def _queue_finish(self, step: Step) -> None:
        assert isinstance(step.action, AddVeth)
        if id(step) in self.outcome.failures:
            return
        near, far = links.oriented(step.action)
        self._pending[near.at.namespace].append((links.finish_near, step))
        self._pending[far.at.namespace].append((links.finish_far, step))

    def _add_children(self, steps: Sequence[Step]) -> None:
        """Create children in their order, since one may be the parent of the next."""
        for node, group in itertools.groupby(steps, lambda step: _parent(step).namespace):
            own = list(group)
            self._inside(node, own, partial(self._create_children, steps=own))

    def _create_children(self, site: Site, steps: Sequence[Step]) -> None:
        for step in steps:
            if not self.outcome.needs_refused(step.action):
                self._attempt(site, step, self._create_child)
        site.flush()
        self.outcome.processed += len(steps)
        for step in steps:
            if id(step) not in self.outcome.failures:
                own = namespace_of(step.action)
                self._pending[own].append((children.finish_child, step))

    def _create_child(self, site: Site, step: Step) -> None:
        own = namespace_of(step.action)
        children.add_child(site, step, self._devices[own], self._fd(own))

    def _queue(self, steps: Sequence[Step]) -> None:
        for step in steps:
            handler = HANDLERS.get(type(step.action))  # none: RemoveDevice, see _write
            self._pending[namespace_of(step.action)].append((handler, step))

    def _write_pending(self) -> None:
        pending, self._pending = self._pending, defaultdict(list)
        for node, queue in pending.items():
            if self.cancel.is_set():
                return
            steps = [step for _, step in queue]
            self._inside(node, steps, partial(self._write, queue=queue))

    def _write(self, site: Site, queue: Queue) -> None:
        for handler, group in itertools.groupby(queue, lambda entry: entry[0]):
            steps = [step for _, step in group if not self.outcome.needs_refused(step.action)]
            if handler is None:
                links.remove_devices(site, steps)
            else:
                for step in steps:
                    self._attempt(site, step, handler)
            self.outcome.processed += sum(
                1 for step in steps if not isinstance(step.action, AddVeth | AddChild)
            )
        site.flush()

    def _attempt(self, site: Site, step: Step, handler: Handler) -> None:
        try:
            handler(site, step)
        except MissingDeviceError as error:
            self.outcome.refuse(step, error.refusal)
        except (OSError, TopowebError) as error:
            self.outcome.refuse(step, _refusal_of(error))
        except ValueError as error:  # an address that the drawing should not have let through
            self.outcome.refuse(step, Refusal(errno.EINVAL, str(error)))

    def _inside(self, node: str, steps: Sequence[Step], work: Callable[[Site], None]) -> None:
        """Enter a namespace and work in it; a lost namespace fails the steps."""
        self._spare_descriptors()
        try:
            netns.enter(self._fd(node))
            with Netlink() as socket:
                work(Site(socket, self._devices[node], self._refused))
        except (OSError, TopowebError) as error:
            for step in steps:
                self.outcome.refuse(step, _refusal_of(error))

    def _refused(self, step: Step, message: Message, refusal: Refusal) -> Message | None:
        if addresses.enable_ipv6(step, refusal):
            return message
        self.outcome.refuse(step, refusal)
        return None

    def _fd(self, node: str) -> int:
        if node not in self._fds:
            if self._open is None:
                self._open = self._lease.enter_context(self._spaces.lease())
            self._fds[node] = self._open(node)
        return self._fds[node]

    def _spare_descriptors(self) -> None:
        """Close namespaces when many are open; only between batches, which name them by number."""
        if len(self._fds) > KEPT_DESCRIPTORS:
            self._close_namespaces()

    def _close_namespaces(self) -> None:
        for fd in self._fds.values():
            os.close(fd)
        self._fds.clear()

    def _let_go(self) -> None:
        """Forget the lab's holder: after namespaces come or go it is another."""
        self._close_namespaces()
        self._open = None
        self._lease.close()


def _phase(action: Action) -> Kind | None:
    for kind in (
        *(AddNamespace, AddVeth, AddChild, SetChild, RemoveNamespace, OpenUplink, CloseUplink),
    ):
        if isinstance(action, kind):
            return kind
    return None


def _parent(step: Step) -> Endpoint:
    assert isinstance(step.action, AddChild)
    return step.action.parent


def _refusal_of(error: OSError | TopowebError) -> Refusal:
    if isinstance(error, TopowebError):
        text = f"{error.message} {error.hint}".strip()
        return Refusal(ERRNO.get(error.kind, errno.EIO), text)
    code = error.errno or errno.EIO
    return Refusal(code, "" if error.strerror == os.strerror(code) else error.strerror or "")
