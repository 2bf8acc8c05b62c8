"""``manage.py verify_trail``: the whole chain of the trail, read again up to its first fault."""

import json
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.utils.translation import gettext as _

from mailing.trail.verification import verify_trail


class Command(BaseCommand):
    """Verify the trail."""

    help = "Relit toute la piste d’audit et nomme la première entrée modifiée, supprimée ou déplacée."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The form of the report."""
        parser.add_argument("--json", action="store_true", help="un objet JSON sur la sortie standard")

    def handle(self, *args: Any, **options: Any) -> None:
        """Exit code 0 where the chain is whole, 1 at a fault."""
        report = verify_trail()
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
