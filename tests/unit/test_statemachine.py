"""500 examples of the state machine on the fake kernel."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, settings

from tests.fakes.kernel import FakeKernel
from tests.fakes.kernel_devices import RefusedError
from tests.fakes.machine import LabMachine

if TYPE_CHECKING:
    from collections.abc import Sequence

    from topoweb.core.plan.actions import Action


class FakeBench:
    def __init__(self) -> None:
        self.kernel = FakeKernel(batch=4, host_forwards=True)

    def restart(self) -> None:
        pass  # nothing of it is the worker's

    def writes(self) -> int:
        return self.kernel.writes

    def fail(self, calls: Sequence[int], code: int) -> None:
        for call in calls:
            self.kernel.fail_call(call, code)

    def clear_failures(self) -> None:
        self.kernel.clear_failures()

    def lose_namespace(self, lab: int, node: str) -> None:
        self.kernel.drop_namespace(lab, node)

    def type_in(self, lab: int, action: Action) -> None:
        with contextlib.suppress(RefusedError):  # the user reads it and goes on
            self.kernel.type_in(lab, action)

    def foreign(self) -> Any:
        return dict(self.kernel.foreign)

    def close(self) -> None:
        pass


class FakeKernelMachine(LabMachine):
    bench_class = FakeBench


TestFakeKernel = FakeKernelMachine.TestCase
TestFakeKernel.settings = settings(
    max_examples=500,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
