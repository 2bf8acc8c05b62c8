"""``manage.py check_einvoices``: the rules run over what waits for its export and has not been checked."""

import argparse
import json
import sys
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from invoices.einvoices.checks import CheckCounts, check_waiting, findings_of, needing_check, received_unchecked
from invoices.models import Invoice, InvoiceQuerySet


class Command(BaseCommand):
    """Check e-invoices by the rules of EN 16931, of Factur-X and of the French reform, and by our own."""

    help = "Contrôle les e-factures en attente d’export (schéma, EN 16931, BR-FR, contrôles propres)."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """All of those that wait, or what needs it."""
        parser.add_argument(
            "--all", action="store_true", help="toutes les factures en attente, même déjà contrôlées telles quelles"
        )
        parser.add_argument("--json", action="store_true", help="un objet JSON sur la sortie standard")

    def handle(self, *args: Any, **options: Any) -> None:
        """Exit code 0 where all that wait are right, 1 where some are «à corriger»."""
        wanted = Invoice.objects.pending() if options["all"] else needing_check(timezone.now())
        figures = self._check(wanted)
        wrong = (
            Invoice.objects.pending()
            .filter(check_state=Invoice.CheckState.INVALID)
            .select_related("content_check", "customer")
            .order_by("issue_date", "number")
        )
        if options["json"]:
            self._print_json(figures, wrong)
        else:
            self._report(figures, wrong)
        if wrong.exists():
            sys.exit(1)

    def _check(self, wanted: InvoiceQuerySet) -> CheckCounts:
        console = Console(stderr=True)
        if not console.is_terminal:
            return check_waiting(wanted)
        columns = (TextColumn("Contrôle"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*columns, console=console) as progress:
            task = progress.add_task("", total=wanted.count() + received_unchecked().count())
            return check_waiting(wanted, on_progress=lambda figures: progress.update(task, completed=figures.total))

    def _report(self, figures: CheckCounts, wrong: InvoiceQuerySet) -> None:
        self.stdout.write(
            f"Contrôlées : {figures.total} (conformes {figures.valid}, à corriger {figures.invalid}, "
            f"reçues telles quelles {figures.received}, sans e-facture {figures.not_needed})."
        )
        for invoice in wrong.iterator(chunk_size=500):
            self.stdout.write(f"{invoice.number}  {invoice.customer} : à corriger")
            for finding in findings_of(invoice.content_check):
                term = f"{finding.business_term} " if finding.business_term else ""
                self.stdout.write(f"  {finding.code} {term}{finding.message_fr}")

    def _print_json(self, figures: CheckCounts, wrong: InvoiceQuerySet) -> None:
        self.stdout.write(
            json.dumps(
                {
                    "checked": figures.total,
                    "valid": figures.valid,
                    "invalid": figures.invalid,
                    "received": figures.received,
                    "not_needed": figures.not_needed,
                    "to_correct": [
                        {
                            "number": invoice.number,
                            "findings": invoice.content_check.findings if invoice.content_check else [],
                        }
                        for invoice in wrong.iterator(chunk_size=500)
                    ],
                },
                ensure_ascii=False,
            )
        )
