"""Runs as an ordinary user in a user namespace of its own, as `serve` without root does.

Arguments: the run directory, the data directory. Makes a lab, tries the attacks from a node's
shell, and prints what became of each as JSON: name → outcome. What must not be reached belongs to
the very same user: only the sandbox stands between.
"""

from __future__ import annotations

import json
import os
import socket
import sys
import threading
from pathlib import Path

from tests.attack.node.world import run_attack
from tests.kernel.plans import apply, two_hosts
from topoweb.core.programs import Residence
from topoweb.kernel.lab import LinuxKernel

LAB = 7
WORD = "canary-of-the-user"


def attacks(run: Path, data: Path, port: int) -> dict[str, tuple[object, ...]]:
    """Return what is tried: name → program, function and arguments."""
    files = {
        "database": data / "topoweb.sqlite3",
        "secret-key": data / "secret.key",
        "stream-key": run / "stream.key",
        "owner-token": run / "owner",
        "manifest": run / "labs" / str(LAB) / "manifest.json",
        "home": data / ".ssh" / "id_ed25519",
    }
    reads = {f"read-{name}": ("files", "read", path) for name, path in files.items()}
    return {
        **reads,
        "database-through-root": ("files", "links_through_root", files["database"]),
        "database-by-chroot": ("calls", "chroot_and_climb", files["database"]),
        "database-by-search": ("files", "search", WORD),
        "write-database": ("files", "append", files["database"]),
        "stream-socket": ("network", "connect_path", run / "worker.sock"),
        "web-port": ("network", "connect", "127.0.0.1", port),
        "web-port-ipv6": ("network", "connect", "::1", port),
        "abstract-socket": ("network", "connect_abstract", f"topoweb-{WORD}"),
        "environment": ("files", "environment"),
        "processes": ("files", "processes"),
        "descriptors": ("files", "descriptors", "1"),
        "mounts": ("files", "mounts"),
        "unshare-user": ("calls", "unshare", 0x10000000),
        "unshare-mount": ("calls", "unshare", 0x20000),
        "mount-proc": ("calls", "mount", "none", "/tmp", "proc"),
        "mount-bind": ("calls", "mount", data, "/tmp", "none", 4096),
        "setns": ("calls", "setns", "/proc/1/ns/user"),
        "ptrace": ("calls", "ptrace_attach", 1),
        "keyring": ("calls", "keyctl_session"),
        "open-by-handle": ("calls", "open_by_handle"),
        "tiocsti": ("calls", "push_input"),
        "vsock": ("calls", "open_socket", 40, 1),
        "core-pattern": ("files", "write", "/proc/sys/kernel/core_pattern", "|/root/x"),
        "write-usr": ("files", "write", "/usr/bin/topoweb-attack"),
        "no-new-privs": ("files", "status", "NoNewPrivs"),
        "seccomp": ("files", "status", "Seccomp"),
        "capabilities": ("files", "status", "CapBnd"),
        "namespaces-by-number": ("network", "namespaces_by_number"),
    }


def main(run: Path, data: Path) -> None:
    """Set the canaries up, attack, and print."""
    os.environ["TOPOWEB_CANARY"] = WORD
    for path in (data / "topoweb.sqlite3", data / "secret.key", data / ".ssh" / "id_ed25519",
                 run / "stream.key"):  # fmt: skip
        path.parent.mkdir(exist_ok=True)
        path.write_text(WORD)
        path.chmod(0o600)
    listener = socket.create_server(("127.0.0.1", 0))
    abstract = socket.socket(socket.AF_UNIX)
    abstract.bind(f"\0topoweb-{WORD}")
    unix = socket.socket(socket.AF_UNIX)
    unix.bind(str(run / "worker.sock"))
    visitors: list[int] = []
    for canary in (listener, abstract, unix):
        canary.listen()
        threading.Thread(target=_count, args=(canary, visitors), daemon=True).start()
    kernel = LinuxKernel(run)
    outcomes: dict[str, object] = {}
    try:
        apply(kernel, *two_hosts(), lab=LAB)
        kernel.sandboxes.house(LAB, Residence(names={"n1": "alpha", "n2": "beta"}))
        for name, (program, *arguments) in attacks(run, data, listener.getsockname()[1]).items():
            outcomes[name] = run_attack(kernel.sandboxes, (LAB, "n1"), program, *arguments)
        outcomes["canaries"] = {
            "visitors": len(visitors),
            "database": (data / "topoweb.sqlite3").read_text(),
        }
    finally:
        kernel.destroy(LAB)
        kernel.close()
    print(json.dumps(outcomes))


def _count(listener: socket.socket, visitors: list[int]) -> None:
    while True:
        listener.accept()[0].close()
        visitors.append(1)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
