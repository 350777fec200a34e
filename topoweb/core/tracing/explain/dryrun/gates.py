"""The packet filter's hooks on a packet's way, and the addresses that it translates."""

from __future__ import annotations

from typing import TYPE_CHECKING

from topoweb.core.tracing.explain.dryrun.endings import Ending
from topoweb.core.tracing.explain.dryrun.filters import Decision, decide

if TYPE_CHECKING:
    from topoweb.core.tracing.explain.dryrun.flow import Flow
    from topoweb.core.tracing.explain.facts import Facts, Route

UNKNOWN = ("snat", "dnat")  # to an address that the rule does not name


class Gates:
    """Asks the rules of each node. Remembers translations, which replies undo (conntrack)."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._sources: dict[tuple[str, str], str] = {}  # node, translated source → before
        self._targets: dict[tuple[str, str], str] = {}  # node, translated target → before

    def passes(
        self, node: str, hook: str, flow: Flow, *, iif: str = "", oif: str = ""
    ) -> Ending | None:
        """Return None when a packet passes a hook, else its end."""
        decision = self._decision(node, hook, flow, iif, oif)
        if decision.verdict == "accept":
            return None
        return _stopped(node, oif if hook == "output" else iif, hook, decision)

    def enter(self, node: str, interface: str, flow: Flow) -> tuple[Flow, Ending | None]:
        """Pass what comes before routing."""
        if flow.reply:
            flow = flow._replace(target=self._sources.get((node, flow.target), flow.target))
        for hook in ("ingress", "prerouting"):
            decision = self._decision(node, hook, flow, interface, "")
            if decision.verdict != "accept":
                return flow, _stopped(node, interface, hook, decision)
            to = decision.translates
            if to == "redirect":
                to = self._address(node, interface, flow.version)
            if to and to not in UNKNOWN:
                self._targets[node, to] = flow.target
                flow = flow._replace(target=to, port=decision.port or flow.port)
        return flow, None

    def leave(self, node: str, flow: Flow, route: Route) -> tuple[Flow, Ending | None]:
        """Pass what comes after routing."""
        decision = self._decision(node, "postrouting", flow, "", route.interface)
        if decision.verdict != "accept":
            return flow, _stopped(node, route.interface, "postrouting", decision)
        if flow.reply:
            return flow._replace(source=self._targets.get((node, flow.source), flow.source)), None
        to = decision.translates
        if to == "masquerade":
            to = self._address(node, route.interface, flow.version)
        if to and to not in UNKNOWN and to != flow.source:
            self._sources[node, to] = flow.source
            flow = flow._replace(source=to)
        return flow, None

    def _decision(self, node: str, hook: str, flow: Flow, iif: str, oif: str) -> Decision:
        return decide(self._facts.rules(node), hook, flow.subject(iif, oif))

    def _address(self, node: str, interface: str, version: int) -> str:
        device = self._facts.interfaces(node).get(interface)
        addresses = device.addresses if device else ()
        wanted = [prefix for prefix in addresses if (":" in prefix) == (version == 6)]
        return wanted[0].partition("/")[0] if wanted else ""


def _stopped(node: str, interface: str, hook: str, decision: Decision) -> Ending:
    policy = decision.rule is not None and decision.rule.policy
    code = "filter-policy" if policy else f"filter-{decision.verdict}"
    return Ending(code, node, interface, decision.rule, {"hook": hook})
