"""The connections that a node's packet filter tracks (/proc/net/nf_conntrack).

A line has the fields of the packet that began it and then those of the answer that is awaited
(net/netfilter/nf_conntrack_standalone.c): ``ipv4 2 tcp 6 119 ESTABLISHED src=… dst=… sport=… …``.
"""

from __future__ import annotations

import os
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from topoweb.core.errors import TopowebError
from topoweb.kernel import manifest as manifests
from topoweb.kernel import netns
from topoweb.kernel.ownership import is_ours

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

TABLE = "/proc/thread-self/net/nf_conntrack"  # not /proc/net: that is the first thread's
MAX_ROWS = 500
ENDS = {"src": "source", "dst": "target", "sport": "source_port", "dport": "target_port"}


def connections(run_dir: Path, lab: int, node: str) -> Sequence[dict[str, Any]]:
    """Return a node's first 500 connections; () for one that is not there or tracks nothing."""
    manifest = manifests.read(run_dir, lab)
    at = manifest.namespaces.get(node) if manifest is not None and is_ours(manifest) else None
    if manifest is None or at is None:
        return ()
    try:
        fd = manifest.holder.open_namespace(at.slot)
        try:
            return netns.run_inside(fd, _read) if netns.inode(fd) == at.inode else ()
        finally:
            os.close(fd)
    except (OSError, TopowebError):  # it is gone, or died under us
        return ()


def _read() -> Sequence[dict[str, Any]]:
    with Path(TABLE).open() as lines:
        return tuple(islice(parse(lines), MAX_ROWS))


def parse(lines: Iterable[str]) -> Iterator[dict[str, Any]]:
    """Yield the rows of a listing; ports are None for protocols without."""
    for line in lines:
        words = line.split()
        pairs = [word.partition("=") for word in words if "=" in word]
        fields = [(ENDS[name], value) for name, _, value in pairs if name in ENDS]
        half = next((i for i, (name, _) in enumerate(fields) if i and name == "source"), 0)
        if not half or len(words) < 6:
            continue
        state = words[5] if "=" not in words[5] else ""
        unreplied = "[UNREPLIED]" in words
        yield {
            "protocol": words[2],
            "state": "UNREPLIED" if unreplied and not state else state,
            **_end(fields[:half], ""),
            **_end(fields[half:], "reply_"),
        }


def _end(fields: Iterable[tuple[str, str]], prefix: str) -> dict[str, Any]:
    found = dict(fields)
    ports = {
        f"{prefix}{name}": int(found[name]) if name in found else None
        for name in ("source_port", "target_port")
    }
    return {f"{prefix}{name}": found.get(name, "") for name in ("source", "target")} | ports
