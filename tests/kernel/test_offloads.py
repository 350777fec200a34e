"""Offloads switched off: as wished, as ethtool says, as packets are seen."""

from __future__ import annotations

import os
import re
import socket
from typing import TYPE_CHECKING

from tests.kernel.plans import LAB, inside
from tests.kernel.transfer import transfer
from topoweb.core.plan.diff import diff
from topoweb.core.plan.expand import expand
from topoweb.core.plan.render import render
from topoweb.core.topology.document import parse
from topoweb.kernel import netns

if TYPE_CHECKING:
    from topoweb.core.plan.state import LabState
    from topoweb.core.topology.model import Topology
    from topoweb.kernel.lab import LinuxKernel

SENT = 10_000  # bytes, in one write
ETH_P_ALL = 3
FRAME_MAX = 1514


def two_hosts(*, offloads: bool) -> Topology:
    return parse(
        {
            "format": "topoweb",
            "version": 1,
            "offloads": offloads,
            "nodes": {"n1": {"kind": "host", "name": "h1"}, "n2": {"kind": "host", "name": "h2"}},
            "interfaces": {
                "i1": {"node": "n1", "name": "eth0", "addresses": ["10.0.0.1/24"]},
                "i2": {"node": "n2", "name": "eth0", "addresses": ["10.0.0.2/24"]},
            },
            "links": {"l1": {"a": "i1", "b": "i2"}},
        }
    )


def bring(kernel: LinuxKernel, *, offloads: bool, previous: LabState | None = None) -> LabState:
    """Bring the lab to its drawing; the plan after it is empty."""
    wanted = expand(LAB, two_hosts(offloads=offloads))
    steps = diff(wanted, kernel.observe(LAB), previous=previous).steps
    assert not kernel.apply(LAB, steps, lambda done: None, lambda: False).failures
    assert not diff(wanted, kernel.observe(LAB), previous=wanted)
    assert not diff(wanted, kernel.observe(LAB))
    return wanted


def on(kernel: LinuxKernel, node: str) -> set[str]:
    """What ethtool calls on, of what a sender may leave to hardware."""
    said = inside(kernel, node, "ethtool -k eth0")
    names = "tx-checksumming|scatter-gather|tcp-segmentation-offload|generic-segmentation-offload"
    return set(re.findall(rf"^({names}|generic-receive-offload): on", said, re.MULTILINE))


BORN = {"tx-checksumming", "scatter-gather", "tcp-segmentation-offload",
        "generic-segmentation-offload"}  # fmt: skip


def test_off_and_on_again_as_ethtool_says(kernel: LinuxKernel) -> None:
    first = bring(kernel, offloads=True)
    assert on(kernel, "n1") == on(kernel, "n2") == BORN
    second = bring(kernel, offloads=False, previous=first)
    assert on(kernel, "n1") == on(kernel, "n2") == set()
    bring(kernel, offloads=True, previous=second)
    assert on(kernel, "n1") == on(kernel, "n2") == BORN


def test_a_lab_that_is_born_without(kernel: LinuxKernel) -> None:
    bring(kernel, offloads=False)
    assert on(kernel, "n1") == on(kernel, "n2") == set()


def test_our_commands_do_the_same(kernel: LinuxKernel) -> None:
    off, still = (expand(LAB, two_hosts(offloads=value)) for value in (False, True))
    bring(kernel, offloads=True)
    for step in diff(off, kernel.observe(LAB)).steps:
        for command in render(step.action, {"n1": "h1", "n2": "h2"}):
            node = "n1" if " h1 " in command else "n2"
            inside(kernel, node, command.partition(" exec h1 ")[2] or command.partition(" h2 ")[2])
    assert not diff(off, kernel.observe(LAB))
    assert diff(still, kernel.observe(LAB)).steps


def test_what_a_user_sets_in_a_terminal_stays(kernel: LinuxKernel) -> None:
    wanted = bring(kernel, offloads=True)
    inside(kernel, "n1", "ethtool -K eth0 tx off sg off tso off gso off gro off")
    assert not diff(wanted, kernel.observe(LAB), previous=wanted)
    assert diff(wanted, kernel.observe(LAB), restore=True)


def test_a_write_crosses_in_frames_of_a_wire(kernel: LinuxKernel) -> None:
    wanted = bring(kernel, offloads=True)
    assert max(frames(kernel)) > 5_000, "one super-packet"
    bring(kernel, offloads=False, previous=wanted)
    seen = frames(kernel)
    assert max(seen) <= FRAME_MAX
    assert sum(size > 1_000 for size in seen) >= SENT // 1448


def frames(kernel: LinuxKernel) -> list[int]:
    """Write 10 kB from n1 to n2 by TCP; return the lengths of the frames that n2 gets."""
    fd = kernel.open_namespace(LAB, "n2")
    kind = socket.SOCK_RAW | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK
    with netns.run_inside(
        fd, lambda: socket.socket(socket.AF_PACKET, kind, socket.htons(ETH_P_ALL))
    ) as tap:
        os.close(fd)
        transfer(kernel, SENT)
        sizes = []
        while True:
            try:
                data, (name, _, direction, *_) = tap.recvfrom(1 << 17)
            except BlockingIOError:
                return sizes
            if name == "eth0" and direction != socket.PACKET_OUTGOING:
                sizes.append(len(data))
