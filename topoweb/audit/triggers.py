"""The database's own refusal to change or remove audit rows, whoever asks it.

It holds against our own code, the admin and SQL through our connection; the owner of the database
can still drop the triggers, and a backup elsewhere is what proves that nobody did.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper

WORDS = "the audit record only grows"
INSTALL = {
    "sqlite": [
        f"CREATE TRIGGER audit_no_{verb} BEFORE {verb} ON audit_entry "
        f"BEGIN SELECT RAISE(ABORT, '{WORDS}'); END"
        for verb in ("UPDATE", "DELETE")
    ],
    "postgresql": [
        "CREATE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{WORDS}'; END $$",
        "CREATE TRIGGER audit_only_grows BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_entry "
        "FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()",
    ],
}
REMOVE = {
    "sqlite": [f"DROP TRIGGER IF EXISTS audit_no_{verb}" for verb in ("UPDATE", "DELETE")],
    "postgresql": [
        "DROP TRIGGER IF EXISTS audit_only_grows ON audit_entry",
        "DROP FUNCTION IF EXISTS audit_refuse()",
    ],
}


def install(connection: BaseDatabaseWrapper) -> None:
    """Make the triggers. Their names are ours."""
    _run(connection, INSTALL[connection.vendor])


def remove(connection: BaseDatabaseWrapper) -> None:
    """Take the triggers away: for a migration backwards, and for tests that empty all tables."""
    _run(connection, REMOVE[connection.vendor])


def _run(connection: BaseDatabaseWrapper, statements: list[str]) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
