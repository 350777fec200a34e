"""manage.py worker: bring the labs of this host to what the database wants."""

from __future__ import annotations

import asyncio
import signal

from django.core.management.base import BaseCommand, CommandError

from topoweb.core.errors import TopowebError
from topoweb.labs.found import require_database
from topoweb.worker import collector, service


class Command(BaseCommand):
    """Runs until SIGTERM or SIGINT; the labs stay as they are."""

    help = "Apply the labs of this host to its kernel until SIGTERM. Running labs stay."
    requires_system_checks = ()

    def handle(self, *args: object, **options: object) -> None:
        """Run the worker. CommandError when it cannot start."""
        del args, options
        require_database()
        try:
            asyncio.run(_serve())
        except TopowebError as error:
            raise CommandError(f"{error.message} {error.hint}".strip()) from error


async def _serve() -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    worker = service.build()
    collector.tune()
    await worker.run(stop)
