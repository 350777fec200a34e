"""manage.py tracer: capture packets by demand."""

from __future__ import annotations

import asyncio
import signal

from django.core.management.base import BaseCommand

from topoweb.worker import collector, tracer


class Command(BaseCommand):
    """Runs until SIGTERM or SIGINT; touches no database."""

    help = "Capture packets of running labs for those who watch, until SIGTERM."
    requires_system_checks = ()

    def handle(self, *args: object, **options: object) -> None:  # noqa: ARG002 - Django calls it
        """Run the tracer."""
        asyncio.run(_serve())


async def _serve() -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    service = tracer.build()
    collector.tune(collector.BUSY)
    await service.run(stop, own_process=True)
