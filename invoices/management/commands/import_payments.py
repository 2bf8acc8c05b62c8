"""``manage.py import_payments``: what was received, and the status 212 that notifies the platforms of it."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from invoices.importing.payments import import_payments
from invoices.platforms.payments import queue_payment_statuses


class Command(BaseCommand):
    """Record the payments of a table."""

    help = "Enregistre les encaissements d’une table (numero, date, montant) et prépare les statuts 212 Encaissée."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """The file."""
        parser.add_argument("path", type=Path, metavar="FICHIER", help="reglements.csv, ou un classeur")
        parser.add_argument("--json", action="store_true", help="un objet JSON sur la sortie standard")

    def handle(self, *args: Any, **options: Any) -> None:
        """Exit code 0 when nothing was rejected, 1 otherwise."""
        path: Path = options["path"]
        if not path.is_file():
            raise CommandError(f"Le fichier « {path} » n’existe pas.")
        report = import_payments(path, path.name, author_name=_("ligne de commande"))
        queued = queue_payment_statuses(author_name=_("ligne de commande"))
        if options["json"]:
            self.stdout.write(json.dumps({**report.as_json(), "statuses": queued}, ensure_ascii=False))
        else:
            self.stdout.write(
                f"Encaissements enregistrés : {len(report.payments)} ; déjà connus : {report.unchanged} ; "
                f"refusés : {len(report.rejected)} ; statuts 212 à transmettre : {queued}."
            )
            for rejection in report.rejected:
                self.stdout.write(f"  {rejection['file']}, ligne {rejection['row']} : {rejection['reason']}")
        if report.rejected:
            sys.exit(1)
