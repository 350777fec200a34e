"""manage.py cleanup: remove everything of ours from this kernel, and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from topoweb.core.errors import TopowebError
from topoweb.kernel import manifest
from topoweb.kernel.lab import LinuxKernel
from topoweb.worker.lock import only_worker

if TYPE_CHECKING:
    from argparse import ArgumentParser


class Command(BaseCommand):
    """Ends the labs that a run directory knows; the database is not touched."""

    help = "Remove all labs of this run directory from the kernel. No worker may run meanwhile."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take --dry-run."""
        parser.add_argument("--dry-run", action="store_true", help="only say what would go")

    def handle(self, *args: object, dry_run: bool, **options: object) -> None:
        """Remove, and print what was removed. CommandError when something stays."""
        del args, options
        run_dir = Path(settings.TOPOWEB_RUN)
        try:
            with only_worker(run_dir):
                kernel = LinuxKernel(run_dir)
                try:
                    self._clean(kernel, run_dir, dry_run=dry_run)
                finally:
                    kernel.close()
        except TopowebError as error:
            raise CommandError(f"{error.message} {error.hint}".strip()) from error

    def _clean(self, kernel: LinuxKernel, run_dir: Path, *, dry_run: bool) -> None:
        """Go through holders that carry our mark and through what we wrote down."""
        held = set(kernel.labs())
        written = set(manifest.labs(run_dir))
        for lab in sorted(held | written):
            found = kernel.manifest(lab)
            namespaces = len(found.namespaces) if found else 0
            if not dry_run:
                kernel.destroy(lab)
            what = f"{namespaces} namespaces" if lab in held else "records of a lab long gone"
            self.stdout.write(f"{'would remove' if dry_run else 'removed'} lab {lab}: {what}")
        if not held | written:
            self.stdout.write("nothing of ours is here")
