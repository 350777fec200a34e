"""What the explainer says: where a packet ended, why, by what evidence, and what would help."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

Kind = Literal["delivered", "fault", "expected", "noise", "unknown"]
Witness = Literal["hops", "reason", "state", "rule", "counters"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """One thing that was seen and can be seen again."""

    witness: Witness
    code: str  # of its sentence in the catalogue
    params: Mapping[str, Any] = field(default_factory=dict)
    command: str = ""  # what shows the same in a terminal of the node: "ip route get 10.0.1.2"
    output: str = ""  # what that command prints, as far as it matters


@dataclass(frozen=True, slots=True, kw_only=True)
class Remedy:
    """What would help. ``operation`` can be applied to the drawing as it is."""

    code: str  # of its sentence in the catalogue
    params: Mapping[str, Any] = field(default_factory=dict)
    commands: tuple[str, ...] = ()  # for a terminal of ``node``
    node: str = ""
    operation: Mapping[str, Any] | None = None  # docs/protocol.md "Operations", without op_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """A judgement of one packet or exchange."""

    code: str  # of its sentence in the catalogue: "forwarding-off", "no-return-route" …
    kind: Kind
    node: str = ""  # where it ended
    interface: str = ""
    params: Mapping[str, Any] = field(default_factory=dict)  # of the sentence; nodes are ids
    evidence: tuple[Evidence, ...] = ()
    remedy: Remedy | None = None
    seen: bool = True  # the kernel recorded the end; False: inferred from state and silence
    packet: int = 0
    reason: str = ""  # the kernel's own words, verbatim
    symbol: str = ""
