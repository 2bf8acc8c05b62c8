"""``manage.py watch_folder``: the files that an ERP puts into a folder, imported as they come."""

import argparse
import logging
import time
from pathlib import Path
from typing import Any

from django import db
from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from invoices.einvoices.tasks import request_checks
from invoices.importing.folders import Watch, WatchedFolder, locked, take
from invoices.importing.report_text import describe_report
from invoices.management.following import EXPORT, IMPORT, LIST, NoSuchSelectionError, following
from invoices.workers.pool import stop_on_signal

# Seconds between two tries of files that stop their import.
LONGEST_PAUSE = 300.0

logger = logging.getLogger(__name__)


class Command(BaseCommand):
    """Watch a folder until asked to stop."""

    help = (
        "Importe les fichiers déposés dans un dossier, chacun une fois complet (taille stable, ou fichier .ok à côté), "
        "puis le range dans traités/ ou refusés/ avec son compte rendu."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """The folder and what follows."""
        parser.add_argument("folder", type=Path, metavar="DOSSIER", help="dossier de dépôt")
        parser.add_argument(
            "--then",
            choices=(IMPORT, LIST, EXPORT),
            default=IMPORT,
            help="ensuite : rien (défaut), préparer la liste à exporter, ou exporter si tout est prêt",
        )
        parser.add_argument("--selection", default="", metavar="NOM", help="sélection enregistrée pour la liste")
        parser.add_argument("--mail-to", default="", metavar="ADRESSE", help="qui prévenir de ce qui attend")
        parser.add_argument("--company", default="", metavar="NOM|SIREN", help="société des factures sans société")
        parser.add_argument("--create-companies", action="store_true", help="créer les sociétés inconnues")
        parser.add_argument("--stable", type=float, default=5.0, metavar="SECONDES", help="repos d’un fichier complet")
        parser.add_argument("--every", type=float, default=2.0, metavar="SECONDES", help="délai entre deux regards")
        parser.add_argument("--once", action="store_true", help="prendre ce qui est là, puis finir")

    def handle(self, *args: Any, **options: Any) -> None:
        """Watch; with --once, exit code 1 where something was refused."""
        if not options["folder"].is_dir():
            raise CommandError(_("« %(folder)s » n’est pas un dossier.") % {"folder": options["folder"]}, returncode=2)
        try:
            follow = following(options["then"], selection=options["selection"], mail_to=options["mail_to"])
        except NoSuchSelectionError as error:
            raise CommandError(str(error), returncode=2) from error
        folder = WatchedFolder(
            options["folder"].resolve(), options["stable"], options["company"], options["create_companies"], follow
        )
        watch = Watch(folder)
        is_clean = True
        failures, again_at = 0, float("-inf")
        with stop_on_signal() as stopped:
            watch.look()
            while not stopped():
                time.sleep(min(options["every"], folder.rest) if options["once"] else options["every"])
                if time.monotonic() < again_at:
                    continue
                try:
                    is_clean = self._take(folder, watch) and is_clean
                    failures = 0
                except Exception as error:  # the file is tried again, and put aside after its last try
                    if options["once"]:
                        raise CommandError(_("Import arrêté : %(error)s.") % {"error": error}) from error
                    failures += 1
                    again_at = time.monotonic() + min(folder.rest * 2**failures, LONGEST_PAUSE)
                    logger.exception("%s: trying again later", folder.path)
                    db.connections.close_all()
                if options["once"] and not watch.is_waiting:
                    break
        if not is_clean:
            raise CommandError(_("Des fichiers sont refusés : voyez refusés/."))

    def _take(self, folder: WatchedFolder, watch: Watch) -> bool:
        with locked(folder) as is_ours:
            files = watch.look() if is_ours else []
            if not files:
                return True
            report = take(folder, files)
        request_checks()
        self.stdout.write(", ".join(file.name for file in files))
        for line in describe_report({**report.as_json(), "rejections": report.rejections}):
            self.stdout.write(line)
        self.stdout.flush()
        return report.is_clean
