"""`manage.py serve` as a subprocess with directories of its own, and what it holds."""

from __future__ import annotations

import contextlib
import json
import os
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
HOLDER = b"topoweb-holder\0infinity\0"
START = 90.0  # seconds until it says its address
END = 40.0
KEPT = re.compile(r"forker|sandbox/launcher\.py")
TRIAL = "topoweb.kernel.sandbox.trial"
GRACE = 15.0  # for what dies asynchronously
NOBODY = 65534


@dataclass
class Product:
    """A running product: the address it printed, and where its files are."""

    address: str  # signs in once
    origin: str
    run: Path
    rootless: bool
    process: subprocess.Popen[bytes]

    def holdings(self) -> dict[str, set[str]]:
        """What this kernel has now that a lab could have left: each a set of readable lines."""
        processes = _descendants(self.process.pid)
        return {
            **machine(),
            "holders": {f"{pid}" for pid, _ in self.holders()},
            "its mounts": _mounts(str(self.process.pid)),
            "processes": {f"{pid} {command}" for pid, command in processes.items()},
            "network namespaces": _namespaces([os.getpid(), *processes]),
        }

    def ready(self) -> None:
        """Wait until what it tries once at its start has ended."""
        deadline = time.monotonic() + START
        while any(TRIAL in line for line in _descendants(self.process.pid).values()):
            assert time.monotonic() < deadline, f"{TRIAL} does not end"
            time.sleep(0.05)

    def settles(self, before: dict[str, set[str]]) -> None:
        """Wait until the holdings are as before; AssertionError with what differs when not."""
        deadline = time.monotonic() + GRACE
        while leaked := left_behind(before, self.holdings()):
            assert time.monotonic() < deadline, "not as before:\n" + "\n".join(leaked)
            time.sleep(0.05)

    def holders(self) -> list[tuple[int, int]]:
        """(pid, lab) of each process that holds a lab of this product."""
        return _holders(self.run)

    def inside(self, lab: int, node: str, *command: str) -> str:
        """Run a command in a node's network namespace, behind the product's back; its output."""
        manifest = json.loads((self.run / "labs" / str(lab) / "manifest.json").read_text())
        slot = manifest["namespaces"][node]["slot"]
        path = f"/proc/{manifest['holder']['pid']}/fd/{100 + slot}"
        return subprocess.run(
            ["nsenter", f"--net={path}", *command], check=True, capture_output=True, text=True
        ).stdout

    @contextlib.contextmanager
    def frozen(self, command: str) -> Iterator[None]:
        """Stop one of our processes, named by its command line, for as long as the block lasts."""
        found = [pid for pid, line in _descendants(self.process.pid).items() if command in line]
        assert len(found) == 1, f"{command}: {found}"
        os.kill(found[0], signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(found[0], signal.SIGCONT)


def machine() -> dict[str, set[str]]:
    """What any process could have left on this machine, outside of its own namespaces."""
    return {
        "named namespaces": set(_said("ip", "netns", "list")),
        "links": set(_said("ip", "-brief", "link", "show")),
        "mounts": _mounts("self"),
    }


def left_behind(before: dict[str, set[str]], after: dict[str, set[str]]) -> list[str]:
    """What is there now and was not before, and the other way round."""
    return [
        f"{kind}: {sign}{line}"
        for kind in before
        for sign, lines in (("+", after[kind] - before[kind]), ("-", before[kind] - after[kind]))
        for line in sorted(lines)
    ]


@contextlib.contextmanager
def served(*, rootless: bool) -> Iterator[Product]:
    """Serve until the block ends, then stop it as Ctrl-C would.

    ``rootless`` as root runs it as an ordinary user, behind the product's own jail: that user
    may not be able to enter the home that the checkout or the interpreter lies in.
    """
    folder = Path(tempfile.mkdtemp(prefix="tw-"))  # short: Unix sockets allow 107 bytes
    data, run = folder / "data", folder / "run"
    command = [sys.executable, "manage.py", "serve", f"--port={_free_port()}"]
    if rootless and os.geteuid() == 0:
        folder.chmod(0o755)
        for path in (data, run):
            path.mkdir(mode=0o700)
            os.chown(path, NOBODY, NOBODY)
        command = [*_as_nobody(data, run), *command]
    environment = {
        **{k: v for k, v in os.environ.items() if k in {"PATH", "LANG"}},
        "HOME": str(folder),
        "TOPOWEB_DATA": str(data),
        "TOPOWEB_RUN": str(run),
    }
    with contextlib.ExitStack() as stack:
        stack.callback(shutil.rmtree, folder)
        stack.callback(_end_holders, run)  # a lab outlives the product by design, and a failed test
        log = stack.enter_context((folder / "log").open("wb"))
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=log
        )
        stack.callback(_end, process)
        address = _address(process, folder / "log")
        yield Product(address, address.partition("/labs/")[0], run, rootless, process)


def _end(process: subprocess.Popen[bytes]) -> None:
    """As Ctrl-C does; TimeoutExpired when it does not end by itself."""
    process.send_signal(signal.SIGINT)
    try:
        process.wait(END)
    finally:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def _holders(run: Path) -> list[tuple[int, int]]:
    """(pid, lab) of each process that holds a lab for a run directory."""
    try:
        owner = (run / "owner").read_bytes().strip()
    except FileNotFoundError:
        return []
    found = []
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if not entry.name.isdigit() or (entry / "cmdline").read_bytes() != HOLDER:
                continue
            pairs = dict(
                p.split(b"=", 1) for p in (entry / "environ").read_bytes().split(b"\0") if p
            )
            if pairs.get(b"TOPOWEB_OWNER") == owner:
                found.append((int(entry.name), int(pairs[b"TOPOWEB_LAB"])))
    return found


def _end_holders(run: Path) -> None:
    for pid, _ in _holders(run):
        os.kill(pid, signal.SIGKILL)


def _as_nobody(*writable: Path) -> list[str]:
    seen = [f"--read={path}" for path in (ROOT, Path(sys.prefix), Path(sys.base_prefix))]
    written = [f"--write={path}" for path in writable]
    jail = [sys.executable, "-m", "topoweb.worker.launch.jail", str(NOBODY), str(NOBODY)]
    return [*jail, *seen, *written, "--"]


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def _address(process: subprocess.Popen[bytes], log: Path) -> str:
    """The address that `serve` prints when everything is up."""
    assert process.stdout is not None
    deadline, text = time.monotonic() + START, b""
    while time.monotonic() < deadline:
        if not select.select([process.stdout], [], [], 1)[0]:
            continue
        piece = os.read(process.stdout.fileno(), 4096)
        text += piece
        if found := re.search(rb"http://\S+", text):
            return found[0].decode()
        if not piece:
            break
    raise RuntimeError(f"serve did not start: {log.read_text()}")


def _said(*command: str) -> list[str]:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()


def _mounts(process: str) -> set[str]:
    try:
        return set(Path("/proc", process, "mountinfo").read_text().splitlines())
    except OSError:
        return set()


def _namespaces(pids: list[int]) -> set[str]:
    """The network and user namespaces that these processes are in or keep open."""
    found = set()
    for pid in pids:
        for path in (*Path(f"/proc/{pid}/ns").glob("[nu]*"), *Path(f"/proc/{pid}/fd").glob("*")):
            with contextlib.suppress(OSError):
                target = os.readlink(path)  # noqa: PTH115 - Path would make the link absolute
                if target.startswith(("net:", "user:")):
                    found.add(target)
    return found


def _descendants(root: int) -> dict[int, str]:
    """Command lines of a process and of all below it.

    Without the forker and the launcher of sandboxes: the worker starts each when it is first
    needed, and keeps it.
    """
    parents, lines = {}, {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                stat = (entry / "stat").read_text(errors="replace")
                parents[int(entry.name)] = int(stat.rsplit(")", 1)[1].split()[1])
                line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode().strip()
                lines[int(entry.name)] = line
    family = {root}
    while more := {pid for pid, parent in parents.items() if parent in family} - family:
        family |= more
    return {pid: lines[pid] for pid in family if lines.get(pid) and not KEPT.search(lines[pid])}
