"""Parsed drawings, kept in this process so that one operation does not parse a whole document.

What another process drew since is added from the operations it stored: a document of 5,000 nodes
takes a second to parse, an operation a millisecond to repeat.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from functools import cached_property
from typing import TYPE_CHECKING, Any

from topoweb.core.errors import ErrorKind, TopowebError
from topoweb.core.texts import Text, text
from topoweb.core.topology.document import DocumentError, parse
from topoweb.core.topology.operations import replay
from topoweb.core.topology.validate import validate
from topoweb.labs.models import Lab
from topoweb.labs.queries import changes_between

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from topoweb.core.topology.model import Topology
    from topoweb.core.topology.problem import Problem

CAPACITY = 32  # drawings; one of 5,000 nodes takes about 30 MB
FEW = 100  # operations that are repeated rather than the document parsed


class ProblemsError(TopowebError):
    """A refusal that is explained by problems of the drawing."""

    def __init__(self, said: Text, problems: Sequence[Problem]) -> None:
        super().__init__(ErrorKind.INVALID, said.message, code=said.code, params=said.params)
        self.problems = list(problems)


class Drawing:
    """A topology with its problems, found when first asked for."""

    def __init__(self, topology: Topology) -> None:
        self.topology = topology

    @cached_property
    def problems(self) -> tuple[Problem, ...]:
        """Everything that is wrong with the drawing."""
        return tuple(validate(self.topology))

    def require_runnable(self) -> None:
        """Raise ProblemsError when a problem of severity error stands against running it."""
        errors = [problem for problem in self.problems if problem.severity == "error"]
        if errors:
            raise ProblemsError(text("drawing-has-errors", count=len(errors)), errors)


class DrawingCache:
    """The newest drawing of each recently used lab. Thread-safe."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._capacity = capacity
        self._entries: OrderedDict[int, tuple[tuple[Any, int], Drawing]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, lab: Lab, load: Callable[[], object]) -> Drawing:
        """Return the drawing of ``lab`` at its seq; ``load`` reads the document when not kept.

        DocumentError when the stored document is not one.
        """
        drawing = self.kept(lab)
        if drawing is None:
            drawing = Drawing(parse(load()))
            self.put(lab, drawing)
        return drawing

    def kept(self, lab: Lab) -> Drawing | None:
        """Return the drawing of ``lab`` at its seq, from one that is kept and what came after it.

        None when neither helps. Reads operations, never the document.
        """
        with self._lock:
            (created, seq), drawing = self._entries.get(lab.pk, ((None, 0), None))
            if drawing is None or created != lab.created or not 0 <= lab.seq - seq <= FEW:
                return None
            self._entries.move_to_end(lab.pk)
        if seq < lab.seq:
            drawing = _later(drawing, changes_between(lab.pk, seq, lab.seq))
            if drawing is not None:
                self.put(lab, drawing)
        return drawing

    def put(self, lab: Lab, drawing: Drawing) -> None:
        """Keep the drawing of ``lab`` at its seq, unless a newer one is kept."""
        version = _version(lab)
        with self._lock:
            entry = self._entries.get(lab.pk)
            if entry is not None and entry[0][0] == version[0] and entry[0][1] > version[1]:
                return
            self._entries[lab.pk] = (version, drawing)
            self._entries.move_to_end(lab.pk)
            while len(self._entries) > self._capacity:
                self._entries.popitem(last=False)


def _later(drawing: Drawing, operations: Sequence[list[dict[str, Any]]] | None) -> Drawing | None:
    """Return a drawing after the changes of some operations; None when they do not fit it."""
    if operations is None:
        return None
    topology = drawing.topology
    try:
        for changes in operations:
            topology = replay(topology, changes)
    except (DocumentError, AttributeError, LookupError, TypeError):  # not rows that we wrote
        return None
    return Drawing(topology)


def _version(lab: Lab) -> tuple[Any, int]:
    # The moment of creation tells a lab from one whose id a rolled-back transaction gave away.
    return lab.created, lab.seq


drawings = DrawingCache()


def drawing_of(lab: Lab) -> Drawing:
    """Return the drawing of a lab row that was read with or without its document.

    Another request may have moved the lab on since the row was read: then this is the newest
    drawing, and ``lab.seq`` says so.
    """

    def load() -> object:
        if "document" not in lab.__dict__:  # deferred
            lab.seq, lab.document = Lab.objects.values_list("seq", "document").get(pk=lab.pk)
        return lab.document

    return drawings.get(lab, load)
