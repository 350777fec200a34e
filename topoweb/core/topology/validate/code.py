"""What a problem code consists of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Code:
    """English templates of a problem. Placeholders are filled from the problem's params."""

    message: str
    hint: str
    severity: Literal["error", "warning"] = "error"


def warning(message: str, hint: str) -> Code:
    """Return a code that does not stop Run."""
    return Code(message, hint, "warning")
