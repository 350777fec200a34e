"""A node's container in OCI's words (config.json of the runtime specification).

Paths are those of the launcher's view (`launcher.VIEW`), so they are the same for every lab.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from topoweb.kernel import seccomp
from topoweb.kernel.forker import USER_FD
from topoweb.kernel.sandbox.launcher import VIEW

if TYPE_CHECKING:
    from topoweb.core.programs import Command
    from topoweb.kernel.holder import Holder

CATATONIT = "/usr/bin/catatonit"
CAPABILITIES = [
    *("CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_FSETID", "CAP_KILL", "CAP_SETGID"),
    *("CAP_SETUID", "CAP_SETPCAP", "CAP_NET_BIND_SERVICE", "CAP_NET_BROADCAST", "CAP_NET_ADMIN"),
    *("CAP_NET_RAW", "CAP_SYS_CHROOT"),
]
DAEMON_CAPABILITY = "CAP_SYS_ADMIN"  # FRR does not start without it
ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME": "/root",
    "USER": "root",
    "LANG": "C.UTF-8",
    "TERM": "xterm-256color",
}
RLIMITS = {
    "RLIMIT_NOFILE": 1024,
    "RLIMIT_CORE": 0,
    "RLIMIT_MEMLOCK": 1 << 16,
    "RLIMIT_MSGQUEUE": 1 << 16,
}
OOM_SCORE = 500  # the kernel takes a node's programs before anything of the host
TERMINALS = 16  # pseudo-terminals of a node
SHARED = ("alternatives", "ssl/certs")  # directories of the host's /etc
OWN_DIRECTORIES = ("etc", "root", "tmp", "run", "var")
# What else of the host a lab's root could read there; the rest is another root's alone.
MASKED = [f"/proc/{name}" for name in ("cmdline", "kallsyms", "key-users", "keys", "modules")]


def config(node: str, slot: int, hostname: str, holder: Holder, *, single: bool) -> dict[str, Any]:
    """Return the container of a node: its user and network namespace by path, the rest new.

    ``single``: the lab has one user id.
    """
    proc = f"/proc/{holder.pid}/fd"
    joined = [
        {"type": "user", "path": f"{proc}/{USER_FD}"},
        {"type": "network", "path": holder.descriptor_path(slot)},
    ]
    own = [{"type": kind} for kind in ("pid", "mount", "uts", "ipc")]
    return {
        "ociVersion": "1.0.2",
        "hostname": hostname,
        "root": {"path": f"{VIEW}/root", "readonly": True},
        "process": _process((CATATONIT, "-P"), "/", []),  # it only reaps: no power at all
        "mounts": [*_system_mounts(), *_node_mounts(node)],
        "linux": {
            "namespaces": [*joined, *own],
            "maskedPaths": MASKED,
            "seccomp": seccomp.profile(single=single),
        },
    }


def process(command: Command, terminal: tuple[int, int] | None = None) -> dict[str, Any]:
    """Return what ``crun exec --process`` reads; ``terminal`` is (columns, rows)."""
    allowed = [*CAPABILITIES, DAEMON_CAPABILITY] if command.daemon else CAPABILITIES
    environment = ENVIRONMENT | dict(command.environment)
    size = {}
    if terminal:
        size = {"consoleSize": {"width": terminal[0], "height": terminal[1]}}
    return {
        **_process(command.arguments, command.directory, allowed),
        **size,
        "terminal": terminal is not None,
        "env": [f"{name}={value}" for name, value in environment.items()],
        "rlimits": [
            {"type": kind, "soft": value, "hard": value} for kind, value in RLIMITS.items()
        ],
    }


def _process(arguments: tuple[str, ...], directory: str, allowed: list[str]) -> dict[str, Any]:
    return {
        "user": {"uid": 0, "gid": 0},
        "args": list(arguments),
        "cwd": directory,
        "noNewPrivileges": True,
        "oomScoreAdj": OOM_SCORE,
        "capabilities": {"bounding": allowed, "effective": allowed, "permitted": allowed},
    }


def _system_mounts() -> list[dict[str, Any]]:
    quiet = ["nosuid", "noexec", "nodev"]
    return [
        _mount("/proc", "proc", *quiet, "ro"),
        _bind("/proc/sys/net", "/proc/sys/net", *quiet),  # shows the reader's own namespace
        _mount(
            "/dev/pts",
            "devpts",
            *("nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"),
            f"max={TERMINALS}",
        ),
        _mount("/dev/mqueue", "mqueue", *quiet),
        _bind("/usr", "/usr", "ro", "nosuid", "nodev", recursive=True),
        *(
            _bind(f"/etc/{name}", f"/skeleton/{name}", "ro", "nosuid", "nodev", "noexec")
            for name in SHARED
            if Path("/etc", name).is_dir()
        ),
    ]


def _node_mounts(node: str) -> list[dict[str, Any]]:
    own = [
        _bind(f"{VIEW}/files/{node}/{name}", f"/{name}", "nosuid", "nodev")
        for name in OWN_DIRECTORIES
    ]
    # not a tmpfs of its own, which would cost more than the rest of the node
    shared = _bind(f"{VIEW}/files/{node}/shm", "/dev/shm", "nosuid", "nodev", "noexec")  # noqa: S108
    place = _bind(f"{VIEW}/places/{node}", "/run/topoweb", "ro", "nosuid", "nodev", "noexec")
    return [*own, shared, place]


def _mount(at: str, kind: str, *options: str) -> dict[str, Any]:
    return {"destination": at, "type": kind, "source": kind, "options": list(options)}


def _bind(source: str, at: str, *options: str, recursive: bool = False) -> dict[str, Any]:
    kind = "rbind" if recursive else "bind"
    return {"destination": at, "type": "bind", "source": source, "options": [kind, *options]}
