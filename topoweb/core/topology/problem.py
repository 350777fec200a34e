"""What is wrong with a drawing, said so that a person can mend it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Problem:
    """One finding. ``path`` is a JSON pointer into the document ("/interfaces/i1/mtu").

    ``code`` is stable and is the i18n key (``problem.<code>``) with ``params`` as its values;
    ``message`` and ``hint`` are its English text.
    """

    code: str
    path: str
    message: str
    hint: str
    severity: Literal["error", "warning"] = "error"
    params: tuple[tuple[str, str], ...] = ()
