"""What the server says: every code has a translation with the same values, and none is left."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path
from string import Formatter

import pytest

import topoweb
from topoweb.core.errors import ErrorKind, TopowebError
from topoweb.core.texts import TEXTS, Text, refusal, text
from topoweb.core.topology.validate.codes import CODES

SOURCES = Path(topoweb.__file__).parent
CATALOGUE = SOURCES.parent / "frontend/src/i18n/zh-CN.json"
# Said to programs: a person never causes them, or a page has no use for their words.
PROGRAMS = {
    "audit-append-only", "bad-answer", "base-seq-ahead", "drift-undrawable", "op-id", "too-large",
}  # fmt: skip
WARNING = {"Warned", "_busy", "_too_many"}  # calls that make one; its code is the second value
KNOWN = {**CODES, **TEXTS}


def translations() -> dict[str, dict[str, str]]:
    return json.loads(CATALOGUE.read_text(encoding="utf-8"))["problem"]


def values(code: str) -> set[str]:
    entry = KNOWN[code]
    return {name for _, name, _, _ in Formatter().parse(entry.message + entry.hint) if name}


def test_no_code_means_two_things() -> None:
    assert not CODES.keys() & TEXTS.keys()
    assert not {kind.value for kind in ErrorKind} & KNOWN.keys()


def test_every_code_is_translated_and_no_other() -> None:
    assert set(translations()) == set(KNOWN)


@pytest.mark.parametrize("code", sorted(KNOWN))
def test_a_translation_says_as_much(code: str) -> None:
    said = translations()[code]
    assert said["message"]
    assert bool(said.get("hint")) == bool(KNOWN[code].hint)
    used = set(re.findall(r"\{\{(\w+)\}\}", said["message"] + said.get("hint", "")))
    assert used <= values(code) | {"count"}


def test_every_error_with_a_code_of_its_own_is_listed() -> None:
    """A code that is given beside free words would never be translated."""
    named = {
        (path.name, word.value.value)
        for path in SOURCES.rglob("*.py")
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "TopowebError"
        for word in call.keywords
        if word.arg == "code" and isinstance(word.value, ast.Constant)
    }
    assert {one for one in named if one[1] not in {"", *PROGRAMS, *TEXTS}} == set()


def test_every_warning_is_translated() -> None:
    named = set()
    for path in SOURCES.rglob("*load.py"):  # `core/tracing/load.py` and `kernel/load.py`
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(call, ast.Call) and getattr(call.func, "id", "") in WARNING:
                given = [*call.args[1:2], *(k.value for k in call.keywords if k.arg == "code")]
                named |= {one.value for one in given if isinstance(one, ast.Constant)}
    catalogue = json.loads(CATALOGUE.read_text(encoding="utf-8"))
    assert set(catalogue["limits"]["warning"]) == named


def test_a_refusal_carries_what_a_translation_needs() -> None:
    error = refusal(ErrorKind.LIMIT, "limit-terminals", path="/x", count=3, limit=3)
    assert (error.code, error.path) == ("limit-terminals", "/x")
    assert error.params == {"count": "3", "limit": "3"}
    assert Text.of(error) == text("limit-terminals", count=3, limit=3)
    assert Text.of(error).line == "This lab has 3 terminals open and may have 3. Close one first."


def test_free_words_have_no_code() -> None:
    assert Text.of(TopowebError(ErrorKind.LOST, "gone")) == Text("gone")


def test_a_value_left_out_is_a_fault() -> None:
    with pytest.raises(KeyError):
        text("limit-nodes", count=3)
