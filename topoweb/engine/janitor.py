"""Which labs the kernel holds wrongly: pure decisions, taken by the supervisor's sweep.

The kernel must be read *before* the rows. A lab has its row before it has a namespace, so a lab
that was seen in the kernel and has no row afterwards was deleted, never just born. What is not
proved ours is not in ``present`` at all (`Kernel.labs`), so nothing foreign can be named here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from topoweb.engine.ports import Mark


def unwanted(present: Collection[int], marks: Iterable[Mark]) -> set[int]:
    """Return the labs in the kernel that no row knows, or that should be stopped."""
    wanted = {mark.lab for mark in marks if mark.running or not mark.settled}
    return set(present) - wanted


def lost(present: Collection[int], marks: Iterable[Mark]) -> set[int]:
    """Return the labs that are said to run and of which nothing is left (a dead holder)."""
    return {mark.lab for mark in marks if mark.running and mark.settled} - set(present)
