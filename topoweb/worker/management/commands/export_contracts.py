"""``manage.py export_contracts``: writes the generated contracts below ``docs/``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils.module_loading import import_string

from topoweb.labs.messages import browser_schema

if TYPE_CHECKING:
    from argparse import ArgumentParser


class Command(BaseCommand):
    """Writes `docs/openapi.json` and `docs/browser.schema.json`, or checks that they are fresh."""

    help = "Write the generated contracts; --check: fail when they are not fresh"
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare ``--check``."""
        parser.add_argument("--check", action="store_true")

    def handle(self, *_: object, **options: Any) -> None:  # noqa: ANN401 - Django's signature
        """Write or compare each file."""
        docs = settings.ROOT / "docs"
        stale = []
        for name, text in contracts().items():
            path = docs / name
            if path.exists() and path.read_text(encoding="utf-8") == text:
                continue
            stale.append(name)
            if not options["check"]:
                path.write_text(text, encoding="utf-8")
                self.stdout.write(f"docs/{name} written")
        if stale and options["check"]:
            raise CommandError(f"not fresh: {', '.join(stale)}; run manage.py export_contracts")


def contracts() -> dict[str, str]:
    """Return the text of each contract by file name."""
    # By name: the API stands above every app, and a command must live in one.
    api = import_string("topoweb.api.api")
    openapi = api.get_openapi_schema(path_prefix="/api/v1/")
    return {"openapi.json": _text(openapi), "browser.schema.json": _text(browser_schema())}


def _text(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, indent=1, default=str) + "\n"
