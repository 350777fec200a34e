"""The BPF tier: every hop and every drop in every namespace of the watched labs.

All methods but `wake` belong to one thread, the capture thread. The program is in the kernel only
while a lab is watched. A lab's namespaces follow its manifest (`changes`).
"""

from __future__ import annotations

import time
from bisect import bisect_left
from collections import Counter
from functools import partial
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from topoweb.core.errors import ErrorKind, TopowebError
from topoweb.core.tracing.observation import Unseen
from topoweb.kernel.trace.bpf.btf import kernel_types, reasons
from topoweb.kernel.trace.bpf.flows import directions
from topoweb.kernel.trace.bpf.places import Places
from topoweb.kernel.trace.bpf.program import DROP_RING, LABS, load_best
from topoweb.kernel.trace.bpf.reader import Reader
from topoweb.kernel.trace.bpf.ring import TIME
from topoweb.kernel.trace.bpf.spaces import cookies, own_cookie
from topoweb.kernel.trace.bpf.symbols import Symbols
from topoweb.kernel.trace.bpf.throttle import Throttle
from topoweb.kernel.trace.changes import Changes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from topoweb.core.tracing.observation import Observation
    from topoweb.kernel.holder import Holder
    from topoweb.kernel.trace.bpf.program import Program
    from topoweb.kernel.trace.bpf.ring import Ring

HOP_RING = 64 << 20  # bytes at most, 192 a hop
HOP_RATE = 50_000  # a second, of one interface in one direction
HOP_BURST = 50_000
PACE = 0.015  # seconds between looks into the rings: the kernel wakes nobody
SETTLE = 1_000_000  # ns after which no earlier event is still to come
BATCH = 4096  # events of one ring that one poll returns

_when = attrgetter("time_ns")


class _Lab:
    """What is watched of a lab."""

    def __init__(self, slot: int) -> None:
        self.slot = slot
        self.holder: Holder | None = None
        self.nodes: dict[int, str] = {}  # by their namespaces' cookies
        self.missing = False  # of a namespace that is written down
        self.flows: Counter[bytes] = Counter()  # that are followed
        self.whole = False  # whether frames are wanted up to `ring.WHOLE` bytes


class BpfSource:
    """Observations from the kernel's tracepoints (`engine.tracing.CaptureSource`)."""

    tier = "bpf"

    def __init__(
        self,
        run_dir: Path,
        *,
        hop_ring: int = HOP_RING,
        hop_rate: int = HOP_RATE,
        hop_burst: int = HOP_BURST,
    ) -> None:
        """TopowebError UNSUPPORTED with the reason where this tier cannot work."""
        self._load = partial(load_best, hop_ring=hop_ring, rate=hop_rate, burst=hop_burst)
        prove()
        with kernel_types() as types:
            names = reasons(types)
        self._symbols = Symbols()
        self._places = Places()
        self._reader = Reader(self._places, names, self._symbols)
        self._program: Program | None = None
        self._throttle = Throttle()
        self._labs: dict[int, _Lab] = {}
        self._held: list[Observation] = []
        self._behind = False  # there is more in the rings than one poll returns
        self._horizon = 0  # ns of the kernel's clock until which all is known
        self._changes = Changes(run_dir, self._refresh)

    def watch(self, lab: int) -> None:
        """Record what happens in every namespace of a lab, now and as it changes. Idempotent."""
        if lab in self._labs:
            return
        slots = set(range(LABS)) - {state.slot for state in self._labs.values()}
        if not slots:
            raise TopowebError(ErrorKind.LIMIT, "too many labs are traced at a time")
        if self._program is None:
            self._program = self._load(refused=(own_cookie(),))
        state = self._labs[lab] = _Lab(min(slots))
        self._program.forget_losses(state.slot)
        self._changes.follow(lab)
        self._refresh(lab)

    def unwatch(self, lab: int) -> None:
        """Stop; the last one takes the program out of the kernel."""
        state = self._labs.pop(lab, None)
        if state is None:
            return
        self._changes.forget(lab)
        self._watch_only(state, {})
        self._places.forget(lab)
        self._steer()
        if not self._labs and self._program is not None:
            self._program.close()
            self._program = None
            self._held.clear()

    def poll(self, timeout: float) -> list[Observation]:
        """Wait at most ``timeout`` seconds and return what was seen, in kernel time order."""
        deadline = time.monotonic() + timeout
        while True:
            left = max(0.0, deadline - time.monotonic())
            woken = self._control(left)
            seen = self._seen()
            if seen or woken or not left:
                return seen

    def lost(self, lab: int) -> int:  # noqa: ARG002 - a tier that counts events
        """Return 0: what this tier does not record, `unseen` counts."""
        return 0

    def unseen(self, lab: int) -> Unseen:
        """Return how many events were not recorded since the lab is watched."""
        state = self._labs.get(lab)
        if state is None or self._program is None:
            return Unseen()
        return self._program.losses(state.slot)

    def follow(self, lab: int, source: str, target: str, protocol: int) -> None:
        """Leave out nothing of a flow, in either direction; ``source`` "" is any address."""
        if lab in self._labs:
            self._labs[lab].flows.update(directions(source, target, protocol))
            self._steer()

    def unfollow(self, lab: int, source: str, target: str, protocol: int) -> None:
        """Undo `follow`."""
        if lab in self._labs:
            self._labs[lab].flows -= Counter(directions(source, target, protocol))
            self._steer()

    def take_whole(self, lab: int, wanted: bool) -> None:
        """Record up to 2,048 bytes of every frame of a lab that is watched, or no longer."""
        state = self._labs.get(lab)
        if state is not None and state.whole != wanted:
            state.whole = wanted
            nodes, state.nodes = state.nodes, {}
            self._watch_only(state, nodes)

    def spaces(self, lab: int) -> int:
        """Return how many namespaces of a lab are watched now."""
        state = self._labs.get(lab)
        return len(state.nodes) if state else 0

    def wake(self) -> None:
        """Make a `poll` that waits return. From any thread."""
        self._changes.wake()

    def close(self) -> None:
        """Take everything out of the kernel."""
        for lab in list(self._labs):
            self.unwatch(lab)
        self._symbols.close()
        self._changes.close()

    def _control(self, timeout: float) -> bool:
        """Wait for a change, or until it is time to look into the rings; True: woken up."""
        if self._behind:
            timeout = 0
        elif self._program is not None:
            timeout = min(timeout, PACE)
        ready = self._changes.epoll.poll(timeout)
        woken = [self._changes.handle(fd) for fd, _ in ready]
        if self._changes.check():
            self._reader.set_clock()
            for lab in [lab for lab, state in self._labs.items() if state.missing]:
                self._refresh(lab)
        return any(woken)

    def _seen(self) -> list[Observation]:
        """Take events from the rings, ordered. The newest wait: an older one may still come."""
        self._behind = False
        program, reader = self._program, self._reader
        if program is None:
            return []
        self._horizon = time.monotonic_ns() - SETTLE
        seen = self._held
        seen += reader.drops(self._taken(program.drops))
        seen += reader.hops(self._taken(program.wholes))
        seen += reader.hops(self._taken(program.hops))
        program.sampling = self._throttle.power(program.hops.filled)
        seen.sort(key=_when)
        ready = bisect_left(seen, self._horizon + reader.offset, key=_when)
        self._held = seen[ready:]
        del seen[ready:]
        return seen

    def _taken(self, ring: Ring) -> Iterator[Any]:
        """Yield what waits in a ring; nothing that happened later than what is left is ready."""
        for stripe in ring.stripes:
            taken, whole = stripe.read(BATCH)
            if taken and not whole:
                self._behind = True
                self._horizon = min(self._horizon, taken[-1][TIME])
            yield from taken

    def _refresh(self, lab: int) -> None:
        """Watch what the manifest says, and nothing of a lab that has died."""
        state = self._labs[lab]
        manifest = self._changes.manifest(lab)
        if manifest is None:
            state.holder, state.missing = None, False
            self._watch_only(state, {})
            return
        # A holder's namespaces stay what they are; of another holder all are asked anew.
        kept = state.nodes if manifest.holder == state.holder else {}
        state.holder = manifest.holder
        nodes = {cookie: node for cookie, node in kept.items() if node in manifest.namespaces}
        missing = manifest.namespaces.keys() - set(nodes.values())
        nodes |= cookies(manifest, missing)
        state.missing = len(nodes) < len(manifest.namespaces)
        self._places.put(lab, nodes, manifest)
        self._watch_only(state, nodes)

    def _watch_only(self, state: _Lab, nodes: dict[int, str]) -> None:
        if self._program is None:
            return
        gone = state.nodes.keys() - nodes.keys()
        for cookie in gone:
            self._program.unwatch(cookie)
        for cookie in nodes.keys() - state.nodes.keys():
            self._program.watch(cookie, state.slot, whole=state.whole)
        self._places.remove(gone)
        state.nodes = nodes

    def _steer(self) -> None:
        if self._program is not None:
            self._program.follow_only({flow for lab in self._labs.values() for flow in lab.flows})


def prove() -> None:
    """Try the program once. TopowebError UNSUPPORTED with the reason why it cannot run here."""
    try:
        own_cookie()
    except OSError as error:
        raise TopowebError(
            ErrorKind.UNSUPPORTED,
            "this kernel has no cookies of network namespaces",
            hint="Use Linux 5.17 or newer.",
        ) from error
    load_best(hop_ring=DROP_RING, rate=0, burst=0).close()
