"""What a probe found, in the shape of docs/protocol.md."""

from __future__ import annotations

import errno
import os
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Verdict = Literal["reply", "no_answer", "unreachable", "refused", "error", "connected"]
# What the kernel says when it has no way to the target, before anything leaves the node.
NO_WAY = frozenset(
    (errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN, errno.EADDRNOTAVAIL, errno.EHOSTDOWN)
)


@dataclass(frozen=True, slots=True)
class Hop:
    """A place on the way; ``address`` None: it did not answer."""

    ttl: int
    address: str | None
    rtt_ms: float | None


@dataclass(slots=True, kw_only=True)
class ProbeResult:
    """A probe's outcome. ``output`` is the text that the usual program would print."""

    verdict: Verdict = "no_answer"
    message: str = ""
    sent: int = 0
    received: int = 0
    rtt_ms: list[float] = field(default_factory=list)
    ttl: int | None = None
    hops: list[Hop] = field(default_factory=list)
    output: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return the result as plain values."""
        return asdict(self)


def of_errno(code: int) -> tuple[Verdict, str]:
    """Return verdict and message for an error that the node's own kernel reports."""
    words = os.strerror(code)
    if code in NO_WAY:
        return "unreachable", f"{words}: the node has no way to the target"
    if code == errno.ECONNREFUSED:
        return "refused", words
    if code == errno.ETIMEDOUT:
        return "no_answer", "No answer"
    return "error", words
