"""What a decoded packet looks like. Offsets count from the frame's first byte, end exclusive."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


@dataclass(frozen=True, slots=True)
class Field:
    """A named value and the bytes it was read from; bit fields share their bytes.

    ``name`` is stable (i18n key ``field.<protocol>.<name>``), ``label`` its English text.
    """

    name: str
    label: str
    value: str
    start: int
    end: int
    fields: tuple[Field, ...] = ()


@dataclass(frozen=True, slots=True)
class Layer:
    """One protocol's header (or the payload that no protocol claimed)."""

    protocol: str
    start: int
    end: int
    summary: str
    fields: tuple[Field, ...]


class Summary(NamedTuple):
    """One row of a packet list."""

    protocol: str
    source: str
    destination: str
    info: str


class Truncated(Exception):  # noqa: N818 - a state of the data, not a fault of ours
    """A read passed the end of the layer's bytes."""


class Malformed(Exception):  # noqa: N818
    """The bytes contradict the protocol; the message says how."""


class Next(NamedTuple):
    """Which protocol comes next (a key of `decode.DISSECTORS`) and in which bytes."""

    protocol: str
    start: int
    end: int
