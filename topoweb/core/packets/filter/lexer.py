"""A display filter's text → tokens with their places."""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

from topoweb.core.packets.filter.errors import FilterError

LENGTH_MAX = 512  # characters

Kind = Literal["word", "text", "sign", "end"]

# Word operators by the sign that they stand for.
WORDS = {
    "and": "&&", "or": "||", "not": "!", "eq": "==", "ne": "!=", "gt": ">", "lt": "<",
    "ge": ">=", "le": "<=", "any_eq": "==", "all_ne": "!=", "all_eq": "===", "any_ne": "!==",
    "contains": "contains", "matches": "matches", "in": "in", "bitand": "&", "any": "any",
    "all": "all",
}  # fmt: skip
SIGNS = {"~": "matches", "~=": "!==", "bitwise_and": "&"}
_TOKEN = re.compile(
    r'(?P<raw>[rR]"[^"]*")|(?P<text>"(?:[^"\\]|\\.)*")'
    r"|(?P<word>(?:[\w:/\-]|\.(?!\.))+)"
    r"|(?P<sign>\.\.|===|!==|==|!=|~=|>=|<=|&&|\|\||[><!~&(){},])"
    r"|(?P<space>\s+)",
    re.ASCII,
)
_ESCAPE = re.compile(r"\\(x[0-9A-Fa-f]{2}|.)", re.DOTALL)
_ESCAPES = {"\\": "\\", '"': '"', "n": "\n", "r": "\r", "t": "\t"}


class Token(NamedTuple):
    """A piece of a filter. ``value``: of a text what it says, of a word operator its sign."""

    kind: Kind
    value: str
    position: int
    length: int
    shown: str = ""  # as it is written


def tokens(expression: str) -> list[Token]:
    """Return the tokens, the last of which is the end. `FilterError`."""
    if len(expression) > LENGTH_MAX:
        raise FilterError(
            "filter-too-long",
            LENGTH_MAX,
            len(expression) - LENGTH_MAX,
            count=str(len(expression)),
            limit=str(LENGTH_MAX),
        )
    found: list[Token] = []
    at = 0
    while at < len(expression):
        match = _TOKEN.match(expression, at)
        if match is None:
            raise _unreadable(expression, at)
        if match.lastgroup != "space":
            found.append(_token(match))
        at = match.end()
    return [*found, Token("end", "", at, 0)]


def _token(match: re.Match[str]) -> Token:
    text, at = match[0], match.start()
    if match.lastgroup == "raw":
        return Token("text", text[2:-1], at, len(text), text)
    if match.lastgroup == "text":
        return Token("text", _unescaped(text[1:-1], at + 1), at, len(text), text)
    if match.lastgroup == "sign":
        return Token("sign", SIGNS.get(text, text), at, len(text), text)
    sign = WORDS.get(text.lower())
    return Token("sign" if sign else "word", sign or text, at, len(text), text)


def _unescaped(text: str, start: int) -> str:
    """Return what the text between two quotation marks says; a pattern's `\\d` is kept for it."""

    def replace(found: re.Match[str]) -> str:
        what = found[1]
        if what[0] == "x" and len(what) == 3:
            return chr(int(what[1:], 16))
        if what in _ESCAPES:
            return _ESCAPES[what]
        raise FilterError("filter-escape", start + found.start(), len(found[0]), found=found[0])

    return _ESCAPE.sub(replace, text)


def _unreadable(expression: str, at: int) -> FilterError:
    character = expression[at]
    if character == "=":
        return FilterError("filter-assignment", at, 1, suggestions=("==",))
    if character == '"':
        return FilterError("filter-open-text", at, len(expression) - at)
    return FilterError("filter-character", at, 1, found=character)
