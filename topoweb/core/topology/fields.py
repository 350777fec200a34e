"""Checks of single properties: untrusted JSON in, a canonical value or a `FieldError` out."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields
from ipaddress import IPv4Address
from typing import Any

from topoweb.core.topology import prefixes

Check = Callable[[object], Any]

ID = re.compile(r"[A-Za-z0-9_-]{1,40}", re.ASCII)
# C0, DEL, C1, line separators, bidirectional overrides (they reorder what is shown after them),
# lone surrogates (no UTF-8) and noncharacters.
_CONTROLS = "\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff"
_UNPRINTABLE = re.compile(f"[{_CONTROLS}]")
_UNPRINTABLE_IN_LINES = re.compile(f"(?![\n\t])[{_CONTROLS}]")
NAME_BYTES = 15  # IFNAMSIZ - 1, include/uapi/linux/if.h
ADDRESSES = 64  # an interface
_SHOWN = 60  # characters of a bad value that are quoted back


class FieldError(Exception):
    """A property is wrong: a code of `validate.codes` with its params, and where inside."""

    def __init__(self, code: str, where: str = "", /, **params: object) -> None:
        super().__init__(code)
        self.code = code
        self.where = where
        self.params = params


def shown(value: object) -> str:
    """Return a value as it can be quoted to a person: short, printable, UTF-8."""
    if isinstance(value, float | int) and not isinstance(value, bool):
        return f"{value:g}" if isinstance(value, float) else _short_int(value)
    text = value if isinstance(value, str) else str(type_name(value))
    text = text[:_SHOWN] + ("…" if len(text) > _SHOWN else "")
    return _UNPRINTABLE.sub(lambda found: f"U+{ord(found[0]):04X}", text)


def pointer_token(key: object) -> str:
    """Return a key as a printable token of a JSON pointer (RFC 6901)."""
    return shown(key if isinstance(key, str) else str(key)).replace("~", "~0").replace("/", "~1")


def type_name(value: object) -> str:
    """Return the JSON word for a value's type."""
    if value is None:
        return "null"
    for types, word in (
        (bool, "a boolean"),
        (str, "a text"),
        (int | float, "a number"),
        (dict, "an object"),
        (list | tuple, "a list"),
    ):
        if isinstance(value, types):
            return word
    return "a value that JSON does not know"


def expect(value: object, types: type | tuple[type, ...], word: str) -> None:
    """Raise unless ``value`` is of ``types``; a boolean is never a number."""
    if not isinstance(value, types) or (isinstance(value, bool) and types is not bool):
        raise FieldError("wrong-type", expected=word, actual=type_name(value))


def boolean(value: object) -> bool:
    """Check true or false."""
    expect(value, bool, "a boolean")
    return bool(value)


def integer(low: int, high: int) -> Check:
    """Check a whole number from ``low`` to ``high``."""

    def check(value: object) -> int:
        expect(value, int, "a whole number")
        assert isinstance(value, int)
        if not low <= value <= high:
            raise FieldError("out-of-range", value=shown(value), low=low, high=high)
        return value

    return check


def number(low: float, high: float) -> Check:
    """Check a finite number from ``low`` to ``high``; the result is a float."""

    def check(value: object) -> float:
        expect(value, (int, float), "a number")
        assert isinstance(value, int | float)
        if not low <= value <= high:  # NaN compares false
            raise FieldError("out-of-range", value=shown(value), low=f"{low:g}", high=f"{high:g}")
        return float(value) + 0.0  # -0.0 becomes 0.0

    return check


def text(limit: int, *, lines: bool = False) -> Check:
    """Check a text of at most ``limit`` characters; ``lines`` allows line feeds and tabs."""
    pattern = _UNPRINTABLE_IN_LINES if lines else _UNPRINTABLE

    def check(value: object) -> str:
        expect(value, str, "a text")
        assert isinstance(value, str)
        if len(value) > limit:
            raise FieldError("text-too-long", length=len(value), limit=limit)
        bad = pattern.search(value)
        if bad:
            raise FieldError("text-unprintable", character=f"U+{ord(bad[0]):04X}")
        return value

    return check


_name_text = text(10_000)


def name(value: object) -> str:
    """Check a name that goes to the kernel: 1 to 15 bytes of UTF-8, printable."""
    checked: str = _name_text(value)
    if not checked:
        raise FieldError("name-empty")
    length = len(checked.encode())
    if length > NAME_BYTES:
        raise FieldError("name-too-long", name=shown(checked), length=length, limit=NAME_BYTES)
    return checked


def choice(*choices: str) -> Check:
    """Check one of a few words."""

    def check(value: object) -> str:
        expect(value, str, "a text")
        if value not in choices:
            raise FieldError("bad-choice", value=shown(value), choices=", ".join(choices))
        return str(value)

    return check


def optional(check: Check) -> Check:
    """Allow null beside what ``check`` allows."""
    return lambda value: None if value is None else check(value)


def reference(value: object) -> str:
    """Check the syntax of an id."""
    expect(value, str, "an id")
    assert isinstance(value, str)
    if not ID.fullmatch(value):
        raise FieldError("bad-id", value=shown(value))
    return value


def _parsed(code: str, parse: Callable[[str], object]) -> Check:
    def check(value: object) -> str:
        expect(value, str, "a text")
        assert isinstance(value, str)
        try:
            return str(parse(value))
        except ValueError:
            raise FieldError(code, value=shown(value)) from None

    return check


mac = _parsed("bad-mac", prefixes.canonical_mac)
prefix = _parsed("bad-prefix", prefixes.network)
host = _parsed("bad-next-hop", prefixes.host)
next_hop = host
ipv4 = _parsed("bad-ipv4", IPv4Address)
domain = _parsed("bad-domain", prefixes.domain)
_address = _parsed("bad-address", prefixes.interface)


def listing(check: Check, limit: int) -> Check:
    """Check a list of at most ``limit`` items; the result is a tuple."""

    def checked(value: object) -> tuple[Any, ...]:
        expect(value, (list, tuple), "a list")
        assert isinstance(value, list | tuple)
        if len(value) > limit:
            raise FieldError("too-many", count=len(value), collection="items", limit=limit)
        return tuple(_inside(str(number), check, item) for number, item in enumerate(value))

    return checked


def record(kind: type[Any], checks: Mapping[str, Check]) -> Check:
    """Check an object with the properties of the dataclass ``kind``; the result is one of it."""
    required = required_fields(kind)

    def checked(value: object) -> object:
        expect(value, dict, "an object")
        assert isinstance(value, dict)
        for name in value:
            if name not in checks:
                where = f"/{pointer_token(name)}"
                raise FieldError("unknown-property", where, property=shown(name))
        for name in required:
            if name not in value:
                raise FieldError("missing-property", property=name)
        return kind(**{name: _inside(name, checks[name], item) for name, item in value.items()})

    return checked


def json_object(value: object) -> dict[str, Any]:
    """Check that it is an object; what is in it is checked with what it belongs to."""
    expect(value, dict, "an object")
    assert isinstance(value, dict)
    return value


def required_fields(kind: type[Any]) -> tuple[str, ...]:
    """Return the names of a dataclass's fields without a default."""
    return tuple(
        f.name for f in fields(kind) if f.default is MISSING and f.default_factory is MISSING
    )


def _inside(token: str, check: Check, value: object) -> Any:  # noqa: ANN401 - any property
    try:
        return check(value)
    except FieldError as error:
        raise FieldError(error.code, f"/{token}{error.where}", **error.params) from None


def addresses(value: object) -> tuple[str, ...]:
    """Check a list of interface addresses; the result is canonical and without repetition."""
    expect(value, (list, tuple), "a list")
    assert isinstance(value, list | tuple)
    if len(value) > ADDRESSES:
        raise FieldError("too-many", count=len(value), collection="addresses", limit=ADDRESSES)
    result: list[str] = []
    for index, item in enumerate(value):
        address = _inside(str(index), _address, item)
        if address in result:
            raise FieldError("address-repeated", f"/{index}", value=address)
        result.append(address)
    return tuple(result)


def _short_int(value: int) -> str:
    # str() of a huge int raises ValueError (PYTHONINTMAXSTRDIGITS) and is unreadable anyway.
    if -(10**18) < value < 10**18:
        return str(value)
    return f"about 10^{int(value.bit_length() * math.log10(2))}"
