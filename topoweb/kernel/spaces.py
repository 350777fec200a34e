"""A lab's namespaces: made, kept, dropped, found again. The only writer of its manifest."""

from __future__ import annotations

import contextlib
import threading
from dataclasses import replace
from typing import TYPE_CHECKING

from topoweb.core.errors import ErrorKind, TopowebError
from topoweb.core.plan.actions import AddVeth, RemoveDevice
from topoweb.kernel import drain, manifest, netns, ownership
from topoweb.kernel.gone import GoneWatch
from topoweb.kernel.manifest import Manifest, Namespace

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from topoweb.core.plan.actions import Step
    from topoweb.kernel.holder import Forker, Made
    from topoweb.kernel.manifest import End

GONE_TIMEOUT = 30.0  # seconds


class LabSpaces:
    """One lab's namespaces, for one writer thread and any readers."""

    def __init__(
        self,
        lab: int,
        run_dir: Path,
        forker: Forker,
        owner: str,
        uid_base: Callable[[int], int],
        closed: Callable[[Collection[str] | None], AbstractContextManager[None]],
    ) -> None:
        """Take what the lab is made with.

        ``closed`` ends the programs of nodes (None: of the lab) and starts none while its context
        lasts: a process in a namespace would keep it.
        """
        self.lab = lab
        self._closed = closed
        self._run_dir = run_dir
        self._forker = forker
        self._owner = owner
        self._uid_base = uid_base
        self._manifest = manifest.read(run_dir, lab)
        # The intent is written before the first holder is made: without a file there is none.
        self._swept = not manifest.path_of(run_dir, lab).exists()
        self._links: Mapping[str, tuple[End, End]] | None = None  # foreseen, not yet written
        self._leaving: GoneWatch | None = None
        self._lock = threading.RLock()

    @property
    def uid_base(self) -> int:
        """The first uid of the lab's range, -1 when it has none."""
        return self._manifest.uid_base if self._manifest else -1

    def proved(self) -> Manifest | None:
        """Return what exists and is ours; None when nothing does."""
        current = self._manifest
        return current if current and ownership.is_ours(current) else None

    @contextlib.contextmanager
    def lease(self) -> Iterator[Callable[[str], int]]:
        """Give a function that opens a node's namespace; TopowebError when it is not there.

        Valid until namespaces are added or removed: then another holder has them.
        """
        current = self.proved()
        if not current:
            raise TopowebError(ErrorKind.LOST, f"lab {self.lab} has nothing in the kernel")
        with current.holder.lease() as open_slot:

            def open_node(node: str) -> int:
                at = current.namespaces.get(node)
                if at is None:
                    raise TopowebError(ErrorKind.NOT_FOUND, f"node {node} has no namespace")
                return open_slot(at.slot)

            yield open_node

    def open(self, node: str) -> int:
        """Return a new descriptor of a node's namespace. TopowebError when it is not there."""
        with self.lease() as open_node:
            return open_node(node)

    def add(self, nodes: Sequence[str], outer: Collection[str] = ()) -> Sequence[str]:
        """Create those namespaces that do not exist, all at once, and return them.

        Those of ``outer`` will belong to the worker's user namespace.
        """
        with self._lock:
            self._sweep()
            current = self.proved() or self._intend()
            new = [node for node in dict.fromkeys(nodes) if node not in current.namespaces]
            if not new:
                return new
            slots = dict(zip(new, _free_slots(current, len(new)), strict=True))
            ours = [slot for node, slot in slots.items() if node in outer]
            made = self._make(current, list(slots.values()), current.namespaces, ours)
            added = {
                node: Namespace(slot, made.inodes[slot], slot in ours)
                for node, slot in slots.items()
            }
            self._replace(current, made, {**current.namespaces, **added})
            return new

    def remove(self, nodes: Sequence[str]) -> None:
        """Drop namespaces and return when they and their cables are gone."""
        with self._lock:
            self.flush()
            current = self.proved()
            if not current:
                return
            gone = set(nodes) & set(current.namespaces)
            kept = current.without_namespaces(gone)
            if not gone:
                return
            with self._closed(gone):
                drain.devices(current, gone)
                watch = self._watch(current, gone)
                made = self._make(current, [], kept.namespaces)
                self._replace(kept, made, kept.namespaces)
                self._wait(watch)
                drain.wait_for_peers(current, replace(kept, holder=made.holder))

    def foresee(self, steps: Sequence[Step]) -> None:
        """Note which cables a plan makes and takes away; written before the first is touched."""
        with self._lock:
            current = self.proved()
            links = dict(current.links) if current else {}
            gone = {step.action.at for step in steps if isinstance(step.action, RemoveDevice)}
            if gone:
                places = {(at.namespace, at.name) for at in gone}
                links = {link: at for link, at in links.items() if places.isdisjoint(at)}
            for step in steps:
                if isinstance(step.action, AddVeth):
                    found = ownership.tag_of(self.lab, step.action.a.tag)
                    if found:
                        links[found[0]] = _ends(step.action)
            self._links = None if current and links == current.links else links

    def flush(self) -> None:
        """Write the manifest if the cables in it changed."""
        with self._lock:
            if self._manifest and self._links is not None:
                self._save(self._manifest)

    def destroy(self, progress: Callable[[int, int], None], *, alone: bool) -> None:
        """Remove all of the lab; return when it has been seen gone, else TopowebError BUSY.

        ``alone``: no other lab is there to be held up. Where namespaces may not be entered, by a
        user outside of the user namespace that made them, they end unseen with their holder.
        """
        with self._lock, self._closed(None):
            current = self.proved()
            if current and not netns.permitted():
                current.holder.kill()
            elif current:
                drain.devices(current, current.namespaces, progress, alone=alone)
                watch = self._watch(current, current.namespaces)
                current.holder.kill()
                self._leaving = watch
            self._swept = False
            self._sweep()
            if self._leaving:
                self._wait(self._leaving)
            manifest.remove(self._run_dir, self.lab)
            self._manifest = None

    def _sweep(self) -> None:
        """End holders that a crash left behind; once is enough, we make no others."""
        if not self._swept:
            for holder in ownership.orphans(self._owner, self.lab, self.proved()):
                holder.kill()
            self._swept = True

    def _intend(self) -> Manifest:
        with self._closed(None):  # programs whose lab was lost
            pass
        intent = Manifest(
            lab=self.lab, boot_id=manifest.boot_id(), uid_base=self._uid_base(self.lab)
        )
        return self._save(intent)

    def _make(
        self, current: Manifest, add: list[int], keep: Collection[str], outer: Collection[int] = ()
    ) -> Made:
        slots = [current.namespaces[node].slot for node in keep]
        kept = (current.holder, slots) if current.holder.pid else None
        inner = [slot for slot in add if slot not in outer]
        return self._forker.make(self.lab, current.uid_base, inner, kept, list(outer))

    def _replace(self, base: Manifest, made: Made, namespaces: Mapping[str, Namespace]) -> None:
        """Put a new holder in place of the old one. A crash between leaves one to be swept."""
        old = base.holder
        try:
            self._save(replace(base, holder=made.holder, userns=made.userns, namespaces=namespaces))
        except OSError:
            made.holder.kill()
            raise
        old.kill(wait=False)

    def _save(self, new: Manifest) -> Manifest:
        if self._links is not None:
            new = replace(new, links=self._links)
        manifest.write(self._run_dir, new)
        self._manifest = new
        self._links = None
        return new

    def _watch(self, current: Manifest, nodes: Collection[str]) -> GoneWatch:
        with current.holder.lease() as open_slot:
            return GoneWatch(list(nodes), lambda node: open_slot(current.namespaces[node].slot))

    def _wait(self, watch: GoneWatch) -> None:
        remaining = watch.wait(GONE_TIMEOUT)
        if remaining:
            self._leaving = watch
            raise TopowebError(
                ErrorKind.BUSY,
                f"the namespace of {', '.join(remaining[:3])} stays: something still uses it",
                hint="End captures and programs that run in it, then try again.",
            )
        watch.close()
        self._leaving = None


def _ends(cable: AddVeth) -> tuple[End, End]:
    a, b = cable.a.at, cable.b.at
    return (a.namespace, a.name), (b.namespace, b.name)


def _free_slots(current: Manifest, count: int) -> list[int]:
    used = {at.slot for at in current.namespaces.values()}
    slots: list[int] = []
    slot = 0
    while len(slots) < count:
        if slot not in used:
            slots.append(slot)
        slot += 1
    return slots
