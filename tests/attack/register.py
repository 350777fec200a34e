"""How a test says what it tries and what must refuse it: the rows of THREAT_MODEL.md.

Every test of this ring carries the mark, on itself or on each of its cases; `threats` makes the
table from them, and `test_table` holds the two together.
"""

from __future__ import annotations

from typing import Any

import pytest


def attack(tries: str, refusal: str) -> pytest.MarkDecorator:
    """Mark a test as an attack: what is tried, and what must become of it."""
    return pytest.mark.attack(tries, refusal)


def case(key: str, tries: str, refusal: str, *values: Any) -> Any:
    """Return one case of a parametrised test that is an attack of its own."""
    return pytest.param(*values, id=key, marks=attack(tries, refusal))
