"""A filter as one closure, made once and asked of every packet."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from topoweb.core.packets.filter.field import Field
from topoweb.core.packets.filter.parser import (
    AllOf,
    Compare,
    Expression,
    Member,
    Not,
    OneOf,
    Parsed,
    Present,
    parse,
)
from topoweb.core.packets.filter.regex import Pattern
from topoweb.core.packets.filter.subject import Subject
from topoweb.core.packets.filter.values import Operand, Value

if TYPE_CHECKING:
    from topoweb.core.packets.filter.readers import Read

Ask = Callable[[Subject], bool]
Test = Callable[[Value], bool]
Values = Callable[[Subject], Iterable[Value]]
Objects = Mapping[str, Mapping[str, frozenset[str]]]

LATE = frozenset({"dropped", "verdict"})  # known only some time after a packet was seen
ORDER: dict[str, Callable[[Value, Value], bool]] = {
    "==": operator.eq, "===": operator.eq, "!=": operator.ne, "!==": operator.ne,
    ">": operator.gt, "<": operator.lt, ">=": operator.ge, "<=": operator.le,
}  # fmt: skip


class Filter:
    """A compiled display filter. `FilterError` for one that cannot be used.

    ``objects``: by field (``node``, ``link``), the ids that a name in the filter stands for; a
    name that is not in it is an id itself.
    """

    def __init__(self, text: str, objects: Objects | None = None) -> None:
        self.parsed: Parsed = parse(text)
        self.late = not LATE.isdisjoint(self.parsed.fields)
        expression = self.parsed.expression
        self._ask = _compile(expression, objects or {}) if expression is not None else _everything

    def passes(self, subject: Subject) -> bool:
        """True when the filter lets a packet through."""
        return self._ask(subject)


def _everything(_: Subject) -> bool:
    return True


def _compile(expression: Expression, objects: Objects) -> Ask:
    match expression:
        case Not(inner):
            ask = _compile(inner, objects)
            return lambda subject: not ask(subject)
        case AllOf(parts):
            asked = tuple(_compile(part, objects) for part in parts)
            return lambda subject: all(ask(subject) for ask in asked)
        case OneOf(parts):
            asked = tuple(_compile(part, objects) for part in parts)
            return lambda subject: any(ask(subject) for ask in asked)
        case Present():
            return _present(expression)
        case Compare():
            return _compare(expression, objects)
        case Member():
            test = _among(expression, objects)
            return _quantified(_values(expression.field), test, every=expression.every)


def _present(present: Present) -> Ask:
    field, mask = present.field, present.mask
    if field.name == "dropped":
        return lambda subject: subject.fate.dropped
    if field.read is None:
        layer = field.layer
        return lambda subject: layer in subject.spans
    values = _values(field)
    if mask is None:
        return lambda subject: any(True for _ in values(subject))
    return lambda subject: any(int(value) & mask for value in values(subject))


def _compare(compare: Compare, objects: Objects) -> Ask:
    operand, sign = compare.operand, compare.sign
    if isinstance(operand, bytes):
        return _bytes(compare.field.layer, operand)
    values = _values(compare.field)
    if compare.mask is not None:
        values = _masked(values, compare.mask)
    if isinstance(operand, Field):
        return _pairs(values, _values(operand), ORDER[sign], every=compare.every)
    if isinstance(operand, Pattern):
        search = operand.search
        test: Test = lambda value: search(str(value))  # noqa: E731
    elif compare.field.kind == "name":
        test = _named(compare.field, operand, objects, differs=sign == "!=")
    else:
        test = _against(sign, operand)
    return _quantified(values, test, every=compare.every)


def _values(field: Field) -> Values:
    read, layer = field.read, field.layer
    assert read is not None

    def values(subject: Subject) -> Iterable[Value]:
        spans = subject.spans.get(layer)
        if not spans:
            return ()
        if len(spans) == 1:
            return read(subject, spans[0])
        return _each(read, subject, layer)

    return values


def _each(read: Read, subject: Subject, layer: str) -> Iterable[Value]:
    for span in subject.spans[layer]:
        yield from read(subject, span)


def _masked(values: Values, mask: int) -> Values:
    return lambda subject: [int(value) & mask for value in values(subject)]


def _quantified(values: Values, test: Test, *, every: bool) -> Ask:
    """Ask of any value, or of all of them, of which there must be one."""
    if not every:
        return lambda subject: any(test(value) for value in values(subject))

    def ask(subject: Subject) -> bool:
        found = False
        for value in values(subject):
            if not test(value):
                return False
            found = True
        return found

    return ask


def _pairs(
    left: Values, right: Values, passes: Callable[[Value, Value], bool], *, every: bool
) -> Ask:
    def ask(subject: Subject) -> bool:
        others = tuple(right(subject))
        outcomes = [passes(one, other) for one in left(subject) for other in others]
        return bool(outcomes) and (all(outcomes) if every else any(outcomes))

    return ask


def _against(sign: str, operand: Operand) -> Test:
    value, mask = operand
    if sign == "contains":
        return lambda one: str(value) in str(one)
    if mask != -1 and sign in ("==", "==="):
        return lambda one: int(one) & mask == value
    if mask != -1:
        return lambda one: int(one) & mask != value
    order = ORDER[sign]
    return lambda one: order(one, value)


def _named(field: Field, operand: Operand, objects: Objects, *, differs: bool) -> Test:
    meant = _meant(field, operand, objects)
    return lambda one: (one in meant) is not differs


def _meant(field: Field, operand: Operand, objects: Objects) -> frozenset[str]:
    name = str(operand.value)
    return objects.get(field.name, {}).get(name) or frozenset({name})


def _among(member: Member, objects: Objects) -> Test:
    field, items = member.field, member.items
    if field.kind == "name":
        meant = frozenset[str]().union(*(_meant(field, low, objects) for low, _ in items))
        return lambda one: one in meant
    tests = tuple(_within(low, high) for low, high in items)
    return lambda one: any(test(one) for test in tests)


def _within(low: Operand, high: Operand | None) -> Test:
    if high is None:
        return _against("==", low)
    least, most = low.value, high.value
    return lambda one: least <= one <= most  # type: ignore[operator]


def _bytes(layer: str, wanted: bytes) -> Ask:
    """Look for bytes from the start of a layer to the end of what it carries."""

    def ask(subject: Subject) -> bool:
        spans = subject.spans.get(layer, ())
        return any(subject.data.find(wanted, start, end) >= 0 for start, end in spans)

    return ask
