"""What the worker writes down about a lab's kernel objects: ``<run>/labs/<id>/manifest.json``.

The layout is in docs/protocol.md. It is written before the first kernel object and replaced by
rename, so a reader sees a whole one. It only says where to look: `ownership` proves that what
is found there is ours.
"""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from topoweb.kernel.holder import Holder

if TYPE_CHECKING:
    from collections.abc import Mapping

VERSION = 1
_MALFORMED = (ValueError, KeyError, TypeError, AttributeError, RecursionError)
NOBODY = Holder(0, 0)  # no process has pid 0
End = tuple[str, str]  # node id, interface name


@dataclass(frozen=True, slots=True)
class Namespace:
    """Where a namespace is found: descriptor 100 + slot of the holder, and its inode."""

    slot: int
    inode: int
    outer: bool = False  # of an uplink: owned by the worker's user namespace, not by the lab's


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """A lab's kernel objects. ``holder`` with pid 0: an intent, nothing is made yet."""

    lab: int
    boot_id: str
    holder: Holder = NOBODY
    userns: int = 0
    uid_base: int = -1  # first uid of the lab's range; -1: the single uid of the worker
    namespaces: Mapping[str, Namespace] = field(default_factory=dict)
    links: Mapping[str, tuple[End, End]] = field(default_factory=dict)

    def without_namespaces(self, gone: set[str]) -> Manifest:
        """Return the manifest without these namespaces and the links that touched them."""
        return replace(
            self,
            namespaces={node: at for node, at in self.namespaces.items() if node not in gone},
            links={
                link: ends
                for link, ends in self.links.items()
                if not (ends[0][0] in gone or ends[1][0] in gone)
            },
        )


def boot_id() -> str:
    """Return what names this boot of the machine."""
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def path_of(run_dir: Path, lab: int) -> Path:
    """Return where a lab's manifest is."""
    return run_dir / "labs" / str(lab) / "manifest.json"


def read(run_dir: Path, lab: int) -> Manifest | None:
    """Return a lab's manifest; None when there is none or it cannot be understood."""
    try:
        data = json.loads(path_of(run_dir, lab).read_bytes())
        return _from_json(data) if (data["version"], data["lab"]) == (VERSION, lab) else None
    except (FileNotFoundError, NotADirectoryError, *_MALFORMED):
        return None


def _from_json(data: Mapping[str, Any]) -> Manifest:
    return Manifest(
        lab=int(data["lab"]),
        boot_id=str(data["boot_id"]),
        holder=Holder(int(data["holder"]["pid"]), int(data["holder"]["start"])),
        userns=int(data["userns"]),
        uid_base=int(data.get("uid_base", -1)),
        namespaces={
            node: Namespace(int(at["slot"]), int(at["inode"]), at.get("outer") is True)
            for node, at in data["namespaces"].items()
        },
        links={link: ((a[0], a[1]), (b[0], b[1])) for link, (a, b) in data["links"].items()},
    )


def write(run_dir: Path, manifest: Manifest) -> None:
    """Put a manifest in place of the old one, whole or not at all."""
    path = path_of(run_dir, manifest.lab)
    path.parent.mkdir(mode=0o711, parents=True, exist_ok=True)
    data = {
        "version": VERSION,
        "lab": manifest.lab,
        "boot_id": manifest.boot_id,
        "holder": {"pid": manifest.holder.pid, "start": manifest.holder.start},
        "userns": manifest.userns,
        "uid_base": manifest.uid_base,
        "namespaces": {
            node: {"slot": at.slot, "inode": at.inode} | ({"outer": True} if at.outer else {})
            for node, at in manifest.namespaces.items()
        },
        "links": manifest.links,
    }
    new = path.with_suffix(".new")
    new.write_text(json.dumps(data, separators=(",", ":")))
    new.replace(path)


def remove(run_dir: Path, lab: int) -> None:
    """Forget a lab: its manifest and, when nothing else is in it, its directory."""
    path = path_of(run_dir, lab)
    path.unlink(missing_ok=True)
    with contextlib.suppress(OSError):
        path.parent.rmdir()


def labs(run_dir: Path) -> list[int]:
    """Return the labs that have a directory here."""
    try:
        names = [path.name for path in (run_dir / "labs").iterdir()]
    except FileNotFoundError:
        return []
    return sorted(int(name) for name in names if name.isdigit())
