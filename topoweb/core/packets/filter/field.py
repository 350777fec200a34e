"""What the filter knows of a field."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from topoweb.core.packets.filter.readers import Fixed

if TYPE_CHECKING:
    from topoweb.core.packets.filter.readers import Read
    from topoweb.core.packets.filter.values import Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A field by the name that Wireshark has for it.

    ``layer`` is the protocol in which ``read`` finds it; a protocol has no reader. ``decoded`` is
    the name of the same field in a decoded packet (`core.packets.decode`), if it is there.
    """

    name: str
    kind: Kind
    layer: str
    en: str
    zh: str
    read: Read | None = None
    bits: int = 64
    example: str = ""
    decoded: str = ""
    values: tuple[str, ...] = ()  # worth to be completed, as they are written


def protocol(name: str, en: str, zh: str) -> Field:
    """Return a protocol: a bare word that says whether a packet has it."""
    return Field(name=name, kind="protocol", layer=name, en=en, zh=zh, example=name)


def field(  # noqa: PLR0913 - a row of a table
    name: str,
    kind: Kind,
    read: Read,
    en: str,
    zh: str,
    *,
    layer: str = "",
    example: str = "",
    decoded: str = "",
    values: tuple[str, ...] = (),
) -> Field:
    """Return a field; its layer is the first part of its name unless it is said."""
    bits = read.bits if isinstance(read, Fixed) and read.scale == 1 else 64
    return Field(
        name=name, kind=kind, layer=layer or name.partition(".")[0], en=en, zh=zh, read=read,
        bits=bits, example=example, decoded=decoded,
        values=values or (("1", "0") if kind == "flag" else ()),
    )  # fmt: skip
