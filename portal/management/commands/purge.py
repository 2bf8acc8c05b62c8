"""``manage.py purge``: forget personal data whose time is over; invoices never."""

import json
from argparse import ArgumentParser
from collections.abc import Sequence
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.utils.translation import gettext as _

from portal.retention import RULES, Purged, purge


class Command(BaseCommand):
    """Purge, or say what would be."""

    help = "Efface les données personnelles dont la durée de conservation est passée ; jamais une facture."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """What, and how it is reported."""
        parser.add_argument("--dry-run", action="store_true", help="compter sans rien effacer")
        parser.add_argument(
            "--only",
            action="append",
            default=[],
            metavar="GENRE",
            choices=[rule.kind for rule in RULES],
            help="un seul genre de données (répétable) : " + ", ".join(rule.kind for rule in RULES),
        )
        parser.add_argument("--json", action="store_true", help="un objet JSON sur la sortie standard")

    def handle(self, *args: Any, **options: Any) -> None:
        """Counts by kind."""
        done = purge(timezone.now(), dry_run=options["dry_run"], kinds=options["only"])
        if options["json"]:
            output = {"dry_run": options["dry_run"], "kinds": [each.as_json() for each in done]}
            self.stdout.write(json.dumps(output, ensure_ascii=False))
            self._end(done)
            return
        words = _("à effacer") if options["dry_run"] else _("effacées")
        for each in done:
            self.stdout.write(
                _("%(label)s, avant le %(day)s (%(months)s mois) : %(count)s %(words)s. %(ground)s")
                % {
                    "label": each.rule.label,
                    "day": timezone.localdate(each.before).strftime("%d/%m/%Y"),
                    "months": each.rule.months,
                    "count": each.count,
                    "words": words,
                    "ground": each.rule.ground,
                }
            )
        self._end(done)

    def _end(self, done: Sequence[Purged]) -> None:
        """Exit code 1 where a kind could not be purged."""
        failed = [f"{each.rule.label} : {each.problem}" for each in done if each.problem]
        if failed:
            raise CommandError(_("Non purgé : %(kinds)s.") % {"kinds": " ; ".join(failed)})
