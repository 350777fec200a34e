"""Labs to begin with: one JSON file each, explained in English and Simplified Chinese."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from topoweb.core.errors import ErrorKind, TopowebError

LocalText = dict[str, str]  # {"en", "zh-CN"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """A lab of the gallery. ``text`` teaches: what to look at, what to try."""

    id: str
    order: int
    name: LocalText
    summary: LocalText
    text: LocalText
    document: dict[str, Any]


@cache
def templates() -> tuple[Template, ...]:
    """Return the gallery in teaching order."""
    found = (_read(path) for path in Path(__file__).parent.glob("*.json"))
    return tuple(sorted(found, key=lambda template: template.order))


def template(template_id: str) -> Template:
    """Return one lab of the gallery. TopowebError(NOT_FOUND)."""
    for one in templates():
        if one.id == template_id:
            return one
    known = ", ".join(one.id for one in templates())
    raise TopowebError(
        ErrorKind.NOT_FOUND, "There is no such template", hint=f"Known: {known}", path="/template"
    )


def template_json(one: Template) -> dict[str, Any]:
    """Return a template as the protocol has it."""
    return {
        "id": one.id,
        "name": one.name,
        "summary": one.summary,
        "text": one.text,
        "document": one.document,
    }


def _read(path: Path) -> Template:
    return Template(id=path.stem, **msgspec.json.decode(path.read_bytes()))
