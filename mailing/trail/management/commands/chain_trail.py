"""``manage.py chain_trail``: give new entries of the trail their place in the chain."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.utils.translation import gettext as _

from mailing.trail.chain import chain_new_entries
from mailing.trail.stamps import seal_last_day


class Command(BaseCommand):
    """Chain what the worker has not chained yet."""

    help = (
        "Chaîne les nouvelles entrées de la piste d’audit et fait horodater la racine de la veille (le travail en "
        "arrière-plan le fait de lui-même)."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The form of the report."""
        parser.add_argument("--json", action="store_true", help="un objet JSON sur la sortie standard")

    def handle(self, *args: Any, **options: Any) -> None:
        """Say how many."""
        count = chain_new_entries()
        stamped = seal_last_day()
        if options["json"]:
            self.stdout.write(json.dumps({"chained": count, "stamped": stamped}))
        else:
            self.stdout.write(
                _("Entrées chaînées : %(count)s ; racines horodatées : %(stamped)s.")
                % {"count": count, "stamped": stamped}
            )
