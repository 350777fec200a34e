"""tshark, Wireshark's dissector, on one frame: in a container of its own that ends with it.

Hundreds of dissectors written in C read what a node made up, so the program gets nothing but a
read-only ``/usr`` and the frame: a user id that nobody else has, no capability, no network, no
other process, no file to write, no socket, bounded memory, time and output. Its XML is returned
unread; nobody with any privilege parses it.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import signal
import struct
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from topoweb.core.errors import ErrorKind, TopowebError
from topoweb.core.limits import MIB, Limits
from topoweb.kernel import seccomp
from topoweb.kernel.forker import UIDS
from topoweb.kernel.lab import FIRST_UID, UID_RANGES, maps_uids
from topoweb.kernel.sandbox.container import ENVIRONMENT, MASKED, OOM_SCORE
from topoweb.kernel.sandbox.crun import OUT_OF_TIME, OUTPUT, Crun
from topoweb.kernel.sandbox.launch import Launcher
from topoweb.kernel.sandbox.launcher import VIEW
from topoweb.kernel.sandbox.quarters import Quarters, make_skeleton

if TYPE_CHECKING:
    from collections.abc import Iterator

    from topoweb.core.programs import Finished
    from topoweb.kernel.sandbox.cgroups import Groups

TSHARK = "/usr/bin/tshark"
# One frame from standard input; names are not asked for, numbers stay as they are sent.
ARGUMENTS = (
    *(TSHARK, "-n", "-r", "-", "-c", "1", "-T", "pdml"),
    *("-o", "tcp.relative_sequence_numbers:FALSE"),
)
TIMEOUT = 5.0  # seconds
UID = FIRST_UID + UID_RANGES * UIDS  # after those of all labs
NOBODYS_LAB, PLACE = 0, "dissect"  # in the control groups, beside the labs
LIMITS = Limits(memory=512 * MIB, processes=64, node_memory=512 * MIB, node_processes=64, cpu=1.0)
RLIMITS = {
    "RLIMIT_AS": 1024 * MIB,
    "RLIMIT_CORE": 0,
    "RLIMIT_CPU": 5,
    "RLIMIT_FSIZE": MIB,  # crun itself writes its filter into memory under it
    "RLIMIT_MEMLOCK": 0,
    "RLIMIT_NOFILE": 64,
    "RLIMIT_STACK": 8 * MIB,
}
FRAME_MAX = 1 << 16  # bytes
PCAP = struct.Struct("<IHHiIII")  # magic, version 2.4, zone, accuracy, snaplen, link type
PCAP_RECORD = struct.Struct("<IIII")  # seconds, µs, captured, length
ETHERNET = 1  # LINKTYPE_ETHERNET


class Dissector:
    """Runs tshark for one worker. Any thread may call."""

    def __init__(self, run_dir: Path, groups: Groups) -> None:
        self._quarters = Quarters(run_dir / PLACE)
        self._groups = groups
        self._launcher = Launcher()
        self._crun = Crun(self._launcher, self._quarters)
        self._lock = threading.Lock()
        self._ready = False
        self._inside = 0

    def dissect(self, frame: bytes, length: int, time_ns: int) -> bytes:
        """Return PDML of an Ethernet frame of ``length`` bytes of which ``frame`` was captured.

        TopowebError: UNSUPPORTED without tshark or sandboxes, INTERNAL when it ends in another way
        than well, takes too long, or says too much.
        """
        if not Path(TSHARK).exists():
            raise TopowebError(ErrorKind.UNSUPPORTED, "the program tshark is not installed")
        with self._housed():
            done = self._run(_capture(frame[:FRAME_MAX], length, time_ns))
        if done.status == OUT_OF_TIME:
            raise TopowebError(ErrorKind.INTERNAL, f"it took more than {TIMEOUT:g} s")
        if done.status:
            raise TopowebError(ErrorKind.INTERNAL, f"it ended with status {done.status}")
        if len(done.output) >= OUTPUT:
            raise TopowebError(ErrorKind.INTERNAL, "it said more than fits")
        return done.output

    def close(self) -> None:
        """End what runs, and let go."""
        with contextlib.suppress(TopowebError):
            self._groups.kill(NOBODYS_LAB)
        self._launcher.close()

    @contextlib.contextmanager
    def _housed(self) -> Iterator[None]:
        """Have the empty root file system and, as long as anything runs, the control group."""
        with self._lock:
            if not self._ready:
                self._prepare()
                self._ready = True
            if not self._inside:
                self._groups.house(NOBODYS_LAB, LIMITS)
                self._groups.admit(NOBODYS_LAB, PLACE, LIMITS)
            self._inside += 1
        try:
            yield
        finally:
            with self._lock:
                self._inside -= 1
                if not self._inside:
                    self._groups.kill(NOBODYS_LAB)

    def _prepare(self) -> None:
        path = self._quarters.path
        shutil.rmtree(path, ignore_errors=True)
        for directory in (path, self._quarters.crun):
            directory.mkdir(mode=0o711, parents=True)
            directory.chmod(0o711)
        make_skeleton(path / "root", _uid(), single=True)

    def _run(self, capture: bytes) -> Finished:
        name = f"tshark-{secrets.token_hex(6)}"
        groups = self._groups.entered(NOBODYS_LAB, PLACE, name)
        try:
            return self._crun.once(name, config(_uid()), groups, capture, TIMEOUT)
        finally:
            self._end(name)

    def _end(self, name: str) -> None:
        """Kill the container if it still runs, and remove what is left of it."""
        if self._groups.unified is not None:
            self._groups.kill(NOBODYS_LAB, PLACE, name)
        state = self._quarters.crun / name
        with contextlib.suppress(FileNotFoundError, ValueError, ProcessLookupError):
            os.kill(_first_process(state / "status"), signal.SIGKILL)
        shutil.rmtree(state, ignore_errors=True)


def config(uid: int) -> dict[str, Any]:
    """Return the container: all namespaces new, ``uid`` of the host as its only user."""
    quiet = ["nosuid", "noexec", "nodev"]
    ids = [{"containerID": 0, "hostID": uid, "size": 1}]
    usr = {"destination": "/usr", "type": "bind", "source": "/usr"}
    names = ("user", "network", "pid", "mount", "uts", "ipc")
    nothing: list[str] = []
    return {
        "ociVersion": "1.0.2",
        "hostname": PLACE,
        "root": {"path": f"{VIEW}/root", "readonly": True},
        "process": {
            "user": {"uid": 0, "gid": 0},
            "args": list(ARGUMENTS),
            "cwd": "/",
            "env": [f"PATH={ENVIRONMENT['PATH']}", "LANG=C.UTF-8", "HOME=/"],
            "noNewPrivileges": True,
            "oomScoreAdj": OOM_SCORE,
            "capabilities": {"bounding": nothing, "effective": nothing, "permitted": nothing},
            "rlimits": [{"type": kind, "soft": n, "hard": n} for kind, n in RLIMITS.items()],
        },
        "mounts": [
            {"destination": "/proc", "type": "proc", "source": "proc", "options": [*quiet, "ro"]},
            {**usr, "options": ["rbind", "ro", "nosuid", "nodev"]},
        ],
        "linux": {
            "namespaces": [{"type": name} for name in names],
            "uidMappings": ids,
            "gidMappings": ids,
            "maskedPaths": [*MASKED, "/proc/sys"],
            "seccomp": seccomp.reading(),
        },
    }


def _uid() -> int:
    """Return the user id of the host that tshark has; a worker without root has its own alone."""
    return UID if maps_uids(UID, UID + 1) else 0


def _capture(frame: bytes, length: int, time_ns: int) -> bytes:
    """Return a pcap file of one frame."""
    seconds, rest = divmod(max(time_ns, 0), 1_000_000_000)
    header = PCAP.pack(0xA1B2C3D4, 2, 4, 0, 0, FRAME_MAX, ETHERNET)
    sizes = len(frame), min(max(length, len(frame)), 0xFFFFFFFF)
    return header + PCAP_RECORD.pack(seconds & 0xFFFFFFFF, rest // 1000, *sizes) + frame


def _first_process(status: Path) -> int:
    return int(json.loads(status.read_bytes())["pid"])
