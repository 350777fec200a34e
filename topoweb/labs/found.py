"""For the command line: whether there is a database of ours where it looks."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings
from django.core.management.base import CommandError
from django.db import DatabaseError, connection

from topoweb.labs.models import Lab

NOTHING = 2  # exit status


def require_database() -> None:
    """Raise CommandError, status 2, with the remedy, when there is none."""
    name = str(connection.settings_dict["NAME"])
    try:
        # A file is looked for first: SQLite would make it.
        there = connection.vendor != "sqlite" or _is_there(name)
        if there and Lab._meta.db_table in connection.introspection.table_names():
            return
        reason = f"topoweb has no database in {settings.TOPOWEB_DATA}"
    except (DatabaseError, OSError) as error:
        reason = f"the database cannot be read: {str(error).splitlines()[0]}"
    remedy = "start the server first (make run), or say by TOPOWEB_DATA where it keeps its data"
    raise CommandError(f"{reason}; {remedy}.", returncode=NOTHING)


def _is_there(name: str) -> bool:
    return name.startswith(("file:", ":memory:")) or Path(name).exists()
