"""What became of a lab's packets, as far as it is known: dropped, and by which verdict."""

from __future__ import annotations

from collections import OrderedDict, deque
from typing import TYPE_CHECKING, NamedTuple

from topoweb.core.packets.filter import Fate
from topoweb.engine.feeds import GapFeed

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable

    from topoweb.engine.feeds import Arrival

CAPACITY = 4096  # packets remembered


class Drop(NamedTuple):
    """A packet that was dropped for no trifle. ``like``: the one that was explained for all such.

    It is the packet itself unless one of the same kind was explained a moment before.
    """

    packet: int
    like: int


class Fates:
    """Fates by packet; ``changed`` tells the numbers of packets of which more is known."""

    def __init__(self, arrival: Arrival) -> None:
        self.changed: GapFeed[int] = GapFeed(CAPACITY, arrival)
        self._like: OrderedDict[int, int] = OrderedDict()  # by dropped packet
        self._similar: dict[int, list[int]] = {}  # the other way round
        self._codes: OrderedDict[int, str] = OrderedDict()  # of verdicts, by packet

    def of(self, packet: int) -> Fate:
        """Return what is known of a packet."""
        like = self._like.get(packet)
        code = self._codes.get(packet) or self._codes.get(packet if like is None else like, "")
        return Fate(like is not None, code)

    def dropped(self, drops: Iterable[Drop]) -> None:
        """Packets were dropped."""
        fresh = [one for one in drops if one.packet not in self._like]
        for packet, like in fresh:
            self._like[packet] = like
            self._similar.setdefault(like, []).append(packet)
        while len(self._like) > CAPACITY:
            packet, like = self._like.popitem(last=False)
            similar = self._similar[like]
            similar.remove(packet)
            if not similar:
                del self._similar[like]
        if fresh:
            self.changed.publish([one.packet for one in fresh])

    def judged(self, packet: int, code: str) -> None:
        """A packet has its verdict, and so have those that were dropped like it."""
        self._codes[packet] = code
        self._codes.move_to_end(packet)
        if len(self._codes) > CAPACITY:
            self._codes.popitem(last=False)
        self.changed.publish(dict.fromkeys([packet, *self._similar.get(packet, ())]))


class Drops:
    """What the capture thread has seen dropped since it last told; belongs to that thread."""

    def __init__(self) -> None:
        self._explained: OrderedDict[Hashable, int] = OrderedDict()  # by kind of drop
        self._fresh: deque[Drop] = deque(maxlen=CAPACITY)

    def __bool__(self) -> bool:
        return bool(self._fresh)

    def note(self, kind: Hashable, packet: int, *, explained: bool) -> None:
        """A packet was dropped; ``explained``: its verdict will stand for all of its kind."""
        if explained:
            self._explained[kind] = packet
            self._explained.move_to_end(kind)
            if len(self._explained) > CAPACITY:
                self._explained.popitem(last=False)
        self._fresh.append(Drop(packet, self._explained.get(kind, packet)))

    def take(self) -> list[Drop]:
        """Return what is new."""
        fresh = list(self._fresh)
        self._fresh.clear()
        return fresh
