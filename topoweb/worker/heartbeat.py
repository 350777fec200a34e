"""The worker's sign of life: its host's row, renewed every five seconds; and SQLite's log."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.db import close_old_connections, connection

from topoweb.hosts import services

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

INTERVAL = 5.0  # seconds; the web takes a host for lost after four of them
LONG_LOG = 4 << 20  # bytes of SQLite's log that are worth writing back

log = logging.getLogger(__name__)


class Heartbeat:
    """Writes that this host lives, and what it can do: {feature: {"ok", "reason"}}."""

    def __init__(self, host: str, find_features: Callable[[], Mapping[str, Any]]) -> None:
        self._host = host
        self._find_features = find_features
        self._features: Mapping[str, Any] | None = None

    async def run(self) -> None:
        """Beat until cancelled, whatever becomes of the database."""
        while True:
            try:
                await asyncio.to_thread(self.beat)
            except Exception:  # the database is away; so will the row be old, as it should
                log.warning("the host's row could not be written", exc_info=True)
            await asyncio.sleep(INTERVAL)

    def beat(self) -> None:
        """Write the row once. The features, which take a while to find, follow the first time."""
        close_old_connections()
        try:
            services.heartbeat(self._host, self._features)
            if self._features is None:
                self._features = self._find_features()
                services.heartbeat(self._host, self._features)
            if connection.vendor == "sqlite":
                _write_back()
        finally:
            close_old_connections()


def _write_back() -> None:
    """Write a long log back to the database, so that no edit's commit has to: it takes 20 ms.

    Readers and writers go on meanwhile (sqlite.org/c3ref/wal_checkpoint_v2.html, PASSIVE).
    """
    log_file = Path(f"{connection.settings_dict['NAME']}-wal")
    if log_file.exists() and log_file.stat().st_size >= LONG_LOG:
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA wal_checkpoint(PASSIVE)")
