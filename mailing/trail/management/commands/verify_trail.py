"""``manage.py verify_trail``: the whole chain of the trail, read again up to its first fault."""

import json
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from mailing.trail.ends import UnreadableEndsError, read_ends
from mailing.trail.verification import verify_trail


class Command(BaseCommand):
    """Verify the trail."""

    help = "Relit toute la piste d’audit et nomme la première entrée modifiée, supprimée ou déplacée."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The form of the report, and what is known from elsewhere."""
        parser.add_argument(
            "--known",
            type=Path,
            metavar="FICHIER",
            help="fins de la chaîne connues au dehors : trail-ends.jsonl d’une sauvegarde, ou sorties --json gardées",
        )
        parser.add_argument("--json", action="store_true", help="un objet JSON sur la sortie standard")

    def handle(self, *args: Any, **options: Any) -> None:
        """Exit code 0 where the chain is whole, 1 at a fault, 2 where the file of known ends cannot be read."""
        try:
            known = read_ends(options["known"]) if options["known"] else []
        except UnreadableEndsError as error:
            raise CommandError(str(error), returncode=2) from None
        report = verify_trail(known=known)
        if options["json"]:
            self.stdout.write(json.dumps(report.as_json(), ensure_ascii=False))
        else:
            if report.fault is not None:
                self.stdout.write(report.fault.sentence)
            self.stdout.write(
                _(
                    "Entrées vérifiées : %(checked)s ; en attente de chaînage : %(waiting)s ; valeurs personnelles "
                    "effacées : %(erased)s ; racines : %(roots)s, dont horodatées : %(stamps)s ; empreinte de la "
                    "chaîne : %(sha256)s."
                )
                % {
                    "checked": report.checked,
                    "waiting": report.waiting,
                    "erased": report.erased,
                    "roots": report.roots,
                    "stamps": report.stamps,
                    "sha256": report.last_sha256,
                }
            )
        if report.fault is not None:
            sys.exit(1)
