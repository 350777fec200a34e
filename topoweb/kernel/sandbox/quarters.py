"""A lab's files on the host: ``<run>/labs/<id>/sandboxes/``.

``root/``     the read-only skeleton that every node's container has as its root
``files/``    a bounded tmpfs; ``<node>/{etc,root,tmp,run,var}`` is what the node may write
``places/``   ``<node>/`` is what `furnish` writes; the node sees it read-only at /run/topoweb
``logs/``     a bounded tmpfs of logs; no node sees it
``crun/``     crun's state, a directory a container

The worker never writes where a student may have put a symbolic link: a node's tree is made whole
under another name and renamed, and places and logs are out of the nodes' reach.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import shutil
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from topoweb.core.errors import ErrorKind, TopowebError
from topoweb.kernel.sandbox.container import OWN_DIRECTORIES, SHARED

if TYPE_CHECKING:
    from collections.abc import Mapping

    from topoweb.core.limits import Limits

LOG_SPACE = 8 << 20  # bytes of a lab's logs
LOG_FILES = 4_096
MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_REMOUNT = 2, 4, 8, 32
MNT_DETACH = 2
SKELETON = (
    *("proc", "dev", "sys", "usr", "mnt", "etc", "root", "tmp", "run", "var"),
    *("skeleton", "dev/pts", "dev/shm", "dev/mqueue"),
)
DEVICES = ("full", "null", "random", "tty", "urandom", "zero")  # crun puts the host's there
LINKS = {"bin": "usr/bin", "sbin": "usr/sbin", "lib": "usr/lib", "lib64": "usr/lib64"}
DEVICE_LINKS = {
    "core": "/proc/kcore",
    "fd": "/proc/self/fd",
    "ptmx": "pts/ptmx",
    "stdin": "/proc/self/fd/0",
    "stdout": "/proc/self/fd/1",
    "stderr": "/proc/self/fd/2",
}
COPIED = ("protocols", "services")  # files of the host's /etc
LINKED = ("passwd", "group", "nsswitch.conf", "iproute2", "alternatives", "ssl", *COPIED)
NODE_LINKS = {f"etc/{name}": f"/skeleton/{name}" for name in LINKED} | {
    "etc/hostname": "/proc/sys/kernel/hostname",  # never stale
    "var/run": "/run",
}
USERS = {"frr": (100, 102), "tcpdump": (101, 103), "nobody": (65534, 65534)}
GROUPS = {"tty": 5, "frrvty": 101, "frr": 102, "tcpdump": 103, "nogroup": 65534}
NSSWITCH = "passwd: files\ngroup: files\nhosts: files dns\nservices: files\nprotocols: files\n"

_libc = ctypes.CDLL(None, use_errno=True)


def _mount_tmpfs(path: Path, options: str, *, remount: bool = False) -> None:
    flags = MS_NOSUID | MS_NODEV | (MS_REMOUNT if remount else 0)
    if _libc.mount(b"topoweb", os.fsencode(path), b"tmpfs", flags, options.encode()):
        code = ctypes.get_errno()
        raise TopowebError(ErrorKind.UNSUPPORTED, f"tmpfs for a lab's files: {os.strerror(code)}")


class Quarters:
    """One lab's files."""

    def __init__(self, directory: Path) -> None:
        self.path = directory

    @property
    def crun(self) -> Path:
        """Return the directory of crun's state."""
        return self.path / "crun"

    @property
    def logs(self) -> Path:
        """Return the directory of the logs."""
        return self.path / "logs"

    def exist(self) -> bool:
        """True when something was made here."""
        return self.path.is_dir()

    def prepare(self, limits: Limits, owner: int, *, single: bool) -> None:
        """Make what all nodes share, once; ``single``: the lab has one user id.

        ``owner`` is the uid and gid of the lab's root as the host counts.
        """
        files = self.path / "files"
        if files.is_mount() and self.logs.is_mount():
            return
        for path in (self.path, files, self.logs, self.crun, self.path / "places"):
            path.mkdir(mode=0o711, exist_ok=True)
            path.chmod(0o711)
        if not files.is_mount():
            _mount_tmpfs(files, _size(limits))
        if not (files / ".links").is_dir():
            _make_links(files / ".links", owner)
        if not self.logs.is_mount():
            _mount_tmpfs(self.logs, f"mode=700,size={LOG_SPACE},nr_inodes={LOG_FILES}")
        if not (self.path / "root").is_dir():
            new = self.path / ".root"
            shutil.rmtree(new, ignore_errors=True)
            make_skeleton(new, owner, single=single)
            new.rename(self.path / "root")

    def resize(self, limits: Limits) -> None:
        """Give the files another bound."""
        files = self.path / "files"
        if files.is_mount():
            _mount_tmpfs(files, _size(limits), remount=True)

    def admit(self, node: str, hostname: str, owner: int) -> None:
        """Make a node's own tree and place unless they are there."""
        place = self.path / "places" / node
        place.mkdir(mode=0o755, exist_ok=True)
        place.chmod(0o755)
        tree = self.path / "files" / node
        if tree.is_dir():
            return
        new = self.path / "files" / f".new-{node}"
        shutil.rmtree(new, ignore_errors=True)
        try:
            _make_tree(new, self.path / "files/.links", hostname, owner)
            new.rename(tree)
        except OSError as error:
            shutil.rmtree(new, ignore_errors=True)
            raise TopowebError(
                ErrorKind.LIMIT,
                f"no space for the files of node {node}: {error.strerror}",
                hint="Remove files in the lab's nodes, or raise the lab's disk limit.",
            ) from error

    def rename(self, node: str, old: str, new: str) -> None:
        """Give a node's hosts file another host name if it is still as we wrote it."""
        path = self.path / "files" / node / "etc/hosts"
        _rewrite(path, _hosts(old).encode(), _hosts(new).encode())

    def evict(self, node: str) -> None:
        """Remove what is a node's own."""
        remove_tree(self.path / "files" / node)
        for part in ("places", "crun"):
            shutil.rmtree(self.path / part / node, ignore_errors=True)

    def furnish(self, node: str, place: str, files: Mapping[str, bytes]) -> None:
        """Replace a place's files; the container sees the directory that holds the places."""
        directory = self.path / "places" / node / place
        directory.mkdir(mode=0o755, exist_ok=True)
        directory.chmod(0o755)
        for name, content in files.items():
            new = directory / f".{name}.new"
            new.write_bytes(content)
            new.chmod(0o644)
            new.rename(directory / name)
        for old in directory.iterdir():
            if old.name not in files:
                old.unlink()

    def clear(self) -> None:
        """Remove all. Nothing happens when there is nothing."""
        for name in ("files", "logs"):
            path = self.path / name
            while path.is_mount():
                if _libc.umount2(os.fsencode(path), MNT_DETACH):
                    break
        shutil.rmtree(self.path, ignore_errors=True)


def make_skeleton(new: Path, owner: int, *, single: bool) -> None:
    """Make the tree that a container has as its root, read-only; ``owner``: its root's uid."""
    for name in SKELETON:
        (new / name).mkdir(parents=True)
    for name, target in LINKS.items():
        if Path("/", target).is_dir():
            (new / name).symlink_to(target)
    for name in DEVICES:
        (new / "dev" / name).touch()
    for name, target in DEVICE_LINKS.items():
        (new / "dev" / name).symlink_to(target)
    for name in ("dev", "dev/ptmx"):  # which crun makes anew each time, as the lab's root
        os.chown(new / name, owner, owner, follow_symlinks=False)
    _fill_shared(new / "skeleton", single=single)


def _fill_shared(directory: Path, *, single: bool) -> None:
    """Write what the nodes' /etc have links to."""
    for name in SHARED:
        (directory / name).mkdir(parents=True)
    with contextlib.suppress(FileNotFoundError):
        shutil.copytree("/etc/iproute2", directory / "iproute2")
    for name in COPIED:
        with contextlib.suppress(FileNotFoundError):
            shutil.copyfile(f"/etc/{name}", directory / name)
    (directory / "nsswitch.conf").write_text(NSSWITCH)
    _write_users(directory, single=single)


def _write_users(directory: Path, *, single: bool) -> None:
    """Write passwd(5) and group(5); with a single user id, all names are root's."""
    users = ["root:x:0:0:root:/root:/bin/bash"]
    for name, (uid, gid) in USERS.items():
        numbers = "0:0" if single else f"{uid}:{gid}"
        users.append(f"{name}:x:{numbers}::/:/usr/sbin/nologin")
    groups = ["root:x:0:"]
    for name, gid in GROUPS.items():
        members = "frr" if name == "frrvty" else ""
        groups.append(f"{name}:x:{0 if single else gid}:{members}")
    (directory / "passwd").write_text("\n".join([*users, ""]))
    (directory / "group").write_text("\n".join([*groups, ""]))


def remove_tree(top: Path) -> None:
    """Remove what a node wrote, however deep: shutil.rmtree recurses, a student nests thousands.

    A directory is brought up beside ``top`` before it is read, so that no path is long. Nobody
    else may write there any more.
    """
    waiting = [top] if top.is_dir() else []
    serial = 0
    while waiting:
        directory = waiting.pop()
        for entry in list(os.scandir(directory)):
            if entry.is_dir(follow_symlinks=False):
                serial += 1
                waiting.append(Path(entry.path).rename(top.with_name(f".{top.name}.{serial}")))
            else:
                Path(entry.path).unlink()
        directory.rmdir()


def _size(limits: Limits) -> str:
    return f"mode=711,size={limits.disk},nr_inodes={limits.inodes}"


def _hosts(hostname: str) -> str:
    return f"127.0.0.1 localhost\n::1 localhost ip6-localhost\n127.0.1.1 {hostname}\n"


def _rewrite(path: Path, old: bytes, new: bytes) -> None:
    """Replace a file's text if it is the old one. Whatever else a student put there stays."""
    flags = os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    with contextlib.suppress(OSError):
        fd = os.open(path, flags)
        try:
            if stat.S_ISREG(os.fstat(fd).st_mode) and os.pread(fd, len(old) + 1, 0) == old:
                os.pwrite(fd, new, 0)
                os.ftruncate(fd, len(new))
        finally:
            os.close(fd)


def _make_tree(new: Path, links: Path, hostname: str, owner: int) -> None:
    new.mkdir(mode=0o711)
    modes = {"root": 0o700, "tmp": 0o1777, "var/tmp": 0o1777, "shm": 0o1777}
    inner = ("var/lib", "var/log", "var/tmp", "var/lib/misc", "run/topoweb")
    for name in (*OWN_DIRECTORIES, "shm", *inner):
        (new / name).mkdir()
        (new / name).chmod(modes.get(name, 0o755))
    (new / "etc/hosts").write_text(_hosts(hostname))
    (new / "etc/resolv.conf").write_text("")
    for directory, names, files in os.walk(new):
        for name in (*names, *files, "."):
            os.chown(os.path.join(directory, name), owner, owner)  # noqa: PTH118
    for path in NODE_LINKS:  # one inode for all nodes: it is memory
        os.link(links / _flat(path), new / path, follow_symlinks=False)


def _make_links(links: Path, owner: int) -> None:
    new = links.with_name(".new-links")
    remove_tree(new)
    new.mkdir(mode=0o700)
    for path, target in NODE_LINKS.items():
        (new / _flat(path)).symlink_to(target)
        os.chown(new / _flat(path), owner, owner, follow_symlinks=False)
    new.rename(links)


def _flat(path: str) -> str:
    return path.replace("/", "-")
