"""manage.py uplink: grant labs their way out, and take it back, from the host's command line."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from django.core.management.base import BaseCommand, CommandError

from topoweb.core.errors import TopowebError
from topoweb.labs import doorbells, queries, uplinks
from topoweb.labs.found import require_database
from topoweb.labs.models import Lab, UplinkGrant

if TYPE_CHECKING:
    from argparse import ArgumentParser

HOUR = 3600.0


class Command(BaseCommand):
    """Whoever may run it is the host's administrator: no account is asked for."""

    help = "Grant a lab its uplink, revoke the grant, or list all grants."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take one of three deeds."""
        deeds = parser.add_subparsers(dest="deed", required=True)
        grant = deeds.add_parser("grant", help="let a lab send out")
        grant.add_argument("lab", type=int)
        grant.add_argument("--hours", type=float, default=2.0, help="from now, 2 by default")
        grant.add_argument("--reason", default="", help="shown to the lab's owner")
        deeds.add_parser("revoke", help="close it at once").add_argument("lab", type=int)
        deeds.add_parser("list", help="show the grants that hold")

    def handle(self, *args: object, deed: str, **options: object) -> None:
        """Do it. CommandError as the service refuses."""
        del args
        require_database()
        doorbells.find_server()
        if deed == "list":
            for row in UplinkGrant.objects.select_related("lab").order_by("until"):
                self.stdout.write(f"lab {row.lab_id} {row.lab.name}: {self._words(row.lab)}")
            return
        lab = self._lab(int(str(options["lab"])))
        try:
            if deed == "grant":
                until = time.time() + float(str(options["hours"])) * HOUR
                uplinks.grant(None, lab, until, str(options["reason"]))
            else:
                uplinks.revoke(None, lab)
        except TopowebError as error:
            raise CommandError(f"{error.message}. {error.hint}") from error
        self.stdout.write(f"lab {lab.pk}: {self._words(self._lab(lab.pk))}")

    def _lab(self, number: int) -> Lab:
        lab = queries.any_lab(number)
        if lab is None:
            raise CommandError(f"There is no lab {number}.")
        return lab

    def _words(self, lab: Lab) -> str:
        grant = uplinks.grant_json(lab)
        if not grant["granted"]:
            return "not granted"
        end = datetime.fromtimestamp(grant["until"], UTC)
        return f"granted until {end:%Y-%m-%d %H:%M} UTC {grant['reason']}".rstrip()
