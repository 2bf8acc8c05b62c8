"""``manage.py import_statuses``: what platforms say of our invoices."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand
from django.utils.translation import gettext as _

from invoices.platforms.lifecycle import import_statuses


class Command(BaseCommand):
    """Record the statuses of CDAR files."""

    help = "Enregistre les statuts de factures des messages CDAR d’une plateforme (fichiers, dossiers, archives ZIP)."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Paths."""
        parser.add_argument("paths", nargs="+", type=Path, metavar="CHEMIN", help="fichier, dossier ou archive ZIP")
        parser.add_argument("--json", action="store_true", help="un objet JSON sur la sortie standard")

    def handle(self, *args: Any, **options: Any) -> None:
        """Exit code 0 when nothing was rejected, 1 otherwise."""
        report = import_statuses(options["paths"], author_name=_("ligne de commande"))
        if options["json"]:
            self.stdout.write(json.dumps(report.as_json(), ensure_ascii=False))
        else:
            self.stdout.write(
                f"Statuts enregistrés : {report.recorded} ; déjà connus : {report.unchanged} ; "
                f"refusés : {len(report.rejected)}."
            )
            for rejection in report.rejected:
                self.stdout.write(f"  {rejection['file']} : {rejection['reason']}")
        if report.rejected:
            sys.exit(1)
