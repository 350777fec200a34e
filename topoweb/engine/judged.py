"""What is known of a lab's packets beside their rows: ends, exchanges, verdicts. On the loop."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import msgspec

from topoweb.core.tracing import explain
from topoweb.core.tracing.observation import Unseen
from topoweb.core.tracing.wire import end_json, exchange_json
from topoweb.engine.fates import Fates
from topoweb.engine.feeds import GapFeed

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Mapping

    from topoweb.core.tracing.explain.verdict import Verdict
    from topoweb.core.tracing.observation import Observation
    from topoweb.core.tracing.trace import Exchange
    from topoweb.engine.capture import Keeper
    from topoweb.engine.explainer import Case
    from topoweb.engine.feeds import Arrival

K = TypeVar("K", bound="Hashable")
V = TypeVar("V")

ENDS, EXCHANGES, VERDICTS = 256, 1024, 512  # kept a lab
WORTH_A_WORD = ("fault", "expected", "unknown")  # kinds of verdicts that mark an end


class End(NamedTuple):
    """An end, encoded once for all viewers."""

    node: str
    raw: msgspec.Raw


class Judged:
    """Rings of their own, so that packets never crowd them out."""

    def __init__(self, arrival: Arrival, keeper: Keeper | None = None) -> None:
        self.ends: GapFeed[End] = GapFeed(ENDS, arrival)
        self.exchanges: GapFeed[Exchange] = GapFeed(EXCHANGES, arrival)
        self.fates = Fates(arrival)
        self.unseen = Unseen()
        self._arrival, self._keeper = arrival, keeper
        self._verdicts: OrderedDict[int, dict[str, Any]] = OrderedDict()  # by packet
        self._of_exchange: OrderedDict[int, dict[str, Any]] = OrderedDict()  # by id

    def count(self, unseen: Unseen) -> None:
        """Take the counters of what was not seen."""
        if unseen != self.unseen:
            self.unseen = unseen
            self._arrival.ring()

    def changed(self, exchanges: Iterable[Exchange]) -> None:
        """Tell of exchanges; one that was answered after all loses its verdict."""
        news = list(exchanges)
        for one in news:
            if one.state == "answered":
                self._of_exchange.pop(one.id, None)
        self._tell(news)

    def judge(self, case: Case, verdict: Verdict) -> None:
        """Take a verdict: an end to mark, unless it is none or is marked already."""
        packet = verdict.packet or _packet_of(case)
        verdict = replace(verdict, packet=packet)
        shown = explain.as_json(verdict)
        before = self._verdicts.get(packet)
        if case.exchange is not None:
            if before is not None and before["kind"] == "fault":
                shown = before  # an end that was seen says more than silence
            _keep(self._of_exchange, case.exchange.id, shown)
            self._tell([case.exchange])
        marked = before is not None and before["code"] == shown["code"]
        if verdict.kind not in WORTH_A_WORD or marked:
            return
        _keep(self._verdicts, packet, shown)
        self.fates.judged(packet, shown["code"])
        place, time_ns = _place(case, verdict)
        end = end_json(verdict, shown, place, time_ns) | {"repeated": case.repeated}
        self.ends.publish([End(end["node"], msgspec.Raw(msgspec.json.encode(end)))])
        if self._keeper is not None:
            self._keeper.ended(end)

    def _tell(self, exchanges: list[Exchange]) -> None:
        if exchanges:
            self.exchanges.publish(exchanges)
        if self._keeper is not None:
            for one in exchanges:
                self._keeper.exchanged(one, self._of_exchange.get(one.id))

    def verdict(self, packet: int, exchange: Exchange | None) -> dict[str, Any] | None:
        """Return what was found out about a packet, else about its exchange."""
        found = self._verdicts.get(packet)
        if found is None and exchange is not None:
            return self._of_exchange.get(exchange.id)
        return found

    def exchange_json(self, exchange: Exchange) -> dict[str, Any]:
        """Return an exchange with its verdict, if there is one."""
        return exchange_json(exchange, self._of_exchange.get(exchange.id))


def _packet_of(case: Case) -> int:
    if case.exchange is not None:
        return case.exchange.request
    return case.traces[0].packet


def _place(case: Case, verdict: Verdict) -> tuple[Observation | None, int]:
    """Return the sighting by which to mark an end, and its time."""
    if case.drop is not None:
        return case.drop.seen, case.drop.seen.time_ns
    assert case.exchange is not None
    traces = (trace for trace in case.traces if trace.packet == verdict.packet)
    hops = [hop.seen for trace in traces for hop in trace.hops]
    there = [seen for seen in hops if seen.namespace == verdict.node]
    last = (there or hops)[-1] if hops else None
    return last, last.time_ns if last else case.exchange.ended_ns


def _keep(table: OrderedDict[K, V], key: K, value: V) -> None:
    """Put in an entry, the oldest out."""
    table[key] = value
    table.move_to_end(key)
    if len(table) > VERDICTS:
        table.popitem(last=False)


def nodes_of(params: Mapping[str, Any]) -> frozenset[str]:
    """Return the nodes that a viewer has chosen; none: all."""
    nodes = params.get("nodes")
    chosen = nodes if isinstance(nodes, list) else ()
    return frozenset(one for one in chosen if isinstance(one, str))
