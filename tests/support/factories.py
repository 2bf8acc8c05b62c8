"""Customers, accounts and invoices of the tests."""

import hashlib
import itertools
import uuid
from datetime import date
from decimal import Decimal
from typing import Any

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils import timezone

from customers.models import Access, Account, Contact, Customer
from invoices.models import Company, Document, Invoice, InvoiceLine

PDF_BYTES = b"%PDF-1.7\n% a frozen document of the tests\n%%EOF\n"


COMPANY_IDENTITY = {
    "name": "Aquila Test SAS",
    "legal_form": "SAS",
    "siren": "732829320",
    "vat_identifier": "FR44732829320",
    "address": "12 rue de la République",
    "postcode": "69002",
    "city": "Lyon",
}
"""What an issuer must say of itself before it publishes an invoice, as its form asks for it."""

_numbers = itertools.count(1)


def make_company(**fields: Any) -> Company:
    """The issuing company: one, found again by its SIREN."""
    values: dict[str, Any] = {
        **COMPANY_IDENTITY,
        "siret": "73282932000074",
        "share_capital": "10 000 €",
        "trade_register": "RCS Lyon 732 829 320",
        "email": "compta@aquila.example",
        "iban": "FR7630006000011234567890189",
        "bic": "AGRIFRPP",
        **fields,
    }
    return Company.objects.get_or_create(siren=values.pop("siren"), defaults=values)[0]


def make_customer(**fields: Any) -> Customer:
    """A French professional customer in D with an address."""
    number = next(_numbers)
    code = fields.get("code", f"{number:06}")
    defaults: dict[str, Any] = {
        "code": code,
        "name": f"Client {number}",
        "email": f"contact@client-{code}.example",
        "address": "1 place du Marché",
        "postcode": "75001",
        "city": "Paris",
        "invoice_copies": "D",
    }
    return Customer.objects.create(**{**defaults, **fields})


def make_contact(customer: Customer, **fields: Any) -> Contact:
    """A contact of ``customer`` with an address."""
    number = next(_numbers)
    defaults: dict[str, Any] = {
        "name": f"Contact {number}",
        "function": "Comptabilité",
        "email": f"contact-{number}@contacts.example",
    }
    return Contact.objects.create(customer=customer, **{**defaults, **fields})


PASSWORD = "cheval-agrafe-42-batterie"


def make_account(*customers: Customer, login: str | None = None, password: str = PASSWORD, **fields: Any) -> Account:
    """An account of the customers' space that sees ``customers``; its login is the first one's address."""
    account = Account.objects.create_user(login or customers[0].email, password, **fields)
    for customer in customers:
        Access.objects.create(account=account, customer=customer)
    return account


def make_staff(login: str = "compta@aquila.example", **fields: Any) -> Account:
    """A member of the accounts department who may do everything."""
    return Account.objects.create_superuser(login, PASSWORD, **fields)


def make_invoice(*, with_line: bool = True, **fields: Any) -> Invoice:
    """An invoice of one line at 20 % (100,00 € without VAT unless said) that waits for its export."""
    number = next(_numbers)
    net = Decimal(fields.pop("total_without_vat", "100.00"))
    vat = Decimal(fields.pop("total_vat", (net * Decimal("0.2")).quantize(Decimal("0.01"))))
    defaults: dict[str, Any] = {
        "number": f"{18000000 + number}",
        "issue_date": date(2025, 6, 7),
        "due_date": date(2025, 7, 7),
        "total_without_vat": net,
        "total_vat": vat,
        "total_with_vat": net + vat,
        "amount_due": net + vat,
        "content_hash": f"{number:064x}",
    }
    if "company" not in fields:
        fields["company"] = make_company()
    if "customer" not in fields:
        fields["customer"] = make_customer()
    invoice = Invoice.objects.create(**{**defaults, **fields})
    if with_line:
        InvoiceLine.objects.create(
            invoice=invoice,
            position=1,
            identifier="1",
            item_code="A1",
            name="Prestation de service",
            quantity=Decimal("1"),
            unit="C62",
            net_price=net,
            vat_category="S",
            vat_rate=Decimal("20"),
            net_amount=net,
        )
    return invoice


def freeze(invoice: Invoice, content: bytes = PDF_BYTES) -> Document:
    """Keep ``content`` as the next PDF version of ``invoice`` and make it the current one."""
    name = default_storage.save(f"tests/{uuid.uuid4().hex}.pdf", ContentFile(content))
    document = Document.objects.create(
        invoice=invoice,
        version=invoice.documents.filter(role=Document.Role.PDF).count() + 1,
        storage_name=name,
        sha256=hashlib.sha256(content).hexdigest(),
        size=len(content),
    )
    invoice.document = document
    invoice.save(update_fields=["document"])
    return document


def make_published_invoice(content: bytes = PDF_BYTES, **fields: Any) -> Invoice:
    """An invoice that is in its customer's space with a frozen PDF."""
    invoice = make_invoice(**fields)
    freeze(invoice, content)
    invoice.published_at = timezone.now()
    invoice.save(update_fields=["published_at"])
    return invoice
