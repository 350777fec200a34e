"""PDML, what tshark says of a packet, as a tree of bounded size.

The text comes from a program that has read what a node made up. It is XML without a document type,
so without entities; whatever else it holds is cut to measure.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from xml.parsers import expat

FIELDS_MAX = 4000  # of a packet
DEPTH_MAX = 24
TEXT_MAX = 400  # characters of a label or value
SKIPPED = frozenset({"geninfo"})  # layers that only repeat what is in "frame"


class PdmlError(Exception):
    """It is no PDML."""


@dataclass(slots=True)
class Item:
    """A layer or field; offsets are bytes of the frame, end exclusive, both 0 where it has none."""

    name: str
    label: str
    value: str
    start: int = 0
    end: int = 0
    fields: list[Item] = field(default_factory=list)


@dataclass(slots=True)
class Dissection:
    """A packet as tshark sees it; ``more`` fields did not fit."""

    version: str = ""
    layers: list[Item] = field(default_factory=list)
    more: int = 0


def parse(text: bytes) -> Dissection:
    """Return the layers of the first packet. `PdmlError`."""
    reader = _Reader()
    parser = expat.ParserCreate("utf-8")
    parser.StartElementHandler = reader.begin
    parser.EndElementHandler = reader.end
    parser.StartDoctypeDeclHandler = _refuse
    parser.EntityDeclHandler = _refuse
    try:
        parser.Parse(text, True)
    except expat.ExpatError as error:
        raise PdmlError(str(error)) from None
    return reader.found


def _refuse(*_: object) -> None:
    raise PdmlError("a document type")


class _Reader:
    def __init__(self) -> None:
        self.found = Dissection()
        self._path: list[Item | None] = []  # None: left out, with all below it
        self._count = 0

    def begin(self, tag: str, attributes: dict[str, str]) -> None:
        """Take an element."""
        if tag == "pdml":
            self.found.version = attributes.get("creator", "").removeprefix("wireshark/")[:32]
        if tag in ("proto", "field"):
            self._path.append(self._item(attributes))

    def end(self, tag: str) -> None:
        """Leave an element."""
        if tag in ("proto", "field"):
            self._path.pop()

    def _item(self, attributes: dict[str, str]) -> Item | None:
        above = self._path[-1] if self._path else None
        left_out = self._path and above is None
        if left_out or attributes.get("hide") == "yes" or attributes.get("name") in SKIPPED:
            return None
        if self._count >= FIELDS_MAX or len(self._path) >= DEPTH_MAX:
            self.found.more += 1
            return None
        self._count += 1
        item = _made(attributes)
        (above.fields if above is not None else self.found.layers).append(item)
        return item


def _made(attributes: dict[str, str]) -> Item:
    value = attributes.get("show", "")
    label = attributes.get("showname") or value or attributes.get("name", "")
    start, size = _number(attributes.get("pos")), _number(attributes.get("size"))
    return Item(
        attributes.get("name", "")[:TEXT_MAX], _cut(label), _cut(value), start, start + size
    )


def _cut(text: str) -> str:
    shown = "".join(one if one.isprintable() else " " for one in text[:TEXT_MAX])
    return shown + "…" if len(text) > TEXT_MAX else shown


def _number(text: str | None) -> int:
    return int(text) if text is not None and text.isdecimal() and len(text) < 8 else 0
