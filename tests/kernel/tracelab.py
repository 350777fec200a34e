"""A line of real namespaces, held and written down as the worker does it, for capture tests."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

from topoweb.core.packets import summary
from topoweb.kernel import manifest as manifests
from topoweb.kernel.holder import Forker, Holder
from topoweb.kernel.manifest import Manifest, Namespace
from topoweb.kernel.netns import run_inside
from topoweb.kernel.ownership import owner_token
from topoweb.kernel.trace.afpacket import AfPacketSource
from topoweb.kernel.trace.wake import notify

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from topoweb.core.tracing.observation import Observation

DEADLINE = 10.0


def eventually(holds: Callable[[], bool], what: str, deadline: float = DEADLINE) -> float:
    """Ask until it holds; return the seconds it took."""
    start = time.monotonic()
    while not holds():
        assert time.monotonic() - start < deadline, what
        time.sleep(0.002)
    return time.monotonic() - start


class TraceLab:
    """n0 - n1 - … with cable l<i> between n<i>:right and n<i+1>:left; inner nodes forward.

    Node i has 10.9.<i>.2/24 on its left and 10.9.<i+1>.1/24 on its right cable.
    """

    def __init__(self, run: Path, lab: int = 7, nodes: int = 2, base: int = -1) -> None:
        self.run, self.lab, self.nodes = run, lab, nodes
        self.forker = Forker(owner_token(run))
        self.links: dict[str, tuple[tuple[str, str], tuple[str, str]]] = {}
        made = self.forker.make(lab, base, list(range(nodes)), None)
        self.holder: Holder = made.holder
        self.userns = made.userns
        self.inodes = dict(made.inodes)
        self.write()
        for index in range(nodes - 1):
            self.cable(index)
        for index in range(nodes):
            self.ip(index, "link set lo up")
            if 0 < index < nodes - 1:
                self.sysctl(index, "net/ipv4/ip_forward", "1")
            if index < nodes - 2:
                self.ip(index, f"route add 10.9.128.0/17 via 10.9.{index + 1}.2", check=False)
        if nodes > 2:
            self.ip(0, "route add default via 10.9.1.2")
            self.ip(nodes - 1, f"route add default via 10.9.{nodes - 1}.1")
        self.wake()

    def write(self, inodes: dict[int, int] | None = None) -> None:
        manifests.write(
            self.run,
            Manifest(
                lab=self.lab,
                boot_id=manifests.boot_id(),
                holder=self.holder,
                userns=self.userns,
                namespaces={f"n{s}": Namespace(s, i) for s, i in (inodes or self.inodes).items()},
                links=self.links,
            ),
        )

    def cable(self, index: int, link: str = "") -> None:
        self.links[link or f"l{index}"] = ((f"n{index}", "right"), (f"n{index + 1}", "left"))
        self.write()
        peer = self.holder.descriptor_path(index + 1)
        self.ip(index, f"link add right type veth peer name left netns {peer}")
        self.ip(index, f"addr add 10.9.{index + 1}.1/24 dev right")
        self.ip(index + 1, f"addr add 10.9.{index + 1}.2/24 dev left")
        self.ip(index, "link set right up")
        self.ip(index + 1, "link set left up")

    def ip(self, node: int, command: str, check: bool = True) -> str:
        return self.inside(node, ["ip", *command.split()], check)

    def inside(self, node: int, argv: list[str], check: bool = True) -> str:
        done = subprocess.run(
            ["nsenter", f"--net={self.holder.descriptor_path(node)}", *argv],
            capture_output=True, text=True,
        )  # fmt: skip
        assert not check or done.returncode == 0, f"{argv}: {done.stderr}"
        return done.stdout

    def sysctl(self, node: int, name: str, value: str) -> None:
        def write() -> None:
            Path("/proc/sys", name).write_text(value)

        self.within(node, write)

    def within(self, node: int, work: Callable[[], object]) -> object:
        fd = self.holder.open_namespace(node)
        try:
            return run_inside(fd, work)
        finally:
            os.close(fd)

    def send(self, node: int, address: str, payloads: list[bytes], port: int = 9) -> None:
        """Send UDP datagrams from a node."""

        def work() -> None:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
                for payload in payloads:
                    udp.sendto(payload, (address, port))

        self.within(node, work)

    def wake(self) -> None:
        notify(self.run, self.lab)

    def close(self) -> None:
        self.holder.kill()
        self.wake()
        self.forker.close()
        manifests.remove(self.run, self.lab)


@contextlib.contextmanager
def capturing(run: Path) -> Iterator[AfPacketSource]:
    """Give a capture source that is closed at the end, with its threads."""
    source = AfPacketSource(run)
    try:
        yield source
    finally:
        source.close()
    assert not [thread for thread in threading.enumerate() if thread.name == "tap-close"]


def collect(
    source: AfPacketSource, enough: Callable[[list[Observation]], bool]
) -> list[Observation]:
    """Poll until it is enough, with a deadline."""
    seen: list[Observation] = []
    end = time.monotonic() + DEADLINE
    while not enough(seen):
        assert time.monotonic() < end, [summary(one.data, one.length)[:4] for one in seen]
        seen += source.poll(0.1)
    return seen


def udp(seen: list[Observation]) -> list[Observation]:
    return [one for one in seen if summary(one.data, one.length).protocol == "UDP"]
