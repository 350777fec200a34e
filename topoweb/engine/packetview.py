"""One viewer of a lab's packets: what it has not seen yet, put into messages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from topoweb.engine.judged import nodes_of
from topoweb.engine.packetlog import PacketFilter

if TYPE_CHECKING:
    from collections.abc import Mapping

    from topoweb.engine.judged import Judged
    from topoweb.engine.packetlog import PacketLog

BATCH_ROWS = 500
BATCH_ENDS = 50
BATCH_EXCHANGES = 50


class PacketView:
    """Cursors into a lab's rings. Rows are dropped from the oldest on; ends wait apart."""

    def __init__(self, log: PacketLog, judged: Judged, params: Mapping[str, Any]) -> None:
        self.wanted = PacketFilter(params)
        self._nodes = nodes_of(params)
        self._log, self._judged = log, judged
        self._rows = log.feed.subscribe()
        self._ends, self._exchanges = judged.ends.subscribe(), judged.exchanges.subscribe()
        self._number = log.last_number()
        self._lost, self._unseen = log.lost, judged.unseen

    async def news(self) -> None:
        """Wait until there is something to say."""
        while not self._waiting():
            await self._log.feed.arrival.wait()

    def _waiting(self) -> bool:
        feeds = (self._rows, self._ends, self._exchanges)
        return any(one.waiting() for one in feeds) or self._unseen != self._judged.unseen

    def take(self) -> dict[str, Any] | None:
        """Return the next message without its tier; None when nothing of it is wanted."""
        _, packets = self._rows.take(BATCH_ROWS)
        message: dict[str, Any] = {"gap": 0, "lost": 0}
        message["rows"] = [one.raw for one in packets if self.wanted.passes(one)]
        if packets:
            message["gap"] = packets[-1].number - self._number - len(packets)
            message["lost"] = max(0, self._log.lost - self._lost)
            self._number, self._lost = packets[-1].number, self._log.lost
        message |= self._more()
        return message if any(message.values()) else None

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
