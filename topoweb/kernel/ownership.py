"""Proof that a kernel object is ours. Nothing is changed or deleted without it.

A manifest alone proves nothing: it may be of another boot, and pids and inodes are reused.
So the boot id, the holder's start time, the lab that it was made for, and the inodes of the user
namespace and of each network namespace must all agree.
"""

from __future__ import annotations

import os
import secrets
from typing import TYPE_CHECKING

from topoweb.kernel.forker import USER_FD
from topoweb.kernel.holder import Holder, find_holders, holds_for
from topoweb.kernel.manifest import boot_id

if TYPE_CHECKING:
    from pathlib import Path

    from topoweb.kernel.manifest import Manifest

TAG_PREFIX = "topoweb:"


def owner_token(run_dir: Path) -> str:
    """Return the token that marks this run directory's holders, made on first use."""
    path = run_dir / "owner"
    try:
        return path.read_text()
    except FileNotFoundError:
        run_dir.mkdir(parents=True, exist_ok=True)
    token = secrets.token_hex(16)
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        return path.read_text()
    with os.fdopen(fd, "w") as file:
        file.write(token)
    return token


def is_ours(manifest: Manifest) -> bool:
    """True when the manifest's holder is the lab's, as it was, and holds its user namespace."""
    if manifest.boot_id != boot_id() or not manifest.holder.alive():
        return False
    if not holds_for(manifest.holder.pid, manifest.lab):  # of another lab, or no holder at all
        return False
    return _inode(f"/proc/{manifest.holder.pid}/fd/{USER_FD}") == manifest.userns


def lost_namespaces(manifest: Manifest) -> set[str]:
    """Return the nodes whose descriptor in the holder is not the namespace written down."""
    return {
        node
        for node, at in manifest.namespaces.items()
        if _inode(manifest.holder.descriptor_path(at.slot)) != at.inode
    }


def orphans(owner: str, lab: int, manifest: Manifest | None) -> list[Holder]:
    """Return a lab's holders that its proved manifest does not name: left by a crash."""
    known = manifest.holder if manifest else None
    return [holder for number, holder in find_holders(owner) if number == lab and holder != known]


def tag_of(lab: int, tag: str) -> tuple[str, str] | None:
    """Return (link, end) of an ifalias "topoweb:<lab>:<link>:<end>" of this lab."""
    parts = tag.split(":")
    if len(parts) != 4 or parts[0] + ":" != TAG_PREFIX or parts[1] != str(lab):
        return None
    return parts[2], parts[3]


def _inode(path: str) -> int:
    try:
        return os.stat(path).st_ino  # noqa: PTH116 - hot: a thousand calls a lab
    except OSError:
        return 0
