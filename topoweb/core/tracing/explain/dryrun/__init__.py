"""What will become of a packet, foretold from the kernel's state before any is sent.

`walk` follows a request and its reply and ends with the verdict that the explainer gives for such
an end. `compare` holds it against what was seen.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

from topoweb.core.tracing.explain.dryrun.compare import compare_steps
from topoweb.core.tracing.explain.dryrun.endings import Arrival, Ending
from topoweb.core.tracing.explain.dryrun.flow import Flow
from topoweb.core.tracing.explain.dryrun.gates import Gates
from topoweb.core.tracing.explain.dryrun.judge import judge
from topoweb.core.tracing.explain.dryrun.steps import Step
from topoweb.core.tracing.explain.dryrun.walk import Walk
from topoweb.core.tracing.explain.mended import Mended

if TYPE_CHECKING:
    from collections.abc import Sequence

    from topoweb.core.tracing.explain.facts import Facts
    from topoweb.core.tracing.explain.verdict import Verdict
    from topoweb.core.tracing.trace import Trace

__all__ = ["Foretold", "Request", "Step", "compare", "mended", "walk"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A packet to be sent: from a node to an address. ``port`` of TCP and UDP."""

    source: str
    target: str
    protocol: Literal["icmp", "tcp", "udp"] = "icmp"
    port: int = 0


class Foretold(NamedTuple):
    """The way that a packet will take, its reply included, and how it will end."""

    steps: tuple[Step, ...]
    verdict: Verdict


def walk(facts: Facts, request: Request) -> Foretold:
    """Foretell a packet. Nothing is sent. ValueError for a target that is no address."""
    six = ":" in request.target
    setting = "net.ipv6.conf.all.hop_limit" if six else "net.ipv4.ip_default_ttl"
    ttl = int(facts.sysctl(request.source, setting) or 0) or 64
    asked = Flow("", request.target, request.protocol, request.port, ttl=ttl)
    gates = Gates(facts)
    walks = [Walk(facts, "there", gates, asked)]
    end = walks[0].run(request.source)
    if isinstance(end, Arrival):
        refused = _refused(facts, end)
        if refused:
            walks[0].end(refused)
        end = refused or _answered(facts, end, gates, walks, asked.target)
    steps = tuple(step for one in walks for step in one.steps)
    return Foretold(steps, judge(facts, walks, end))


def mended(facts: Facts, request: Request, foretold: Foretold, verdict: Verdict) -> Foretold | None:
    """Foretell a packet once more, with the remedy of its verdict applied.

    None where nothing can be said: no operation, or one whose consequences the state does not
    tell, or a fault that the walk itself had not foreseen.
    """
    operation = verdict.remedy.operation if verdict.remedy is not None else None
    expected = (foretold.verdict.code, foretold.verdict.node) == (verdict.code, verdict.node)
    if verdict.kind != "fault" or operation is None or not expected:
        return None
    try:
        return walk(Mended(facts, operation), request)
    except (KeyError, ValueError):
        return None


def _refused(facts: Facts, arrival: Arrival) -> Ending | None:
    """Return why a packet that has come to its target gets no answer there; None: it does."""
    node, interface, flow = arrival
    if flow.protocol == "icmp":
        settings = {4: "net.ipv4.icmp_echo_ignore_all", 6: "net.ipv6.icmp.echo_ignore_all"}
        setting = settings[flow.version]
        ignored = facts.sysctl(node, setting) not in ("", "0")
        return Ending("echo-ignored", node, interface) if ignored else None
    wildcard = "::" if flow.version == 6 else "0.0.0.0"  # noqa: S104 - a text, nothing is bound
    bound = facts.listens(node, flow.protocol, flow.port)
    if wildcard in bound or flow.target in bound:
        return None
    code = "listens-elsewhere" if bound else "no-listener"
    return Ending(code, node, interface, params={"addresses": ", ".join(bound)})


def _answered(
    facts: Facts, arrival: Arrival, gates: Gates, walks: list[Walk], asked: str
) -> Arrival | Ending:
    """Walk the reply back to who asked for the address ``asked``.

    A program that takes a datagram need not answer: that is an arrival.
    """
    node, _, flow = arrival
    if flow.protocol == "udp":
        return arrival
    reply = Flow(flow.target, flow.source, flow.protocol, flow.port, reply=True)
    back = Walk(facts, "back", gates, reply)
    walks.append(back)
    end = back.run(node)
    if isinstance(end, Arrival) and end.flow.source != asked:
        # The answer went past the router that had translated the request: nobody asked for it.
        end = Ending("hairpin-nat", end.node, end.interface)
        back.end(end)
    return end


def compare(foretold: Foretold, traces: Sequence[Trace]) -> tuple[bool, int | None]:
    """Return whether the packets went as foretold, and the first step that was not seen."""
    return compare_steps(foretold.steps, foretold.verdict.kind == "delivered", traces)
