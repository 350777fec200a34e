"""manage.py prepare: migrate the database and, for the one local user, a demo lab and a way in."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from django.core.management import call_command
from django.core.management.base import BaseCommand

from topoweb.accounts.services import issue_login_token, local_user
from topoweb.labs.gallery import template
from topoweb.labs.models import Lab
from topoweb.labs.services import create_lab

if TYPE_CHECKING:
    from argparse import ArgumentParser

DEMO = "two-subnets"


class Command(BaseCommand):
    """Idempotent; prints the path that signs the local user in once."""

    help = "Prepare the database; print the one-time path for the local user."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the form of the answer, and whether there is a local user at all."""
        parser.add_argument("--json", action="store_true", help='print {"path": …}')
        parser.add_argument("--classroom", action="store_true", help="migrate, and nothing else")

    def handle(self, *args: object, **options: object) -> str | None:
        """Return the path; Django prints it."""
        del args
        call_command("migrate", interactive=False, verbosity=0)
        if options["classroom"]:
            return None
        user = local_user()
        lab = Lab.objects.filter(owner=user).order_by("-updated").first()
        if lab is None:
            lab = create_lab(user, "", template(DEMO).document)
        path = f"/labs/{lab.pk}?token={issue_login_token(user)}"
        return json.dumps({"path": path}) if options["json"] else path
