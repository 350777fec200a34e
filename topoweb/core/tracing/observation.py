"""What any capture tier (BPF tracepoints or AF_PACKET) says about one packet at one place."""

from __future__ import annotations

from typing import Literal, NamedTuple

import msgspec


class Observation(msgspec.Struct, frozen=True, gc=False):
    """One packet seen once, or seen to end. A struct, as a hundred thousand a second are made.

    Times are CLOCK_REALTIME nanoseconds from the kernel. ``data`` holds the first ``snaplen``
    bytes from the Ethernet header on, ``length`` the frame's true length.
    """

    time_ns: int
    namespace: str  # node id
    interface: str  # interface name; "" for what a node drops before it has chosen one
    direction: Literal["rx", "tx", "drop"]  # as the interface sees it
    data: bytes
    length: int
    lab: int = 0
    link: str = ""  # the cable at this interface; "" for one that has none (a bridge, lo)
    along: Literal["ab", "ba"] = "ab"  # which way along the cable; of a drop: the way it came
    peer: str = ""  # node at the other end of the cable
    skb: int = 0  # the kernel's buffer, 0 where unknown: buffers are reused within microseconds
    reason: str = ""  # of a drop: name in the kernel's enum skb_drop_reason, without the prefix
    symbol: str = ""  # of a drop: the kernel function that dropped it, "" where not to be known
    segments: int = 1  # of a GSO super-packet: how many packets it would be on a real wire


class Unseen(NamedTuple):
    """Events of a lab that no observation was made of, since the lab is watched."""

    hops: int = 0  # a full ring, or an interface over its rate
    drops: int = 0
    sampled: int = 0  # left out on purpose, whole paths at a time
