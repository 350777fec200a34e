"""The words on the screen, by key, in either language: locators follow what a person reads."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parents[2] / "frontend" / "src" / "i18n"
LANGUAGES = ("en", "zh-CN")


def _flat(tree: dict[str, Any], prefix: str = "") -> dict[str, str]:
    found: dict[str, str] = {}
    for key, value in tree.items():
        if isinstance(value, dict):
            found |= _flat(value, f"{prefix}{key}.")
        else:
            found[prefix + key] = value
    return found


class Words:
    """One language's texts."""

    def __init__(self, language: str = "en") -> None:
        self.language = language
        self.texts: dict[str, str] = {}
        for room in ("", "story.", "replay.", "filter.", "kinds."):
            self.texts |= _flat(json.loads((FOLDER / f"{room}{language}.json").read_text()))

    def __call__(self, key: str, **values: object) -> str:
        """The text of a key with its values; KeyError when there is none."""
        return re.sub(r"\{\{(\w+)\}\}", lambda match: str(values[match[1]]), self.texts[key])

    def pattern(self, key: str, **values: object) -> re.Pattern[str]:
        """A text whose missing values may be anything."""
        return re.compile(f"^{self._open(key, values)}$")

    def sentence(self, key: str, **values: object) -> re.Pattern[str]:
        """The same as one of several sentences: what is said at a time is said in one breath."""
        return re.compile(rf"(?:^|\. ){self._open(key, values)}(?:\. |$)")

    def _open(self, key: str, values: dict[str, object]) -> str:
        parts = re.split(r"\{\{(\w+)\}\}", self.texts[key])
        for at in range(1, len(parts), 2):
            name = parts[at]
            parts[at] = re.escape(str(values[name])) if name in values else ".*?"
        return "".join(part if at % 2 else re.escape(part) for at, part in enumerate(parts))
