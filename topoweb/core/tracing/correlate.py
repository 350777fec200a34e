"""Which sightings are the same packet.

The keys, in order: the kernel's buffer, confirmed by equal content (buffers are reused within
microseconds, so never the buffer alone); equal content (`core.packets.summary`'s identity); equal
content but for what NAT rewrites, where the packet had just arrived at the node that now sends it.
"""

from __future__ import annotations

from collections import OrderedDict
from itertools import islice
from typing import TYPE_CHECKING

from topoweb.core.packets import identity_of
from topoweb.core.tracing.keys import (
    NO_MACS,
    addresses,
    carries,
    datagram,
    hop_limit,
    inside,
    is_fragment,
    nat_key,
)

if TYPE_CHECKING:
    from topoweb.core.tracing.exchanges import Conversation
    from topoweb.core.tracing.observation import Observation

WINDOW_NS = 2_000_000_000  # between two sightings of a packet
QUEUED_NS = 10_000_000_000  # likewise in a node that looks for the next hop's MAC meanwhile
LATE_NS = 60_000_000_000  # until a drop: ARP gives up after 3 s, reassembly after 30 s
REPEAT_NS = 200_000_000
BUFFER_NS = 50_000_000
CAPACITY = 4096  # packets remembered
KEPT_BYTES = 16 << 20  # of all sightings
SIGHTING_BYTES = 600  # of one, beside its data
STORY_SIGHTINGS = 2048  # kept of one packet
LOOP_SIGHTINGS = 256  # likewise, at places where it has been before: a loop has no end
BUFFERS = 8192
CUT_LATELY = 16  # packets among which a fragment's whole is looked for
LOOK_BACK = 16  # sightings by which a sender is told from others
RECOGNISABLE = 24  # bytes of a frame; a shorter one is like many others


class Story:
    """A packet and where it was seen, in the order of arrival."""

    __slots__ = (
        "answers", "arrivals", "bytes", "conversation", "crossings", "firsts", "forgotten",
        "identities", "identity", "latest", "looked", "mark", "nat", "number", "outer",
        "own_copy", "places", "seen", "time_ns", "versions",
    )  # fmt: skip

    def __init__(self, number: int, latest: Observation, identity: int) -> None:
        self.number = number
        self.latest, self.identity = latest, identity  # sighting, and its content's
        self.time_ns = latest.time_ns
        self.forgotten = False
        self.seen: list[Observation] = []
        self.identities: list[int] = []  # of each sighting
        self.versions: list[int] = []  # the identities; more than one after NAT
        self.firsts: list[Observation] = []  # of each version: how it was seen first
        self.nat = 0  # its NAT key
        self.places: dict[tuple[str, str, str], int] = {}  # node, interface, direction → latest
        self.arrivals: dict[str, int] = {}  # node → when it last came there
        self.crossings: dict[str, int] = {}  # of a cable, one way → sightings that are owed
        self.outer = 0  # number of the packet that carried it through a tunnel
        self.bytes = 0
        self.own_copy = 0  # buffer of the copy that its sender gave to itself
        self.looked = False  # whether its latest version was looked at for what it answers
        self.conversation: Conversation | None = None
        self.answers = ""  # "reply", "refusal" or "error" until it has reached who asked
        self.mark = 0  # which request of the conversation it is or answers


class Correlator:
    """Gives packets their numbers, from 1 on, and keeps their sightings. Memory is bounded.

    Feed it in time order; some tens of microseconds of disorder do no harm.
    """

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._capacity = capacity
        self._number = 0
        self._bytes = 0
        self._stories: OrderedDict[int, Story] = OrderedDict()  # by number, oldest first
        self._alike: dict[int, Story] = {}  # by identity, the newest of it
        self._rewritten: dict[int, Story] = {}  # by NAT key, the newest of it
        self._buffers: dict[int, Story] = {}
        self._older_buffers: dict[int, Story] = {}
        self._rewritten_buffers: dict[int, Story] = {}  # by buffer and NAT key

    def __len__(self) -> int:
        """Return how many packets are remembered."""
        return len(self._stories)

    def get(self, number: int) -> Story | None:
        """Return a packet that is still remembered."""
        return self._stories.get(number)

    def place(self, seen: Observation) -> tuple[Story, bool]:
        """Return the packet that was seen; True when it is a part of its story.

        A broadcast's copy that its sender gives to itself is none: it crosses no cable.
        """
        held = self._holder(seen) if seen.skb else None
        same = held is not None and (held.latest.data == seen.data or _cut_off(held, seen))
        if held is not None and same:  # the other end of a cable, a bridge
            story, identity = held, held.identity
        else:
            identity = identity_of(seen.data, seen.length)
            story = self._known(identity, held, seen)
        where = (seen.namespace, seen.interface, seen.direction)
        before = story.places.get(where)
        if before is not None and _repeats(story, seen, held, before):
            story, before = self._new(nat_key(seen.data), identity, seen, held), None
        if identity not in story.versions:
            self._put_version(story, identity, seen)
        if seen.skb and (story is not held or seen.direction == "drop"):
            self._hold(story, seen)
        if (story.own_copy or seen.data.startswith(NO_MACS)) and _is_own_copy(story, seen):
            return story, False
        story.places[where] = story.time_ns = seen.time_ns
        story.latest, story.identity = seen, identity
        _note_arrival(story, seen)
        if len(story.seen) < (STORY_SIGHTINGS if before is None else LOOP_SIGHTINGS):
            self._keep(story, seen, identity)
        return story, True

    def _known(self, identity: int, held: Story | None, seen: Observation) -> Story:
        """Return the packet with this content, or that has become it, or else a new one."""
        if held is not None and identity in held.versions:
            return held
        story = self._like(identity, seen)
        if story is not None:
            return story
        key = nat_key(seen.data)
        return self._by_nat(key, identity, held, seen) or self._new(key, identity, seen, held)

    def _put_version(self, story: Story, identity: int, seen: Observation) -> None:
        story.versions.append(identity)
        story.firsts.append(seen)
        story.looked = False
        self._alike[identity] = story

    def _holder(self, seen: Observation) -> Story | None:
        """Return the packet that the buffer held a moment ago."""
        held = self._buffers.get(seen.skb) or self._older_buffers.get(seen.skb)
        if held is None:
            return None
        window = LATE_NS if seen.direction == "drop" else BUFFER_NS
        return held if _holds_still(held, seen, window) else None

    def _like(self, identity: int, seen: Observation) -> Story | None:
        story = self._alike.get(identity)
        if story is None or len(seen.data) < RECOGNISABLE:
            return None
        return story if _is_in_time(story, seen) and not _is_anothers(story, seen) else None

    def _by_nat(
        self, key: int, identity: int, held: Story | None, seen: Observation
    ) -> Story | None:
        if len(seen.data) < RECOGNISABLE:
            return None
        before = self._rewritten_buffers.get(seen.skb ^ key) if seen.skb else None
        if before is not None and _holds_still(before, seen, BUFFER_NS):
            return before if _rewrites(before, seen) else None
        if held is not None and _reassembled(held, seen):
            return held
        story = self._rewritten.get(key)
        if story is None or not _is_in_time(story, seen):
            return self._whole_of(seen)
        if identity in story.versions or leaves(seen) not in story.arrivals:
            return None
        return story if _rewrites(story, seen) else None

    def _whole_of(self, seen: Observation) -> Story | None:
        """Return the packet that a router has just cut into fragments, of which this is one."""
        if not is_fragment(seen.data):
            return None
        wanted, router = datagram(seen.data), leaves(seen)
        for story in islice(reversed(self._stories.values()), CUT_LATELY):
            if router in story.arrivals and story.seen:
                first = story.seen[0].data
                if datagram(first) == wanted and not is_fragment(first):
                    return story
        return None

    def _new(self, key: int, identity: int, seen: Observation, held: Story | None) -> Story:
        self._number += 1
        story = self._stories[self._number] = Story(self._number, seen, identity)
        story.nat = key
        self._rewritten[story.nat] = story
        self._link_tunnel(story, seen, held)
        if len(self._stories) > self._capacity:
            self._forget()
        return story

    def _link_tunnel(self, story: Story, seen: Observation, held: Story | None) -> None:
        """Note which packet carries which: by their buffer, else by the content alone."""
        if held is not None and held.seen:
            if carries(seen, held.seen[-1]):
                held.outer = story.number
            elif carries(held.seen[-1], seen):
                story.outer = held.number
            return
        if frame := inside(seen.data):
            inner = self._alike.get(identity_of(frame, len(frame)))
            if inner is not None and leaves(seen) in inner.arrivals:
                inner.outer = story.number

    def _keep(self, story: Story, seen: Observation, identity: int) -> None:
        story.seen.append(seen)
        story.identities.append(identity)
        size = SIGHTING_BYTES + len(seen.data)
        story.bytes += size
        self._bytes += size
        if self._bytes > KEPT_BYTES and len(self._stories) > 1:
            self._forget()

    def _hold(self, story: Story, seen: Observation) -> None:
        if seen.direction == "drop":  # the buffer is free again
            self._buffers.pop(seen.skb, None)
            self._older_buffers.pop(seen.skb, None)
            return
        self._buffers[seen.skb] = self._rewritten_buffers[seen.skb ^ story.nat] = story
        if len(self._rewritten_buffers) > BUFFERS:
            self._older_buffers, self._buffers = self._buffers, {}
            self._rewritten_buffers.clear()

    def _forget(self) -> None:
        """Let the oldest packet go."""
        _, story = self._stories.popitem(last=False)
        self._bytes -= story.bytes
        story.forgotten = True  # its buffers may still point to it
        story.seen.clear()
        story.identities.clear()
        story.firsts.clear()
        for identity in story.versions:
            if self._alike.get(identity) is story:
                del self._alike[identity]
        if self._rewritten.get(story.nat) is story:
            del self._rewritten[story.nat]


def _holds_still(story: Story, seen: Observation, window: int) -> bool:
    return seen.time_ns - story.time_ns < window and not story.forgotten


def leaves(seen: Observation) -> str:
    """Return the node that a packet has left, or in which it was dropped."""
    return seen.peer if seen.direction == "rx" and seen.link else seen.namespace


def _is_in_time(story: Story, seen: Observation) -> bool:
    """True when a sighting is not too late to be of a packet."""
    age = seen.time_ns - story.time_ns
    if age <= WINDOW_NS:
        return True
    if seen.direction == "drop":
        return age <= LATE_NS
    return age <= QUEUED_NS and leaves(seen) in story.arrivals


def _is_anothers(story: Story, seen: Observation) -> bool:
    """True for equal content by another sender: nodes without an address report alike.

    A router puts in its own MAC and lowers the TTL; who does only the first is no router.
    """
    source = seen.data[6:12]
    if not story.seen or story.seen[-1].data[6:12] == source or not any(source):
        return False
    ttl = hop_limit(seen.data)
    macs = {
        one.data[6:12] for one in story.seen[:LOOK_BACK] if any(one.data[6:12])
        and hop_limit(one.data) == ttl
    }  # fmt: skip
    return bool(macs) and source not in macs


def _note_arrival(story: Story, seen: Observation) -> None:
    """Note which node the packet has come to, or is on its way to."""
    node = seen.namespace
    if seen.direction == "drop" or (seen.direction == "rx" and seen.interface == "lo"):
        return  # what comes from itself is not sent on
    if seen.direction == "tx" and seen.link:  # else from a bridge or tunnel to its ports
        node = seen.peer
    if story.arrivals.get(node, 0) < seen.time_ns:
        story.arrivals[node] = seen.time_ns


def _repeats(story: Story, seen: Observation, held: Story | None, before: int) -> bool:
    """True when the same content is at the same place as ``before`` because it was sent again.

    A packet in a loop comes back within microseconds, and a node does not send it again without
    having received it again.
    """
    if seen.direction == "drop":
        return story is not held  # one buffer ends once
    if story.seen and is_fragment(seen.data) and not is_fragment(story.seen[0].data):
        return False  # the next part of what was cut here
    if seen.time_ns - before > REPEAT_NS:
        return True
    return (
        bool(seen.skb)
        and seen.direction == "tx"
        and story.arrivals.get(seen.namespace, 0) <= before
    )


def _rewrites(story: Story, seen: Observation) -> bool:
    """True when NAT can have made these addresses of the packet's.

    An echo service sends the same content back with the addresses swapped, and a proxy sends it
    on from an address of its own: neither is the same packet.
    """
    source, target = addresses(seen.data)
    ends = [addresses(one.data) for one in story.firsts]
    if (target, source) in ends:
        return False
    if any(source == one or target == other for one, other in ends):
        return True
    last = story.seen[-1] if story.seen else seen
    return hop_limit(seen.data) == hop_limit(last.data) - 1


def _reassembled(held: Story, seen: Observation) -> bool:
    """True for the whole packet in the buffer of a fragment of it."""
    last = held.seen[-1] if held.seen else seen
    return (
        is_fragment(last.data)
        and not is_fragment(seen.data)
        and datagram(last.data) == datagram(seen.data)
    )


def _cut_off(held: Story, seen: Observation) -> bool:
    """True when what was captured differs from what its buffer was seen to hold only at the end.

    A payload in pages of its own is not read where a packet is dropped, and some frames are
    recorded whole.
    """
    last, size = held.latest.data, min(len(held.latest.data), len(seen.data))
    if len(last) == len(seen.data) or size < RECOGNISABLE:
        return False
    return identity_of(last[:size], seen.length) == identity_of(seen.data[:size], seen.length)


def _is_own_copy(story: Story, seen: Observation) -> bool:
    """True for a broadcast's copy that its sender gives to itself, and for the end of that.

    It comes in through the interface and has no Ethernet header yet (dev_loopback_xmit). Packet
    sockets leave it out too.
    """
    if seen.direction == "rx" and seen.interface != "lo" and seen.data.startswith(NO_MACS):
        been = {node for node, _, _ in story.places}
        if seen.link or not been - {seen.namespace}:  # else it came through a tunnel of layer 3
            story.own_copy = seen.skb
            return True
    if seen.direction == "drop" and seen.skb == story.own_copy != 0:
        story.own_copy = 0
        return True
    return False
