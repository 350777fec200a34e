"""Tokens → what is asked, by recursive descent. Bounded in depth and in conditions.

::

    filter     = either
    either     = both { ("||" | "or") both }
    both       = negation { ("&&" | "and") negation }
    negation   = ("!" | "not") negation | "(" either ")" | condition
    condition  = [ "any" | "all" ] field [ "&" number ] [ comparison ]
    comparison = sign (value | field) | [ "not" ] "in" "{" item { [","] item } "}"
    item       = value [ ".." value ]
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from topoweb.core.packets.filter.errors import FilterError
from topoweb.core.packets.filter.fields import FIELDS, nearest, operators
from topoweb.core.packets.filter.lexer import Token, tokens
from topoweb.core.packets.filter.regex import Pattern, PatternError
from topoweb.core.packets.filter.values import Operand, literal, octets, wrong

if TYPE_CHECKING:
    from topoweb.core.packets.filter.field import Field

DEPTH_MAX = 32
CONDITIONS_MAX = 64  # the members of sets included
COMPARISONS = frozenset({"==", "!=", "===", "!==", ">", "<", ">=", "<=", "contains", "matches"})


@dataclass(frozen=True, slots=True)
class Present:
    """A packet has a field or a protocol. ``mask``: with one of these bits."""

    field: Field
    mask: int | None = None


@dataclass(frozen=True, slots=True)
class Compare:
    """A field is compared with a value, another field, bytes or a pattern.

    ``every``: all values of the packet must pass, not any.
    """

    field: Field
    sign: str
    operand: Operand | Field | bytes | Pattern
    every: bool = False
    mask: int | None = None


@dataclass(frozen=True, slots=True)
class Member:
    """A value is in a set: of values, prefixes and closed ranges."""

    field: Field
    items: tuple[tuple[Operand, Operand | None], ...]
    every: bool = False


@dataclass(frozen=True, slots=True)
class Not:
    """The opposite."""

    inner: Expression


@dataclass(frozen=True, slots=True)
class AllOf:
    """All of them."""

    parts: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class OneOf:
    """One of them."""

    parts: tuple[Expression, ...]


Expression = Present | Compare | Member | Not | AllOf | OneOf


@dataclass(frozen=True, slots=True)
class Parsed:
    """A filter's meaning, the fields that it uses, and the objects of the drawing that it names."""

    expression: Expression | None  # None: everything passes
    fields: tuple[str, ...]
    names: tuple[tuple[str, Token], ...]  # ("node" or "link", text)


def parse(text: str) -> Parsed:
    """Return what a filter asks. `FilterError` with the place of what is wrong."""
    return _Parser(tokens(text)).whole()


class _Parser:
    def __init__(self, found: list[Token]) -> None:
        self._tokens = found
        self._at = 0
        self._depth = 0
        self._conditions = 0
        self._fields: dict[str, None] = {}
        self._names: list[tuple[str, Token]] = []

    def whole(self) -> Parsed:
        """Read all of it; an empty filter lets everything pass."""
        expression = None if self._here.kind == "end" else self._either()
        if self._here.kind != "end":
            raise self._unexpected("end")
        return Parsed(expression, tuple(self._fields), tuple(self._names))

    def _either(self) -> Expression:
        parts = [self._both()]
        while self._skip("||"):
            parts.append(self._both())
        return parts[0] if len(parts) == 1 else OneOf(tuple(parts))

    def _both(self) -> Expression:
        parts = [self._negation()]
        while self._skip("&&"):
            parts.append(self._negation())
        return parts[0] if len(parts) == 1 else AllOf(tuple(parts))

    def _negation(self) -> Expression:
        begun = self._here
        if begun.kind != "sign" or begun.value not in ("!", "("):
            return self._condition()
        self._depth += 1
        if self._depth > DEPTH_MAX:
            raise FilterError("filter-too-deep", begun.position, begun.length)
        self._at += 1
        if begun.value == "!":
            inner: Expression = Not(self._negation())
        else:
            inner = self._either()
            self._expect(")")
        self._depth -= 1
        return inner

    def _condition(self) -> Expression:
        quantifier = self._here.value if self._here.value in ("any", "all") else ""
        if quantifier and self._here.kind == "sign":
            self._at += 1
        self._count(self._here)
        field = self._field()
        mask = self._mask(field)
        if mask is None and self._sign() in ("in", "!"):
            return self._member(field, quantifier)
        sign = self._sign()
        if sign not in COMPARISONS:
            if quantifier:
                raise self._unexpected("comparison")
            return Present(field, mask)
        self._check_operator(field, sign)
        every = (sign in ("!=", "===") or quantifier == "all") and quantifier != "any"
        self._at += 1
        return Compare(field, sign, self._operand(field, sign), every, mask)

    def _field(self) -> Field:
        token = self._here
        if token.kind != "word":
            raise self._unexpected("condition" if token.kind != "text" else "field")
        field = FIELDS.get(token.value)
        if field is None:
            close = nearest(token.value)
            raise FilterError(
                "filter-unknown-field", token.position, token.length, name=token.value,
                nearest=close[0] if close else "", suggestions=close,
            )  # fmt: skip
        self._at += 1
        self._fields[field.name] = None
        return field

    def _mask(self, field: Field) -> int | None:
        if self._sign() != "&":
            return None
        self._check_operator(field, "&")
        self._at += 1
        token = self._here
        value = literal("number", token, name=field.name, bits=field.bits).value
        self._at += 1
        assert isinstance(value, int)
        return value

    def _operand(self, field: Field, sign: str) -> Operand | Field | bytes | Pattern:
        token = self._here
        if token.kind == "end":
            raise self._unexpected("value")
        if sign == "matches":
            return self._pattern(token)
        if field.kind == "protocol":
            found = octets(token)
            if not found:
                raise wrong("bytes", token)
            self._at += 1
            return found
        if token.kind == "word" and token.value in FIELDS:
            return self._other(field)
        operand = self._value(field)
        if operand.mask != -1 and sign not in ("==", "!=", "===", "!=="):
            raise FilterError("filter-prefix", token.position, token.length)
        return operand

    def _pattern(self, token: Token) -> Pattern:
        if token.kind != "text":
            raise wrong("text", token)
        try:
            pattern = Pattern(token.value)
        except PatternError as error:
            if not error.piece:
                raise FilterError("filter-regex-large", token.position, token.length) from None
            raise FilterError(
                "filter-regex", token.position, token.length, at=str(error.position + 1),
                found=error.piece,
            ) from None  # fmt: skip
        self._at += 1
        return pattern

    def _other(self, field: Field) -> Field:
        token = self._here
        other = self._field()
        same = {"flag": "number"}
        kinds = [same.get(one.kind, one.kind) for one in (field, other)]
        if kinds[0] != kinds[1] or kinds[0] in ("name", "protocol"):
            raise FilterError(
                "filter-types", token.position, token.length, name=field.name, other=other.name
            )
        return other

    def _value(self, field: Field) -> Operand:
        token = self._here
        operand = literal(field.kind, token, name=field.name, bits=field.bits)
        self._at += 1
        if field.kind == "name":
            self._names.append((field.name, token))
        return operand

    def _member(self, field: Field, quantifier: str) -> Expression:
        negated = self._skip("!")
        self._check_operator(field, "in")
        self._expect("in")
        self._expect("{")
        items = [self._item(field)]
        while not self._skip("}"):
            self._skip(",")
            if self._here.kind == "sign":
                raise self._unexpected("value")
            if self._here.kind == "end":
                raise self._unexpected("}")
            items.append(self._item(field))
        member = Member(field, tuple(items), quantifier == "all")
        return Not(member) if negated else member

    def _item(self, field: Field) -> tuple[Operand, Operand | None]:
        token = self._here
        self._count(token)
        low = self._value(field)
        if not self._skip(".."):
            return low, None
        last = self._here
        high = self._value(field)
        ordered = field.kind not in ("text", "name", "flag") and low.mask == high.mask == -1
        if not ordered or high.value < low.value:  # type: ignore[operator]
            length = last.position + last.length - token.position
            raise FilterError(
                "filter-range", token.position, length, found=f"{token.value}..{last.value}"
            )
        return low, high

    def _check_operator(self, field: Field, sign: str) -> None:
        token = self._here
        known = operators(field)
        if sign in known:
            return
        if not known or (field.kind == "protocol" and sign != "matches"):
            raise FilterError("filter-no-value", token.position, token.length, name=field.name)
        raise FilterError(
            "filter-operator", token.position, token.length, operator=sign, name=field.name,
            operators=" ".join(known), suggestions=known[:1],
        )  # fmt: skip

    def _count(self, token: Token) -> None:
        self._conditions += 1
        if self._conditions > CONDITIONS_MAX:
            raise FilterError(
                "filter-too-many", token.position, token.length, limit=str(CONDITIONS_MAX)
            )

    @property
    def _here(self) -> Token:
        return self._tokens[self._at]

    def _sign(self) -> str:
        return self._here.value if self._here.kind == "sign" else ""

    def _skip(self, sign: str) -> bool:
        found = self._sign() == sign
        self._at += found
        return found

    def _expect(self, sign: str) -> None:
        if not self._skip(sign):
            raise self._unexpected(sign)

    def _unexpected(self, expected: str) -> FilterError:
        token = self._here
        if token.kind == "end":
            return FilterError("filter-end", token.position, 0, expected=expected)
        return FilterError(
            "filter-unexpected", token.position, token.length, found=token.shown,
            expected=expected,
        )  # fmt: skip
