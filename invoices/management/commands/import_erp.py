"""``manage.py import_erp``: what the ERP has exported, into the portal."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any, Final

from django import db
from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from invoices.einvoices.tasks import request_checks
from invoices.importing.companies import UnknownCompanyError
from invoices.importing.report import ImportReport
from invoices.importing.report_text import describe_report
from invoices.importing.run import ImportStoppedError, import_erp

_EVERY: Final = 20_000  # rows between two lines of progress where there is no terminal


def _kept(*, dry_run: bool) -> str:
    """What became of the tables, which are written one by one, each whole or not at all."""
    if dry_run:
        return _("Rien n’a été écrit.")
    return _(
        "Les tables déjà écrites le restent, celle qui était en cours ne l’est pas du tout : relancez la commande."
    )


class Command(BaseCommand):
    """Import an ERP's files: customers, contacts, invoices, lines, e-invoices."""

    help = (
        "Importe les fichiers de l’ERP : clients, contacts, factures et lignes (CSV, XLSX), e-factures (Factur-X, CII, "
        "UBL), PDF nommés dans factures.csv ; fichiers, dossiers ou archives ZIP."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Paths and switches."""
        parser.add_argument("paths", nargs="+", type=Path, metavar="CHEMIN", help="fichier, dossier ou archive ZIP")
        parser.add_argument("--dry-run", action="store_true", help="contrôler et compter sans rien écrire")
        parser.add_argument(
            "--strict",
            action="store_true",
            help="ne rien importer des clients, des contacts ou des factures d’une table dès qu’une ligne est refusée",
        )
        parser.add_argument("--json", action="store_true", help="un objet JSON sur la sortie standard")
        parser.add_argument(
            "--create-companies", action="store_true", help="créer les sociétés émettrices qui ne sont pas connues"
        )
        parser.add_argument("--company", metavar="NOM|SIREN", help="société des factures qui n’en nomment pas")

    def handle(self, *args: Any, **options: Any) -> None:
        """Exit code 0 when nothing was rejected, 1 otherwise, 2 on bad usage."""
        kept = _kept(dry_run=options["dry_run"])
        try:
            report = self._import(options)
        except UnknownCompanyError as error:
            raise CommandError(str(error), returncode=2) from error
        except KeyboardInterrupt as error:
            raise CommandError(_("Import interrompu. %(kept)s") % {"kept": kept}, returncode=130) from error
        except ImportStoppedError as error:
            raise CommandError(_("Import arrêté : %(error)s. %(kept)s") % {"error": error, "kept": kept}) from error
        except (db.OperationalError, db.InterfaceError) as error:
            sentence = _("La base de données n’a pas répondu jusqu’au bout : %(error)s. %(kept)s")
            first_line = str(error).strip().partition("\n")[0].rstrip(".")
            raise CommandError(sentence % {"error": first_line, "kept": kept}) from error
        if not options["dry_run"]:
            request_checks()
        if options["json"]:
            self.stdout.write(json.dumps(report.as_json(), ensure_ascii=False))
        else:
            self._write_report(report, dry_run=options["dry_run"])
        if not report.is_clean:
            sys.exit(1)

    def _import(self, options: dict[str, Any]) -> ImportReport:
        """The import, with a moving line in a terminal and plain lines now and then elsewhere."""
        choices = {name: options[name] for name in ("dry_run", "create_companies", "company", "strict")}
        console = Console(stderr=True)
        if console.is_terminal:
            columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
            with Progress(*columns, console=console) as bar:
                task = bar.add_task(_("Import"), total=None)

                def show(stage: str, done: int) -> None:
                    bar.update(task, description=f"{stage.capitalize()} : {done}")

                return import_erp(options["paths"], progress=show, **choices)

        def say(stage: str, done: int) -> None:
            if done % _EVERY < 1000 and done >= _EVERY and not options["json"]:
                self.stderr.write(f"{stage.capitalize()} : {done}")

        return import_erp(options["paths"], progress=say, **choices)

    def _write_report(self, report: ImportReport, *, dry_run: bool) -> None:
        if dry_run:
            self.stdout.write(_("Contrôle seulement : rien n’est écrit."))
        counts = {"notices": report.notices, "rejections": report.rejections, "skips": report.skips}
        for line in describe_report({**report.as_json(), **counts}):
            self.stdout.write(line)
