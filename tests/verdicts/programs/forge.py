"""Sends one echo request as no honest stack would: forge.py TARGET [words]. Run inside a node.

Words: ``checksum`` a wrong IP checksum, ``half`` only the first of two fragments, ``from ADDRESS``
another source. The frame goes out of eth0 to the router or neighbour that is known already.
"""

from __future__ import annotations

import os
import socket
import struct
import subprocess
import sys

MORE_FRAGMENTS = 0x2000


def checksum(data: bytes) -> int:
    """Return the Internet checksum (RFC 1071)."""
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def packet(source: str, target: str, words: list[str]) -> bytes:
    """Return the IP packet."""
    echo = struct.pack(">BBHHH", 8, 0, 0, 77, 1) + bytes(56)
    echo = echo[:2] + struct.pack(">H", checksum(echo)) + echo[4:]
    flags = MORE_FRAGMENTS if "half" in words else 0
    ident = os.getpid() & 0xFFFF  # another one each time
    head = struct.pack(
        ">BBHHHBBH4s4s", 0x45, 0, 20 + len(echo), ident, flags, 64, socket.IPPROTO_ICMP, 0,
        socket.inet_aton(source), socket.inet_aton(target),
    )  # fmt: skip
    value = checksum(head) ^ (0x1111 if "checksum" in words else 0)
    return head[:10] + struct.pack(">H", value) + head[12:] + echo


def told(*command: str) -> list[str]:
    """Return the words that a command prints."""
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()


def main(target: str, words: list[str]) -> None:
    """Send it."""
    route = told("ip", "route", "get", target)
    hop = route[route.index("via") + 1] if "via" in route else target
    entry = told("ip", "neigh", "show", hop)
    source = words[words.index("from") + 1] if "from" in words else route[route.index("src") + 1]
    own = told("ip", "-o", "link", "show", "eth0")
    macs = [entry[entry.index("lladdr") + 1], own[own.index("link/ether") + 1]]
    head = b"".join(bytes.fromhex(mac.replace(":", "")) for mac in macs) + b"\x08\x00"
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as link:
        link.bind(("eth0", 0))
        link.send(head + packet(source, target, words))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
