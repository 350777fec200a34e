"""One viewer of a lab's packets: what it has not seen yet, put into messages."""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, Any

from topoweb.engine.judged import nodes_of
from topoweb.engine.packetfilter import PacketFilter, chosen, within

if TYPE_CHECKING:
    from collections.abc import Mapping

    import msgspec

    from topoweb.engine.feeds import GapReader
    from topoweb.engine.judged import Judged
    from topoweb.engine.packetlog import Packet, PacketLog

BATCH_ROWS = 500
BATCH_ENDS = 50
BATCH_EXCHANGES = 50
BATCH_FATES = 200


class PacketView:
    """Cursors into a lab's rings. Rows are dropped from the oldest on; ends wait apart."""

    def __init__(self, log: PacketLog, judged: Judged, params: Mapping[str, Any]) -> None:
        self._wanted = PacketFilter(params, judged.fates.of)
        self._nodes = nodes_of(params)
        self._log, self._judged = log, judged
        self._rows = log.feed.subscribe()
        self._ends, self._exchanges = judged.ends.subscribe(), judged.exchanges.subscribe()
        self._late = Latecomers(log, judged, self._wanted) if self._wanted.late else None
        self._waits: list[Packet] = []  # taken, but not looked at yet
        self._number = log.last_number()
        self._lost, self._unseen = log.lost, judged.unseen

    async def kept(self, limit: int) -> list[msgspec.Raw]:
        """Return the newest rows from before, oldest first."""
        packets = list(self._log.until(self._number))[::-1]
        found = (await chosen(packets, self._wanted, limit))[::-1] if limit else []
        if self._late is not None:
            self._late.shown(found)
        return [one.raw for one in found]

    async def news(self) -> None:
        """Wait until there is something to say."""
        while not self._waiting():
            await self._log.feed.arrival.wait()

    def _waiting(self) -> bool:
        feeds = (self._rows, self._ends, self._exchanges)
        late = self._late is not None and self._late.waiting()
        told = self._unseen == self._judged.unseen
        return bool(self._waits) or late or not told or any(one.waiting() for one in feeds)

    def take(self) -> dict[str, Any] | None:
        """Return the next message without its tier; None when nothing of it is wanted."""
        message: dict[str, Any] = {"gap": 0, "lost": 0, "rows": []}
        if not self._waits:
            _, self._waits = self._rows.take(BATCH_ROWS)
            if self._waits:
                last, count = self._waits[-1].number, len(self._waits)
                message["gap"] = last - self._number - count
                message["lost"] = max(0, self._log.lost - self._lost)
                self._number, self._lost = last, self._log.lost
        message["rows"] = [one.raw for one in self._wanted_now()]
        message |= self._more()
        return message if any(message.values()) else None

    def _wanted_now(self) -> list[Packet]:
        """Return rows that are wanted, as many as there is time to look at."""
        looked = list(within(self._waits, self._wanted))
        del self._waits[: len(looked)]
        found = [one for one, wanted in looked if wanted]
        if self._late is None:
            return found
        self._late.shown(found)
        before = self._waits[0].number if self._waits else self._number + 1
        return sorted(self._late.take(before) + found, key=attrgetter("number"))

    def _more(self) -> dict[str, Any]:
        """Return the lists that are left out when they are empty."""
        _, ends = self._ends.take(BATCH_ENDS)
        _, exchanges = self._exchanges.take(BATCH_EXCHANGES)
        newest = {one.id: one for one in exchanges}
        told, self._unseen = self._unseen, self._judged.unseen
        unseen = [max(0, now - before) for now, before in zip(self._unseen, told, strict=True)]
        lists = {
            "ends": [one.raw for one in ends if not self._nodes or one.node in self._nodes],
            "exchanges": [self._judged.exchange_json(one) for one in newest.values()],
            "unseen": self._unseen_json(unseen),
        }
        return {name: value for name, value in lists.items() if value}

    def _unseen_json(self, unseen: list[int]) -> dict[str, int]:
        return dict(zip(self._unseen._fields, unseen, strict=True)) if any(unseen) else {}


class Latecomers:
    """Rows that a filter lets through only when it is known what became of their packets."""

    def __init__(self, log: PacketLog, judged: Judged, wanted: PacketFilter) -> None:
        self._log, self._wanted = log, wanted
        self._changed: GapReader[int] = judged.fates.changed.subscribe()
        self._shown: set[int] = set()  # numbers of rows

    def shown(self, packets: list[Packet]) -> None:
        """Remember what the viewer has."""
        self._shown.update(one.number for one in packets)

    def waiting(self) -> bool:
        """True when more is known of some packet."""
        return self._changed.waiting()

    def take(self, before: int) -> list[Packet]:
        """Return the rows numbered under ``before`` that have come to pass."""
        _, changed = self._changed.take(BATCH_FATES)
        if not changed:
            return []
        packets = set(changed)
        found = [
            one
            for one in self._log.until(before - 1)
            if one.packet in packets and one.number not in self._shown and self._wanted.passes(one)
        ]
        self.shown(found)
        self._shown = {number for number in self._shown if number >= self._log.first_number()}
        return found
