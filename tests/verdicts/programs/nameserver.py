"""A DNS server that asks another one for every name and says SERVFAIL when that is silent.

nameserver.py PARENT: run inside a node. What a resolver does at a broken delegation (RFC 2308 §7).
"""

from __future__ import annotations

import contextlib
import socket
import sys

SERVFAIL = 2
PATIENCE = 0.3  # seconds


def main(parent: str) -> None:
    """Serve for ever."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("", 53))
        while True:
            query, asker = server.recvfrom(512)
            answer = query[:2] + bytes([0x81, 0x80 | SERVFAIL]) + query[4:]
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
                client.settimeout(PATIENCE)
                with contextlib.suppress(OSError):
                    client.sendto(query, (parent, 53))
                    answer = client.recv(512)
            server.sendto(answer, asker)


if __name__ == "__main__":
    main(sys.argv[1])
