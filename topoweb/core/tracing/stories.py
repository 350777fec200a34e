"""From sightings to stories: packets with their ways, and what they answer.

Belongs to one thread. Cheap for every sighting; a trace is put together when somebody asks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from topoweb.core.tracing.correlate import CAPACITY, Correlator, Story, leaves
from topoweb.core.tracing.exchanges import Conversation, Exchanges
from topoweb.core.tracing.paths import hops
from topoweb.core.tracing.trace import Hop, Trace

if TYPE_CHECKING:
    from topoweb.core.tracing.observation import Observation
    from topoweb.core.tracing.trace import Exchange


PATIENCE = 4  # sightings of a packet until it belongs to no exchange


class Placed(msgspec.Struct, frozen=True, gc=False):
    """What a sighting is."""

    packet: int  # its number
    row: bool  # it stands for a crossing of a cable: the first sighting of that
    ended: bool  # the packet, or a copy of it, was dropped


class Stories:
    """The packets of a lab and their exchanges. Memory is bounded.

    Feed it in time order; some tens of microseconds of disorder do no harm.
    """

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._packets = Correlator(capacity)
        self._exchanges = Exchanges()

    def __len__(self) -> int:
        """Return how many packets are remembered."""
        return len(self._packets)

    def add(self, seen: Observation) -> Placed | None:
        """Take in a sighting; None: a broadcast's copy that its sender gives to itself."""
        story, belongs = self._packets.place(seen)
        if not belongs:
            return None
        if not story.looked:  # an answer may be told of before what it answers
            story.looked = self._exchanges.look(story, seen) or len(story.seen) > PATIENCE
        if story.answers:
            self._exchanges.arrive(story, seen)
        elif len(story.seen) == 2 and story.conversation is not None:
            _note_door(story, story.conversation, seen)
        ended = seen.direction == "drop"
        row = seen.link != "" and not ended and (not seen.skb or _is_crossing(story, seen))
        return Placed(story.number, row, ended)

    def trace(self, packet: int) -> Trace | None:
        """Return a packet's way as far as it was seen; None when it is not remembered any more."""
        story = self._packets.get(packet)
        if story is None:
            return None
        found = hops(story.seen, story.identities, tunnelled=story.outer > 0)
        return Trace(packet, self._with_inferred(story, found), story.outer)

    def exchange_of(self, packet: int) -> Exchange | None:
        """Return the exchange that a packet belongs to."""
        story = self._packets.get(packet)
        if story is None or story.conversation is None:
            return None
        return story.conversation.freeze()

    def exchanges_changed(self) -> list[Exchange]:
        """Return the exchanges that have changed since the last call."""
        return self._exchanges.changed()

    def overdue(self, now_ns: int) -> list[Exchange]:
        """Return the exchanges whose answer is overdue, each once, as unanswered.

        Patience is 1 s after the first request without an answer, 3 s for DHCP.
        """
        return self._exchanges.overdue(now_ns)

    def _with_inferred(self, story: Story, found: tuple[Hop, ...]) -> tuple[Hop, ...]:
        """Add what the kernel does not show: a macvlan child receives through its parent.

        Certain when the parent received the packet for the child's MAC and the child answered.
        """
        if story.conversation is None:
            return found
        followed = {hop.parent for hop in found}
        for place, hop in enumerate(found):
            if hop.seen.direction == "rx" and place not in followed:
                answer = self._answer_by_child(hop.seen, story.conversation)
                if answer is not None:
                    return (*found, Hop(_received_by(hop.seen, answer), place, "inferred"))
        return found

    def _answer_by_child(
        self, received: Observation, conversation: Conversation
    ) -> Observation | None:
        for number in conversation.packets:
            story = self._packets.get(number)
            for one in story.seen if story is not None else ():
                if _is_by_child(one, received):
                    return one
        return None


def _is_by_child(sent: Observation, received: Observation) -> bool:
    """True when the owner of a packet's destination MAC sends, in another node than received."""
    return (
        sent.direction == "tx"
        and not sent.link
        and sent.namespace != received.namespace
        and sent.time_ns > received.time_ns
        and sent.data[6:12] == received.data[:6]
    )


def _is_crossing(story: Story, seen: Observation) -> bool:
    """True for the first of the two sightings of a crossing, which come in either order."""
    cable = seen.link if seen.along == "ab" else f"{seen.link} back"
    owed = story.crossings.get(cable, 0)
    sent = seen.direction == "tx"
    story.crossings[cable] = owed + 1 if sent else owed - 1
    return owed >= 0 if sent else owed <= 0


def _note_door(story: Story, conversation: Conversation, seen: Observation) -> None:
    """Note the node through whose interface a macvlan child's request has gone out.

    Between two children of one parent it is shown to the parent as if it had come in there.
    """
    first = story.seen[0]
    if story.number != conversation.request or first.direction != "tx" or first.link:
        return
    handed = seen.direction == "rx" and len(story.seen) <= 2
    out = seen.direction == "tx" and leaves(seen) != conversation.asker
    if out or (handed and seen.namespace != conversation.asker):
        conversation.doors.add(seen.namespace)


def _received_by(parent: Observation, answer: Observation) -> Observation:
    """Return the sighting that the child must have made."""
    return replace(
        parent, namespace=answer.namespace, interface=answer.interface, link="", peer="", skb=0
    )
