"""``manage.py verify_documents``: every frozen document read back and compared with its fingerprint."""

import argparse
import datetime
import json
import sys
from typing import Any

from django.core.management.base import BaseCommand
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from invoices.models import Document
from invoices.store.integrity import VerificationReport, verify_documents

_WORDS = {"missing": "manquant", "altered": "altéré", "unreadable": "illisible"}


def read_hours(text: str) -> datetime.timedelta:
    """A number of hours, 0 or more."""
    try:
        hours = float(text.replace(",", "."))
        if 0 <= hours <= 24 * 3650:
            return datetime.timedelta(hours=hours)
    except ValueError:
        pass
    raise argparse.ArgumentTypeError(f"« {text} » n’est pas un nombre d’heures")


class Command(BaseCommand):
    """Verify the archive."""

    help = "Relit chaque document figé, compare son empreinte SHA-256 et cherche les fichiers orphelins."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Orphans and the form of the report."""
        parser.add_argument(
            "--orphans-older-than",
            type=read_hours,
            default=datetime.timedelta(hours=24),
            metavar="HEURES",
            help="âge à partir duquel un fichier sans document est orphelin (défaut : 24 ; un export en cours en a)",
        )
        parser.add_argument("--delete-orphans", action="store_true", help="supprimer les fichiers orphelins")
        parser.add_argument("--json", action="store_true", help="un objet JSON sur la sortie standard")

    def handle(self, *args: Any, **options: Any) -> None:
        """Exit code 0 where all is right, 1 where a file is missing, altered, unreadable or an orphan that stays."""
        report = self._verify(options)
        if options["json"]:
            self.stdout.write(json.dumps(report.as_json(), ensure_ascii=False))
        else:
            self._write_report(report)
        if not report.is_clean:
            sys.exit(1)

    def _verify(self, options: dict[str, Any]) -> VerificationReport:
        choices = {name: options[name] for name in ("orphans_older_than", "delete_orphans")}
        console = Console(stderr=True)
        if not console.is_terminal:
            return verify_documents(**choices)
        columns = (TextColumn("Documents"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*columns, console=console) as progress:
            task = progress.add_task("", total=Document.objects.count())
            return verify_documents(**choices, on_progress=lambda checked: progress.update(task, completed=checked))

    def _write_report(self, report: VerificationReport) -> None:
        for item in report.damaged:
            self.stdout.write(f"{_WORDS[item.problem]} : {item.file} (facture {item.invoice}, version {item.version})")
        for name in report.orphans:
            self.stdout.write(f"orphelin : {name}")
        plural = "s" if report.checked >= 2 else ""
        self.stdout.write(
            f"{report.checked} document{plural} vérifié{plural} : {len(report.damaged)} en défaut ; "
            f"fichiers orphelins : {len(report.orphans)} ; supprimés : {report.deleted}."
        )
