"""Many customers with many published invoices, written by the database itself where it can (PostgreSQL)."""

import hashlib
import uuid
from datetime import date, timedelta
from decimal import Decimal

from django.db import connection
from django.utils import timezone

from customers.models import Customer
from invoices.models import Company, Document, Invoice

FIRST_DAY = date(2021, 1, 1)
DAYS = 1800


def fill(
    *, company: Company, customers: int, invoices_each: int, first_has: int | None = None, prefix: str = "C"
) -> list[Customer]:
    """Write ``customers`` customers with ``invoices_each`` published invoices (the first with ``first_has``).

    Returns the customers, the first one first. Documents have no file: nothing here opens one.
    """
    made = Customer.objects.bulk_create(
        [
            Customer(code=f"{prefix}{number:07}", name=f"Client {number}", email="", invoice_copies="D")
            for number in range(customers)
        ],
        batch_size=2000,
    )
    if connection.vendor == "postgresql":
        _fill_in_the_database(company, made, invoices_each)
        if first_has is not None:
            _fill_in_the_database(company, made[:1], max(first_has - invoices_each, 0), start=invoices_each)
    else:
        for place, customer in enumerate(made):
            _fill_from_here(company, customer, first_has if place == 0 and first_has is not None else invoices_each)
    _write_words(made)
    return made


def _write_words(customers: list[Customer]) -> None:
    """Thirty words of lines for each invoice, as publishing writes them: «beton» on one in ten, most on all."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO invoices_invoicewords (invoice_id, words) SELECT id, "
            + " || ' ' || ".join(f"customer_id || '_' || {word}" for word in _WORDS)
            + " FROM invoices_invoice WHERE customer_id BETWEEN %s AND %s",
            [customers[0].pk, customers[-1].pk],
        )


_NUMBER = "CAST(total_without_vat AS INTEGER)"
_WORDS = (
    f"CASE WHEN {_NUMBER} %% 10 = 0 THEN 'beton' ELSE 'sable' END",
    f"'rare' || {_NUMBER}",
    # In parentheses: of SQLite's operators, || binds before %.
    *(f"'mot' || ({_NUMBER} %% {number + 3})" for number in range(14)),
    *(f"'usuel{number}'" for number in range(14)),
)


def _fill_in_the_database(company: Company, customers: list[Customer], each: int, start: int = 0) -> None:
    if not customers or not each:
        return
    first, last = customers[0].pk, customers[-1].pk
    with connection.cursor() as cursor:
        # The invoice points to its document and the document to its invoice: its number is drawn beforehand, since
        # the database looks at the links at the end only.
        cursor.execute(
            """
            WITH made AS (
            INSERT INTO invoices_invoice (id, company_id, customer_id, number, kind, type_code, issue_date, due_date,
                currency, purchase_order_reference, total_without_vat, total_vat, total_with_vat, prepaid_amount,
                amount_due, origin, details, content_hash, warnings, version, imported_at, updated_at,
                published_at, document_id)
            SELECT gen_random_uuid(), %(company)s, c.id, c.code || '-' || n, 'invoice', '380',
                DATE %(first_day)s + ((n * 37 + (c.id - %(first)s) * 101) %% %(days)s)::int, NULL, 'EUR',
                CASE WHEN n %% 3 = 0 THEN 'CMD-' || n ELSE '' END,
                n + 100, (n + 100) * 0.2, (n + 100) * 1.2, 0, (n + 100) * 1.2, 'csv', '{}', md5(c.code || n), '[]', 1,
                now(), now(), now(), nextval(pg_get_serial_sequence('invoices_document', 'id'))
            FROM customers_customer c, generate_series(%(start)s + 1, %(start)s + %(each)s) n
            WHERE c.id BETWEEN %(first)s AND %(last)s
            RETURNING id, document_id)
            INSERT INTO invoices_document (id, invoice_id, role, source, version, storage_name, sha256, size, profile,
                xml_sha256, template, created_at)
            SELECT document_id, id, 'pdf', 'rendered', 1, id || '.pdf', encode(sha256(id::text::bytea), 'hex'), 1000,
                '', '', '', now()
            FROM made
            """,
            {
                "company": company.pk,
                "first_day": FIRST_DAY,
                "days": DAYS,
                "start": start,
                "each": each,
                "first": first,
                "last": last,
            },
        )


def _fill_from_here(company: Company, customer: Customer, count: int) -> None:
    invoices = Invoice.objects.bulk_create(
        [
            Invoice(
                company=company,
                customer=customer,
                number=f"{customer.code}-{n}",
                issue_date=FIRST_DAY + timedelta(days=(n * 37) % DAYS),
                purchase_order_reference=f"CMD-{n}" if n % 3 == 0 else "",
                total_without_vat=Decimal(n + 100),
                total_vat=Decimal(n + 100) / 5,
                total_with_vat=Decimal(n + 100) * 6 / 5,
                amount_due=Decimal(n + 100) * 6 / 5,
                content_hash=hashlib.md5(f"{customer.code}{n}".encode(), usedforsecurity=False).hexdigest(),
            )
            for n in range(1, count + 1)
        ],
        batch_size=500,
    )
    Document.objects.bulk_create(
        [
            Document(
                invoice=invoice,
                storage_name=f"{uuid.uuid4().hex}.pdf",
                sha256=hashlib.sha256(str(invoice.pk).encode()).hexdigest(),
                size=1000,
            )
            for invoice in invoices
        ],
        batch_size=500,
    )
    now = timezone.now()
    for document in Document.objects.filter(invoice__customer=customer).only("pk", "invoice_id").iterator():
        Invoice.objects.filter(pk=document.invoice_id).update(published_at=now, document=document.pk)
