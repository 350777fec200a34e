"""Packets that answer each other, and which of them stay without an answer.

A reply counts when it has reached who asked, not when it was sent: a lost reply is no answer.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from heapq import heappop, heappush
from typing import TYPE_CHECKING

from topoweb.core.tracing.correlate import leaves
from topoweb.core.tracing.keys import datagram, is_fragment
from topoweb.core.tracing.roles import Role, role_of
from topoweb.core.tracing.trace import Exchange

if TYPE_CHECKING:
    from collections.abc import Hashable

    from topoweb.core.tracing.correlate import Story
    from topoweb.core.tracing.observation import Observation
    from topoweb.core.tracing.trace import State

CAPACITY = 1024  # conversations
PACKETS = 64  # numbers kept of one
SECOND = 1_000_000_000
PATIENCE_NS = {"dhcp": 3 * SECOND}  # until an answer is overdue; 1 s for the others
RESOLVING = ("arp", "nd")
ASKING = ("request", "opening", "either")
# A later request begins another exchange: neighbours are asked for again and again.
IDLE_NS, IDLE_RESOLVING_NS = 60 * SECOND, 3 * SECOND
TELL_NS = SECOND  # between two news of a connection that only carries data
BROADCAST = "255.255.255.255"


class Conversation:
    """An exchange as it goes on."""

    __slots__ = (
        "asker", "began_ns", "deadline_ns", "doors", "ended_ns", "id", "keys", "kind", "mac",
        "mark", "packets", "port", "replies", "request", "requests", "source", "state", "target",
        "title", "told_ns", "waits",
    )  # fmt: skip

    def __init__(self, number: int, role: Role, story: Story, seen: Observation) -> None:
        self.id = number
        self.kind, self.port, self.title = role.kind, role.port, role.title
        self.source, self.target = role.source, role.target
        self.asker = leaves(seen)
        self.mac = seen.data[6:12]  # the asker's
        self.doors: set[str] = set()  # nodes whose interfaces receive for the asker's (macvlan)
        self.keys: list[Hashable] = []
        self.state: State = "open"
        self.request, self.mark = story.number, role.mark
        self.requests = self.replies = 0
        self.packets: deque[int] = deque(maxlen=PACKETS)
        self.began_ns = self.ended_ns = seen.time_ns
        self.deadline_ns = self.told_ns = 0
        # Of TCP, by the address that sent it: data not acknowledged yet, when it was first sent.
        self.waits: dict[str, tuple[int, int]] = {}

    def freeze(self) -> Exchange:
        """Return it as it is now."""
        return Exchange(
            id=self.id,
            kind=self.kind,
            source=self.source,
            target=self.target,
            request=self.request,
            requests=self.requests,
            replies=self.replies,
            packets=tuple(self.packets),
            began_ns=self.began_ns,
            ended_ns=self.ended_ns,
            state=self.state,
            port=self.port,
            title=self.title,
        )

    def is_idle(self, now_ns: int) -> bool:
        """True when a request now would not belong to it any more."""
        idle = IDLE_RESOLVING_NS if self.kind in RESOLVING else IDLE_NS
        return now_ns - self.ended_ns > idle

    def reached_by(self, seen: Observation) -> bool:
        """True when a packet has come to who asked, as far as the tier can show it."""
        if seen.direction == "rx":
            if seen.namespace == self.asker:
                return True
            return seen.namespace in self.doors and seen.data[:6] == self.mac
        # Without the kernel's buffers there is one sighting a cable: into the last one will do.
        return seen.direction == "tx" and not seen.skb and seen.peer == self.asker


class Exchanges:
    """Groups packets into conversations. Memory is bounded."""

    def __init__(self) -> None:
        self._number = 0
        self._kept: OrderedDict[int, Conversation] = OrderedDict()
        self._by_key: dict[Hashable, Conversation] = {}
        self._changed: dict[int, Conversation] = {}
        self._deadlines: list[tuple[int, int]] = []  # time, id
        # By an error on the way, or sent again in vain: no answer will come.
        self._hopeless: list[Conversation] = []

    def __len__(self) -> int:
        """Return how many conversations are remembered."""
        return len(self._kept)

    def look(self, story: Story, seen: Observation) -> bool:
        """Take in a packet that is new, or that NAT has rewritten just now.

        Return False for an answer to something that was not seen (yet).
        """
        role = role_of(seen.data)
        known = story.conversation
        if role is None:
            return self._join_fragment(story, seen)
        if known is not None:  # what answers it will carry the rewritten addresses
            if role.part in ASKING and story.number == known.request:
                self._also(known, role.key)
        elif role.part in ASKING and role.back not in self._by_key:
            self._ask(story, seen, role)
        else:
            self._join(story, seen, role)
        if is_fragment(seen.data) and story.conversation is not None:
            self._also(story.conversation, datagram(seen.data))
        return story.conversation is not None or role.part in ("member", "reset")

    def arrive(self, story: Story, seen: Observation) -> None:
        """Take in that a packet with ``answers`` was seen: has it come to who asked?"""
        conversation = story.conversation
        if conversation is None or not conversation.reached_by(seen):
            return
        part, story.answers = story.answers, ""
        if part == "reply":
            conversation.replies += 1
            if story.mark == conversation.mark:
                conversation.state = "answered"
        elif conversation.state != "answered" and story.mark == conversation.mark:
            conversation.state = "refused" if part == "refusal" else "unanswered"
            if part == "error":
                self._hopeless.append(conversation)
        self._tell(conversation)

    def changed(self) -> list[Exchange]:
        """Return the exchanges that have changed since the last call."""
        changed, self._changed = self._changed, {}
        return [one.freeze() for one in changed.values()]

    def overdue(self, now_ns: int) -> list[Exchange]:
        """Return the exchanges that stay without an answer, each once until it is answered."""
        silent, self._hopeless = self._hopeless, []
        while self._deadlines and self._deadlines[0][0] <= now_ns:
            deadline_ns, number = heappop(self._deadlines)
            one = self._kept.get(number)
            if one is not None and one.state == "open" and one.deadline_ns == deadline_ns:
                one.state = "unanswered"
                self._tell(one)
                silent.append(one)
        return [one.freeze() for one in silent]

    def _ask(self, story: Story, seen: Observation, role: Role) -> None:
        one = self._by_key.get(role.key)
        if one is None or one.is_idle(seen.time_ns):
            one = self._begin(story, seen, role)
        if leaves(seen) == one.asker:  # a relay does not ask, it passes on
            one.request, one.mark = story.number, role.mark
            one.requests += 1
            if one.state in ("answered", "refused") or one.requests == 1:
                self._open(one, role, seen.time_ns)
        self._add(one, story, role, seen.time_ns)

    def _begin(self, story: Story, seen: Observation, role: Role) -> Conversation:
        self._number += 1
        one = self._kept[self._number] = Conversation(self._number, role, story, seen)
        self._also(one, role.key)
        if len(self._kept) > CAPACITY:
            number, oldest = self._kept.popitem(last=False)
            self._changed.pop(number, None)
            for key in oldest.keys:
                if self._by_key.get(key) is oldest:
                    del self._by_key[key]
        return one

    def _also(self, one: Conversation, key: Hashable) -> None:
        if self._by_key.get(key) is not one:
            self._by_key[key] = one
            one.keys.append(key)

    def _open(self, one: Conversation, role: Role, now_ns: int) -> None:
        """Wait for an answer from now on."""
        one.state = "open"
        if one.kind == "dhcp" and role.target != BROADCAST:
            return  # a renewal, or a release that nobody answers: broadcast follows if it matters
        one.deadline_ns = now_ns + PATIENCE_NS.get(one.kind, SECOND)
        heappush(self._deadlines, (one.deadline_ns, one.id))

    def _join(self, story: Story, seen: Observation, role: Role) -> None:
        """Add a packet that is no request to the conversation that it is about."""
        back, along = self._by_key.get(role.back), self._by_key.get(role.key)
        one = back if back is not None else along
        if one is None:
            return
        if one is back:
            story.answers = _answer(role, one)
            story.mark = role.mark
        if role.part == "member":
            self._progress(one, role, seen.time_ns)
        self._add(one, story, role, seen.time_ns)

    def _progress(self, one: Conversation, role: Role, now_ns: int) -> None:
        """Find a connection that stalls: the same data again and again (RFC 6298), nothing else.

        So it is where large packets get lost and the small ones of the handshake did not.
        """
        waiting = one.waits.get(role.target)
        if waiting and role.acknowledged >= 0 and _after(role.acknowledged, waiting[0]):
            del one.waits[role.target]
            if one.state == "unanswered":
                one.state = "answered"
                self._tell(one)
        if role.data < 0:
            return
        sequence, since_ns = one.waits.get(role.source, (-1, 0))
        if sequence == -1:
            one.waits[role.source] = role.data, now_ns
        elif sequence == role.data and now_ns - since_ns >= SECOND and one.state == "answered":
            one.state = "unanswered"
            self._hopeless.append(one)
            self._tell(one)

    def _join_fragment(self, story: Story, seen: Observation) -> bool:
        """Add a later fragment to what its first one belongs to; True when that is settled."""
        if story.conversation is None and is_fragment(seen.data):
            one = self._by_key.get(datagram(seen.data))
            if one is None:
                return False
            story.conversation = one
            one.packets.append(story.number)
        return True

    def _add(self, one: Conversation, story: Story, role: Role, now_ns: int) -> None:
        story.conversation = one
        one.packets.append(story.number)
        one.ended_ns = max(one.ended_ns, now_ns)
        if role.part != "member" or now_ns - one.told_ns > TELL_NS:
            one.told_ns = now_ns
            self._tell(one)

    def _tell(self, one: Conversation) -> None:
        self._changed[one.id] = one


def _after(one: int, other: int) -> bool:
    """True when a sequence number is later than another: they wrap (RFC 9293 section 3.4)."""
    return 0 < (one - other) % (1 << 32) < 1 << 31


def _answer(role: Role, one: Conversation) -> str:
    """Return what a packet will mean for a conversation when it reaches who asked."""
    if role.part in ("reply", "accepting", "either"):
        return "reply"
    if role.part == "reset":
        return "refusal" if one.replies == 0 else ""
    return role.part if role.part in ("refusal", "error") else ""
