"""One pass at a time, on the fake kernel."""

from __future__ import annotations

import errno
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.fakes.kernel import FakeKernel
from tests.unit.engine.drawings import LAB, two_hosts, with_address
from topoweb.core.errors import ErrorKind, TopowebError
from topoweb.core.plan.actions import AddAddress, RemoveAddress, SetDevice
from topoweb.core.plan.state import Endpoint, LabState
from topoweb.core.topology.model import Topology
from topoweb.core.topology.problem import Problem
from topoweb.engine import reconcile
from topoweb.engine.ports import Mark, Wish

if TYPE_CHECKING:
    from topoweb.engine.reconcile import Outcome

ETH0 = Endpoint(namespace="n1", name="eth0")


def wish(topology: Topology, **said: object) -> Wish:
    mark = {"lab": LAB, "generation": 1, "running": True, **said}
    return Wish(mark=Mark(**mark), topology=topology)  # type: ignore[arg-type]


def settled(topology: Topology, generation: int = 1) -> Wish:
    return wish(topology, generation=generation, observed_generation=generation, phase="running")


def run(kernel: FakeKernel, wanted: Wish, previous: LabState | None = None) -> Outcome:
    todo = reconcile.prepare(kernel, wanted, previous)
    return reconcile.execute(kernel, todo, lambda *_: None, lambda: False)


@pytest.fixture
def kernel() -> FakeKernel:
    return FakeKernel(host_forwards=True)


def addresses(kernel: FakeKernel, node: str = "n1") -> frozenset[str]:
    return kernel.observe(LAB).namespaces[node].devices["eth0"].addresses


def test_running_means_that_cables_carry_packets(kernel, monkeypatch):
    """The kernel puts a cable into operation a little after its ends are up."""
    observe, looks = kernel.observe, []

    def late(lab):
        state = observe(lab)
        looks.append(reconcile.carries(state))
        if len(looks) in (2, 3):  # the first look after the writes, and the next
            state = without_operation(state)
            assert not reconcile.carries(state)
        return state

    monkeypatch.setattr(kernel, "observe", late)
    outcome = run(kernel, wish(two_hosts()))
    assert outcome.report.phase == "running"
    assert len(looks) == 4


def without_operation(state: LabState) -> LabState:
    def off(device):
        return replace(device, oper="lowerlayerdown") if device.peer else device

    return LabState(
        namespaces={
            key: replace(namespace, devices={n: off(d) for n, d in namespace.devices.items()})
            for key, namespace in state.namespaces.items()
        }
    )


def test_deploy_then_a_second_pass_writes_nothing(kernel):
    outcome = run(kernel, wish(two_hosts()))
    assert outcome.report.phase == "running"
    assert outcome.report.observed_generation == 1
    assert outcome.report.steps_done == outcome.report.steps_total > 0
    writes = kernel.writes
    again = run(kernel, settled(two_hosts()), outcome.previous)
    assert kernel.writes == writes
    assert again.report is None


def test_announcement_leaves_the_observed_generation_alone(kernel):
    todo = reconcile.prepare(kernel, wish(two_hosts()), None)
    assert todo.announcement().phase == "starting"
    assert todo.announcement().observed_generation == 0
    assert todo.announcement().steps_total == len(todo.plan)


def test_edit_applies_the_difference_and_keeps_drift_elsewhere(kernel):
    first = run(kernel, wish(two_hosts()))
    kernel.type_in(LAB, AddAddress(at=Endpoint(namespace="n2", name="eth0"), address="10.5.0.1/24"))
    edited = with_address(two_hosts(), "i1", "10.0.0.1/24", "10.0.3.1/24")
    outcome = run(kernel, wish(edited, generation=2, phase="running"), first.previous)
    assert outcome.report.phase == "running"
    assert addresses(kernel) == {"10.0.0.1/24", "10.0.3.1/24"}
    assert "10.5.0.1/24" in addresses(kernel, "n2")


def test_adoption_after_a_restart_keeps_drift_and_writes_nothing(kernel):
    run(kernel, wish(two_hosts()))
    kernel.type_in(LAB, SetDevice(at=ETH0, mtu=1300))
    writes = kernel.writes
    outcome = run(kernel, settled(two_hosts()), previous=None)
    assert (kernel.writes, outcome.report) == (writes, None)
    assert kernel.observe(LAB).namespaces["n1"].devices["eth0"].mtu == 1300


def test_restart_in_the_middle_of_a_pass_enforces_everything(kernel):
    todo = reconcile.prepare(kernel, wish(two_hosts()), None)
    kernel.apply(LAB, todo.plan.steps[:-3], lambda _: None, lambda: False)  # then SIGKILL
    half = wish(two_hosts(), phase=todo.phase, observed_generation=1)
    assert run(kernel, half, previous=None).report.phase == "running"
    again = reconcile.prepare(kernel, wish(two_hosts()), None)
    assert not again.plan


def test_restore_undoes_drift(kernel):
    first = run(kernel, wish(two_hosts()))
    kernel.type_in(LAB, AddAddress(at=ETH0, address="10.5.0.1/24"))
    kernel.type_in(LAB, SetDevice(at=ETH0, mtu=1300))
    run(kernel, wish(two_hosts(), generation=2, restore=True), first.previous)
    assert addresses(kernel) == {"10.0.0.1/24"}
    assert kernel.observe(LAB).namespaces["n1"].devices["eth0"].mtu == 1500


def test_a_lost_namespace_is_made_again_with_all_that_was_drawn_in_it(kernel):
    first = run(kernel, wish(two_hosts()))
    before = kernel.observe(LAB)
    kernel.drop_namespace(LAB, "n1")
    outcome = run(kernel, settled(two_hosts()), first.previous)
    assert outcome.report.phase == "running"
    assert kernel.observe(LAB) == before


def test_a_repair_that_failed_half_way_does_not_pass_for_drift(kernel):
    first = run(kernel, wish(two_hosts()))
    before = kernel.observe(LAB)
    kernel.drop_namespace(LAB, "n1")
    plan = reconcile.prepare(kernel, settled(two_hosts()), first.previous).plan
    for call in range(2, len(plan) + 1):
        kernel.fail_call(call)
    second = run(kernel, settled(two_hosts()), first.previous)
    assert second.retry
    kernel.clear_failures()
    run(kernel, wish(two_hosts(), observed_generation=1, phase="changing"), second.previous)
    assert kernel.observe(LAB) == before


def test_stop_destroys_and_stopping_again_writes_nothing(kernel):
    run(kernel, wish(two_hosts()))
    outcome = run(kernel, wish(two_hosts(), running=False, generation=2, observed_generation=1))
    assert (outcome.report.phase, outcome.report.observed_generation) == ("stopped", 2)
    assert LAB not in kernel.labs()
    writes = kernel.writes
    stopped = wish(two_hosts(), running=False, observed_generation=1, phase="stopped")
    assert run(kernel, stopped).report is None
    assert kernel.writes == writes


def test_an_empty_drawing_runs_as_nothing(kernel):
    run(kernel, wish(two_hosts()))
    outcome = run(kernel, wish(Topology(), generation=2))
    assert outcome.report.phase == "running"
    assert kernel.labs() == []


def test_errors_of_the_drawing_touch_nothing_and_are_all_named(kernel):
    first = run(kernel, wish(two_hosts()))
    broken = two_hosts()
    interfaces = {
        "i1": replace(broken.interfaces["i1"], name="no name"),
        "i2": replace(broken.interfaces["i2"], name="lo"),
    }
    writes = kernel.writes
    outcome = run(
        kernel, wish(replace(broken, interfaces=interfaces), generation=2), first.previous
    )
    assert kernel.writes == writes
    assert (outcome.report.phase, outcome.report.observed_generation) == ("failed", 2)
    assert {failure["subject"] for failure in outcome.report.failures} == {"i1", "i2"}
    assert all(failure["message"] for failure in outcome.report.failures)
    assert not outcome.retry
    assert outcome.previous == first.previous


def test_a_document_that_does_not_parse_touches_nothing_but_can_be_stopped(kernel):
    run(kernel, wish(two_hosts()))
    problem = Problem("wrong-type", "/nodes/n1", "not an object", "Mend it.")
    marked = Mark(lab=LAB, generation=2, running=True)
    writes = kernel.writes
    outcome = run(kernel, Wish(mark=marked, topology=Topology(), problems=(problem,)))
    assert (outcome.report.phase, kernel.writes) == ("failed", writes)
    assert outcome.report.failures[0]["subject"] == "n1"
    stop = Wish(mark=replace(marked, running=False), topology=Topology(), problems=(problem,))
    assert run(kernel, stop).report.phase == "stopped"


def test_a_failure_names_its_subject_and_what_to_do(kernel):
    plan = reconcile.prepare(kernel, wish(two_hosts()), None).plan
    number = next(
        n
        for n, step in enumerate(plan.steps, 1)
        if isinstance(step.action, AddAddress) and step.action.address == "10.0.0.2/24"
    )
    kernel.fail_call(number, errno.EPERM)
    outcome = run(kernel, wish(two_hosts()))
    assert (outcome.report.phase, outcome.retry) == ("failed", False)
    failure = outcome.report.failures[0]
    assert failure["subject"] == "i2"
    assert "Operation not permitted" in failure["message"]
    assert failure["hint"]
    assert outcome.report.observed_generation == 1


def test_a_retryable_failure_is_not_given_out_as_observed(kernel):
    kernel.fail_call(1, errno.EBUSY)
    outcome = run(kernel, wish(two_hosts()))
    assert outcome.retry
    assert (outcome.report.phase, outcome.report.observed_generation) == ("starting", 0)
    assert run(kernel, wish(two_hosts()), outcome.previous).report.phase == "running"


def test_a_change_that_does_not_take_is_found_by_looking_again(kernel):
    class Deaf(FakeKernel):
        def apply(self, lab, steps, progress, cancelled):
            heard = [s for s in steps if not isinstance(s.action, AddAddress | RemoveAddress)]
            result = super().apply(lab, heard, progress, cancelled)
            return replace(result, done=len(steps))

    outcome = run(Deaf(), wish(replace(two_hosts(), routes={})))
    assert outcome.retry
    assert "did not take" in outcome.report.message
    assert {f["subject"] for f in outcome.report.failures} >= {"i1", "i2"}


def test_cancel_stops_between_batches_and_the_next_run_goes_on():
    kernel = FakeKernel(batch=2)
    todo = reconcile.prepare(kernel, wish(two_hosts()), None)
    asked = []
    outcome = reconcile.execute(
        kernel, todo, lambda _: None, lambda: bool(asked.append(1)) or len(asked) > 2
    )
    assert outcome.cancelled
    assert (outcome.report.phase, outcome.report.steps_done) == ("cancelled", 4)
    assert outcome.report.observed_generation == 1
    assert run(kernel, wish(two_hosts(), generation=2)).report.phase == "running"


@pytest.mark.parametrize(
    ("kind", "retry", "phase"),
    [(ErrorKind.LOST, True, "stopping"), (ErrorKind.UNSUPPORTED, False, "failed")],
)
def test_a_kernel_that_refuses_as_a_whole(kernel, kind, retry, phase):
    run(kernel, wish(two_hosts()))
    kernel.destroy = lambda lab, progress: (_ for _ in ()).throw(
        TopowebError(kind, "no", hint="do it")
    )
    outcome = run(kernel, wish(two_hosts(), running=False, generation=2))
    assert (outcome.retry, outcome.report.phase) == (retry, phase)
    assert outcome.report.failures[0] == {
        "subject": "",
        "message": "no",
        "hint": "do it",
        "code": "",
        "params": {},
    }
