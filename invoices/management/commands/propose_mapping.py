"""``manage.py propose_mapping``: what the columns of a file would be read as."""

import argparse
import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from invoices.files.tables import UnreadableTable, tables_in
from invoices.importing.mapping.proposal import propose
from invoices.importing.mapping.proposed import Proposal


class Command(BaseCommand):
    """Propose one of our columns for each column of a table."""

    help = "Propose, pour chaque colonne d’un fichier, la colonne du portail qu’elle contient, et dit pourquoi."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """The file, and the form of the answer."""
        parser.add_argument("file", type=Path, metavar="FICHIER", help="table CSV, XLSX, XLS ou ODS")
        parser.add_argument("--json", action="store_true", help="un objet JSON sur la sortie standard")

    def handle(self, *args: Any, **options: Any) -> None:
        """Exit code 0 where a table was found, 1 where the file is none."""
        path: Path = options["file"]
        try:
            proposals = [found for table in tables_in(path, path.name) if (found := propose(table)) is not None]
        except UnreadableTable as problem:
            raise CommandError(f"{path.name} : {problem.reason}") from problem
        if not proposals:
            raise CommandError(_("%(name)s : aucun en-tête n’a été trouvé.") % {"name": path.name})
        if options["json"]:
            self.stdout.write(json.dumps({"tables": [each.as_json() for each in proposals]}, ensure_ascii=False))
            return
        for proposal in proposals:
            self._write_proposal(proposal)

    def _write_proposal(self, proposal: Proposal) -> None:
        self.stdout.write(f"{proposal.sample.table.name} : {', '.join(proposal.holds) or _('rien de connu')}")
        for column in proposal.columns:
            self.stdout.write(f"  {column.name} → {column.shown_field or '—'} ({column.ground})")
        if proposal.missing:
            self.stdout.write(_("  Il manque : %(names)s") % {"names": ", ".join(proposal.missing)})
