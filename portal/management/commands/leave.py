"""``manage.py leave``: everything in open formats, with pages that open without the portal."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from invoices.models import Invoice
from portal.backups.manifest import BackupError
from portal.leaving.writing import LeavingReport, leave

_WORDS = {"missing": "manquant", "altered": "altéré", "unreadable": "illisible"}


class Command(BaseCommand):
    """Take everything away."""

    help = (
        "Écrit tout dans un dossier, en formats ouverts (PDF, XML, CSV, JSON), avec un index.html qui s’ouvre sans le "
        "portail. Relancée, la commande reprend et ajoute ce qui est nouveau."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Where to."""
        parser.add_argument("folder", type=Path, metavar="DOSSIER", help="dossier, créé s’il manque")
        parser.add_argument("--json", action="store_true", help="un objet JSON sur la sortie standard")

    def handle(self, *args: Any, **options: Any) -> None:
        """Exit code 1 where nothing could be written, or a document is missing or altered in the store."""
        try:
            report = self._leave(options["folder"])
        except BackupError as error:
            raise CommandError(_("Départ : %(error)s") % {"error": error}) from None
        if options["json"]:
            self.stdout.write(json.dumps(report.as_json(), ensure_ascii=False))
        else:
            for item in report.damaged:
                self.stdout.write(f"{_WORDS[item['problem']]} : {item['file']} (facture {item['invoice']})")
            self.stdout.write(
                _(
                    "%(folder)s/index.html : factures %(invoices)s, documents copiés %(copied)s, déjà là %(reused)s, "
                    "en défaut %(damaged)s ; tables %(tables)s, lignes %(rows)s."
                )
                % {**report.as_json(), "damaged": len(report.damaged)}
            )
        if report.damaged:
            sys.exit(1)

    def _leave(self, folder: Path) -> LeavingReport:
        console = Console(stderr=True)
        if not console.is_terminal:
            return leave(folder)
        columns = (TextColumn("Factures"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*columns, console=console) as progress:
            task = progress.add_task("", total=Invoice.objects.count())
            return leave(folder, on_progress=lambda done: progress.update(task, completed=done))
