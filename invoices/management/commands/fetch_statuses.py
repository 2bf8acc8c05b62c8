"""``manage.py fetch_statuses``: take what the platforms have sent."""

import argparse
import json
from typing import Any

from django.core.management.base import BaseCommand

from invoices.money import write_count
from invoices.platforms.following import fetch_statuses


class Command(BaseCommand):
    """Ask every platform that something was submitted to."""

    help = "Relève sur les plateformes agréées les réponses aux dépôts et les statuts des factures."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """How the report is written."""
        parser.add_argument("--json", action="store_true", help="compte rendu en JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        """Ask, and report what is new."""
        found = fetch_statuses()
        if options["json"]:
            self.stdout.write(json.dumps({platform.name: fetched.as_json() for platform, fetched in found.items()}))
            return
        for platform, fetched in found.items():
            new = write_count(len(fetched.statuses), "statut nouveau", "statuts nouveaux")
            answers = write_count(fetched.answers, "réponse", "réponses")
            self.stdout.write(f"{platform.name} : {new}, {answers}.")
            for problem in fetched.problems:
                self.stdout.write(f"  {problem}")
