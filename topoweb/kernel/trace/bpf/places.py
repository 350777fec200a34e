"""Which place of which lab an event is from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from topoweb.kernel.trace.points import Point, choose

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from topoweb.kernel.manifest import Manifest

REMEMBERED = 1 << 16  # places; names of interfaces are as many as students make up


class Place(NamedTuple):
    """An interface of a node, or a node alone (interface "")."""

    lab: int
    namespace: str
    interface: str
    link: str
    outward: Literal["ab", "ba"]
    inward: Literal["ab", "ba"]
    peer: str


class Places:
    """The places of the labs that are watched."""

    def __init__(self) -> None:
        self._nodes: dict[int, tuple[int, str]] = {}  # by the namespace's cookie
        self._ends: dict[int, dict[tuple[str, str], Point]] = {}  # by lab
        self._known: dict[tuple[int, bytes], Place] = {}

    def put(self, lab: int, nodes: Mapping[int, str], manifest: Manifest) -> None:
        """Know a lab's namespaces by their cookies, and its cables."""
        self._nodes |= {cookie: (lab, node) for cookie, node in nodes.items()}
        cables = choose(manifest, len(manifest.links)).values()
        self._ends[lab] = {(end.namespace, end.interface): end for ends in cables for end in ends}
        self._known.clear()

    def remove(self, cookies: Iterable[int]) -> None:
        """Forget namespaces."""
        for cookie in cookies:
            self._nodes.pop(cookie, None)
        self._known.clear()

    def forget(self, lab: int) -> None:
        """Forget a lab's cables; its namespaces are removed before."""
        self._ends.pop(lab, None)

    def find(self, cookie: int, interface: bytes) -> Place | None:
        """Return the place of an event; None when its lab is not watched any more."""
        place = self._known.get((cookie, interface))
        if place is None and cookie in self._nodes:
            place = self._look(cookie, interface.rstrip(b"\0").decode(errors="replace"))
            if len(self._known) >= REMEMBERED:
                self._known.clear()
            self._known[cookie, interface] = place
        return place

    def _look(self, cookie: int, interface: str) -> Place:
        lab, node = self._nodes[cookie]
        end = self._ends[lab].get((node, interface))
        if end is None:  # lo, a bridge, or an interface made by hand
            return Place(lab, node, interface, "", "ab", "ab", "")
        return Place(lab, node, interface, end.link, end.outward, end.inward, end.peer)
