"""Patterns find what Python's re finds, and no pattern is slow."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from topoweb.core.packets.filter.regex import COUNT_MAX, STATES_MAX, TEXT_MAX, Pattern, PatternError

ATOMS = st.sampled_from(
    ["a", "b", ".", "[ab]", "[^a]", r"\d", r"\w", r"\.", "[a-c0]", "-", "^", "$", r"\s", r"[\d-]"]
)
COUNTS = st.sampled_from(["", "*", "+", "?", "{2}", "{1,3}", "{2,}", "{0,1}"])
PATTERNS = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.tuples(inner, inner).map("".join),
        st.tuples(inner, inner).map("|".join),
        st.tuples(inner, COUNTS).map(lambda two: f"({two[0]}){two[1]}"),
        inner.map(lambda one: f"(?:{one})"),
    ),
    max_leaves=7,
)


@given(PATTERNS, st.text(alphabet="aAbBc0.- ", max_size=12))
def test_the_same_as_re(pattern: str, text: str) -> None:
    try:
        ours = Pattern(pattern)
    except PatternError as error:
        assume(error.piece == "")  # too large
        return
    # `$` in re also matches before a last line break; there is none in these texts
    assert ours.search(text) == bool(re.search(pattern, text, re.IGNORECASE | re.ASCII)), pattern


@pytest.mark.parametrize(
    ("pattern", "position", "piece"),
    [
        ("a(b", 1, "("), ("a)b", 1, ")"), ("[ab", 0, "["), ("*a", 0, "*"), ("a**", 2, "*"),
        ("a+?", 2, "?"), ("a{2", 1, "{"), ("a{,3}", 1, "{"), ("a{3,2}", 1, "{3,2}"),
        (f"a{{{COUNT_MAX + 1}}}", 1, f"{{{COUNT_MAX + 1}}}"), (r"\1", 0, r"\1"), (r"a\b", 1, r"\b"),
        ("(?=a)", 0, "(?="), ("(?i)a", 0, "(?i"), ("a\\", 1, "\\"), ("[z-a]", 3, "z-a"),
        (r"[\W]", 1, r"\W"), ("(a{60}){60}", 10, ""), ("(a|b)*a(a|b){25}", 0, ""),
    ],
)  # fmt: skip
def test_what_is_not_understood_is_refused(pattern: str, position: int, piece: str) -> None:
    with pytest.raises(PatternError) as caught:
        Pattern(pattern)
    assert caught.value.piece == piece
    if piece:
        assert caught.value.position == position


@given(st.text(alphabet="ab(){}[]|*+?^$\\.-,0129dw", max_size=40))
def test_any_text_is_a_pattern_or_an_error(text: str) -> None:
    position = 0
    try:
        Pattern(text).search("aabb" * 10)
    except PatternError as error:
        position = error.position
    assert 0 <= position <= len(text)


@pytest.mark.parametrize(
    "pattern",
    ["(a*)*b", "(a|a)*b", "(a|aa)+$", "(.*a){12}", "^(([a-z])+.)+[A-Z]([a-z])+$",
     "(a|b)*a(a|b){6}", "(x+x+)+y", "((a{0,8}){0,2})*b"],
)  # fmt: skip
def test_no_pattern_is_slow(pattern: str) -> None:
    """What makes a backtracking engine run for years: here time grows with the text alone."""
    compiled = Pattern(pattern)
    began = time.process_time()
    for text in ("a" * 5000, "ab" * 2500, "x" * 5000):
        compiled.search(text)
    assert time.process_time() - began < 1.0


def test_only_the_first_characters_are_looked_at() -> None:
    assert Pattern("b").search("a" * (TEXT_MAX - 1) + "b")
    assert not Pattern("b").search("a" * TEXT_MAX + "b")
    assert STATES_MAX <= 256
