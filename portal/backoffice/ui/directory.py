"""What the directory says of a customer or of a company, in words, and asking it again."""

from typing import Final

from django.contrib import messages
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from customers.models import Customer
from invoices.models import Company, DirectoryLookup
from invoices.money import write_count
from invoices.platforms.client import PlatformClient, PlatformError
from invoices.platforms.directory import addresses_for, connected_platform, look_up, open_addresses

MOST: Final = 50


def describe_lookup(customer: Customer) -> str:
    """«une adresse : 552100554 (le 26/11/2026, Plateforme)»; a dash where the directory was never asked."""
    lookup = DirectoryLookup.objects.filter(customer=customer.pk).first() if customer.pk else None
    return "-" if lookup is None else _describe(lookup, addresses_for(customer, lookup.lines))


def describe_company_lookup(company: Company) -> str:
    """The same of the seller's own address (BT-34), where statuses are sent to."""
    lookup = DirectoryLookup.objects.filter(company=company.pk).first() if company.pk else None
    return "-" if lookup is None else _describe(lookup, open_addresses(lookup.lines))


def _describe(lookup: DirectoryLookup, addresses: list[str]) -> str:
    day = timezone.localtime(lookup.at)
    shown = ", ".join(addresses[:20])
    words = f"{lookup.get_outcome_display()} : {shown}" if shown else str(lookup.get_outcome_display())
    return _("%(words)s (le %(day)s, %(source)s)") % {"words": words, "day": f"{day:%d/%m/%Y}", "source": lookup.source}


def look_up_chosen(customers: "QuerySet[Customer]") -> tuple[str, int]:
    """Ask the directory for ``customers``, some dozens at most; a sentence and its level."""
    platform = connected_platform()
    if platform is None:
        return _("Aucune société n’est connectée à une plateforme qui a un annuaire."), messages.WARNING
    client, done = PlatformClient(platform), 0
    for customer in customers.filter(kind=Customer.Kind.PROFESSIONAL).exclude(siren="")[:MOST]:
        try:
            look_up(customer, client)
        except PlatformError as problem:
            return str(problem), messages.WARNING
        done += 1
    return f"{write_count(done, _('client consulté'), _('clients consultés'))}.", messages.SUCCESS
