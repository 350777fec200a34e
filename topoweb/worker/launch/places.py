"""Where `serve` keeps its sockets and the labs' files, so that a command beside it finds them."""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path

ROOT_RUN = Path("/run/topoweb")
SERVES = "serves"  # in a run directory: a link to the data that is served from there


def usual() -> Path:
    """Return the run directory of this user's `serve`: a short path (Unix sockets: 107 bytes)."""
    if os.geteuid() == 0:
        return ROOT_RUN
    base = os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir()
    return Path(base) / f"topoweb-{os.getuid()}"


def note(run: Path, data: Path) -> None:
    """Write down in a run directory, which must be there, which data is served from it."""
    draft = run / f".{SERVES}.{os.getpid()}"
    draft.unlink(missing_ok=True)
    draft.symlink_to(data.absolute())
    draft.replace(run / SERVES)


def serving(data: Path) -> Path | None:
    """Return the usual run directory when this data is, or was last, served from it."""
    run = usual()
    return run if _ours(run) and _same(run / SERVES, data) else None


def _ours(run: Path) -> bool:
    """Tell whether nobody else can have put there what is in a directory."""
    try:
        found = run.lstat()
    except OSError:
        return False
    return (
        stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and not found.st_mode & 0o022
    )


def _same(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:
        return False
