"""What the customer card and «Paramétrage société» add to an invoice that came as table rows.

An ERP's rows state numbers; parties, mentions, payment instructions and VAT reasons are the company's own and the
customer's. They are put together when they are needed and not stored with the invoice: until it is frozen, a
correction of the card or of the settings is a correction of the invoice.
"""

import datetime
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from invoices.en16931.model import (
    DIRECTORY_SCHEME,
    MAIL_SCHEME,
    SIREN_SCHEME,
    SIRET_SCHEME,
    Address,
    ContactPoint,
    Delivery,
    Identifier,
    Line,
    Note,
    Party,
    PaymentInstructions,
    VatBreakdown,
)
from invoices.en16931.vat import DOMESTIC_COUNTRIES, DOMESTIC_REVERSE_CHARGE, derive_treatment, usual_treatment
from invoices.money import vat_amount

if TYPE_CHECKING:
    from customers.models import Customer
    from invoices.models import Company, Invoice

_CREDIT_TRANSFER: Final = "30"
_ON_DEBITS: Final = "5"  # BT-8 in CII: VAT falls due with the invoice
_ON_PAYMENT: Final = "72"  # BT-8 in CII: VAT falls due with the payment


def seller_of(company: "Company") -> Party:
    """BG-4 of a company of «Paramétrage société»."""
    capital = f"au capital de {company.share_capital}" if company.share_capital else ""
    status = " ".join(filter(None, (company.legal_form, capital)))
    return Party(
        name=company.name,
        identifiers=(Identifier(company.siret, SIRET_SCHEME),) if company.siret else (),
        legal_identifier=Identifier(company.siren, SIREN_SCHEME) if company.siren else None,
        vat_identifier=company.vat_identifier,
        legal_information=" – ".join(filter(None, (status, company.trade_register))),
        electronic_address=_electronic_address("", company.siren, company.email),
        address=_address(company),
        contact=ContactPoint(name=company.name, phone=company.phone, email=company.email)
        if company.phone or company.email
        else None,
    )


def buyer_of(customer: "Customer") -> Party:
    """BG-7 of a customer card. The ERP's code stands in BT-46 where there is no SIRET."""
    siren = customer.siren if customer.is_professional else ""
    identifier = Identifier(customer.siret, SIRET_SCHEME) if customer.siret else Identifier(customer.code)
    return Party(
        name=customer.name,
        identifiers=(identifier,),
        legal_identifier=Identifier(siren, SIREN_SCHEME) if siren else None,
        vat_identifier=customer.vat_identifier,
        electronic_address=_electronic_address(customer.electronic_address, siren, customer.email),
        address=_address(customer),
    )


def notes_for(company: "Company", customer: "Customer") -> tuple[Note, ...]:
    """BG-1: the mentions of article L441-9 of the commercial code and of the company's register entry.

    The recovery fee (PMT) is never charged to an individual (D441-5), so it is not written to one.
    """
    fee = company.recovery_fee if customer.is_professional else ""
    capital = f" au capital de {company.share_capital}" if company.share_capital else ""
    mentions = (
        (fee, "PMT"),
        (company.late_penalty, "PMD"),
        (company.discount_terms, "AAB"),
        (f"{company.legal_form}{capital}".strip(), "REG"),
        (company.trade_register, "ABL"),
        (company.legal_notice, "AAI"),
    )
    return tuple(Note(text.strip(), code) for text, code in mentions if text.strip())


def payment_for(company: "Company", invoice: "Invoice") -> PaymentInstructions | None:
    """BG-16: transfer to the company's account with the invoice's number; nothing where nothing is asked for."""
    if not company.iban or invoice.is_credit_note or invoice.amount_due <= 0:
        return None
    return PaymentInstructions(
        means_code=_CREDIT_TRANSFER,
        means_text="Virement",
        remittance_information=invoice.number,
        iban=company.iban,
        account_name=company.account_holder or company.name,
        bic=company.bic,
    )


def due_date_for(company: "Company", invoice: "Invoice") -> datetime.date | None:
    """BT-9: as stated, else by the company's delay; the issue date where all is paid (BR-FR-CO-09)."""
    if invoice.due_date is not None or invoice.is_credit_note:
        return invoice.due_date
    if is_fully_paid(invoice):
        return invoice.issue_date
    if company.payment_delay_days is None:
        return None
    return invoice.issue_date + datetime.timedelta(days=company.payment_delay_days)


def is_fully_paid(invoice: "Invoice") -> bool:
    """True where nothing is left to pay because all was paid before."""
    return bool(invoice.prepaid_amount) and invoice.prepaid_amount == invoice.total_with_vat


def business_process_for(operations: str, invoice: "Invoice") -> str:
    """BT-23, French «cadre de facturation»: B goods, S services, M both; 1 ordinary, 2 already paid."""
    return f"{operations}{2 if is_fully_paid(invoice) else 1}"


def vat_point_code_for(operations: str, company: "Company") -> str:
    """BT-8: on debits where the company has chosen so, on payment for services; goods say nothing (CGI 269)."""
    if operations == company.Operations.GOODS:
        return ""
    return _ON_DEBITS if company.vat_on_debits else (_ON_PAYMENT if operations == company.Operations.SERVICES else "")


def delivery_for(
    stated: Delivery | None, customer: "Customer", categories: Iterable[str], issued: datetime.date
) -> Delivery | None:
    """BG-13: as stated; completed for an intra-community supply, which must say when and where (BR-IC-11, BR-IC-12).

    An invoice names the day of delivery only where it is not its own date (CGI, ann. II, 242 nonies A I-10°), and
    the place only where it is not the customer's address: unstated, they are these.
    """
    if "K" not in categories:
        return stated
    known = stated or Delivery()
    return Delivery(
        name=known.name,
        location=known.location,
        date=known.date or issued,
        address=known.address or Address(country=customer.country),
    )


def with_vat_categories(
    lines: Sequence[Line], company: "Company", customer: "Customer", operations: str
) -> tuple[tuple[Line, ...], dict[tuple[str, Decimal], tuple[str, str]]]:
    """``lines`` with a category each, and the exemption reason and code by (category, rate) (BT-120, BT-121)."""
    beside_other_rates = any(line.vat_rate for line in lines)
    completed: list[Line] = []
    reasons: dict[tuple[str, Decimal], tuple[str, str]] = {}
    for line in lines:
        rate = line.vat_rate or Decimal(0)
        if line.vat_category:
            treatment = usual_treatment(line.vat_category)
            if line.vat_category == "AE" and customer.country in DOMESTIC_COUNTRIES:
                treatment = DOMESTIC_REVERSE_CHARGE
            if not rate and line.vat_category == "E" and company.vat_exemption:
                treatment = derive_treatment(
                    rate,
                    country="FR",
                    is_professional=customer.is_professional,
                    has_vat_identifier=False,
                    services_only=False,
                    company_exemption=company.vat_exemption,
                )
        else:
            treatment = derive_treatment(
                rate,
                country=customer.country,
                is_professional=customer.is_professional,
                has_vat_identifier=bool(customer.vat_identifier),
                services_only=operations == company.Operations.SERVICES,
                company_exemption=company.vat_exemption,
                beside_other_rates=beside_other_rates,
            )
            line = replace(line, vat_category=treatment.category)
        completed.append(line)
        reasons[treatment.category, rate] = (treatment.exemption_reason, treatment.exemption_code)
    return tuple(completed), reasons


def breakdown_of(
    lines: Sequence[Line],
    reasons: dict[tuple[str, Decimal], tuple[str, str]],
    stated: Iterable[VatBreakdown] = (),
) -> tuple[VatBreakdown, ...]:
    """BG-23 of ``lines``: one per category and rate, highest rate first. A stated reason wins over the usual one."""
    stated_reasons = {
        (each.category, each.rate or Decimal(0)): (each.exemption_reason, each.exemption_code) for each in stated
    }
    sums: dict[tuple[str, Decimal], Decimal] = defaultdict(Decimal)
    for line in lines:
        sums[line.vat_category, line.vat_rate or Decimal(0)] += line.net_amount
    groups = []
    for (category, rate), taxable in sorted(sums.items(), key=lambda item: (-item[0][1], item[0][0])):
        reason, code = reasons.get((category, rate), ("", ""))
        # A reason stated without a category holds for the lines of its rate.
        reason, code = stated_reasons.get((category, rate)) or stated_reasons.get(("", rate)) or (reason, code)
        groups.append(VatBreakdown(category, rate, taxable, vat_amount(taxable, rate), reason, code))
    return tuple(groups)


def _electronic_address(stated: str, siren: str, email: str) -> Identifier | None:
    """BT-34 and BT-49: the directory's address, else the SIREN, else the mail address."""
    if stated:
        return Identifier(stated, MAIL_SCHEME if "@" in stated else DIRECTORY_SCHEME)
    if siren:
        return Identifier(siren, DIRECTORY_SCHEME)
    return Identifier(email, MAIL_SCHEME) if email else None


def _address(card: "Company | Customer") -> Address:
    return Address(
        line1=card.address,
        line2=card.address_complement,
        city=card.city,
        postcode=card.postcode,
        country=card.country,
    )
