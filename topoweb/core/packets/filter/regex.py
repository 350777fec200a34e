"""Regular expressions whose cost is linear in the text: a table of states, no backtracking.

Understood: ``. [abc] [^a-z] () (?:) | ^ $ * + ? {m} {m,} {m,n} \\d \\w \\s \\D \\W \\S`` and
escaped characters. Letters match in both cases, as in Wireshark. The pattern becomes a
nondeterministic automaton (Thompson 1968), and that a deterministic one, once; a pattern for which
either gets too large is refused.
"""

from __future__ import annotations

import string
from dataclasses import dataclass, field
from typing import NamedTuple

STATES_MAX = 256  # of a pattern
TEXT_MAX = 256  # characters that are looked at
COUNT_MAX = 64  # in braces
DEPTH_MAX = 16  # of parentheses
ROWS_MAX, CELLS_MAX = 256, 4096  # of the table
MATCHED = -1  # what a table says instead of a state
CLASSES = {
    "d": frozenset(string.digits),
    "w": frozenset(string.ascii_letters + string.digits + "_"),
    "s": frozenset(string.whitespace),
}
CONTROLS = {"n": "\n", "r": "\r", "t": "\t", "f": "\f", "v": "\v"}


class PatternError(Exception):
    """What cannot be used, and its ``position``; ``piece`` "" when the pattern is too large."""

    def __init__(self, position: int, piece: str) -> None:
        super().__init__(position, piece)
        self.position, self.piece = position, piece


@dataclass(frozen=True, slots=True)
class _Characters:
    """One character out of a set, or (``negated``) outside of it."""

    chosen: frozenset[str]
    negated: bool = False

    def has(self, character: str) -> bool:
        """Compare without case."""
        return (character in self.chosen) is not self.negated


@dataclass(slots=True)
class _State:
    """Leads on by a character, or freely; ``where``: only at the start (^) or the end ($)."""

    characters: _Characters | None = None
    where: str = ""
    on: list[int] = field(default_factory=list)


class _Piece(NamedTuple):
    """A part of the automaton: where it begins, and the one state where it ends."""

    first: int
    last: int


class Pattern:
    """A compiled regular expression. `PatternError`."""

    def __init__(self, pattern: str) -> None:
        builder = _Builder(pattern)
        piece = builder.whole()
        table = _Table(builder.states, piece)
        self._classes, self._rows = table.classes, table.rows
        self._at_end, self._empty = table.at_end, table.empty

    def search(self, text: str) -> bool:
        """True when it matches anywhere in the text's first ``TEXT_MAX`` characters."""
        classes, rows, state = self._classes, self._rows, 0
        for character in text[:TEXT_MAX].lower():
            state = rows[state][classes.get(character, 0)]
            if state == MATCHED:
                return True
        return self._at_end[state] if text else self._empty


class _Table:
    """The deterministic automaton: a row a state, a column for each kind of character."""

    def __init__(self, states: list[_State], piece: _Piece) -> None:
        self._states, self._goal = states, piece.last
        self._again = self._free({piece.first}, at_start=False)
        begin = self._free({piece.first}, at_start=True)
        self.classes, examples = self._kinds()
        self.rows: list[list[int]] = []
        self.at_end: list[bool] = []
        self.empty = self._goal in self._free(set(begin), at_start=True, at_end=True)
        sets = [begin]
        numbers = {begin: 0}
        for one in sets:  # grows as new ones are met
            self.at_end.append(self._goal in self._free(set(one), at_start=False, at_end=True))
            self.rows.append([])
            for character in examples:
                following = self._step(one, character)
                number = numbers.setdefault(following, len(sets))
                if number == len(sets) and self._goal not in following:
                    sets.append(following)
                self.rows[-1].append(MATCHED if self._goal in following else number)
            if len(sets) > ROWS_MAX or len(sets) * len(examples) > CELLS_MAX:
                raise PatternError(0, "")
        if self._goal in begin:
            self.rows[0] = [MATCHED] * len(examples)

    def _kinds(self) -> tuple[dict[str, int], list[str]]:
        """Return the kind of each character that is mentioned, and an example of every kind.

        Characters are of a kind when no state tells them apart; 0 is that of all others.
        """
        asked = [one.characters for one in self._states if one.characters is not None]
        kinds = {tuple(one.has("") for one in asked): 0}
        examples = [""]
        classes: dict[str, int] = {}
        for character in sorted(frozenset[str]().union(*(one.chosen for one in asked))):
            told = tuple(one.has(character) for one in asked)
            classes[character] = kinds.setdefault(told, len(examples))
            if classes[character] == len(examples):
                examples.append(character)
        return classes, examples

    def _step(self, current: frozenset[int], character: str) -> frozenset[int]:
        reached: set[int] = set()
        for number in current:
            state = self._states[number]
            if state.characters is not None and state.characters.has(character):
                reached.update(state.on)
        return self._free(reached, at_start=False) | self._again

    def _free(self, begun: set[int], *, at_start: bool, at_end: bool = False) -> frozenset[int]:
        """Return the states that are reached without another character."""
        found, waiting = set(begun), list(begun)
        while waiting:
            state = self._states[waiting.pop()]
            blocked = (state.where == "^" and not at_start) or (state.where == "$" and not at_end)
            if state.characters is not None or blocked:
                continue
            for number in state.on:
                if number not in found:
                    found.add(number)
                    waiting.append(number)
        return frozenset(found)


class _Builder:
    """Reads a pattern by recursive descent and adds states."""

    def __init__(self, pattern: str) -> None:
        self._text = pattern
        self._at = 0
        self._depth = 0
        self.states: list[_State] = []

    def whole(self) -> _Piece:
        """Read all of it."""
        piece = self._alternatives()
        if self._at < len(self._text):
            raise PatternError(self._at, self._text[self._at])
        return piece

    def _alternatives(self) -> _Piece:
        pieces = [self._sequence()]
        while self._peek() == "|":
            self._at += 1
            pieces.append(self._sequence())
        if len(pieces) == 1:
            return pieces[0]
        last = self._state()
        for piece in pieces:
            self.states[piece.last].on.append(last)
        return _Piece(self._state(on=[piece.first for piece in pieces]), last)

    def _sequence(self) -> _Piece:
        if self._peek() in ("", "|", ")"):
            state = self._state()
            return _Piece(state, state)
        first, last = self._repeated()
        while self._peek() not in ("", "|", ")"):
            piece = self._repeated()
            self.states[last].on.append(piece.first)
            last = piece.last
        return _Piece(first, last)

    def _repeated(self) -> _Piece:
        began = self._at
        piece = self._one()
        least, most = self._count()
        if self._peek() in ("*", "+", "?", "{") and (least, most) != (1, 1):
            raise PatternError(self._at, self._peek())  # possessive, lazy, or a mistake
        if (least, most) == (1, 1):
            return piece
        end = self._at
        first = last = self._state()
        for number in range(max(least, most or 0)):
            piece = piece if number == 0 else self._copy(began)
            self.states[last].on.append(piece.first)
            if number >= least:
                self.states[last].on.append(piece.last)
            last = piece.last
        if most is None:  # {m,}: once more, as often as wanted
            loop = self._copy(began) if least else piece
            self.states[last].on.append(loop.first)
            self.states[loop.last].on.append(last)
        self._at = end
        return _Piece(first, last)

    def _copy(self, began: int) -> _Piece:
        self._at = began
        return self._one()

    def _count(self) -> tuple[int, int | None]:
        """Return how often at least and at most; None: without an end."""
        sign = self._peek()
        if sign in ("*", "+", "?"):
            self._at += 1
            return {"*": (0, None), "+": (1, None), "?": (0, 1)}[sign]
        if sign != "{":
            return 1, 1
        end = self._text.find("}", self._at)
        low, comma, high = self._text[self._at + 1 : end].partition(",")
        if end < 0 or not low.isdecimal() or not (high.isdecimal() or not high):
            raise PatternError(self._at, "{")
        least, most = int(low), int(high) if high else (None if comma else int(low))
        if least > COUNT_MAX or (most is not None and not least <= most <= COUNT_MAX):
            raise PatternError(self._at, self._text[self._at : end + 1])
        self._at = end + 1
        return least, most

    def _one(self) -> _Piece:
        character = self._next()
        if character == "(":
            return self._group()
        if character in ("^", "$"):
            last = self._state()
            return _Piece(self._state(where=character, on=[last]), last)
        if character in ("*", "+", "?", "{"):
            raise PatternError(self._at - 1, character)
        last = self._state()
        return _Piece(self._state(characters=self._characters(character), on=[last]), last)

    def _group(self) -> _Piece:
        began = self._at - 1
        if self._text.startswith("?", self._at):
            if not self._text.startswith("?:", self._at):
                raise PatternError(began, self._text[began : began + 3])
            self._at += 2
        self._depth += 1
        if self._depth > DEPTH_MAX:
            raise PatternError(began, "")
        piece = self._alternatives()
        self._depth -= 1
        if self._peek() != ")":
            raise PatternError(began, "(")
        self._at += 1
        return piece

    def _characters(self, character: str) -> _Characters:
        if character == ".":
            return _Characters(frozenset("\n"), negated=True)
        if character == "\\":
            return self._escaped()
        if character == "[":
            return self._set()
        return _Characters(frozenset(character.lower()))

    def _escaped(self) -> _Characters:
        character = self._next()
        known = CLASSES.get(character.lower())
        if known is not None:
            return _Characters(known, negated=character.isupper())
        if character in CONTROLS:
            return _Characters(frozenset(CONTROLS[character]))
        if character.isalnum():  # \\b, \\1, \\x41 …
            raise PatternError(self._at - 2, "\\" + character)
        return _Characters(frozenset(character))

    def _set(self) -> _Characters:
        began = self._at - 1
        negated = self._peek() == "^"
        self._at += negated
        chosen: set[str] = set()
        first = True
        while first or self._peek() != "]":
            if self._peek() == "":
                raise PatternError(began, "[")
            chosen |= self._range()
            first = False
        self._at += 1
        return _Characters(frozenset(chosen), negated=negated)

    def _range(self) -> set[str]:
        low = self._member()
        if len(low) != 1 or self._peek() != "-" or self._text[self._at + 1 : self._at + 2] == "]":
            return low
        self._at += 1
        high = self._member()
        (start,), (stop,) = low, high if len(high) == 1 else {""}
        if stop < start or ord(stop) - ord(start) > 0xFF:
            raise PatternError(self._at - 1, f"{start}-{stop}")
        return {chr(code).lower() for code in range(ord(start), ord(stop) + 1)}

    def _member(self) -> set[str]:
        character = self._next()
        if character != "\\":
            return {character.lower()}
        characters = self._escaped()
        if characters.negated:
            raise PatternError(self._at - 2, self._text[self._at - 2 : self._at])
        return set(characters.chosen)

    def _peek(self) -> str:
        return self._text[self._at : self._at + 1]

    def _next(self) -> str:
        character = self._peek()
        if not character:
            raise PatternError(max(self._at - 1, 0), self._text[-1:])
        self._at += 1
        return character

    def _state(
        self, *, characters: _Characters | None = None, where: str = "", on: list[int] | None = None
    ) -> int:
        if len(self.states) >= STATES_MAX:
            raise PatternError(self._at, "")
        self.states.append(_State(characters, where, on or []))
        return len(self.states) - 1
