"""What a filter is asked about: one packet at one cable, taken apart only as far as needed."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from topoweb.core.packets.filter.walk import walk

if TYPE_CHECKING:
    from topoweb.core.packets.filter.walk import Spans


class Fate(NamedTuple):
    """What became of a packet. Known only some time after it was seen."""

    dropped: bool = False
    verdict: str = ""


UNKNOWN = Fate()


class Subject:
    """A packet's bytes and where it was seen."""

    __slots__ = ("_spans", "data", "direction", "fate", "length", "link", "nodes", "number",
                 "time_ns")  # fmt: skip

    def __init__(  # noqa: PLR0913 - where and when a packet was seen
        self,
        data: bytes,
        length: int,
        *,
        number: int = 0,
        time_ns: int = 0,
        nodes: tuple[str, ...] = (),
        link: str = "",
        direction: str = "",
        fate: Fate = UNKNOWN,
    ) -> None:
        self.data, self.length = data, length
        self.number, self.time_ns = number, time_ns
        self.nodes, self.link, self.direction = nodes, link, direction
        self.fate = fate
        self._spans: Spans | None = None

    @property
    def spans(self) -> Spans:
        """Its layers; found when they are first asked for."""
        if self._spans is None:
            self._spans = walk(self.data, max(self.length, len(self.data)))
        return self._spans
