"""``manage.py look_up_directory``: the electronic addresses of French professionals."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db.models import Count

from invoices.importing.directory_file import read_directory_file
from invoices.models import DirectoryLookup
from invoices.money import write_count
from invoices.platforms.directory import refresh_directory


class Command(BaseCommand):
    """Ask the platform's directory, or read the file of the public one."""

    help = "Cherche dans l’annuaire l’adresse électronique des clients professionnels français, par SIREN."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Where the answer comes from."""
        parser.add_argument("--file", type=Path, help="fichier reçu du site de l’annuaire public (CSV ou classeur)")
        parser.add_argument("--json", action="store_true", help="un objet JSON sur la sortie standard")

    def handle(self, *args: Any, **options: Any) -> None:
        """Exit code 0 when all that is due was looked up, 1 otherwise."""
        path: Path | None = options["file"]
        if path is not None:
            if not path.is_file():
                raise CommandError(f"Le fichier « {path} » n’existe pas.")
            done, problems = read_directory_file(path, path.name)
        else:
            done, problem = refresh_directory(most=10**9)
            problems = [problem] if problem else []
        counts = dict(
            DirectoryLookup.objects.filter(customer__isnull=False)
            .values_list("outcome")
            .annotate(Count("pk"))
            .order_by()
        )
        if options["json"]:
            report = {"looked_up": done, "outcomes": counts, "problems": problems}
            self.stdout.write(json.dumps(report, ensure_ascii=False))
        else:
            self.stdout.write(f"{write_count(done, 'client consulté', 'clients consultés')}.")
            for outcome in DirectoryLookup.Outcome:
                if counts.get(outcome):
                    self.stdout.write(f"{write_count(counts[outcome], 'client', 'clients')} : {outcome.label}.")
            for problem in problems:
                self.stdout.write(problem)
        if problems:
            sys.exit(1)
