"""``manage.py generate_credentials``: accounts and provisional passwords for customers."""

import argparse
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from customers.models import Account, Customer
from customers.recipients import ContactRules, find_recipients_of
from customers.services import (
    generate_credentials,
    renew_credentials,
    send_credentials,
    wipe_expired_secrets,
)


class Command(BaseCommand):
    """Make the credentials of customers, and send them if wanted."""

    help = (
        "Crée les identifiants des clients en D. Un mot de passe provisoire encore inutilisé est renouvelé, "
        "sauf avec --missing ; un mot de passe choisi par le client n’est jamais touché."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Which customers, whether to send."""
        parser.add_argument("--customer", nargs="+", action="extend", default=[], metavar="CODE", help="ces clients")
        parser.add_argument("--missing", action="store_true", help="seulement ceux qui n’ont pas encore de compte")
        parser.add_argument("--use-contacts", action="store_true", help="comptes aux adresses des contacts rattachés")
        parser.add_argument("--send", action="store_true", help="écrire le mail des identifiants")

    def handle(self, *args: Any, **options: Any) -> None:
        """Raises CommandError (exit code 2) on a code that no customer has."""
        wipe_expired_secrets()
        customers = list(self._customers(options["customer"]))
        addressees = find_recipients_of(customers, ContactRules(use_contacts=options["use_contacts"]))
        made: dict[int, Account] = {}
        kept = without_address = 0
        for customer in customers:
            recipients = addressees[customer.pk].recipients
            if not recipients:
                without_address += 1
                self.stderr.write(_("%(customer)s : aucune adresse e-mail.") % {"customer": customer})
            for recipient in recipients:
                if recipient.account is not None and (options["missing"] or recipient.account.has_chosen_password):
                    kept += 1
                    continue
                account = self._generate(customer, recipient.address, recipient.name, recipient.account)
                if account is not None:
                    made[account.pk] = account
        sent = send_credentials(accounts=made.values()) if options["send"] else 0
        self.stdout.write(
            f"Identifiants générés : {len(made)}. Comptes laissés tels quels : {kept}. "
            f"Clients sans adresse : {without_address}. Mails écrits : {sent}."
        )

    def _generate(self, customer: Customer, address: str, name: str, account: Account | None) -> Account | None:
        try:
            generated = generate_credentials(customer=customer, address=address, name=name)
        except ValueError:
            self.stderr.write(
                _("%(customer)s : l’adresse %(address)s est celle d’un membre du personnel.")
                % {"customer": customer, "address": address}
            )
            return None
        if generated.is_new or account is None:
            return generated.account
        return renew_credentials(account=generated.account)

    def _customers(self, codes: list[str]) -> Any:
        if not codes:
            return Customer.objects.dematerialised()
        found = Customer.objects.filter(code__in=codes)
        unknown = sorted(set(codes) - {customer.code for customer in found})
        if unknown:
            raise CommandError(_("Aucun client n’a le code : %(codes)s.") % {"codes": ", ".join(unknown)}, returncode=2)
        return found
