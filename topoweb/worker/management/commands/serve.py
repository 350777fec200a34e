"""The newcomer's command: everything up, and an address that lets the local user in."""

from __future__ import annotations

import asyncio
import os
import sys
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from topoweb.core.errors import TopowebError
from topoweb.worker.launch import alone, places, several

if TYPE_CHECKING:
    from argparse import ArgumentParser


class Command(BaseCommand):
    """Serve topoweb: several processes as root, one process otherwise."""

    help = "Serve topoweb on this machine and print the address to open."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the address; the default is the loopback one."""
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8000)

    def handle(self, *args: object, host: str, port: int, **options: object) -> None:
        """Choose the composition by who we are."""
        del args, options
        if os.geteuid() == 0 and alone.INNER not in os.environ:
            self._several(host, port)
            return
        if alone.INNER not in os.environ:
            if host not in {"127.0.0.1", "localhost", "::1"}:
                raise CommandError("Without root topoweb serves one person, on 127.0.0.1 alone.")
            alone.reexecute([f"--host={host}", f"--port={port}"], settings.TOPOWEB_DATA)
        path = call_command("prepare", stdout=StringIO())
        alone.serve(host, port, str(path))

    def _several(self, host: str, port: int) -> None:
        uid, gid = several.web_user()
        run = Path(os.environ.get("TOPOWEB_RUN") or places.ROOT_RUN)
        place = several.Place(
            data=settings.TOPOWEB_DATA, run=run, host=host, port=port, uid=uid, gid=gid
        )
        try:
            asyncio.run(several.serve(place))
        except TopowebError as error:
            sys.exit(f"topoweb: {error.message}\n  {error.hint}")
