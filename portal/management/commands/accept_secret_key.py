"""``manage.py accept_secret_key``: go on with another key, once the one of the installation is lost."""

import argparse
from typing import Any

from django.core.management.base import BaseCommand
from django.utils.translation import gettext as _

from portal.start import accept_key


class Command(BaseCommand):
    """Note the present SECRET_KEY as that of the installation."""

    help = "Prend la SECRET_KEY présente pour celle de l’installation, quand l’ancienne est perdue."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """No choices: the key is that of the environment."""

    def handle(self, *args: Any, **options: Any) -> None:
        """Says what the lost key takes with it."""
        accept_key()
        self.stdout.write(
            _(
                "La clé présente est désormais celle de l’installation. Les sessions et les liens d’avant sont clos ; "
                "les mots de passe provisoires d’avant sont illisibles : leurs mails attendent, créez-en de nouveaux "
                "(generate_credentials, ou l’onglet WEB des fiches)."
            )
        )
