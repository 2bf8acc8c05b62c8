"""A made-up invoice, for what must be shown before there is a real one. It is never saved."""

import datetime
from decimal import Decimal

from django.utils import timezone
from django.utils.translation import gettext as _

from customers.models import Customer
from invoices.content.completion import buyer_kind_of, buyer_of, completed, policy_of, seller_of
from invoices.einvoices.einvoice import is_french_seller
from invoices.en16931.model import InvoiceContent, Line
from invoices.formats.french import complete_for_france
from invoices.models import Company, Invoice
from invoices.money import vat_amount

# What is sold, how many, of which unit, at which price.
_SOLD = (
    ("Prestation de conseil, journée", "1", "DAY", "780.00"),
    ("Fournitures de bureau, carton de douze", "3", "H87", "62.25"),
    ("Livraison", "1", "C62", "62.00"),
)


def example_invoice(company: Company) -> Invoice:
    """The invoice itself, without lines: 1 028,75 € before VAT, of ``company`` to a customer who does not exist."""
    today = timezone.localdate()
    net = sum((line.net_amount for line in _lines(Decimal(0))), Decimal(0))
    vat = vat_amount(net, _rate(company))
    return Invoice(
        company=company,
        customer=Customer(
            code="000008",
            name=_("Société Exemple"),
            email="compta@exemple.example",
            address="1 place du Marché",
            postcode="75001",
            city="Paris",
        ),
        number="18000135",
        issue_date=today,
        due_date=today + datetime.timedelta(days=30),
        total_with_vat=net + vat,
        total_without_vat=net,
        total_vat=vat,
        amount_due=net + vat,
    )


def example_content(invoice: Invoice) -> InvoiceContent:
    """What is printed of an invoice of :func:`example_invoice`, completed by its company as a real one is."""
    company, customer = invoice.company, invoice.customer
    stated = InvoiceContent(
        number=invoice.number,
        issue_date=invoice.issue_date,
        due_date=invoice.due_date,
        type_code=invoice.type_code,
        currency=invoice.currency,
        seller=seller_of(company),
        buyer=buyer_of(customer),
        lines=tuple(_lines(_rate(company))),
        total_without_vat=invoice.total_without_vat,
        total_vat=invoice.total_vat,
        total_with_vat=invoice.total_with_vat,
        amount_due=invoice.amount_due,
    )
    content = completed(stated, company, customer)
    if not is_french_seller(company):
        return content
    return complete_for_france(
        content, policy=policy_of(company), buyer_kind=buyer_kind_of(customer), buyer_email=customer.email
    )


def _rate(company: Company) -> Decimal:
    return Decimal(0) if company.vat_exemption else Decimal(20)


def _lines(rate: Decimal) -> list[Line]:
    return [
        Line(
            identifier=str(position),
            name=name,
            quantity=Decimal(quantity),
            unit=unit,
            net_price=Decimal(price),
            net_amount=Decimal(quantity) * Decimal(price),
            vat_rate=rate,
        )
        for position, (name, quantity, unit, price) in enumerate(_SOLD, 1)
    ]
