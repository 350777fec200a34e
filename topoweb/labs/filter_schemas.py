"""Display filters as types (docs/filters.md)."""

from __future__ import annotations

from typing import Literal

from topoweb.labs.schemas import LocalText, Output


class FilterProblem(Output):
    """What is wrong: ``position`` and ``length`` count characters of the expression.

    Each of ``suggestions`` can stand where the marked part is.
    """

    code: str
    position: int
    length: int
    params: dict[str, str]
    text: LocalText
    hint: LocalText
    suggestions: list[str]


class FilterCheck(Output):
    """Whether a filter can be used; ``late``: rows may come when their verdict does."""

    ok: bool
    error: FilterProblem | None
    fields: list[str]
    late: bool


class FilterField(Output):
    """A field, and which values are worth to be completed."""

    name: str
    kind: Literal[
        "protocol", "number", "flag", "seconds", "ipv4", "ipv6", "mac", "text", "name"
    ]  # fmt: skip
    text: LocalText
    example: str
    values: list[str]
    operators: list[str]


class FilterOperator(Output):
    """An operator by its sign, with the words that mean the same."""

    sign: str
    words: list[str]
    text: LocalText


class FilterLanguage(Output):
    """All that a filter can be made of."""

    fields: list[FilterField]
    operators: list[FilterOperator]
