"""An independent witness: a packet socket on every interface of every node."""

from __future__ import annotations

import contextlib
import socket
from collections import Counter
from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.kernel.graphlab import GraphLab

ETH_P_ALL = 3
PACKET_OUTGOING = 4
SO_RCVBUFFORCE = 33
Place = tuple[str, str, str]  # node, interface, direction


class Witness:
    """What the kernel gives to packet sockets, as tcpdump would see it."""

    def __init__(self, lab: GraphLab) -> None:
        self._sockets: dict[tuple[str, str], socket.socket] = {}
        for node in lab.slots:
            for interface in lab.interfaces(node):
                self._sockets[node, interface] = lab.within(node, partial(_tap, interface))
        self.frames: list[tuple[Place, bytes]] = []

    def read(self) -> None:
        """Take what has come."""
        for (node, interface), tap in self._sockets.items():
            with contextlib.suppress(BlockingIOError):
                while True:
                    data, address = tap.recvfrom(65_535)
                    way = "tx" if address[2] == PACKET_OUTGOING else "rx"
                    self.frames.append(((node, interface, way), data))

    def places(self, wanted: Callable[[bytes], bool]) -> Counter[Place]:
        """Return where frames were seen, and how often."""
        return Counter(place for place, data in self.frames if wanted(data))

    def close(self) -> None:
        for tap in self._sockets.values():
            tap.close()


def _tap(interface: str) -> socket.socket:
    tap = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
    tap.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 4 << 20)
    tap.bind((interface, ETH_P_ALL))
    tap.setblocking(False)
    return tap


@contextlib.contextmanager
def watching(lab: GraphLab) -> Iterator[Witness]:
    """Give a witness whose sockets are closed at the end: they would hold the namespaces."""
    witness = Witness(lab)
    try:
        yield witness
    finally:
        witness.close()
