"""``manage.py submit_invoices``: hand published invoices over to the platforms of their companies."""

import argparse
import json
import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db.models import Count

from invoices.models import Export, Submission
from invoices.money import write_count
from invoices.platforms.submission import awaiting_submission, queue_submissions, run_submissions
from invoices.workers.pool import stop_on_signal

WAITING = (Submission.State.DUE, Submission.State.CLAIMED)


class Command(BaseCommand):
    """Queue what is due, submit it, and report what became of it."""

    help = "Remet aux plateformes agréées les factures publiées qui doivent y passer, chacune une fois."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Which invoices, and how long."""
        parser.add_argument("--export", type=int, help="seulement les factures de cet export")
        parser.add_argument("--wait", action="store_true", help="attendre que tout soit remis")
        parser.add_argument("--json", action="store_true", help="compte rendu en JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        """Go on until nothing may be sent now; Ctrl-C and SIGTERM stop after the line in hand."""
        export = None
        if options["export"] is not None:
            export = Export.objects.filter(number=options["export"]).first()
            if export is None:
                raise CommandError(f"L’export n° {options['export']} n’existe pas.")
        queued = queue_submissions(awaiting_submission(export), export=export)
        with stop_on_signal() as stopped:
            sent = run_submissions(should_stop=stopped)
            while options["wait"] and not stopped() and Submission.objects.filter(state__in=WAITING).exists():
                time.sleep(0.5)
                sent += run_submissions(should_stop=stopped)
        lines = Submission.objects.all() if export is None else Submission.objects.filter(export=export)
        states = dict(lines.order_by().values_list("state").annotate(Count("pk")))
        if options["json"]:
            self.stdout.write(json.dumps({"queued": queued, "sent": sent, "states": states}))
            return
        self.stdout.write(f"{write_count(queued, 'facture mise en file', 'factures mises en file')}.")
        for state in Submission.State:
            if states.get(state):
                self.stdout.write(f"{write_count(states[state], 'dépôt', 'dépôts')} : {state.label}.")
        for line in lines.filter(state=Submission.State.REJECTED).select_related("invoice")[:20]:
            self.stdout.write(f"  {line.invoice} : {line.reason}")
