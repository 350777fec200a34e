"""Whose packets the BPF tier sees, for how long, and what becomes of what it does not record."""

from __future__ import annotations

import ctypes
import errno
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.kernel.bpflab import (
    hops,
    needs_bpf,
    of_protocol,
    settle,
    stations,
    tracing,
)
from tests.kernel.plans import LAB, apply, cable, inside, node, two_hosts, up
from tests.kernel.rootless import ordinary_user
from tests.kernel.tracelab import DEADLINE, TraceLab, eventually, udp
from topoweb.core.errors import ErrorKind, TopowebError
from topoweb.core.plan.actions import RemoveNamespace
from topoweb.kernel import manifest as manifests
from topoweb.kernel.forker import FIRST_FD, start_time
from topoweb.kernel.gone import GoneWatch
from topoweb.kernel.holder import Forker, Holder
from topoweb.kernel.manifest import Manifest, Namespace
from topoweb.kernel.ownership import owner_token
from topoweb.kernel.trace.bpf import source as module
from topoweb.kernel.trace.bpf import spaces
from topoweb.kernel.trace.bpf.libbpf import library
from topoweb.kernel.trace.bpf.program import SPACES, Program

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from topoweb.core.tracing.observation import Observation
    from topoweb.kernel.lab import LinuxKernel
    from topoweb.kernel.trace.bpf.source import BpfSource

pytestmark = needs_bpf
ROOT = Path(__file__).parents[2]


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[TraceLab]:
    lab = TraceLab(tmp_path, nodes=3)
    yield lab
    lab.close()


@pytest.fixture
def source(tmp_path: Path) -> Iterator[BpfSource]:
    with tracing(tmp_path) as source:
        yield source


def payloads(source: BpfSource, *awaited: bytes) -> set[tuple[int, bytes]]:
    """(lab, payload) of every UDP packet seen, once those that are awaited have come."""

    def there(seen: list[Observation]) -> bool:
        return {one.data[42:] for one in udp(seen)} >= set(awaited)

    return {(one.lab, one.data[42:]) for one in udp(settle(source, there))}


def test_the_host_and_labs_that_nobody_watches_are_not_seen(
    lab: TraceLab, source: BpfSource
) -> None:
    other = TraceLab(lab.run, lab=8)
    try:
        source.watch(lab.lab)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as own:
            own.sendto(b"host", ("127.0.0.1", 9))
        other.send(0, "10.9.1.2", [b"foreign"])
        lab.send(0, "10.9.1.2", [b"ours"])
        seen = settle(source, hops(2))
        assert {one.data[42:] for one in udp(seen)} == {b"ours"}
        assert {one.lab for one in seen} == {lab.lab}
    finally:
        other.close()


def test_two_labs_with_the_same_addresses_do_not_mix(lab: TraceLab, source: BpfSource) -> None:
    other = TraceLab(lab.run, lab=8)
    try:
        source.watch(lab.lab)
        source.watch(other.lab)
        lab.send(0, "10.9.1.2", [b"seven"])
        other.send(0, "10.9.1.2", [b"eight"])
        assert payloads(source, b"seven", b"eight") == {(7, b"seven"), (8, b"eight")}
        source.unwatch(lab.lab)
        lab.send(0, "10.9.1.2", [b"unseen"])
        other.send(0, "10.9.1.2", [b"seen"])
        assert payloads(source, b"seen") == {(8, b"seen")}
    finally:
        other.close()


def test_the_host_s_namespace_is_refused(monkeypatch: pytest.MonkeyPatch, lab: TraceLab) -> None:
    """A manifest that names it, and a holder that holds it."""
    own = Path("/proc/self/ns/net")
    holder = Holder(os.getpid(), start_time(os.getpid()))
    fd, slot = os.open(own, os.O_RDONLY), 3000
    os.dup2(fd, FIRST_FD + slot)
    try:
        for outer in (False, True):
            forged = Manifest(
                lab=7,
                boot_id=manifests.boot_id(),
                holder=holder,
                userns=lab.userns,
                namespaces={"n0": Namespace(slot, own.stat().st_ino, outer)},
            )
            assert spaces.cookies(forged, ["n0"]) == {}
        monkeypatch.setattr(spaces, "HOST", ())
        assert spaces.cookies(forged, ["n0"]) == {spaces.own_cookie(): "n0"}  # so it was that
    finally:
        os.close(fd)
        os.close(FIRST_FD + slot)
    program = Program(hop_ring=4096, rate=0, burst=0, refused=(spaces.own_cookie(),))
    try:
        with pytest.raises(TopowebError) as refusal:
            program.watch(spaces.own_cookie(), 0)
        assert refusal.value.kind is ErrorKind.FORBIDDEN
    finally:
        program.close()


def test_a_buffer_s_address_is_not_shown(lab: TraceLab, tmp_path: Path) -> None:
    """The kernel's are all near the end of the numbers; the next program has another secret."""
    with tracing(tmp_path) as source:
        source.watch(lab.lab)
        lab.send(0, "10.9.1.2", [b"address"] * 32)
        seen = udp(settle(source, hops(64)))
    buffers = {one.skb for one in seen}
    assert 0 not in buffers
    assert any(buffer >> 47 != (1 << 17) - 1 for buffer in buffers)
    with tracing(tmp_path) as source:
        source.watch(lab.lab)
        lab.send(0, "10.9.1.2", [b"address"] * 32)
        assert not buffers & {one.skb for one in udp(settle(source, hops(64)))}


def test_a_namespace_of_another_user_namespace_is_refused(lab: TraceLab) -> None:
    manifest = manifests.read(lab.run, lab.lab)
    assert manifest is not None
    assert len(spaces.cookies(manifest, manifest.namespaces)) == 3
    forged = Manifest(
        lab=manifest.lab,
        boot_id=manifest.boot_id,
        holder=manifest.holder,
        userns=manifest.userns + 1,
        namespaces=manifest.namespaces,
    )
    assert spaces.cookies(forged, forged.namespaces) == {}


def test_namespaces_that_share_a_place_are_both_watched(lab: TraceLab, source: BpfSource) -> None:
    """As if their cookies had the same low bits."""
    other = TraceLab(lab.run, lab=8)
    try:
        source.watch(lab.lab)
        assert source._program is not None
        taken = spaces.cookies(manifests.read(lab.run, 8), ["n0", "n1"])
        source._program._spaces |= {cookie % SPACES: 1 for cookie in taken}
        source.watch(8)
        assert source._program._crowd == set(taken)
        other.send(0, "10.9.1.2", [b"crowded"])
        lab.send(0, "10.9.1.2", [b"alone"])
        assert payloads(source, b"crowded", b"alone") == {(8, b"crowded"), (7, b"alone")}
        source.unwatch(8)
        other.send(0, "10.9.1.2", [b"gone"])
        assert payloads(source) == set()
    finally:
        other.close()


def test_an_uplink_s_outer_namespace_is_the_lab_s(tmp_path: Path) -> None:
    """It belongs to the worker's user namespace, so the manifest has to say so."""
    forker = Forker(owner_token(tmp_path))
    made = forker.make(9, -1, [0], None, outer=[1])
    try:
        for outer, nodes in ((True, {"n1", "u1"}), (False, {"n1"})):
            manifest = Manifest(
                lab=9,
                boot_id=manifests.boot_id(),
                holder=made.holder,
                userns=made.userns,
                namespaces={
                    "n1": Namespace(0, made.inodes[0]),
                    "u1": Namespace(1, made.inodes[1], outer),
                },
            )
            assert set(spaces.cookies(manifest, manifest.namespaces).values()) == nodes
    finally:
        made.holder.kill()
        forker.close()


def test_a_forged_manifest_is_not_followed(lab: TraceLab, source: BpfSource) -> None:
    lab.write({slot: inode + 1 for slot, inode in lab.inodes.items()})
    source.watch(lab.lab)
    assert source.spaces(lab.lab) == 0


def test_a_watched_namespace_dies_at_once(lab: TraceLab, source: BpfSource) -> None:
    """Nothing of it is held, even before the source has noticed."""
    source.watch(lab.lab)
    watch = GoneWatch(["0", "1", "2"], lambda slot: lab.holder.open_namespace(int(slot)))
    try:
        lab.holder.kill()
        assert watch.wait(DEADLINE) == []
    finally:
        watch.close()
    source.poll(0.1)  # the holder's pidfd says it
    assert source.spaces(lab.lab) == 0
    assert source.poll(0.1) == []


def test_a_lab_that_starts_after_it_is_watched(tmp_path: Path, source: BpfSource) -> None:
    source.watch(7)
    assert source.spaces(7) == 0
    lab = TraceLab(tmp_path)
    try:
        poll_until(source, lambda: source.spaces(7) == 2)
        lab.send(0, "10.9.1.2", [b"hello"])
        assert (7, b"hello") in payloads(source, b"hello")
    finally:
        lab.close()


def poll_until(source: BpfSource, holds: Callable[[], bool]) -> None:
    end = time.monotonic() + DEADLINE
    while not holds():
        assert time.monotonic() < end
        source.poll(0.02)


def test_with_the_worker_s_own_kernel(kernel: LinuxKernel, source: BpfSource) -> None:
    """A running lab grows (another holder takes over), shrinks, and dies under our eyes."""
    apply(kernel, *two_hosts())
    source.watch(LAB)
    assert source.spaces(LAB) == 2
    apply(kernel, *node("n3"), cable("l2", "n1 eth1", "n3 eth0"), *up("n1 eth1", "n3 eth0"))
    poll_until(source, lambda: source.spaces(LAB) == 3)
    inside(kernel, "n1", "ping -c1 -W5 10.0.1.2")
    seen = of_protocol(settle(source), "ICMP")
    path = ["n1:eth0 tx", "n2:eth0 rx", "n2:eth0 tx", "n1:eth0 rx"]
    assert stations(seen)[:4] == path
    assert {one.link for one in seen} == {"l1"}
    removing = threading.Thread(target=apply, args=(kernel, RemoveNamespace(namespace="n3")))
    removing.start()
    poll_until(source, lambda: not removing.is_alive())
    poll_until(source, lambda: source.spaces(LAB) == 2)
    destroying = threading.Thread(target=kernel.destroy, args=(LAB,))
    destroying.start()
    poll_until(source, lambda: not destroying.is_alive())
    assert source.spaces(LAB) == 0


SIGKILLED = """
import sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from topoweb.kernel.trace.bpf.source import BpfSource
source = BpfSource(Path(sys.argv[2]), hop_ring=1 << 20)
source.watch(7)
print(source.spaces(7), flush=True)
while True:
    source.poll(1)
"""


def test_nothing_is_left_in_the_kernel_of_a_tracer_that_is_killed(lab: TraceLab) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", SIGKILLED, str(ROOT), str(lab.run)],
        stdout=subprocess.PIPE, text=True,
    ) as tracer:  # fmt: skip
        assert tracer.stdout is not None
        assert tracer.stdout.readline() == "3\n"
        programs = held_programs(tracer.pid)
        assert len(programs) == 3
        assert all(map(lives, programs))
        tracer.send_signal(signal.SIGKILL)
        tracer.wait()
    eventually(lambda: not any(map(lives, programs)), "programs stayed in the kernel")


def held_programs(pid: int) -> list[int]:
    found = []
    for entry in Path(f"/proc/{pid}/fdinfo").iterdir():
        try:
            text = entry.read_text()
        except FileNotFoundError:  # the one that listed the directory
            continue
        if "prog_type" in text and "link_type" not in text:
            found += [
                int(number) for number in re.findall(r"^prog_id:\t(\d+)$", text, re.MULTILINE)
            ]
    return found


def lives(program: int) -> bool:
    fd = library().bpf_prog_get_fd_by_id(ctypes.c_uint32(program))
    if fd < 0:
        assert fd == -errno.ENOENT
        return False
    os.close(fd)
    return True


def test_the_program_is_there_only_while_somebody_watches(lab: TraceLab, source: BpfSource) -> None:
    assert held_programs(os.getpid()) == []
    source.watch(lab.lab)
    assert len(held_programs(os.getpid())) == 3
    source.unwatch(lab.lab)
    assert held_programs(os.getpid()) == []


def test_the_reason_why_it_cannot_run_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    library.cache_clear()
    try:
        monkeypatch.setattr("topoweb.kernel.trace.bpf.libbpf.NAME", "libbpf.so.none")
        with pytest.raises(TopowebError, match=r"libbpf.so.none is not installed") as missing:
            module.prove()
        assert missing.value.hint == "Install the package libbpf1."
        monkeypatch.setattr("topoweb.kernel.trace.bpf.libbpf.BTF", tmp_path / "none")
        with pytest.raises(TopowebError, match="no BTF"):
            module.prove()
    finally:
        library.cache_clear()


def test_an_ordinary_user_is_told() -> None:
    script = (
        "from topoweb.core.errors import TopowebError\n"
        "from topoweb.kernel.trace.bpf.source import prove\n"
        "try:\n    prove()\nexcept TopowebError as error:\n    print(error.message)\n"
    )
    with ordinary_user() as user:
        said = user.run(sys.executable, "-B", "-c", script)
    assert "the kernel lets us load no BPF programs" in said
