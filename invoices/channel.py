"""The way an invoice must take by law, from who sells and who buys (CGI art. 289 bis and 290; L2192-1 CCP).

A professional in France is reached through a «plateforme agréée» from the company's issuing date, a public body
through Chorus Pro. Foreign professionals and individuals get the invoice from us; the data goes to the tax office.
Sales that CGI art. 261 to 261 E exempts are outside of the reform; the rows of an ERP do not tell them apart, so
their export says why it leaves by mail only.
"""

import datetime
from typing import Final

from django.db.models import Case, CharField, F, Q, Value, When
from django.db.models.enums import TextChoices
from django.utils.translation import gettext_lazy as _

from customers.models import Customer
from invoices.einvoices.french_parties import FRENCH_COUNTRIES
from invoices.models import Company, Invoice

_FRENCH: Final = tuple(sorted(FRENCH_COUNTRIES))


class Channel(TextChoices):
    """The way of an invoice, with its name for people."""

    PLATFORM = "platform", _("plateforme agréée")
    PUBLIC = "public", _("Chorus Pro")
    ABROAD = "abroad", _("professionnel à l’étranger")
    INDIVIDUAL = "individual", _("particulier")


def channel_of(company: Company, customer: Customer) -> Channel:
    """The channel of an invoice of ``company`` to ``customer``."""
    if not customer.is_professional:
        return Channel.INDIVIDUAL
    if customer.country not in FRENCH_COUNTRIES or company.country not in FRENCH_COUNTRIES:
        return Channel.ABROAD
    return Channel.PUBLIC if customer.is_public_body else Channel.PLATFORM


def must_use_platform(company: Company, customer: Customer, date: datetime.date) -> bool:
    """True where an invoice of ``date`` is only issued by going through a «plateforme agréée»."""
    if company.einvoice_from is None or date < company.einvoice_from:
        return False
    return channel_of(company, customer) == Channel.PLATFORM


def is_copy(invoice: Invoice) -> bool:
    """True where the original is what the company's platform transmits, and what we show is a copy of it.

    Where the company has named no platform, nobody transmits anything: it left by mail only, for a reason.
    """
    return invoice.company.platform_name != "" and must_use_platform(
        invoice.company, invoice.customer, invoice.issue_date
    )


def describe_channel(invoice: Invoice) -> str:
    """The channel in French, with the date from which it is obligatory where it is not yet."""
    channel = channel_of(invoice.company, invoice.customer)
    if channel != Channel.PLATFORM:
        return str(channel.label)
    if must_use_platform(invoice.company, invoice.customer, invoice.issue_date):
        return str(_("plateforme agréée (obligatoire)"))
    if invoice.company.einvoice_from is None:
        return str(_("plateforme agréée (pas encore obligatoire)"))
    return str(
        _("plateforme agréée (obligatoire à compter du %(date)s)")
        % {"date": f"{invoice.company.einvoice_from:%d/%m/%Y}"}
    )


# The same in SQL, for lists.

_IS_PROFESSIONAL: Final = Q(customer__kind=Customer.Kind.PROFESSIONAL)
_IS_DOMESTIC: Final = Q(customer__country__in=_FRENCH, company__country__in=_FRENCH)

MUST_USE_PLATFORM: Final = (
    _IS_PROFESSIONAL
    & _IS_DOMESTIC
    & Q(
        customer__is_public_body=False,
        company__einvoice_from__isnull=False,
        company__einvoice_from__lte=F("issue_date"),
    )
)
"""Of invoices: what :func:`must_use_platform` says."""

WITHOUT_PLATFORM: Final = MUST_USE_PLATFORM & Q(company__platform_name="")
"""Of invoices: obliged to go through a platform while the company has named none, so that they leave by mail only."""

CHANNEL: Final = Case(
    When(~_IS_PROFESSIONAL, then=Value(str(Channel.INDIVIDUAL))),
    When(~_IS_DOMESTIC, then=Value(str(Channel.ABROAD))),
    When(customer__is_public_body=True, then=Value(str(Channel.PUBLIC))),
    default=Value(str(Channel.PLATFORM)),
    output_field=CharField(),
)
"""Of invoices: what :func:`channel_of` says, for ``annotate`` and ``filter``."""
