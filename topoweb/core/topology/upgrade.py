"""Older documents become the newest version, one step a version."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

VERSION = 1

STEPS: Mapping[int, Callable[[dict[str, Any]], dict[str, Any]]] = {}  # from version → its upgrade


def upgrade(data: dict[str, Any], version: int) -> dict[str, Any]:
    """Return ``data`` of ``version`` (1 … `VERSION`) as a document of the newest version."""
    for step in range(version, VERSION):
        data = STEPS[step](data)
    return data
