"""The one error type that crosses rings, and whether trying again can help."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


class ErrorKind(enum.Enum):
    """What went wrong, in the terms a caller can act on."""

    INVALID = "invalid"  # the input is wrong; only another input helps
    NOT_FOUND = "not_found"
    FORBIDDEN = "forbidden"
    CONFLICT = "conflict"  # the object changed or exists already
    LIMIT = "limit"  # a quota or a ceiling of the kernel
    UNSUPPORTED = "unsupported"  # this host cannot do it: missing feature, program, privilege
    BUSY = "busy"  # the kernel or the worker is busy
    LOST = "lost"  # a namespace, process or peer vanished under us
    CANCELLED = "cancelled"
    INTERNAL = "internal"

    @property
    def retryable(self) -> bool:
        """True when the same call may succeed later without a change of input."""
        return self in (ErrorKind.BUSY, ErrorKind.LOST)


class TopowebError(Exception):
    """An error that names its place (``path``) and its remedy (``hint``).

    A page translates by ``code`` with ``params`` as its values (`core/texts.py`).
    """

    def __init__(
        self,
        kind: ErrorKind,
        message: str,
        *,
        hint: str = "",
        path: str = "",
        code: str = "",
        params: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.hint = hint
        self.path = path
        self.code = code or kind.value
        self.params = dict(params or {})
