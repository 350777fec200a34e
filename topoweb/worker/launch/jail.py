"""Start a program as an unprivileged user who can see the code, whatever hides it.

A checkout often lives under a home that others may not enter (``/root`` is 0700). Instead of
opening that home, the program gets a mount namespace of its own in which each such directory is
replaced by an empty one that holds only what the program needs, at the same paths. So the web
process sees the code and its data, and nothing else of that home.

Run as ``python -m topoweb.worker.launch.jail UID GID [--write PATH]… [--read PATH]… -- PROGRAM…``
by root; it never returns.
"""

from __future__ import annotations

import argparse
import ctypes
import os
import stat
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Container

CLONE_NEWNS = 0x00020000
MS_NOSUID, MS_NODEV, MS_RDONLY, MS_REMOUNT = 2, 4, 1, 32
MS_BIND, MS_MOVE, MS_REC, MS_PRIVATE = 4096, 8192, 16384, 1 << 18
PR_SET_NO_NEW_PRIVS, PR_SET_PDEATHSIG, SIGTERM = 38, 1, 15

_libc = ctypes.CDLL(None, use_errno=True)


def hidden_ancestor(path: Path, shown: Container[Path]) -> Path | None:
    """Return the topmost directory above ``path`` that others may not enter.

    Directories to be ``shown`` do not count: who enters them is their mode's and group's to say.
    """
    for parent in reversed(path.parents):
        if parent not in shown and not parent.stat().st_mode & stat.S_IXOTH:
            return parent
    return None


def hide(paths: dict[Path, bool]) -> dict[Path, list[Path]]:
    """Group ``paths`` (path → may be written) by the hidden directory above each.

    A path inside another of the same kind is left out: it comes with it.
    """
    found: dict[Path, list[Path]] = {}
    for path in sorted(paths, key=lambda p: len(p.parts)):
        above = hidden_ancestor(path, paths)
        if above is None:
            continue
        group = found.setdefault(above, [])
        if not any(path.is_relative_to(other) and paths[other] == paths[path] for other in group):
            group.append(path)
    return found


def _mount(source: str, target: Path, kind: str, flags: int, data: str = "") -> None:
    code = _libc.mount(source.encode(), str(target).encode(), kind.encode(), flags, data.encode())
    if code:
        number = ctypes.get_errno()
        raise OSError(number, f"mount {source} on {target}: {os.strerror(number)}")


def _replace(directory: Path, keep: list[Path], writable: dict[Path, bool]) -> None:
    """Cover ``directory`` by an empty one that holds only ``keep``."""
    stage = Path(tempfile.mkdtemp(prefix="topoweb-jail-"))
    _mount("tmpfs", stage, "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755,size=1m")
    for path in keep:
        inside = stage / path.relative_to(directory)
        inside.mkdir(parents=True, exist_ok=True)
        _mount(str(path), inside, "", MS_BIND)
        if not writable[path]:
            _mount("", inside, "", MS_BIND | MS_REMOUNT | MS_RDONLY | MS_NOSUID | MS_NODEV)
    _mount(str(stage), directory, "", MS_MOVE)
    stage.rmdir()


def enter(uid: int, gid: int, paths: dict[Path, bool]) -> None:
    """Make the view of the file system, then become ``uid``/``gid`` for good."""
    here = Path.cwd()
    if _libc.unshare(CLONE_NEWNS):
        number = ctypes.get_errno()
        raise OSError(number, f"unshare: {os.strerror(number)}")
    _mount("none", Path("/"), "", MS_REC | MS_PRIVATE)
    for directory, keep in hide(paths).items():
        _replace(directory, keep, paths)
    os.setgroups([])
    os.setresgid(gid, gid, gid)
    os.setresuid(uid, uid, uid)
    _libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    _libc.prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0)
    os.chdir(here)  # the directory we stood in lies under the cover


def main() -> None:
    """Parse, enter, exec."""
    parser = argparse.ArgumentParser(prog="jail")
    parser.add_argument("uid", type=int)
    parser.add_argument("gid", type=int)
    parser.add_argument("--read", action="append", type=Path, default=[])
    parser.add_argument("--write", action="append", type=Path, default=[])
    parser.add_argument("program", nargs="+")
    options = parser.parse_args()
    paths = {p.resolve(): False for p in options.read} | {p.resolve(): True for p in options.write}
    enter(options.uid, options.gid, paths)
    os.execvp(options.program[0], options.program)  # noqa: S606 - the program is our own


if __name__ == "__main__":
    main()
