"""30 examples of the state machine on the real kernel."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, settings

from tests.fakes.machine import LabMachine
from topoweb.core.errors import TopowebError
from topoweb.core.plan.actions import AddAddress, RemoveDevice, SetDevice
from topoweb.engine.ports import ApplyResult, Failure
from topoweb.kernel.lab import LinuxKernel

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from topoweb.core.plan.actions import Action, Step
    from topoweb.core.plan.state import LabState
    from topoweb.core.topology.problem import Problem

RETRYABLE_CODES = {16}  # EBUSY


class FailingKernel:
    """The real kernel with calls that fail on demand: a refused step never reaches it."""

    def __init__(self, real: LinuxKernel) -> None:
        self.real = real
        self.writes = 0
        self.failing: dict[int, int] = {}  # number of the write → errno

    def labs(self) -> Sequence[int]:
        return self.real.labs()

    def observe(self, lab: int) -> LabState:
        return self.real.observe(lab)

    def pressure(self) -> Sequence[Problem]:
        return ()  # what else runs on this machine is not in question

    def destroy(self, lab: int, progress: Callable[[int, int], None] = lambda *_: None) -> None:
        self.writes += lab in self.real.labs()
        self.real.destroy(lab, progress)

    def apply(
        self,
        lab: int,
        steps: Sequence[Step],
        progress: Callable[[int], None],
        cancelled: Callable[[], bool],
    ) -> ApplyResult:
        codes = {step: self.failing.pop(self.writes + n, 0) for n, step in enumerate(steps, 1)}
        self.writes += len(steps)
        result = self.real.apply(lab, [s for s in steps if not codes[s]], progress, cancelled)
        refused = tuple(
            Failure(step, code, os.strerror(code), code in RETRYABLE_CODES)
            for step, code in codes.items()
            if code
        )
        return ApplyResult(result.done, result.failures + refused, result.cancelled)


class LinuxBench:
    """A run directory of its own, and beside it a namespace that is none of our business."""

    def __init__(self) -> None:
        self.run_dir = Path(tempfile.mkdtemp(prefix="topoweb-machine-"))
        self.kernel = FailingKernel(LinuxKernel(self.run_dir))
        self.stranger = subprocess.Popen(
            [
                "unshare",
                "--net",
                "sh",
                "-c",
                "exec 3>&1; echo; exec sleep infinity >/dev/null 3>&-",
            ],
            stdout=subprocess.PIPE,
        )
        assert self.stranger.stdout is not None
        self.stranger.stdout.readline()  # the namespace is there
        self.stranger.stdout.close()
        # It looks like ours: the tag, the bridge's name, even the lab's number.
        self._outside("link", "add", "br0", "type", "bridge")
        self._outside("link", "add", "e1", "type", "veth", "peer", "name", "e2")
        self._outside("link", "set", "e1", "alias", "topoweb:7:l1:a")

    def restart(self) -> None:
        self.kernel.real.close()
        self.kernel.real = LinuxKernel(self.run_dir)

    def writes(self) -> int:
        return self.kernel.writes

    def fail(self, calls: Sequence[int], code: int) -> None:
        for call in calls:
            self.kernel.failing[self.kernel.writes + call] = code

    def clear_failures(self) -> None:
        self.kernel.failing.clear()

    def lose_namespace(self, lab: int, node: str) -> None:
        """The kernel lets nobody take a namespace from its holder: the holder dies."""
        manifest = self.kernel.real.manifest(lab)
        if manifest is not None and node in manifest.namespaces:
            manifest.holder.kill()

    def type_in(self, lab: int, action: Action) -> None:
        command, node = _command(action)
        try:
            namespace = self.kernel.real.open_namespace(lab, node)
        except TopowebError:
            return  # gone meanwhile
        try:
            subprocess.run(
                ["nsenter", f"--net=/proc/self/fd/{namespace}", "ip", *command],
                pass_fds=[namespace],
                stderr=subprocess.DEVNULL,  # refused: the user reads it and goes on
            )
        finally:
            os.close(namespace)

    def foreign(self) -> Any:
        assert self.stranger.poll() is None
        return self._outside("-o", "-d", "link", "show")

    def close(self) -> None:
        try:
            for lab in self.kernel.labs():
                self.kernel.destroy(lab)
        finally:
            self.kernel.real.close()
            self.stranger.kill()
            self.stranger.wait()
            shutil.rmtree(self.run_dir)

    def _outside(self, *command: str) -> str:
        inside = ["nsenter", f"--net=/proc/{self.stranger.pid}/ns/net", "ip", *command]
        return subprocess.run(inside, check=True, capture_output=True, text=True).stdout


def _command(action: Action) -> tuple[list[str], str]:
    match action:
        case SetDevice(at=at, mtu=int(mtu)):
            command = ["link", "set", at.name, "mtu", str(mtu)]
        case SetDevice(at=at):
            command = ["link", "set", at.name, "down"]
        case AddAddress(at=at, address=address):
            command = ["address", "add", address, "dev", at.name]
        case RemoveDevice(at=at):
            command = ["link", "delete", at.name]
        case _:
            raise AssertionError(action)
    return command, at.namespace


class LinuxMachine(LabMachine):
    bench_class = LinuxBench


TestLinux = LinuxMachine.TestCase
TestLinux.settings = settings(
    max_examples=int(os.environ.get("TOPOWEB_MACHINE_EXAMPLES", "30")),
    stateful_step_count=20,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
