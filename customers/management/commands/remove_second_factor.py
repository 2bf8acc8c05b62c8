"""``manage.py remove_second_factor``: let somebody in who lost telephone and recovery codes."""

import argparse
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from customers.models import Account
from customers.second_factor import turn_off


class Command(BaseCommand):
    """Take the second factor away from one account."""

    help = "Retire la double authentification d’un compte dont le téléphone et les codes de secours sont perdus."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Whose."""
        parser.add_argument("login", metavar="IDENTIFIANT")

    def handle(self, *args: Any, **options: Any) -> None:
        """Raises CommandError where the login is unknown or has no second factor."""
        account = Account.objects.filter(login=options["login"]).first()
        if account is None:
            raise CommandError(_("Aucun compte n’a l’identifiant %(login)s.") % {"login": options["login"]})
        if not turn_off(account=account):
            raise CommandError(_("%(login)s n’a pas de double authentification.") % {"login": account.login})
        self.stdout.write(_("Double authentification retirée : %(login)s.") % {"login": account.login})
