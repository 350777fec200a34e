"""Serve one page. Arguments: port, the page's file. Runs inside a node, on Python's own library."""

import contextlib
import http.server
import socket
import sys
from pathlib import Path


class Page(http.server.BaseHTTPRequestHandler):
    """The same page at every path."""

    server_version = "topoweb"
    sys_version = ""
    body = b""

    def do_GET(self) -> None:
        """Send the page."""
        self.do_HEAD()
        self.wfile.write(self.body)

    def do_HEAD(self) -> None:
        """Send the head only."""
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(self.body)))
        self.end_headers()


class Server(http.server.ThreadingHTTPServer):
    """IPv6 and IPv4 on one socket."""

    address_family = socket.AF_INET6
    daemon_threads = True

    def server_bind(self) -> None:
        """Take IPv4 too, and do not ask DNS for our name as the library does."""
        with contextlib.suppress(OSError):
            self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_name, self.server_port = "localhost", self.server_address[1]


def main(port: int, page: Path) -> None:
    """Serve until we are killed."""
    Page.body = page.read_bytes()
    with Server(("::", port), Page) as server:
        server.serve_forever()


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
