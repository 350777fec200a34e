"""Which rules a traced packet goes through, one by one (nft(8) "monitor trace").

Packets are marked by rules in a table of our own. Its owner is a running nft (`flags owner`): when
that ends, however it ends, the kernel takes the table away. Both programs run as the lab's root,
in the lab's user namespace (`ruleset`), and only as long as an explicit trace.
"""

from __future__ import annotations

import contextlib
import os
import re
import select
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

from topoweb.core.errors import TopowebError
from topoweb.core.tracing.explain.facts import Passed
from topoweb.kernel import manifest as manifests
from topoweb.kernel import netns
from topoweb.kernel.forker import USER_FD
from topoweb.kernel.ownership import is_ours
from topoweb.kernel.trace.lookups import NETLINK_NETFILTER
from topoweb.kernel.trace.ruleset import TRACING, inside
from topoweb.kernel.uplink.nft import PATH

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from topoweb.kernel.manifest import Manifest

NODES = 8  # that are looked into at a time
STEPS = 64  # kept of a node
READY, ENDING = 2.0, 2.0  # seconds
LIMIT = 20  # seconds after which a monitor ends that nobody has ended: it holds the namespace
BEFORE_RAW = -350  # priority: before all other hooks of the packet filter
GROUP = 1 << 8  # NFNLGRP_NFTRACE, as /proc/net/netlink shows groups
_LINE = re.compile(
    r"trace id \w+ (?P<table>\w+ \S+) (?P<chain>\S+) (?P<kind>rule|policy|return|unknown rule) ?"
    r"(?P<text>.*?) ?(?:\(verdict (?P<verdict>[^)]+)\))?\s*$"
)


class RuleTrace:
    """Watches one flow in the packet filters of some nodes. One at a time; its calls block."""

    def __init__(self, run_dir: Path, lab: int) -> None:
        self._manifest = _manifest(run_dir, lab)
        self._watched: dict[str, tuple[subprocess.Popen[bytes], subprocess.Popen[bytes]]] = {}

    def begin(self, nodes: Iterable[str], addresses: Sequence[str], protocol: str) -> None:
        """Mark what has one of the addresses. A node where that cannot be is left out."""
        for node in [*nodes][:NODES]:
            with contextlib.suppress(OSError, TopowebError):
                self._begin(node, _script(addresses, protocol))

    def end(self) -> Sequence[Passed]:
        """Stop, and return the rules that were passed, node by node in their order."""
        found: list[Passed] = []
        for node, (holder, monitor) in self._watched.items():
            monitor.terminate()
            found += parse(node, _rest(monitor))
            _rest(holder)
        self._watched.clear()
        return found

    def _begin(self, node: str, script: str) -> None:
        manifest = self._manifest
        at = manifest.namespaces.get(node) if manifest is not None else None
        if manifest is None or at is None or at.outer:
            return
        net_fd = manifest.holder.open_namespace(at.slot)
        user_fd = netns.open_fd(f"/proc/{manifest.holder.pid}/fd/{USER_FD}")
        try:
            if (netns.inode(net_fd), netns.inode(user_fd)) != (at.inode, manifest.userns):
                return
            holder = _start(inside(user_fd, net_fd, "--interactive"), (user_fd, net_fd))
            watching = inside(user_fd, net_fd, "monitor", "trace", seconds=LIMIT)
            monitor = _start(watching, (user_fd, net_fd))
        finally:
            os.close(net_fd)
            os.close(user_fd)
        self._watched[node] = holder, monitor
        assert holder.stdin is not None
        holder.stdin.write(script.encode())
        holder.stdin.flush()
        _wait(holder, monitor)


def parse(node: str, text: str) -> Iterator[Passed]:
    """Yield what `nft monitor trace` says, at most `STEPS`, without our own table."""
    count = 0
    for line in text.splitlines():
        found = _LINE.match(line)
        if found is None or found["table"] == TRACING or count >= STEPS:
            continue
        count += 1
        rule = found["text"] if found["kind"] == "rule" else f"{found['kind']} {found['text']}"
        verdict = found["verdict"] or found["text"].partition(" ")[0]
        yield Passed(
            node=node, table=found["table"], chain=found["chain"], rule=rule.strip(),
            verdict=verdict,
        )  # fmt: skip


def _script(addresses: Sequence[str], protocol: str) -> str:
    """Return the commands that mark a flow, and show the table as a sign that it is there."""
    six = any(":" in address for address in addresses)
    family = "ip6" if six else "ip"
    wire = {"icmp": "ipv6-icmp" if six else "icmp"}.get(protocol, protocol)
    lines = [f"add table {TRACING} {{ flags owner; }}"]
    for hook in ("prerouting", "output"):
        base = f"type filter hook {hook} priority {BEFORE_RAW};"
        lines.append(f"add chain {TRACING} {hook} {{ {base} }}")
        lines += [
            f"add rule {TRACING} {hook} meta l4proto {wire} {family} {end} {address}"
            " meta nftrace set 1"
            for address in addresses
            for end in ("saddr", "daddr")
        ]
    return "\n".join([*lines, "list tables", ""])


def _start(command: list[str], keep: tuple[int, int]) -> subprocess.Popen[bytes]:
    if not command:
        raise FileNotFoundError("nft")
    return subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        pass_fds=keep,
        cwd="/",
        env={"PATH": PATH, "LANG": "C.UTF-8"},
    )


def _wait(holder: subprocess.Popen[bytes], monitor: subprocess.Popen[bytes]) -> None:
    """Wait until the table stands and the monitor listens; without either there is less to see."""
    assert holder.stdout is not None
    select.select([holder.stdout], [], [], READY)
    deadline = time.monotonic() + READY
    while not _listens(monitor.pid) and time.monotonic() < deadline and monitor.poll() is None:
        time.sleep(0.005)


def _listens(pid: int) -> bool:
    """Tell whether somebody has joined the group of traces in a program's network namespace."""
    try:
        lines = Path(f"/proc/{pid}/net/netlink").read_text().splitlines()[1:]
    except OSError:
        return False
    fields = [line.split() for line in lines]
    return any(int(one[1]) == NETLINK_NETFILTER and int(one[3], 16) & GROUP for one in fields)


def _rest(program: subprocess.Popen[bytes]) -> str:
    """End a program by its standard input's end, or by force; return what it printed."""
    try:
        text, _ = program.communicate(timeout=ENDING)
    except subprocess.TimeoutExpired:
        program.kill()
        text, _ = program.communicate()
    return text.decode(errors="replace")


def _manifest(run_dir: Path, lab: int) -> Manifest | None:
    found = manifests.read(run_dir, lab)
    return found if found is not None and is_ours(found) else None
