"""Opens COUNT TCP connections and keeps them: callers.py TARGET PORT COUNT. Run inside a node.

It listens at UDP 5 when all are open, which is how the exam knows.
"""

from __future__ import annotations

import signal
import socket
import sys


def main(target: str, port: int, count: int) -> None:
    """Open them and wait to be killed."""
    kept = [socket.create_connection((target, port), 2) for _ in range(count)]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ready:
        ready.bind(("", 5))
        signal.pause()
    del kept


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
