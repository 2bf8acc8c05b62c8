"""The way an invoice must take by law, from who sells and who buys (CGI art. 289 bis and 290; L2192-1 CCP).

A professional in France is reached through a «plateforme agréée» from the company's issuing date, a public body
through Chorus Pro. Foreign professionals and individuals get the invoice from us; the data goes to the tax office.
Sales that CGI art. 261 to 261 E exempts are outside of the reform where an invoice has no others: they are known by
the reason that the invoice states, or the company for all of its rows.
"""

import datetime
import json
import re
from typing import Final

from django.db.models import BooleanField, Case, CharField, Exists, F, OuterRef, Q, Value, When
from django.db.models.enums import TextChoices
from django.utils.translation import gettext_lazy as _

from customers.models import Customer
from invoices.content.from_rows import STATED_WHOLE
from invoices.en16931.vat import FRENCH_COUNTRIES, OUTSIDE_REFORM, cites_outside_reform
from invoices.models import Company, Invoice, InvoiceLine

_FRENCH: Final = tuple(sorted(FRENCH_COUNTRIES))


class Channel(TextChoices):
    """The way of an invoice, with its name for people."""

    PLATFORM = "platform", _("plateforme agréée")
    PUBLIC = "public", _("Chorus Pro")
    ABROAD = "abroad", _("professionnel à l’étranger")
    INDIVIDUAL = "individual", _("particulier")
    EXEMPT = "exempt", _("hors champ : opération exonérée")


def channel_of(invoice: Invoice) -> Channel:
    """The channel of ``invoice``; a statement for its lines where they are not prefetched and no VAT is charged."""
    company, customer = invoice.company, invoice.customer
    if not customer.is_professional:
        return Channel.INDIVIDUAL
    if customer.country not in FRENCH_COUNTRIES or company.country not in FRENCH_COUNTRIES:
        return Channel.ABROAD
    if customer.is_public_body:
        return Channel.PUBLIC
    return Channel.EXEMPT if _is_exempt(invoice) else Channel.PLATFORM


def must_use_platform(invoice: Invoice) -> bool:
    """True where ``invoice`` is only issued by going through a «plateforme agréée»."""
    return _is_due(invoice.company, invoice.issue_date) and channel_of(invoice) == Channel.PLATFORM


def _is_due(company: Company, date: datetime.date) -> bool:
    return company.einvoice_from is not None and date >= company.einvoice_from


def _is_exempt(invoice: Invoice) -> bool:
    """Whether the invoice holds nothing but operations that CGI art. 261 to 261 E exempts."""
    if invoice.total_vat != 0:
        return False
    breakdown = json.dumps(invoice.details.get("vat_breakdown") or [])
    if invoice.origin in STATED_WHOLE:
        cites = bool(_STATES_261.search(breakdown)) and not _STATES_ANOTHER_CATEGORY.search(breakdown)
    else:
        cites = bool(_STATES_261.search(breakdown)) or (
            not _STATES_A_REASON.search(breakdown) and cites_outside_reform(invoice.company.vat_exemption)
        )
    return cites and all(line.vat_category in ("", "E") and not line.vat_rate for line in invoice.lines.all())


def is_copy(invoice: Invoice) -> bool:
    """True where the original is what the company's platform transmits, and what we show is a copy of it.

    Where the company has named no platform, no one transmits anything: it left by mail only, for a reason.
    """
    return invoice.company.platform_name != "" and must_use_platform(invoice)


def describe_channel(invoice: Invoice) -> str:
    """The channel in French, with the date from which it is obligatory where it is not yet."""
    channel = channel_of(invoice)
    if channel != Channel.PLATFORM:
        return str(channel.label)
    if _is_due(invoice.company, invoice.issue_date):
        return str(_("plateforme agréée (obligatoire)"))
    if invoice.company.einvoice_from is None:
        return str(_("plateforme agréée (pas encore obligatoire)"))
    return str(
        _("plateforme agréée (obligatoire à compter du %(date)s)")
        % {"date": f"{invoice.company.einvoice_from:%d/%m/%Y}"}
    )


# What a stated VAT breakdown says, in the JSON that holds it: the same in Python and in SQL.
_STATES_261: Final = re.compile(r'"exemption_(reason|code)": ?"([^"]*[^0-9"])?261[^0-9]')
_STATES_A_REASON: Final = re.compile(r'"exemption_reason"')
_STATES_ANOTHER_CATEGORY: Final = re.compile(r'"category": ?"([^E"]|E[^"])')

# The same in SQL, for lists.

_IS_PROFESSIONAL: Final = Q(customer__kind=Customer.Kind.PROFESSIONAL)
_IS_DOMESTIC: Final = Q(customer__country__in=_FRENCH, company__country__in=_FRENCH)

_STATED: Final = Q(origin__in=sorted(STATED_WHOLE))
_OTHER_LINES: Final = InvoiceLine.objects.filter(
    ~Q(vat_category__in=("", "E")) | Q(vat_rate__gt=0), invoice=OuterRef("pk")
)


def _breakdown(pattern: re.Pattern[str]) -> Case:
    """Whether the stated breakdown matches; false where none is stated, which SQL would leave open."""
    return _truth(Q(details__vat_breakdown__regex=pattern.pattern))


def _truth(condition: Q) -> Case:
    return Case(When(condition, then=Value(True)), default=Value(False), output_field=BooleanField())


_IS_EXEMPT: Final = _truth(
    Q(total_vat=0)
    & (
        (_STATED & Q(_breakdown(_STATES_261)) & ~Q(_breakdown(_STATES_ANOTHER_CATEGORY)))
        | (
            ~_STATED
            & (
                Q(_breakdown(_STATES_261))
                | (~Q(_breakdown(_STATES_A_REASON)) & Q(company__vat_exemption__regex=OUTSIDE_REFORM))
            )
        )
    )
    & ~Q(Exists(_OTHER_LINES))
)

MUST_USE_PLATFORM: Final = (
    _IS_PROFESSIONAL
    & _IS_DOMESTIC
    & Q(
        customer__is_public_body=False,
        company__einvoice_from__isnull=False,
        company__einvoice_from__lte=F("issue_date"),
    )
    & ~Q(_IS_EXEMPT)
)
"""Of invoices: what :func:`must_use_platform` says."""

CHANNEL: Final = Case(
    When(~_IS_PROFESSIONAL, then=Value(str(Channel.INDIVIDUAL))),
    When(~_IS_DOMESTIC, then=Value(str(Channel.ABROAD))),
    When(customer__is_public_body=True, then=Value(str(Channel.PUBLIC))),
    When(_IS_EXEMPT, then=Value(str(Channel.EXEMPT))),
    default=Value(str(Channel.PLATFORM)),
    output_field=CharField(),
)
"""Of invoices: what :func:`channel_of` says, for ``annotate`` and ``filter``."""
