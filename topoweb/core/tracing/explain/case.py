"""One packet at the place where it ended: what every fault family looks at."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from topoweb.core.tracing.explain import headers
from topoweb.core.tracing.explain.remedy import Params
from topoweb.core.tracing.explain.verdict import Evidence, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from topoweb.core.tracing.explain.facts import Facts, Interface
    from topoweb.core.tracing.explain.headers import Headers
    from topoweb.core.tracing.explain.verdict import Kind, Remedy, Witness
    from topoweb.core.tracing.observation import Observation
    from topoweb.core.tracing.trace import Hop, Trace


__all__ = ["Case", "Params", "of_drop", "of_last", "path", "resend", "witness"]


@dataclass(frozen=True, kw_only=True)
class Case:
    """A packet, where it was seen last, and the state of the lab.

    ``node`` is where it ended; ``arriving`` the interface at which it came in there, "" for what
    the node sends itself. ``drop`` is None when the kernel said nothing.
    """

    facts: Facts
    node: str
    packet: Headers
    arriving: str = ""
    hops: Sequence[Hop] = ()
    drop: Observation | None = None
    number: int = 0
    waiting: str = ""  # the next hop, of a case about an address that nobody answers for

    @property
    def interface(self) -> str:
        """The interface that the kernel named, or else where the packet came in."""
        return (self.drop.interface if self.drop else "") or self.arriving

    @property
    def family(self) -> int:
        """4 or 6."""
        return self.packet.version or (6 if ":" in self.packet.target else 4)

    @cached_property
    def items(self) -> dict[str, Interface]:
        """The node's interfaces."""
        return dict(self.facts.interfaces(self.node))

    @property
    def local(self) -> bool:
        """Tell whether the node has the address that the packet is for."""
        return self.owns(self.packet.target)

    def owns(self, address: str) -> bool:
        """Tell whether the node has an address."""
        return any(
            text.partition("/")[0] == address
            for item in self.items.values()
            for text in item.addresses
        )

    def verdict(
        self,
        code: str,
        evidence: Iterable[Evidence] = (),
        remedy: Remedy | None = None,
        kind: Kind = "fault",
        **params: str | int | tuple[str, ...],
    ) -> Verdict:
        """Return a verdict about this packet here; hops and the kernel's reason are added.

        ``node`` is a param of every sentence; give another one when the cause is elsewhere.
        """
        return Verdict(
            code=code,
            kind=kind,
            node=self.node,
            interface=self.interface,
            params={"node": self.node, **params},
            evidence=(*self._seen(), *self._reason(), *evidence),
            remedy=remedy,
            seen=self.drop is not None,
            packet=self.number,
            reason=self.drop.reason if self.drop else "",
            symbol=self.drop.symbol if self.drop else "",
        )

    def _seen(self) -> Iterable[Evidence]:
        passed = [hop.seen for hop in self.hops if hop.seen.direction != "drop"]
        if self.drop is not None:
            node = self.drop.namespace
            yield witness("hops", "hops-dropped", count=len(passed), node=node)
        elif passed:
            last = passed[-1]
            code = "hops-entering" if last.direction == "rx" else "hops-leaving"
            yield witness(
                "hops", code, count=len(passed), node=last.namespace, interface=last.interface
            )
        else:
            yield witness("hops", "hops-none")

    def _reason(self) -> Iterable[Evidence]:
        drop = self.drop
        if drop is not None and drop.symbol:
            yield witness("reason", "kernel-reason", reason=drop.reason, symbol=drop.symbol)
        elif drop is not None:
            yield witness("reason", "kernel-reason-only", reason=drop.reason)


def witness(
    by: Witness, code: str, command: str = "", output: str = "", **params: str | int
) -> Evidence:
    """Return a piece of evidence."""
    return Evidence(witness=by, code=code, params=params, command=command, output=output)


def of_drop(facts: Facts, trace: Trace, drop: Hop) -> Case:
    """Return the case of a packet that the kernel dropped."""
    seen = drop.seen
    way = path(trace, drop)
    return Case(
        facts=facts,
        node=seen.namespace,
        packet=headers.of(seen),
        arriving=_came_in(facts, way, seen.namespace),
        hops=way,
        drop=seen,
        number=trace.packet,
    )


def of_last(facts: Facts, trace: Trace, last: Hop) -> Case:
    """Return the case of a packet that was seen last at ``last``.

    Seen leaving an interface with a cable, it counts as come to the other end: a cable loses
    nothing, and packet sockets see one end of each cable only.
    """
    seen = last.seen
    way = path(trace, last)
    node, arriving = seen.namespace, seen.interface
    if seen.direction == "tx":
        arriving = _came_in(facts, way, node)
        end = facts.peer(node, seen.interface)
        if end is not None:
            node, arriving = end.node, end.interface
    return Case(
        facts=facts,
        node=node,
        packet=headers.of(seen),
        arriving=arriving,
        hops=way,
        number=trace.packet,
    )


def path(trace: Trace, hop: Hop) -> tuple[Hop, ...]:
    """Return the hops from the first to ``hop``, without the branches of other copies."""
    way = [hop]
    seen: set[int] = set()
    while 0 <= way[-1].parent < len(trace.hops) and way[-1].parent not in seen:
        seen.add(way[-1].parent)
        way.append(trace.hops[way[-1].parent])
    return tuple(reversed(way))


def _came_in(facts: Facts, way: Sequence[Hop], node: str) -> str:
    """Return the interface at which the packet last entered a node as a packet of others."""
    for hop in reversed(way):
        seen = hop.seen
        if seen.namespace != node:
            end = facts.peer(seen.namespace, seen.interface) if seen.direction == "tx" else None
            return end.interface if end is not None and end.node == node else ""
        if seen.direction == "rx":
            return seen.interface
    return ""


def resend(case: Case, packet: Headers) -> Case:
    """Return the case of a packet that the same node would send now."""
    return replace(case, packet=packet, arriving="", drop=None)
