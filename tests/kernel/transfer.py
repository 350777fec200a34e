"""A TCP transfer between two drawn hosts, n1 to n2 at 10.0.0.2."""

from __future__ import annotations

import os
import socket
import threading
import time
from typing import TYPE_CHECKING

from tests.kernel.plans import LAB
from topoweb.kernel import netns

if TYPE_CHECKING:
    from topoweb.kernel.lab import LinuxKernel

TARGET = ("10.0.0.2", 4711)


def transfer(kernel: LinuxKernel, size: int) -> float:
    """Send ``size`` bytes in one write; return the seconds until all have arrived."""
    fds = [kernel.open_namespace(LAB, node) for node in ("n1", "n2")]
    server = netns.run_inside(fds[1], lambda: socket.create_server(TARGET))
    client = netns.run_inside(fds[0], socket.socket)
    got = bytearray()

    def receive() -> None:
        peer, _ = server.accept()
        with peer:
            while data := peer.recv(1 << 16):
                got.extend(data)

    reader = threading.Thread(target=receive)
    reader.start()
    try:
        began = time.monotonic()
        client.connect(TARGET)
        client.sendall(bytes(size))
        client.shutdown(socket.SHUT_WR)
        reader.join(30)
        assert len(got) == size
        return time.monotonic() - began
    finally:
        client.close()
        server.close()
        for fd in fds:
            os.close(fd)
