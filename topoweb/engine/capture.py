"""The capture thread: it alone touches the source, the recorders and their stories.

It numbers what it sees, finds what ended and what stays without an answer, and leaves the rest to
others: rows, exchanges and counters to the event loop, questions of "why" to the explainer.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from topoweb.core.errors import ErrorKind, TopowebError
from topoweb.core.tracing import explain
from topoweb.core.tracing.keys import addresses
from topoweb.core.tracing.observation import Unseen
from topoweb.engine.explainer import Case
from topoweb.engine.fates import Drops
from topoweb.engine.rates import CaseRate

if TYPE_CHECKING:
    from topoweb.core.tracing.following import Follower
    from topoweb.core.tracing.observation import Observation
    from topoweb.core.tracing.stories import Stories
    from topoweb.core.tracing.trace import Exchange, Trace
    from topoweb.engine.fates import Drop
    from topoweb.engine.packetlog import Packet, Recorded, Recorder

T = TypeVar("T")
Command = Callable[[], None]

GATHER = 0.01  # seconds that the thread lets packets come together
CROWD = 1000  # that come together by themselves
IDLE, ATTENTIVE = 1.0, 0.2  # seconds that a poll lasts at most: with no lab, with one
PENDING = 8192  # packets between the thread and the loop, a lab
EXCHANGES = 1024  # that have changed, likewise
COUNTERS_EVERY = 0.2  # seconds
UNDER_WAY_NS = 100_000_000  # that a packet may be between two stations
TRACES_OF_CASE = 16  # packets of an exchange that the explainer is shown: the newest

NOTHING = Unseen()

log = logging.getLogger(__name__)


class CaptureSource(Protocol):
    """A tier of capture (AF_PACKET or BPF). All but `wake` run in the capture thread.

    A source finds the places of a lab in its manifest and follows their changes by itself.
    """

    @property
    def tier(self) -> str:
        """Its name, shown to viewers."""

    def watch(self, lab: int) -> None:
        """Capture a lab from now on."""

    def unwatch(self, lab: int) -> None:
        """Stop; hold nothing of the lab any more."""

    def poll(self, timeout: float) -> list[Observation]:
        """Wait at most ``timeout`` seconds; return what was seen, in kernel time order."""

    def lost(self, lab: int) -> int:
        """Return the packets lost by the kernel since the lab is watched."""

    def unseen(self, lab: int) -> Unseen:
        """Return the events that were not recorded since the lab is watched."""

    def follow(self, lab: int, source: str, target: str, protocol: int) -> None:
        """Leave out nothing of a flow, in either direction; ``source`` "" is any address."""

    def unfollow(self, lab: int, source: str, target: str, protocol: int) -> None:
        """Undo `follow`."""

    def take_whole(self, lab: int, wanted: bool) -> None:
        """Record up to 2,048 bytes of every frame of a lab that is watched, or no longer."""

    def wake(self) -> None:
        """Make a waiting `poll` return. From any thread."""

    def close(self) -> None:
        """Release everything."""


class Keeper(Protocol):
    """Keeps what is seen of one lab, for a recording."""

    def keep(self, taken: Sequence[Recorded]) -> None:
        """Keep a batch, in the capture thread: within 0.5 µs a sighting, without an exception."""

    def exchanged(self, exchange: Exchange, verdict: Mapping[str, Any] | None) -> None:
        """Keep the newest state of an exchange. On the event loop."""

    def ended(self, end: Mapping[str, Any]) -> None:
        """Keep where and why a packet ended, as PACKETS tells it. On the event loop."""


@dataclass(slots=True)
class News:
    """What the loop has not taken yet of a lab. Bounded: the oldest go."""

    packets: deque[Packet] = field(default_factory=lambda: deque(maxlen=PENDING))
    exchanges: OrderedDict[int, Exchange] = field(default_factory=OrderedDict)
    drops: deque[Drop] = field(default_factory=lambda: deque(maxlen=PENDING))
    lost: int = 0
    unseen: Unseen = NOTHING

    def put(self, exchanges: Iterable[Exchange]) -> None:
        """Keep the newest state of each exchange."""
        for one in exchanges:
            self.exchanges[one.id] = one
        while len(self.exchanges) > EXCHANGES:
            self.exchanges.popitem(last=False)


@dataclass(slots=True)
class _Lab:
    """A lab that is watched."""

    recorder: Recorder
    keeper: Keeper | None
    rate: CaseRate = field(default_factory=CaseRate)
    drops: Drops = field(default_factory=Drops)
    followers: list[Follower] = field(default_factory=list)
    unseen: Unseen = NOTHING


class CaptureThread:
    """Polls the source and hands what it finds over to the loop that made it."""

    def __init__(
        self,
        source: CaptureSource,
        deliver: Callable[[int, News], None],
        puzzle: Callable[[Case], bool],
    ) -> None:
        """``deliver(lab, news)`` is called on the loop, ``puzzle(case)`` in this thread."""
        self._source = source
        self._deliver, self._puzzle = deliver, puzzle
        self._loop = asyncio.get_running_loop()
        self._commands: SimpleQueue[Command] = SimpleQueue()
        self._labs: dict[int, _Lab] = {}
        self._news: dict[int, News] = {}
        self._lock = threading.Lock()  # guards _news
        self._counters_due = 0.0
        self._stopping = threading.Event()
        self._ended = False  # no command is taken any more
        self._thread = threading.Thread(target=self._run, name="capture", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread, which closes the source. Not from the loop: it blocks."""
        self._stopping.set()
        self._source.wake()
        self._thread.join()

    def submit(self, work: Callable[[CaptureThread], T]) -> Future[T]:
        """Run ``work`` in the thread. Its result or exception is the future's."""
        done: Future[T] = Future()

        def command() -> None:
            if not done.set_running_or_notify_cancel():
                return
            if self._ended:
                done.set_exception(TopowebError(ErrorKind.BUSY, "the tracer is stopping"))
                return
            try:
                done.set_result(work(self))
            except Exception as error:  # noqa: BLE001 - raised again where it is awaited
                done.set_exception(error)

        self._commands.put(command)
        self._source.wake()
        return done

    # All below runs in the thread.

    def watch(self, lab: int, recorder: Recorder, keeper: Keeper | None = None) -> None:
        """Capture a lab with a recorder, and have a keeper keep what it takes in."""
        if lab not in self._labs:
            self._labs[lab] = _Lab(recorder, keeper)
        self._source.watch(lab)

    def unwatch(self, lab: int) -> None:
        """Stop capturing a lab."""
        self._labs.pop(lab, None)
        self._source.unwatch(lab)

    def follow(self, lab: int, follower: Follower) -> None:
        """Show a follower all that is seen of its lab from now on."""
        self._source.follow(lab, *follower.flow)
        self._labs[lab].followers.append(follower)

    def unfollow(self, lab: int, follower: Follower) -> None:
        """Show it no more."""
        state = self._labs.get(lab)
        if state is not None and follower in state.followers:
            state.followers.remove(follower)
            self._source.unfollow(lab, *follower.flow)

    def take_whole(self, lab: int, wanted: bool) -> None:
        """Record a lab's frames whole, or no longer."""
        self._source.take_whole(lab, wanted)

    def story(self, lab: int, packet: int) -> tuple[Trace | None, Exchange | None]:
        """Return a packet's trace and exchange as far as they are kept."""
        state = self._labs.get(lab)
        if state is None:
            return None, None
        return state.recorder.stories.trace(packet), state.recorder.stories.exchange_of(packet)

    def traces(self, lab: int, packets: Iterable[int]) -> tuple[Trace, ...]:
        """Return the traces of packets that are kept."""
        state = self._labs.get(lab)
        return () if state is None else _traces(state.recorder.stories, packets)

    def _run(self) -> None:
        try:
            while not self._stopping.is_set():
                self._obey()
                self._turn()
        finally:
            self._source.close()
            self._ended = True
            self._obey()

    def _obey(self) -> None:
        while True:
            try:
                command = self._commands.get_nowait()
            except Empty:
                return
            command()

    def _turn(self) -> None:
        try:
            seen = self._source.poll(ATTENTIVE if self._labs else IDLE)
            self._record(seen)
        except Exception:  # one bad moment must not end every capture
            log.exception("capture failed")
            self._stopping.wait(1.0)
            return
        if 0 < len(seen) < CROWD:
            self._stopping.wait(GATHER)

    def _record(self, seen: Sequence[Observation]) -> None:
        """Number what was seen and leave it for the loop, which is told once until it comes."""
        taken: dict[int, list[Recorded]] = {}
        failed = False
        for one in seen:
            state = self._labs.get(one.lab)
            if state is None:
                continue
            try:
                self._take(state, one, taken.setdefault(one.lab, []))
            except Exception:  # what is in one packet must not end the capture of all labs
                if not failed:
                    log.exception("a packet of lab %d could not be taken in", one.lab)
                failed = True
        fresh = {lab: self._kept(lab, batch) for lab, batch in taken.items()}
        counted = self._count()
        # What happened later is still to be read: an answer may be among it.
        now = seen[-1].time_ns if seen else time.time_ns()
        changed = {lab: self._exchanges(lab, state, now) for lab, state in self._labs.items()}
        self._leave(
            {lab: rows for lab, rows in fresh.items() if rows},
            {lab: some for lab, some in changed.items() if some},
            counted,
        )

    def _take(self, state: _Lab, seen: Observation, taken: list[Recorded]) -> None:
        recorded = state.recorder.record(seen)
        if recorded is None:
            return
        taken.append(recorded)
        if recorded.ended:
            self._end(state, recorded)
        for follower in state.followers:
            follower.look(seen, recorded.packet, state.recorder.stories)

    def _kept(self, lab: int, taken: Sequence[Recorded]) -> list[Packet]:
        """Hand a batch to the lab's keeper; return its rows."""
        keeper = self._labs[lab].keeper
        if keeper is not None:
            keeper.keep(taken)
        return [one.row for one in taken if one.row is not None]

    def _end(self, state: _Lab, recorded: Recorded) -> None:
        """Have a packet's end explained, unless it is noise or was explained a moment ago."""
        seen = recorded.seen
        if explain.classify(seen.reason, seen.symbol, seen.data) == "noise":
            return
        key = (seen.reason, seen.symbol, seen.namespace, seen.interface, addresses(seen.data))
        repeated = state.rate.admit(key, seen.time_ns)
        state.drops.note(key, recorded.packet, explained=repeated is not None)
        if repeated is None:
            return
        trace = state.recorder.stories.trace(recorded.packet)
        hop = (
            next((hop for hop in reversed(trace.hops) if hop.seen is seen), None) if trace else None
        )
        if trace is None or hop is None:
            return
        if not self._puzzle(Case(seen.lab, repeated, traces=(trace,), drop=hop)):
            state.rate.leave_out(key, repeated)

    def _exchanges(self, lab: int, state: _Lab, now: int) -> list[Exchange]:
        """Return the exchanges that have changed; those without an answer go to the explainer."""
        stories = state.recorder.stories
        for one in stories.overdue(now):
            for follower in state.followers:
                follower.hear(one)
            key = ("silence", one.kind, one.source, one.target, one.port)
            repeated = state.rate.admit(key, now)
            if repeated is None:
                continue
            traces = _settled(_traces(stories, one.packets[-TRACES_OF_CASE:]), now)
            if not any(trace.packet == one.request for trace in traces):
                continue  # in a flood: it is still under way, or forgotten already
            if not self._puzzle(Case(lab, repeated, traces=traces, exchange=one)):
                state.rate.leave_out(key, repeated)
        changed = stories.exchanges_changed()
        for follower in state.followers:
            for one in changed:
                follower.hear(one)
        return changed

    def _count(self) -> dict[int, Unseen]:
        """Return the counters that have changed; a few times a second, since asking costs."""
        now = time.monotonic()
        if now < self._counters_due:
            return {}
        self._counters_due = now + COUNTERS_EVERY
        changed = {}
        for lab, state in self._labs.items():
            unseen = self._source.unseen(lab)
            if unseen != state.unseen:
                state.unseen = changed[lab] = unseen
        return changed

    def _leave(
        self,
        packets: dict[int, list[Packet]],
        exchanges: dict[int, list[Exchange]],
        counted: dict[int, Unseen],
    ) -> None:
        dropped = {lab for lab, state in self._labs.items() if state.drops}
        labs = packets.keys() | exchanges.keys() | counted.keys() | dropped
        if not labs:
            return
        with self._lock:
            tell = not self._news
            for lab in labs:
                news = self._news.setdefault(lab, News())
                news.packets.extend(packets.get(lab, ()))
                news.put(exchanges.get(lab, ()))
                news.drops.extend(self._labs[lab].drops.take())
                news.lost = self._source.lost(lab)
                news.unseen = self._labs[lab].unseen
        if tell and not self._stopping.is_set():
            self._loop.call_soon_threadsafe(self._hand_over)

    def _hand_over(self) -> None:
        """Runs on the loop."""
        with self._lock:
            waiting, self._news = self._news, {}
        for lab, news in waiting.items():
            self._deliver(lab, news)


def _settled(traces: Iterable[Trace], now: int) -> tuple[Trace, ...]:
    """Return the packets that are not under way any more."""
    return tuple(one for one in traces if now - one.hops[-1].seen.time_ns >= UNDER_WAY_NS)


def _traces(stories: Stories, packets: Iterable[int]) -> tuple[Trace, ...]:
    found: Iterator[Trace | None] = (stories.trace(number) for number in packets)
    return tuple(trace for trace in found if trace is not None)
