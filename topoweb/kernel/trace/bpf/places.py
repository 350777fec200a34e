"""Which place of which lab an event is from."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Literal, NamedTuple

from topoweb.kernel.trace.bpf.ring import SENT
from topoweb.kernel.trace.points import Point, choose

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from topoweb.kernel.manifest import Manifest

REMEMBERED = 1 << 16  # places; names of interfaces are as many as students make up
DIRECTIONS: tuple[Literal["rx"], Literal["tx"], Literal["drop"]] = ("rx", "tx", "drop")

_WHERE = struct.Struct("=Q16sB")


class Place(NamedTuple):
    """An interface of a node, or a node alone (interface ""), and what happens to packets there."""

    lab: int
    namespace: str
    interface: str
    direction: Literal["rx", "tx", "drop"]
    link: str
    along: Literal["ab", "ba"]
    peer: str


class Places:
    """The places of the labs that are watched."""

    def __init__(self) -> None:
        self._nodes: dict[int, tuple[int, str]] = {}  # by the namespace's cookie
        self._ends: dict[int, dict[tuple[str, str], Point]] = {}  # by lab
        self.known: dict[bytes, Place] = {}  # those that were asked for since the last change

    def put(self, lab: int, nodes: Mapping[int, str], manifest: Manifest) -> None:
        """Know a lab's namespaces by their cookies, and its cables."""
        self._nodes |= {cookie: (lab, node) for cookie, node in nodes.items()}
        cables = choose(manifest, len(manifest.links)).values()
        self._ends[lab] = {(end.namespace, end.interface): end for ends in cables for end in ends}
        self.known.clear()

    def remove(self, cookies: Iterable[int]) -> None:
        """Forget namespaces."""
        for cookie in cookies:
            self._nodes.pop(cookie, None)
        self.known.clear()

    def forget(self, lab: int) -> None:
        """Forget a lab's cables; its namespaces are removed before."""
        self._ends.pop(lab, None)

    def find(self, where: bytes) -> Place | None:
        """Return the place of an event (`ring.Event`); None: its lab is not watched any more."""
        place = self.known.get(where)
        if place is None:
            cookie, interface, kind = _WHERE.unpack(where)
            if cookie not in self._nodes:
                return None
            if len(self.known) >= REMEMBERED:
                self.known.clear()
            name = interface.rstrip(b"\0").decode(errors="replace")
            place = self.known[where] = self._look(cookie, name, kind)
        return place

    def _look(self, cookie: int, interface: str, kind: int) -> Place:
        lab, node = self._nodes[cookie]
        direction = DIRECTIONS[kind]
        end = self._ends[lab].get((node, interface))
        if end is None:  # lo, a bridge, or an interface made by hand
            return Place(lab, node, interface, direction, "", "ab", "")
        along = end.outward if kind == SENT else end.inward
        return Place(lab, node, interface, direction, end.link, along, end.peer)
