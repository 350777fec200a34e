"""Facts that are asked once: one explanation sees one state of the lab."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from topoweb.core.tracing.explain.facts import (
        End,
        Facts,
        Family,
        Interface,
        Neighbouring,
        Route,
        Rule,
    )

T = TypeVar("T")


class Once:
    """Passes each question on at most once. Use one for each explanation."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._known: dict[tuple[Any, ...], Any] = {}

    def holders(self, what: str) -> Sequence[str]:
        """See `Facts.holders`."""
        return self._ask(self._facts.holders, what)

    def interfaces(self, node: str) -> Mapping[str, Interface]:
        """See `Facts.interfaces`."""
        return self._ask(self._facts.interfaces, node)

    def peer(self, node: str, interface: str) -> End | None:
        """See `Facts.peer`."""
        return self._ask(self._facts.peer, node, interface)

    def route(self, node: str, destination: str, *, source: str = "", arriving: str = "") -> Route:
        """See `Facts.route`."""
        key = ("route", node, destination, source, arriving)
        if key not in self._known:
            self._known[key] = self._facts.route(
                node, destination, source=source, arriving=arriving
            )
        found: Route = self._known[key]
        return found

    def routes(self, node: str, family: Family) -> Sequence[Route]:
        """See `Facts.routes`."""
        return self._ask(self._facts.routes, node, family)

    def sysctl(self, node: str, name: str) -> str:
        """See `Facts.sysctl`."""
        return self._ask(self._facts.sysctl, node, name)

    def neighbour(self, node: str, interface: str, address: str) -> tuple[Neighbouring, str]:
        """See `Facts.neighbour`."""
        return self._ask(self._facts.neighbour, node, interface, address)

    def fdb(self, node: str, bridge: str, mac: str) -> str:
        """See `Facts.fdb`."""
        return self._ask(self._facts.fdb, node, bridge, mac)

    def rules(self, node: str) -> Sequence[Rule]:
        """See `Facts.rules`."""
        return self._ask(self._facts.rules, node)

    def listens(self, node: str, protocol: Literal["tcp", "udp"], port: int) -> tuple[str, ...]:
        """See `Facts.listens`."""
        return self._ask(self._facts.listens, node, protocol, port)

    def accept_queue(self, node: str, port: int) -> tuple[int, int]:
        """See `Facts.accept_queue`."""
        return self._ask(self._facts.accept_queue, node, port)

    def counters(self, node: str) -> Mapping[str, int]:
        """See `Facts.counters`."""
        return self._ask(self._facts.counters, node)

    def _ask(self, question: Callable[..., T], *words: str | int) -> T:
        key = (question.__name__, *words)
        if key not in self._known:
            self._known[key] = question(*words)
        found: T = self._known[key]
        return found
