"""What any capture tier (AF_PACKET now, BPF later) says about one packet at one place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Observation:
    """One packet seen once.

    Times are CLOCK_REALTIME nanoseconds from the kernel. ``data`` holds the first ``snaplen``
    bytes from the Ethernet header on, ``length`` the frame's true length.
    """

    time_ns: int
    namespace: str  # node id
    interface: str  # interface name
    direction: Literal["rx", "tx"]  # as the interface sees it
    data: bytes
    length: int
    lab: int = 0
    link: str = ""  # the cable that it crossed
    along: Literal["ab", "ba"] = "ab"  # which way along the cable
    peer: str = ""  # node at the other end of the cable
