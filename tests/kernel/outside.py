"""A host and an Internet to play with: two namespaces, so that no real network is ever touched."""

from __future__ import annotations

import contextlib
import os
import socket
import struct
import subprocess
from typing import TYPE_CHECKING, TypeVar

from tests.unit.core.test_plan_uplink import drawing
from topoweb.core.plan.diff import diff
from topoweb.core.plan.expand import expand
from topoweb.engine.reconcile import carries
from topoweb.kernel import netns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from topoweb.core.plan.result import ApplyResult
    from topoweb.core.topology.model import Topology
    from topoweb.kernel.lab import LinuxKernel

T = TypeVar("T")
HOST, HOST_PUBLIC, SERVER = "192.168.77.2", "93.184.0.5", "93.184.216.34"
BANNED = ("10.9.9.9", "172.16.5.5", "192.168.77.1", "192.168.99.1", "169.254.169.254", "100.64.1.1")
# SO_LINGER: close by a reset. Else the kernel goes on trying to deliver what was sent, when the way
# is closed meanwhile, and keeps the namespace for it.
AT_ONCE = struct.pack("ii", 1, 0)
OPEN_PORTS = (80, 25, 465, 587)

HOST_SETUP = """
ip link set lo up
ip addr add {public}/32 dev lo
ip link add eth0 type veth peer name eth0 netns {internet}
ip addr add {host}/24 dev eth0
ip link set eth0 up
ip route add default via 192.168.77.1
sysctl -qw net.ipv4.ip_forward=1
"""
INTERNET_SETUP = """
ip link set lo up
ip addr add 192.168.77.1/24 dev eth0
ip link set eth0 up
"""


class Outside:
    """``host`` and ``internet`` are descriptors of namespaces. OPEN_PORTS are open."""

    def __init__(self, stack: contextlib.ExitStack) -> None:
        self._stack = stack
        self.host, self.internet = (self._namespace() for _ in range(2))
        names = {"public": HOST_PUBLIC, "host": HOST, "internet": f"/proc/{os.getpid()}/fd/"}
        names["internet"] += str(self.internet)
        shell(self.host, HOST_SETUP.format(**names))
        addresses = (SERVER, *(one for one in BANNED if one != "192.168.77.1"))
        more = "".join(f"ip addr add {one}/32 dev lo\n" for one in addresses)
        shell(self.internet, INTERNET_SETUP + more)
        self.listeners = {port: self._listen(self.internet, port) for port in OPEN_PORTS}
        self._listen(self.host, 80)

    def on_host(self, call: Callable[[], T]) -> T:
        """Call something as if this process were started in the host's namespace."""
        return netns.run_inside(self.host, call)

    def ruleset(self) -> str:
        """Return all that nft and ip say of the host, to be equal before and after."""
        ways = "nft list ruleset; ip -o link; ip -4 -o addr; ip -4 route show table all"
        text = shell(self.host, ways)
        return "\n".join(line for line in text.splitlines() if " lo " not in line[:8])

    def datagrams(self, port: int) -> socket.socket:
        """Return a UDP socket of the Internet."""

        def bind() -> socket.socket:
            server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
            server.bind((SERVER, port))
            server.settimeout(5)
            return server

        return self._stack.enter_context(netns.run_inside(self.internet, bind))

    def _namespace(self) -> int:
        def make() -> int:
            netns.enter_new()
            return netns.open_fd("/proc/thread-self/ns/net")

        fd = netns.run_apart(make)
        self._stack.callback(os.close, fd)
        return fd

    def _listen(self, fd: int, port: int) -> socket.socket:
        def bind() -> socket.socket:
            return socket.create_server(("0.0.0.0", port), backlog=512)

        return self._stack.enter_context(netns.run_inside(fd, bind))


class Lab:
    """A running lab of `drawing`: h1 and up1, brought up by a kernel that lives on that host."""

    def __init__(self, outside: Outside, kernel: LinuxKernel, lab: int = 3) -> None:
        self.outside, self.kernel, self.number = outside, kernel, lab

    def bring(self, until: int | None, topology: Topology | None = None) -> ApplyResult:
        """Apply what differs; return what became of it."""
        desired = expand(self.number, topology or drawing(), uplink_until=until)

        def work() -> ApplyResult:
            plan = diff(desired, self.kernel.observe(self.number))
            return self.kernel.apply(self.number, plan.steps, lambda _: None, lambda: False)

        result = self.outside.on_host(work)
        while not self.outside.on_host(lambda: carries(self.kernel.observe(self.number))):
            pass  # the kernel tells nobody in particular
        return result

    def uplink(self) -> int | None:
        """Return the state of the uplink as it is read."""
        state = self.outside.on_host(lambda: self.kernel.observe(self.number))
        return state.namespaces["u"].uplink

    @contextlib.contextmanager
    def node(self, node: str) -> Iterator[int]:
        fd = self.kernel.open_namespace(self.number, node)
        try:
            yield fd
        finally:
            os.close(fd)

    def shell(self, node: str, script: str) -> str:
        with self.node(node) as fd:
            return shell(fd, script)

    def reaches(self, address: str, port: int = 80, timeout: float = 1.0) -> bool:
        """Tell whether a TCP connection from h1 comes about."""

        def connect() -> bool:
            try:
                with socket.create_connection((address, port), timeout) as made:
                    made.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)
            except OSError:
                return False
            return True

        with self.node("h") as fd:
            return netns.run_inside(fd, connect)

    @contextlib.contextmanager
    def connection(self, address: str) -> Iterator[Callable[[], bool]]:
        """Connect from h1; yield a function that tells whether the far end still gets bytes."""
        with self.node("h") as fd:
            ours = netns.run_inside(fd, lambda: socket.create_connection((address, 80), 10))
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)
        theirs = None
        with ours:
            port = ours.getsockname()[1]
            while theirs is None:  # others may have connected before
                accepted, peer = self.outside.listeners[80].accept()
                if ours.send(b"?") and peer[1] == port:
                    theirs = accepted
                else:
                    accepted.close()
            with theirs:
                theirs.settimeout(1)
                theirs.recv(100)

                def passes() -> bool:
                    ours.send(b"!")
                    try:
                        return theirs.recv(1) == b"!"
                    except TimeoutError:
                        return False

                assert passes()
                yield passes

    def sender(self, source: str = "") -> socket.socket:
        """Return a UDP socket of h1; the caller closes it."""

        def make() -> socket.socket:
            own = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            own.bind((source, 0))
            return own

        with self.node("h") as fd:
            return netns.run_inside(fd, make)


def shell(fd: int, script: str) -> str:
    """Run a script in a namespace, as an administrator of the host would."""

    def run() -> str:
        done = subprocess.run(
            ["sh", "-ec", script], capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, f"{script}: {done.stdout}{done.stderr}"
        return done.stdout

    return netns.run_inside(fd, run)
