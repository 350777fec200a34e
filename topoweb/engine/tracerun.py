"""The TRACE stream: a packet is foretold, sent by somebody else, followed, and judged."""

from __future__ import annotations

import asyncio
import ipaddress
import time
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import msgspec

from topoweb.core.errors import ErrorKind, TopowebError
from topoweb.core.tracing import explain
from topoweb.core.tracing.explain import dryrun, headers
from topoweb.core.tracing.explain.filtering import walked
from topoweb.core.tracing.following import Follower
from topoweb.core.tracing.trace import Exchange
from topoweb.core.tracing.wire import HOPS, exchange_json, foretold_json, trace_json
from topoweb.protocol.frames import ARMED

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence

    from topoweb.core.tracing.explain.dryrun import Foretold, Request
    from topoweb.core.tracing.explain.facts import Facts, Passed
    from topoweb.core.tracing.explain.verdict import Verdict
    from topoweb.core.tracing.trace import Hop, Trace
    from topoweb.engine.capture import CaptureThread
    from topoweb.engine.explainer import Explainer
    from topoweb.engine.ports import RuleTracer
    from topoweb.engine.streams import Session

T = TypeVar("T")

LOOK_EVERY = 0.05  # seconds: at most 20 looks a second
PATIENCE = 10.0  # seconds that an exchange is followed at most
GRACE = 0.15  # seconds after it is settled, for the last hops of its last packet
SECOND_SERVER = 1.0  # likewise of DHCP: another server may offer, too
LEARNING = 2.5  # likewise of a connection that was told an MTU: does it send smaller segments?
NOTHING_FORETOLD, NOTHING = 2.5, 8.0  # seconds without any packet: was it foretold or not
MANY = 24  # hops more after which a packet may be going round
SETTLED = ("answered", "unanswered", "refused")
KINDS = {"icmp": "echo", "tcp": "tcp", "udp": "udp"}
PORTS = range(1, 65536)


class Tools(NamedTuple):
    """What a run needs of the tracer."""

    capture: CaptureThread
    explainer: Explainer
    tier: str
    rules: RuleTracer | None = None  # None: rules are not watched here


class _Seen(NamedTuple):
    """How far an exchange is."""

    exchange: Exchange | None
    traces: tuple[Trace, ...]
    resolutions: frozenset[int] = frozenset()  # packets of nodes on the way that find next hops

    @property
    def own(self) -> tuple[Trace, ...]:
        """The traces of what was asked for and of its answers."""
        return tuple(trace for trace in self.traces if trace.packet not in self.resolutions)


class TraceRun:
    """One TRACE stream, from its dry run to its verdict."""

    def __init__(self, session: Session, tools: Tools) -> None:
        self._session = session
        self._lab = session.token.lab
        self._capture, self._explainer, self._tier, self._rules = tools
        self._request = request_of(session.params)
        self._told: dict[int, int] = {}  # packet → hops that the viewer knows of
        self._circled: dict[int, int] = {}  # packet → hops when it was last looked at for a circle
        self._judged: dict[tuple[Hashable, ...], Verdict] = {}  # by `_place`

    async def run(self) -> None:
        """Run it; the lab is being captured."""
        foretold = await self._ask(lambda facts: dryrun.walk(facts, self._request))
        await self._say({"type": "dry", **foretold_json(foretold), "tier": self._tier})
        wish = self._request
        follower = Follower(
            wish.source, wish.target, wish.protocol, wish.port, after_ns=time.time_ns()
        )
        await self._on_capture(lambda capture: capture.follow(self._lab, follower))
        passed: Sequence[Passed] = ()
        try:
            await self._watch_rules(foretold)
            await self._session.send(ARMED)
            seen, verdict = await self._observe(follower, foretold)
        finally:
            self._capture.submit(lambda capture: capture.unfollow(self._lab, follower))
            if self._rules is not None:
                passed = await asyncio.shield(asyncio.to_thread(self._rules.end))
        await self._end(seen, walked(verdict, passed), foretold)

    async def _watch_rules(self, foretold: Foretold) -> None:
        """See by which rules the packet is held, in the nodes on its way that have some."""
        if self._rules is None:
            return
        wish = self._request
        way = dict.fromkeys(step.node for step in foretold.steps)
        nodes, source = await self._ask(
            lambda facts: (
                [node for node in way if facts.rules(node)],
                facts.route(wish.source, wish.target).source,
            )
        )
        if nodes:
            addresses = [one for one in (source, wish.target) if one]
            await asyncio.to_thread(self._rules.begin, nodes, addresses, wish.protocol)

    async def _end(self, seen: _Seen, verdict: Verdict, foretold: Foretold) -> None:
        agree, differs = dryrun.compare(foretold, seen.own)
        shown = explain.as_json(verdict)
        exchange = exchange_json(seen.exchange) if seen.exchange else None
        mended = await self._ask(
            lambda facts: dryrun.mended(facts, self._request, foretold, verdict)
        )
        await self._say({
            "type": "verdict", "exchange": exchange, "verdict": shown,
            "agree": agree, "differs": differs,
            "mended": foretold_json(mended) if mended is not None else None,
        })  # fmt: skip

    async def _observe(self, follower: Follower, foretold: Foretold) -> tuple[_Seen, Verdict]:
        """Tell each packet as it moves on; return all, and why it ended, when it is settled."""
        loop = asyncio.get_running_loop()
        began, settled_at = loop.time(), 0.0
        while True:
            await asyncio.sleep(LOOK_EVERY)
            seen = await self._look(follower)
            verdict = await self._circling(seen) or await self._dropped(seen)
            if verdict is not None:
                return await self._look(follower), verdict
            now = loop.time()
            if seen.exchange is not None and seen.exchange.state in SETTLED:
                settled_at = settled_at or now
            if settled_at and now - settled_at >= self._grace(seen.exchange):
                break
            if now - began >= _patience(follower, foretold):
                break
        if not follower.first and foretold.verdict.kind == "fault":
            return seen, foretold.verdict  # it never left, as was foretold
        return seen, await self._silence(seen)

    def _grace(self, exchange: Exchange | None) -> float:
        """Return how long a settled exchange is looked at, in seconds."""
        if exchange is None or exchange.state != "answered":
            return GRACE
        if any(verdict.code == "mtu-told" for verdict in self._judged.values()):
            return LEARNING
        return SECOND_SERVER if exchange.kind == "dhcp" else GRACE

    async def _look(self, follower: Follower) -> _Seen:
        seen = await self._on_capture(
            lambda _: _Seen(
                follower.exchange,
                tuple(follower.traces.values()),
                frozenset(follower.resolutions),
            )
        )
        for trace in seen.traces:
            told = self._told.get(trace.packet, 0)
            if told != len(trace.hops) and (told < HOPS or len(trace.hops) >= 2 * told):
                self._told[trace.packet] = len(trace.hops)
                await self._say({"type": "trace", "trace": trace_json(trace, seen.exchange)})
        return seen

    async def _dropped(self, seen: _Seen) -> Verdict | None:
        """Return the verdict of a drop that settles the matter; copies may end as they like."""
        fresh = list(self._unjudged(seen))
        if not fresh:
            return None
        verdicts = await self._ask(
            lambda facts: [explain.of_drop(trace, hop, facts) for trace, hop in fresh]
        )
        for (trace, hop), verdict in zip(fresh, verdicts, strict=True):
            self._judged[_place(trace, hop)] = verdict
        settling = (
            verdict
            for (_, hop), verdict in zip(fresh, verdicts, strict=True)
            if verdict.kind == "fault" and not _speaks_of_another(hop)
        )
        return next(settling, None)

    def _unjudged(self, seen: _Seen) -> Iterator[tuple[Trace, Hop]]:
        """Yield the drops that are no noise, one of each kind and place of a packet."""
        met: set[tuple[Hashable, ...]] = set()
        for trace in seen.traces:
            for hop in trace.hops:
                drop = hop.seen
                if drop.direction != "drop":
                    continue
                place = _place(trace, hop)
                if place in self._judged or place in met:
                    continue
                met.add(place)
                if explain.classify(drop.reason, drop.symbol, drop.data) != "noise":
                    yield trace, hop

    async def _circling(self, seen: _Seen) -> Verdict | None:
        """Return the verdict of a frame that goes round and round: it would never settle."""
        grown = [
            trace
            for trace in seen.traces
            if len(trace.hops) >= self._circled.get(trace.packet, 0) + MANY
        ]
        if not grown:
            return None
        self._circled |= {trace.packet: len(trace.hops) for trace in grown}
        found = await self._ask(lambda facts: [explain.of_storm(trace, facts) for trace in grown])
        return next((verdict for verdict in found if verdict is not None), None)

    async def _silence(self, seen: _Seen) -> Verdict:
        """Return why an exchange ended as it did, without a drop that says it."""
        traces = await self._whole(seen)
        verdict = await self._ask(
            lambda facts: explain.of_silence(seen.exchange or self._unborn(facts), traces, facts)
        )
        dropped = [one for one in self._judged.values() if one.kind in ("expected", "unknown")]
        return dropped[-1] if verdict.kind == "unknown" and dropped else verdict

    async def _whole(self, seen: _Seen) -> tuple[Trace, ...]:
        """Return the traces of all of an exchange: somebody else may have answered, too."""
        if seen.exchange is None:
            return seen.own
        followed = {trace.packet for trace in seen.own}
        others = [packet for packet in seen.exchange.packets if packet not in followed]
        return seen.own + await self._on_capture(lambda capture: capture.traces(self._lab, others))

    def _unborn(self, facts: Facts) -> Exchange:
        """Return the exchange of which no packet was seen."""
        wish, now = self._request, time.time_ns()
        source = facts.route(wish.source, wish.target).source
        return Exchange(
            id=0, kind=KINDS[wish.protocol], source=source, target=wish.target, port=wish.port,
            request=0, requests=0, replies=0, packets=(), began_ns=now, ended_ns=now,
            state="unanswered",
        )  # fmt: skip

    async def _say(self, message: Mapping[str, Any]) -> None:
        await self._session.send(msgspec.json.encode(message))

    async def _ask(self, question: Callable[[Facts], T]) -> T:
        return await asyncio.wrap_future(self._explainer.ask(self._lab, question))

    async def _on_capture(self, work: Callable[[CaptureThread], T]) -> T:
        return await asyncio.wrap_future(self._capture.submit(work))


def _place(trace: Trace, hop: Hop) -> tuple[Hashable, ...]:
    """Return what makes a drop of a packet another one than those before."""
    drop = hop.seen
    return trace.packet, drop.namespace, drop.interface, drop.reason, drop.symbol


def _speaks_of_another(hop: Hop) -> bool:
    """Tell whether it is an ICMP error: losing one settles nothing about the packet it is about."""
    return headers.of(hop.seen).quotes is not None


def _patience(follower: Follower, foretold: Foretold) -> float:
    """Return how long to wait, in seconds since it was armed."""
    if follower.first:
        return PATIENCE
    leaves = any(step.direction == "tx" for step in foretold.steps)
    if not leaves and not follower.resolving:
        return NOTHING_FORETOLD
    return NOTHING  # a neighbour that does not answer is given up after 3 s


def request_of(params: Mapping[str, Any]) -> Request:
    """Return what is to be traced. TopowebError INVALID names the param that is wrong."""
    source, target, protocol, port = (
        params.get(name) for name in ("source", "target", "protocol", "port")
    )
    if not isinstance(source, str) or not source:
        raise _wrong("source", "not a node")
    if protocol not in tuple(KINDS):
        raise _wrong("protocol", f"not one of {', '.join(KINDS)}")
    if (port is None) != (protocol == "icmp"):
        raise _wrong("port", "TCP and UDP need a port, ICMP has none")
    if port is not None and (type(port) is not int or port not in PORTS):
        raise _wrong("port", "a port is 1 to 65535")
    try:
        address = ipaddress.ip_address(target if isinstance(target, str) else "")
    except ValueError:
        raise _wrong("target", "not an address") from None
    return dryrun.Request(source=source, target=str(address), protocol=protocol, port=port or 0)


def _wrong(name: str, message: str) -> TopowebError:
    return TopowebError(ErrorKind.INVALID, f"{name}: {message}", path=name)
