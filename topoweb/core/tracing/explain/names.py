"""Drawn names in the explainer's sentences, which speak of nodes by id: ``{name:<id>}``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_PLACE = re.compile(r"\{name:([A-Za-z0-9_-]{1,40})\}")


def with_names(text: str, name: Callable[[str], str]) -> str:
    """Return a sentence with the name of each node in its place."""
    return _PLACE.sub(lambda found: name(found[1]), text)
