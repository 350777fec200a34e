"""Values as a filter compares them, and how they are written.

Numbers and addresses are integers, so that prefixes are masks and ranges are comparisons; texts
are texts. Nothing else is compared.
"""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address
from typing import TYPE_CHECKING, Literal, NamedTuple

from topoweb.core.packets.filter.errors import FilterError

if TYPE_CHECKING:
    from collections.abc import Callable

    from topoweb.core.packets.filter.lexer import Token

Kind = Literal[
    "protocol", "number", "flag", "seconds", "ipv4", "ipv6", "mac", "text", "name"
]  # fmt: skip
Value = int | float | str
BITS = {"ipv4": 32, "ipv6": 128, "mac": 48}
ORDERED = ("==", "!=", "===", "!==", ">", "<", ">=", "<=", "in")
OPERATORS: dict[Kind, tuple[str, ...]] = {
    "protocol": ("contains",),
    "number": (*ORDERED, "&"),
    "flag": ("==", "!=", "===", "!==", "in"),
    "seconds": ORDERED,
    "ipv4": ORDERED,
    "ipv6": ORDERED,
    "mac": ORDERED,
    "text": (*ORDERED, "contains", "matches"),
    "name": ("==", "!=", "in"),
}
EXAMPLES: dict[str, str] = {
    "number": "64", "flag": "1", "seconds": "1700000000.5", "ipv4": "10.0.1.11",
    "ipv6": "2001:db8::11", "mac": "02:00:00:00:00:0a", "text": '"www.lab"', "name": '"r1"',
    "bytes": '"GET"',
}  # fmt: skip
TRUTHS = {"True": 1, "TRUE": 1, "False": 0, "FALSE": 0}
_SECONDS = re.compile(r"\d{1,12}(\.\d{0,9})?", re.ASCII)
_NUMBER = re.compile(r"0[xX][0-9a-fA-F]{1,16}|0[bB][01]{1,64}|0[0-7]{1,22}|0|[1-9][0-9]{0,19}")
_MAC = re.compile(r"[0-9a-fA-F]{2}(?:([:.\-])[0-9a-fA-F]{2}(?:\1[0-9a-fA-F]{2}){4})")
_BYTES = re.compile(r"[0-9a-fA-F]{2}(?:[:.\-]?[0-9a-fA-F]{2})*")


class Operand(NamedTuple):
    """What a field is compared with. ``mask``: of a prefix, which bits count; -1: all."""

    value: Value
    mask: int = -1


def literal(kind: Kind, token: Token, *, name: str, bits: int = 64) -> Operand:
    """Read a token as a value of a field's kind. `FilterError`."""
    quoted = token.kind == "text"
    found: Operand | None = None
    if token.kind in ("text", "word") and quoted == (kind in ("text", "name")):
        read = _READERS.get(kind)
        found = read(token.value) if read else Operand(token.value)
    if found is None:
        raise wrong(kind, token)
    if kind in ("number", "flag") and isinstance(found.value, int) and found.value >> bits:
        limit = str((1 << bits) - 1)
        raise FilterError(
            "filter-too-big", token.position, token.length, found=token.value, name=name,
            limit=limit,
        )  # fmt: skip
    return found


def wrong(kind: str, token: Token) -> FilterError:
    """Return the error of a token that is no value of ``kind``."""
    suggestions: tuple[str, ...] = ()
    if kind in ("text", "name", "bytes") and token.kind == "word":
        suggestions = (f'"{token.value}"',)
    elif token.kind == "text" and token.value.isprintable() and token.value:
        suggestions = (token.value,)
    return FilterError(
        "filter-value", token.position, token.length, found=token.shown, wanted=kind,
        example=EXAMPLES[kind], suggestions=suggestions,
    )  # fmt: skip


def octets(token: Token) -> bytes | None:
    """Read what ``contains`` looks for in a packet: a text, or bytes as ``47:45:54``."""
    if token.kind == "text":
        return token.value.encode(errors="replace")
    if token.kind == "word" and _BYTES.fullmatch(token.value):
        return bytes.fromhex(re.sub(r"[:.\-]", "", token.value))
    return None


def written(kind: Kind, value: Value) -> str:
    """Return a value as it stands in an expression."""
    if kind in ("text", "name"):
        return '"' + str(value).replace("\\", "\\\\").replace('"', '\\"') + '"'
    if isinstance(value, int) and kind in _WRITERS:
        return _WRITERS[kind](value)
    return str(value)


def _number(text: str) -> Operand | None:
    if not _NUMBER.fullmatch(text):
        return None
    octal = len(text) > 1 and text[0] == "0" and text[1].isdecimal()
    return Operand(int(text, 8) if octal else int(text, 0))


def _flag(text: str) -> Operand | None:
    return Operand(TRUTHS[text]) if text in TRUTHS else _number(text)


def _seconds(text: str) -> Operand | None:
    return Operand(float(text)) if _SECONDS.fullmatch(text) else None


def _ipv4(text: str) -> Operand | None:
    return _address(text, 32, lambda part: int(IPv4Address(part)))


def _ipv6(text: str) -> Operand | None:
    return _address(text, 128, lambda part: int(IPv6Address(part)))


def _address(text: str, bits: int, read: Callable[[str], int]) -> Operand | None:
    address, slash, length = text.partition("/")
    if slash and not (length.isdecimal() and len(length) <= 3 and int(length) <= bits):
        return None
    try:
        value = read(address)
    except ValueError:
        return None
    if not slash or int(length) == bits:
        return Operand(value)
    mask = (1 << bits) - (1 << bits - int(length))
    return Operand(value & mask, mask)


def _mac(text: str) -> Operand | None:
    return Operand(int(re.sub(r"[:.\-]", "", text), 16)) if _MAC.fullmatch(text) else None


_READERS: dict[str, Callable[[str], Operand | None]] = {
    "number": _number, "flag": _flag, "seconds": _seconds, "ipv4": _ipv4, "ipv6": _ipv6,
    "mac": _mac,
}  # fmt: skip
_WRITERS: dict[str, Callable[[int], str]] = {
    "ipv4": lambda value: str(IPv4Address(value)),
    "ipv6": lambda value: str(IPv6Address(value)),
    "mac": lambda value: value.to_bytes(6, "big").hex(":"),
}
