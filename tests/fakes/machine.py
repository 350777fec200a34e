"""The state machine that fake and real kernel both have to pass.

Whatever is drawn, run, stopped, killed, lost or refused: after `settle` the kernel is as drawn,
a further pass writes nothing, nothing foreign has changed, and the drawing is as it was.
"""

from __future__ import annotations

import errno
import itertools
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from tests.fakes.mortal import Worker
from tests.fakes.store import MemoryStore
from topoweb.core.plan.actions import Action, AddAddress, RemoveDevice, SetDevice
from topoweb.core.plan.diff import diff
from topoweb.core.plan.expand import expand
from topoweb.core.plan.state import Endpoint, LabState
from topoweb.core.topology import operations
from topoweb.core.topology.document import DocumentError
from topoweb.core.topology.model import Topology
from topoweb.core.topology.validate import validate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from topoweb.engine.ports import Kernel

LAB = 7
KINDS = ("host", "router", "switch")


class Bench(Protocol):
    """A kernel, and the trouble that can be made in it."""

    kernel: Kernel

    def restart(self) -> None: ...
    def writes(self) -> int: ...
    def fail(self, calls: Sequence[int], code: int) -> None: ...
    def clear_failures(self) -> None: ...
    def lose_namespace(self, lab: int, node: str) -> None: ...
    def type_in(self, lab: int, action: Action) -> None: ...
    def foreign(self) -> Any: ...
    def close(self) -> None: ...


class LabMachine(RuleBasedStateMachine):
    """One lab, one user who draws, one worker that is not left in peace."""

    bench_class: ClassVar[type[Any]]

    def __init__(self) -> None:
        super().__init__()
        self.bench: Bench = self.bench_class()
        self.store = MemoryStore()
        self.worker = Worker(self.bench.kernel, self.store)
        self.topology = Topology(auto_address=False)
        self.number = 0
        self.drifted = False
        self.foreign = self.bench.foreign()

    # Drawing

    @initialize(kinds=st.lists(st.sampled_from(KINDS), min_size=2, max_size=5))
    def begin(self, kinds: list[str]) -> None:
        """Draw a chain, so that there is something to spoil from the first step on."""
        for kind in kinds:
            self.add_node(kind)
        nodes = list(self.topology.nodes)
        for near, far in itertools.pairwise(nodes):
            self._cable(near, far, addressed=True, mtu=1500)
        self.store.draw(LAB, self.topology, running=True)

    @rule(kind=st.sampled_from(KINDS))
    def add_node(self, kind: str) -> None:
        forward = kind == "router"
        value = {"kind": kind, "forward_ipv4": forward, "forward_ipv6": forward}
        key = self._key("n")
        self._edit("add", "nodes", key, value={**value, "name": key})

    @rule(data=st.data(), addressed=st.booleans(), mtu=st.sampled_from([1500, 1400]))
    def add_link(self, data: st.DataObject, addressed: bool, mtu: int) -> None:
        if len(self.topology.nodes) < 2:
            return
        nodes = sorted(self.topology.nodes)
        pair = data.draw(st.lists(st.sampled_from(nodes), min_size=2, max_size=2, unique=True))
        self._cable(*pair, addressed=addressed, mtu=mtu)

    def _cable(self, a: str, b: str, *, addressed: bool, mtu: int) -> None:
        link = self._key("l")
        ends = []
        for host, node in enumerate((a, b), start=1):
            end = f"{link}{'ab'[host - 1]}"
            bridged = self.topology.nodes[node].kind == "switch"
            addresses = [f"10.1.{self.number % 250}.{host}/24"] if addressed and not bridged else []
            value = {"node": node, "name": f"e{self.number}", "mtu": mtu, "addresses": addresses}
            ends.append({"kind": "add", "collection": "interfaces", "id": end, "value": value})
        cable = {"a": f"{link}a", "b": f"{link}b"}
        ends.append({"kind": "add", "collection": "links", "id": link, "value": cable})
        self._apply({"kind": "batch", "operations": ends})

    @rule(data=st.data(), prefix=st.integers(0, 20))
    def add_route(self, data: st.DataObject, prefix: int) -> None:
        """Draw a route via the far end of a cable, which is on-link while the cable is."""
        cables = [
            (near.node, far.addresses[0].split("/")[0])
            for link in self.topology.links.values()
            for near, far in [self._ends(link), self._ends(link)[::-1]]
            if near.addresses and far.addresses
        ]
        if cables:
            node, via = data.draw(st.sampled_from(sorted(cables)))
            value = {"node": node, "prefix": f"10.99.{prefix}.0/24", "via": via}
            self._edit("add", "routes", self._key("r"), value=value)

    @rule(data=st.data(), collection=st.sampled_from(["nodes", "links", "interfaces", "routes"]))
    def remove(self, data: st.DataObject, collection: str) -> None:
        key = self._any(data, collection)
        if key:
            self._edit("remove", collection, key)

    @rule(data=st.data())
    def rename_node(self, data: st.DataObject) -> None:
        key = self._any(data, "nodes")
        if key:
            self._edit("set", "nodes", key, patch={"name": self._key("m")})

    @rule(data=st.data(), up=st.booleans(), forward=st.booleans())
    def set_node(self, data: st.DataObject, up: bool, forward: bool) -> None:
        key = self._any(data, "nodes")
        if key:
            self._edit("set", "nodes", key, patch={"lo_up": up, "forward_ipv4": forward})

    @rule(offloads=st.booleans())
    def set_offloads(self, offloads: bool) -> None:
        self._edit("set", "document", "", patch={"offloads": offloads})

    @rule(data=st.data(), up=st.booleans())
    def set_link(self, data: st.DataObject, up: bool) -> None:
        key = self._any(data, "links")
        if key:
            self._edit("set", "links", key, patch={"up": up})

    @rule(
        data=st.data(),
        patch=st.one_of(
            st.fixed_dictionaries({"mtu": st.sampled_from([1500, 1400, 9000])}),
            st.fixed_dictionaries({"up": st.booleans()}),
            st.fixed_dictionaries({"name": st.sampled_from(["x0", "x1", "x2"])}),
            st.fixed_dictionaries(
                {
                    "addresses": st.lists(
                        st.sampled_from(["10.7.0.1/24", "10.7.1.2/24", "2001:db8::1/64"]),
                        max_size=2,
                        unique=True,
                    )
                }
            ),
        ),
    )
    def set_interface(self, data: st.DataObject, patch: dict[str, Any]) -> None:
        key = self._any(data, "interfaces")
        if key:
            self._edit("set", "interfaces", key, patch=patch)

    # The wish

    @rule(running=st.sampled_from([True, True, False]))
    def wish(self, running: bool) -> None:
        self.store.draw(LAB, self.topology, running=running)

    @rule()
    def cancel(self) -> None:
        self.store.cancel(LAB)

    @rule()
    def restore(self) -> None:
        self.store.restore(LAB)

    # Trouble

    @rule(
        calls=st.lists(st.integers(1, 25), min_size=1, max_size=5, unique=True),
        code=st.sampled_from([errno.EBUSY, errno.EBUSY, errno.EINVAL]),
    )
    def fail_calls(self, calls: list[int], code: int) -> None:
        self.bench.fail(calls, code)

    @rule(data=st.data(), then=st.sampled_from(["wait", "repair", "kill"]))
    def lose_namespace(self, data: st.DataObject, then: str) -> None:
        """Lose a namespace; its repair may meet failures, or be the end of the worker."""
        present = sorted(self.bench.kernel.observe(LAB).namespaces)
        if not present:
            return
        self.bench.lose_namespace(LAB, data.draw(st.sampled_from(present)))
        if then == "repair":
            self.fail_calls([data.draw(st.integers(1, 12))], errno.EBUSY)
            self.sweep()
        if then == "kill":
            self.kill_worker_mid_apply(data.draw(st.integers(1, 12)), afresh=False)

    @rule(data=st.data(), what=st.sampled_from(["mtu", "down", "address", "delete"]))
    def type_in_terminal(self, data: st.DataObject, what: str) -> None:
        state = self.bench.kernel.observe(LAB)
        ends = [
            (key, name)
            for key, namespace in state.namespaces.items()
            for name, device in namespace.devices.items()
            if device.kind == "veth"
        ]
        if ends:
            key, name = data.draw(st.sampled_from(sorted(ends)))
            self.bench.type_in(LAB, _typed(what, Endpoint(namespace=key, name=name)))
            self.drifted = True

    @rule(steps=st.integers(0, 30), afresh=st.booleans())
    def kill_worker_mid_apply(self, steps: int, afresh: bool) -> None:
        if afresh:  # the whole lab is to be made, so that there is a middle
            self.store.draw(LAB, self.topology, running=False)
            self.let_work()
            self.store.draw(LAB, self.topology, running=True)
        self.worker.life.steps_left = steps
        self.worker.repair(LAB)
        self.worker.until(self._at_rest)
        self.worker.kill()
        self._next_worker()

    @rule()
    def restart_worker(self) -> None:
        self.worker.leave()
        self._next_worker()

    @rule()
    def let_work(self) -> None:
        self.worker.wake(LAB)
        self.worker.until(self._at_rest)

    @rule()
    def sweep(self) -> None:
        """Have what was lost repaired, calls that fail included."""
        self.worker.repair(LAB)

    # What must hold

    @rule()
    def settle(self) -> None:
        self.bench.clear_failures()
        if self.store.rows[LAB].phase in ("failed", "cancelled") or self.store.mark(LAB).halted:
            self.store.draw(LAB, self.topology)  # the user presses Run (or Stop) again
        self.worker.wake(LAB)
        self.worker.until(self._at_rest)
        self.worker.repair(LAB)  # as the sweep does for what was lost behind our back
        self.worker.until(self._at_rest)
        self._check()

    def _check(self) -> None:
        row, kernel = self.store.rows[LAB], self.bench.kernel
        errors = [p for p in validate(self.topology) if p.severity == "error"]
        if not row.running:
            assert row.phase == "stopped"
            assert kernel.observe(LAB) == LabState()
            assert LAB not in kernel.labs()
            self.drifted = False
        elif errors:
            assert row.phase == "failed"
        else:
            assert row.phase == "running", self.store.reports[-1]
            desired, observed = expand(LAB, self.topology), kernel.observe(LAB)
            assert not diff(desired, observed, previous=desired)
            assert self.drifted or not diff(desired, observed)
        before = self.bench.writes()
        self.worker.repair(LAB)
        assert self.bench.writes() == before, "the second pass wrote"
        assert self.bench.foreign() == self.foreign
        assert row.topology == self.topology

    @precondition(lambda self: self.drifted)
    @rule()
    def restore_all_drift(self) -> None:
        self.store.restore(LAB)
        self.drifted = False
        self.settle()

    def teardown(self) -> None:
        try:
            self.settle()
            self.store.draw(LAB, self.topology, running=False)
            self.settle()
        finally:
            self.worker.leave()
            self.bench.close()

    def _next_worker(self) -> None:
        self.bench.restart()
        self.worker = Worker(self.bench.kernel, self.store)

    def _at_rest(self) -> bool:
        row = self.store.rows[LAB]
        ended = row.phase in ("running", "stopped", "failed", "cancelled")
        return ended and row.observed_generation == row.generation

    def _key(self, letter: str) -> str:
        self.number += 1
        return f"{letter}{self.number}"

    def _any(self, data: st.DataObject, collection: str) -> str | None:
        keys = sorted(getattr(self.topology, collection))
        return data.draw(st.sampled_from(keys)) if keys else None

    def _ends(self, link: Any) -> list[Any]:
        return [self.topology.interfaces[link.a], self.topology.interfaces[link.b]]

    def _edit(self, kind: str, collection: str, key: str, **rest: Any) -> None:
        self._apply({"kind": kind, "collection": collection, "id": key, **rest})

    def _apply(self, operation: dict[str, Any]) -> None:
        try:
            self.topology, _ = operations.apply(self.topology, operation)
        except DocumentError:
            return  # refused: nothing changes
        self.store.draw(LAB, self.topology)


def _typed(what: str, at: Endpoint) -> Action:
    if what == "mtu":
        return SetDevice(at=at, mtu=1300)
    if what == "down":
        return SetDevice(at=at, up=False)
    if what == "address":
        return AddAddress(at=at, address="10.250.0.1/24")
    return RemoveDevice(at=at)
