"""The real kernel, lab by lab: implements ``engine.ports.Kernel``."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING

from topoweb.core.limits import HostLimits
from topoweb.core.plan.result import ApplyResult
from topoweb.core.plan.state import LabState
from topoweb.kernel import ceilings, manifest, netns, ownership
from topoweb.kernel.apply.outcome import namespaces_of
from topoweb.kernel.apply.run import Run
from topoweb.kernel.forker import UIDS
from topoweb.kernel.holder import Forker, find_holders
from topoweb.kernel.mirror import Mirror
from topoweb.kernel.sandbox import cgroups
from topoweb.kernel.sandbox.sandboxes import LinuxSandboxes
from topoweb.kernel.spaces import LabSpaces
from topoweb.kernel.uplink.gate import Gate
from topoweb.kernel.uplink.labgate import LabGate
from topoweb.kernel.uplink.rules import DEFAULT, Config

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from topoweb.core.plan.actions import Step
    from topoweb.core.topology.problem import Problem
    from topoweb.kernel.manifest import Manifest

FIRST_UID = 100_000  # above system and login users, as /etc/subuid has it
UID_RANGES = 65_000  # all that fit below 2**32


class LinuxKernel:
    """A host's kernel. Writers call from one thread; `observe` and `open_namespace` from any."""

    def __init__(
        self,
        run_dir: Path,
        *,
        first_uid: int = FIRST_UID,
        uplink: Config = DEFAULT,
        free_memory: int = HostLimits().free_memory,
    ) -> None:
        self._run_dir = run_dir
        self._first_uid = first_uid
        self._free_memory = free_memory
        self._owner = ownership.owner_token(run_dir)
        self._forker = Forker(self._owner)
        self.gate = Gate(self._owner, uplink)
        self._mirror = Mirror()
        self._spaces: dict[int, LabSpaces] = {}
        self._sandboxes: LinuxSandboxes | None = None
        self._lock = threading.Lock()

    @property
    def sandboxes(self) -> LinuxSandboxes:
        """Return the nodes as places where programs run."""
        with self._lock:
            if self._sandboxes is None:
                self._sandboxes = LinuxSandboxes(
                    self._run_dir, cgroups.find(self._owner), self.manifest
                )
            return self._sandboxes

    def labs(self) -> list[int]:
        """Return the labs that have something in this kernel and are proved ours."""
        held = {lab for lab, _ in find_holders(self._owner)}
        written = {lab for lab in manifest.labs(self._run_dir) if self._lab(lab).proved()}
        # A lab that is being taken down has its manifest to the last; so long its rules stay.
        self.gate.sweep(held.union(manifest.labs(self._run_dir)))
        return sorted(held | written)

    def observe(self, lab: int) -> LabState:
        """Return what exists of a lab."""
        current = self.manifest(lab)
        if not current:
            return LabState()
        return self._gate_of(lab).shown(current, self._mirror.observe(current))

    def apply(
        self,
        lab: int,
        steps: Sequence[Step],
        progress: Callable[[int], None],
        cancelled: Callable[[], bool],
    ) -> ApplyResult:
        """Run steps in order; see ``engine.ports.Kernel``."""
        if cancelled():
            return ApplyResult(0, cancelled=True)
        self._forker.start()  # here, not from inside a node
        spaces = self._lab(lab)
        run = Run(spaces, self._gate_of(lab))

        def waiting() -> None:
            progress(run.outcome.done)
            if cancelled():
                run.cancel.set()

        try:
            netns.run_apart(lambda: run.execute(steps), waiting)
        finally:
            # What was written is read, whether or not the kernel tells of it.
            self._mirror.forget(
                lab, {node for step in steps for node in namespaces_of(step.action)}
            )
            spaces.flush()
        failures = tuple(run.outcome.failures.values())
        return ApplyResult(run.outcome.done, failures, run.cancel.is_set())

    def destroy(self, lab: int, progress: Callable[[int, int], None] = lambda *_: None) -> None:
        """Remove all of a lab and return when it has been seen gone."""
        self._mirror.forget(lab)
        current = self.manifest(lab)
        alone = manifest.labs(self._run_dir) in ([], [lab])
        self._lab(lab).destroy(progress, alone=alone)
        if current and any(at.outer for at in current.namespaces.values()):
            self.gate.forget(lab)
        with self._lock:
            self._spaces.pop(lab, None)

    def pressure(self) -> tuple[Problem, ...]:
        """Return what this host is too short of to start another lab."""
        return ceilings.pressure(self._free_memory)

    def manifest(self, lab: int) -> Manifest | None:
        """Return where a lab's objects are, proved; None when nothing exists."""
        return self._lab(lab).proved()

    def open_namespace(self, lab: int, node: str) -> int:
        """Return a new descriptor of a node's namespace; the caller closes it."""
        return self._lab(lab).open(node)

    @property
    def forker_pid(self) -> int | None:
        """The pid of the forker process while it runs."""
        return self._forker.pid

    def close(self) -> None:
        """Let go: labs live on, held by their holders."""
        self._mirror.close()
        if self._sandboxes:
            self._sandboxes.close()
        self._forker.close()

    def _lab(self, lab: int) -> LabSpaces:
        with self._lock:
            spaces = self._spaces.get(lab)
            if spaces is None:
                spaces = LabSpaces(
                    lab,
                    self._run_dir,
                    self._forker,
                    self._owner,
                    self._uid_base,
                    lambda nodes: self.sandboxes.closed(lab, nodes),
                )
                self._spaces[lab] = spaces
            return spaces

    def _gate_of(self, lab: int) -> LabGate:
        return LabGate(self.gate, self._lab(lab))

    def _uid_base(self, lab: int) -> int:
        """Return the first uid of a range that no other lab has; -1 in a rootless worker."""
        if not maps_uids(self._first_uid, self._first_uid + UID_RANGES * UIDS):
            return -1
        used = {self._lab(other).uid_base for other in manifest.labs(self._run_dir)}
        slots = (self._first_uid + (lab + i) % UID_RANGES * UIDS for i in range(UID_RANGES))
        return next(base for base in slots if base not in used)


def maps_uids(first: int, end: int) -> bool:
    """True when our own user namespace has all uids of a range."""
    for line in Path("/proc/self/uid_map").read_text().splitlines():
        inside, _, count = map(int, line.split())
        if inside <= first and end <= inside + count:
            return True
    return False
