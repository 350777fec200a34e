"""Which services run, written down for the worker that comes after this one.

``<run>/labs/<id>/services.json``:
``{"version": 1, "boot_id", "services": {id: {"pid", "start", "digest"}}}``, replaced by rename.
"""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from topoweb.core.programs import Started

if TYPE_CHECKING:
    from collections.abc import KeysView

VERSION = 1
NAME = "services.json"


@dataclass(frozen=True, slots=True)
class Running:
    """A program and the digest of the recipe that it was started by."""

    started: Started
    digest: str


class Records:
    """The records of one lab. Its directory goes with the last when nothing else is in it."""

    def __init__(self, directory: Path) -> None:
        self._path = directory / NAME
        self._running = _read(self._path)
        self._changed = False

    def __bool__(self) -> bool:
        return bool(self._running)

    def keys(self) -> KeysView[str]:
        """Return the ids of what runs."""
        return self._running.keys()

    def get(self, key: str) -> Running | None:
        """Return what runs for an id."""
        return self._running.get(key)

    def put(self, key: str, running: Running) -> None:
        """Note a program that was started, at once."""
        self._running[key] = running
        self._write()

    def forget(self, key: str) -> None:
        """Drop a program that has ended; `flush` writes it."""
        self._changed |= self._running.pop(key, None) is not None

    def flush(self) -> None:
        """Write what changed."""
        if self._changed:
            self._write()

    def _write(self) -> None:
        self._changed = False
        if not self._running:
            self._path.unlink(missing_ok=True)
            with contextlib.suppress(OSError):  # the lab's other files are there
                self._path.parent.rmdir()
            return
        services = {
            key: {"pid": one.started.pid, "start": one.started.start, "digest": one.digest}
            for key, one in self._running.items()
        }
        self._path.parent.mkdir(mode=0o711, parents=True, exist_ok=True)
        new = self._path.with_suffix(".new")
        whole = {"version": VERSION, "boot_id": _boot_id(), "services": services}
        new.write_text(json.dumps(whole))
        new.replace(self._path)


def _read(path: Path) -> dict[str, Running]:
    try:
        data = json.loads(path.read_bytes())
        known = data["version"] == VERSION and data["boot_id"] == _boot_id()
        return _parse(data) if known else {}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def _boot_id() -> str:
    """Return what names this boot: pids and start times mean nothing in another one."""
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def _parse(data: dict[str, Any]) -> dict[str, Running]:
    return {
        str(key): Running(Started(int(one["pid"]), int(one["start"])), str(one["digest"]))
        for key, one in data["services"].items()
    }
