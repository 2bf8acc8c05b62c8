"""How a company's invoices are printed for a customer, from *Paramétrage société*."""

import datetime
import functools
import logging

from django.core.files.storage import default_storage

from customers.models import Customer
from invoices.models import Company
from invoices.printing.style import Logo, LogoError, PrintStyle, read_logo

logger = logging.getLogger(__name__)


def print_style(company: Company, customer: Customer, *, on: datetime.date, logo: Logo | None = None) -> PrintStyle:
    """The style of an invoice of ``company`` to ``customer`` issued ``on`` that day.

    ``logo`` is one that is not stored yet, in place of the company's.
    """
    return PrintStyle(
        template=company.pdf_template,
        colour=company.colour,
        logo=logo or (_load_logo(company.logo.name) if company.logo else None),
        legal_mentions=_legal_mentions(company),
        contact=tuple(filter(None, (company.phone, company.email, company.website))),
        is_professional=customer.is_professional,
        late_penalty=company.late_penalty,
        early_discount=company.discount_terms,
        recovery_fee=company.recovery_fee,
        payment_terms=company.payment_terms,
        has_reform_mentions=company.einvoice_from is not None and on >= company.einvoice_from,
        vat_on_debits=company.vat_on_debits,
        # Whole, as the invoice's own notes repeat it (completion.notes_for): what is said twice is printed once.
        other_mentions=(company.legal_notice,) if company.legal_notice.strip() else (),
        iban=company.iban,
        bic=company.bic,
        account_name=company.account_holder or company.name,
        has_transfer_code=bool(company.iban),
    )


def _legal_mentions(company: Company) -> tuple[str, ...]:
    """Identity of the issuer at the foot of the page (C. com. R123-237, R123-238)."""
    form = company.legal_form
    if company.share_capital:
        form = f"{form} au capital de {company.share_capital}" if form else f"Capital : {company.share_capital}"
    register = company.trade_register or (f"SIREN {company.siren}" if company.siren else "")
    identity = " – ".join(part for part in (company.name, form, register) if part)
    seat = ", ".join(
        part
        for part in (company.address, company.address_complement, f"{company.postcode} {company.city}".strip())
        if part
    )
    return tuple(part for part in (identity, f"Siège : {seat}" if seat else "") if part)


@functools.lru_cache(maxsize=8)
def _load_logo(name: str) -> Logo | None:
    """The logo stored under ``name``; a file that cannot be printed is left out, and said in the log.

    Remembered by its name: each upload has a name of its own.
    """
    try:
        with default_storage.open(name) as file:
            return read_logo(file.read())
    except (OSError, LogoError):
        logger.exception("The logo %s cannot be printed", name)
        return None
