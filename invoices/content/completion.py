"""What the customer card and «Paramétrage société» add to an invoice that came as table rows.

An ERP's rows state numbers; parties, mentions, payment instructions and VAT reasons are the company's own and the
customer's. They are put together when they are needed and not stored with the invoice: until it is frozen, a
correction of the card or of the settings is a correction of the invoice.
"""

import datetime
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from invoices.en16931.model import (
    DIRECTORY_SCHEME,
    MAIL_SCHEME,
    SIREN_SCHEME,
    SIRET_SCHEME,
    Address,
    ContactPoint,
    Identifier,
    InvoiceContent,
    Line,
    Party,
    PaymentInstructions,
    VatBreakdown,
    replace,
)
from invoices.en16931.vat import derive_treatment, usual_treatment
from invoices.formats.french import (
    OperationCategory,
    SellerPolicy,
    business_process_of,
    complete_delivery,
    operation_category_of,
    vat_point_code_of,
)
from invoices.formats.french_parties import BuyerKind
from invoices.money import HALF_CENT, vat_amount

if TYPE_CHECKING:
    from customers.models import Customer
    from invoices.models import Company

_CREDIT_TRANSFER: Final = "30"


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
    """BG-7 of a customer card. The ERP's code is in BT-46 where there is no SIRET."""
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


def buyer_kind_of(customer: "Customer") -> BuyerKind:
    """Who the customer is in the eyes of the law."""
    if not customer.is_professional:
        return BuyerKind.INDIVIDUAL
    return BuyerKind.PUBLIC if customer.is_public_body else BuyerKind.PROFESSIONAL


def policy_of(company: "Company") -> SellerPolicy:
    """What «Paramétrage société» declares for all invoices of the company."""
    capital = f" au capital de {company.share_capital}" if company.share_capital else ""
    return SellerPolicy(
        operation_category=OperationCategory(company.operations),
        vat_on_debits=company.vat_on_debits,
        late_penalty=company.late_penalty,
        discount=company.discount_terms,
        recovery_fee=company.recovery_fee,
        regulatory_note=f"{company.legal_form}{capital}".strip(),
        legal_note=company.trade_register,
        general_note=company.legal_notice,
        exemption_reason=company.vat_exemption,
        # Where the company set no date it is not obliged: the policy reads «no date» as the contrary.
        issuing_date=company.einvoice_from or datetime.date.max,
    )


def completed(stated: InvoiceContent, company: "Company", customer: "Customer") -> InvoiceContent:
    """``stated``, what table rows say, with what ``company`` and ``customer`` add: how the page and the XML begin.

    Nothing that is stated is replaced. What the French rules want of an e-invoice beyond it is added by
    :func:`~invoices.formats.french.complete_for_france`, which decides the terms that both need.
    """
    policy = policy_of(company)
    operations = operation_category_of(stated, policy)
    lines, reasons = with_vat_categories(stated.lines, policy, customer, operations)
    content = replace(
        stated,
        seller=seller_of(company),
        buyer=buyer_of(customer),
        lines=lines,
        vat_breakdown=with_stated_vat(breakdown_of(lines, reasons, stated.vat_breakdown), lines, stated.total_vat),
        line_total=sum((line.net_amount for line in lines), Decimal("0.00")) if lines else None,
        prepaid_amount=stated.prepaid_amount or None,
        due_date=due_date_for(company, stated),
        payment_terms=stated.payment_terms or company.payment_terms,
        payment=stated.payment or payment_for(company, stated),
        notes=policy.mentions(buyer_kind_of(customer)) + stated.notes,
    )
    return replace(
        content,
        business_process=business_process_of(content, policy),
        vat_point_code=vat_point_code_of(content, policy),
        delivery=complete_delivery(content, Address(country=customer.country)),
    )


def payment_for(company: "Company", stated: InvoiceContent) -> PaymentInstructions | None:
    """BG-16: transfer to the company's account with the invoice's number; nothing where nothing is asked for."""
    if not company.iban or stated.is_credit_note or not stated.amount_due or stated.amount_due < 0:
        return None
    return PaymentInstructions(
        means_code=_CREDIT_TRANSFER,
        means_text="Virement",
        remittance_information=stated.number,
        iban=company.iban,
        account_name=company.account_holder or company.name,
        bic=company.bic,
    )


def due_date_for(company: "Company", stated: InvoiceContent) -> datetime.date | None:
    """BT-9: as stated, else by the company's delay; the issue date where all is paid (BR-FR-CO-09)."""
    if stated.due_date is not None or stated.is_credit_note or stated.issue_date is None:
        return stated.due_date
    if stated.is_paid_in_advance:
        return stated.issue_date
    if company.payment_delay_days is None:
        return None
    return stated.issue_date + datetime.timedelta(days=company.payment_delay_days)


def with_vat_categories(
    lines: Sequence[Line], policy: SellerPolicy, customer: "Customer", operations: OperationCategory
) -> tuple[tuple[Line, ...], dict[tuple[str, Decimal], tuple[str, str]]]:
    """``lines`` with a category each, and the exemption reason and code by (category, rate) (BT-120, BT-121)."""
    beside_other_rates = any(line.vat_rate for line in lines)
    categorised: list[Line] = []
    reasons: dict[tuple[str, Decimal], tuple[str, str]] = {}
    for line in lines:
        rate = line.vat_rate or Decimal(0)
        if not line.vat_category:
            treatment = derive_treatment(
                rate,
                country=customer.country,
                is_professional=customer.is_professional,
                has_vat_identifier=bool(customer.vat_identifier),
                services_only=operations == OperationCategory.SERVICES,
                company_exemption=policy.exemption_reason,
                beside_other_rates=beside_other_rates,
            )
            line = replace(line, vat_category=treatment.category)
        elif line.vat_category == "E" and rate:
            treatment = usual_treatment("E")
        else:
            treatment = policy.treatment(line.vat_category, customer.country)
        categorised.append(line)
        reasons[treatment.category, rate] = (treatment.exemption_reason, treatment.exemption_code)
    return tuple(categorised), reasons


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


def with_stated_vat(
    groups: tuple[VatBreakdown, ...], lines: Sequence[Line], total: Decimal | None
) -> tuple[VatBreakdown, ...]:
    """``groups`` with the VAT of their lines rounded one by one, where that is what ``total`` (BT-110) was summed from.

    The sum of BT-117 is to be BT-110 (BR-CO-14), and each may differ from its rate by roundings (BR-CO-17). What line
    by line does not explain either goes to the group of most lines. Groups without a difference stay as they are.
    """
    difference = (total or Decimal(0)) - sum((group.tax_amount for group in groups), Decimal(0))
    if not groups or not total or not difference or abs(difference) > len(lines) * HALF_CENT:
        return groups
    by_line: dict[tuple[str, Decimal], Decimal] = defaultdict(Decimal)
    for line in lines:
        rate = line.vat_rate or Decimal(0)
        by_line[line.vat_category, rate] += vat_amount(line.net_amount, rate)
    amounts = [by_line[group.category, group.rate or Decimal(0)] for group in groups]
    if sum(amounts, Decimal(0)) != total:
        taxed = [place for place, group in enumerate(groups) if group.rate]
        amounts = [group.tax_amount for group in groups]
        counts = Counter((line.vat_category, line.vat_rate or Decimal(0)) for line in lines)
        most = max(taxed, key=lambda place: counts[groups[place].category, groups[place].rate or Decimal(0)], default=0)
        amounts[most] += difference
    return tuple(replace(group, tax_amount=amount) for group, amount in zip(groups, amounts, strict=True))


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
