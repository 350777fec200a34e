"""What the worker warns of in a running lab, as the browser shows it (docs/protocol.md, LIVE)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class Warned:
    """One warning about a link, a node, or, when it names neither, the host.

    ``code`` is stable and the i18n key, with ``params``; ``message`` is the English text.
    """

    code: str
    message: str
    link: str | None = None
    node: str | None = None
    params: Mapping[str, str | int] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """What tells it from the others of its lab: "storm:l1"."""
        return f"{self.code}:{self.link or self.node or ''}"

    def as_json(self) -> dict[str, Any]:
        """Return it as the protocol has it."""
        place = {"link": self.link, "node": self.node}
        return {
            "code": self.code,
            **{kind: key for kind, key in place.items() if key is not None},
            "message": self.message,
            "params": dict(self.params),
        }


def changes(
    before: Mapping[str, Mapping[str, Any]], now: Iterable[Warned]
) -> dict[str, dict[str, Any] | None]:
    """Return what a LIVE message must say so that ``before`` becomes ``now``."""
    after = {warning.key: warning.as_json() for warning in now}
    gone: dict[str, dict[str, Any] | None] = dict.fromkeys(before.keys() - after.keys())
    return gone | {key: value for key, value in after.items() if before.get(key) != value}
