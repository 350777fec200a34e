"""Send back what comes (RFC 862). Arguments: port, then "tcp" and "udp" as wanted."""

import selectors
import socket
import sys

CHUNK = 65536
CLIENTS = 200  # TCP connections at once; more are closed


def listener(port: int, kind: socket.SocketKind) -> socket.socket:
    """Return a socket for IPv6 and IPv4."""
    sock = socket.socket(socket.AF_INET6, kind)
    sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind(("::", port))
    if kind == socket.SOCK_STREAM:
        sock.listen()
    return sock


class Echo:
    """All sockets in one loop."""

    def __init__(self, port: int, protocols: list[str]) -> None:
        self.selector = selectors.DefaultSelector()
        self.clients = 0
        if "tcp" in protocols:
            self.watch(listener(port, socket.SOCK_STREAM), self.accept)
        if "udp" in protocols:
            self.watch(listener(port, socket.SOCK_DGRAM), self.datagram)

    def watch(self, sock: socket.socket, action: object) -> None:
        """Call ``action(sock)`` when something came."""
        self.selector.register(sock, selectors.EVENT_READ, action)

    def run(self) -> None:
        """Serve until we are killed."""
        while True:
            for key, _ in self.selector.select():
                key.data(key.fileobj)

    def accept(self, sock: socket.socket) -> None:
        """Take a connection."""
        client, _ = sock.accept()
        if self.clients >= CLIENTS:
            client.close()
            return
        client.settimeout(5)  # a reader that does not read is hung up on
        self.clients += 1
        self.watch(client, self.stream)

    def stream(self, client: socket.socket) -> None:
        """Answer a part of a stream; hang up at its end."""
        try:
            data = client.recv(CHUNK)
            client.sendall(data)
        except OSError:
            data = b""
        if not data:
            self.selector.unregister(client)
            client.close()
            self.clients -= 1

    def datagram(self, sock: socket.socket) -> None:
        """Answer a datagram."""
        try:
            data, sender = sock.recvfrom(CHUNK)
            sock.sendto(data, sender)
        except OSError as error:  # an ICMP error for an answer before
            print(error, flush=True)  # noqa: T201 - the log


if __name__ == "__main__":
    Echo(int(sys.argv[1]), sys.argv[2:]).run()
