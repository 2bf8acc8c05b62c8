"""The demonstration's invoices, as many as a measure needs: real rows, multiplied inside of the database.

Runs in a process of an installation of its own (``tests.support.processes.Site``): Django is set up by whoever
imports this.
"""

import datetime
import hashlib
import itertools
import uuid
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings
from django.core.files.storage import default_storage
from django.core.management import call_command
from django.db import connection, transaction
from django.utils import timezone

from customers.models import Customer
from invoices.content.from_rows import prefetch_for_content
from invoices.einvoices.checks import rules_for
from invoices.einvoices.einvoice import einvoice_of
from invoices.models import Company, ContentCheck, Document, Invoice, InvoiceLine
from portal.demonstration import create_demo_company

DATA = Path(settings.BASE_DIR) / "demo" / "chinook"
CHUNK = 500
# The invoices without lines that only fill a long list are of this day and later.
DAY_OF_LISTS = datetime.date(2090, 1, 1)


def populate(count: int) -> None:
    """Import the demonstration, then copy its invoices until there are ``count`` that can leave, with credentials."""
    create_demo_company()
    call_command("import_erp", str(DATA), verbosity=0)
    # Every customer is in D and has an address: the measure is of what leaves, not of what stays.
    Customer.objects.update(invoice_copies="D")
    Company.objects.update(facturx_for_all=True)
    Customer.objects.filter(email="").update(email="sans-adresse@clients.example")
    # A password is made slow to guess, once in an account's life: on a run of a few hundred lines it would weigh.
    call_command("generate_credentials", missing=True, verbosity=0)
    models = list(Invoice.objects.filter(kind=Invoice.Kind.INVOICE).prefetch_related("lines").order_by("number"))
    for extra in models[count:]:
        extra.lines.all().delete()
        extra.delete()
    _copy(itertools.islice(_copies(models), max(count - len(models), 0)))
    remember_checks()


def _copies(models: list[Invoice]) -> Iterator[tuple[Invoice, list[InvoiceLine]]]:
    """Endless copies of ``models`` under new numbers; in their order, each turn has every kind of invoice once."""
    for turn in itertools.count(1):
        for model in models:
            copy = Invoice(
                **{
                    field.attname: getattr(model, field.attname)
                    for field in Invoice._meta.concrete_fields
                    if field.name not in ("id", "number", "content_hash")
                },
                id=uuid.uuid4(),
                number=f"T{turn:04}-{model.number}",
                content_hash=f"{model.content_hash[:50]}{turn:014}",
            )
            lines = [
                InvoiceLine(
                    **{
                        field.attname: getattr(line, field.attname)
                        for field in InvoiceLine._meta.concrete_fields
                        if field.name not in ("id", "invoice")
                    },
                    invoice=copy,
                )
                for line in model.lines.all()
            ]
            yield copy, lines


def _copy(copies: Iterator[tuple[Invoice, list[InvoiceLine]]]) -> None:
    for chunk in itertools.batched(copies, CHUNK):
        with transaction.atomic():
            Invoice.objects.bulk_create([invoice for invoice, _lines in chunk])
            InvoiceLine.objects.bulk_create([line for _invoice, lines in chunk for line in lines])


def remember_checks() -> None:
    """Say of every e-invoice that it was found valid, as the workers do after an import: that is measured apart."""
    now = timezone.now()
    pending = prefetch_for_content(Invoice.objects.pending().filter(content_check=None))
    for chunk in itertools.batched(pending.iterator(chunk_size=CHUNK), CHUNK):
        checks = {}
        for invoice in chunk:
            einvoice = einvoice_of(invoice)
            invoice.check_state, invoice.checked_at = Invoice.CheckState.NOT_NEEDED, now
            if einvoice.xml is not None:
                checks[invoice.pk] = ContentCheck(
                    xml_sha256=einvoice.xml_sha256, rules_version=rules_for(einvoice), is_valid=True
                )
                invoice.check_state = Invoice.CheckState.VALID
        ContentCheck.objects.bulk_create(checks.values())
        for invoice in chunk:
            invoice.content_check = checks.get(invoice.pk)
        Invoice.objects.bulk_update(chunk, ["check_state", "checked_at", "content_check"])


def receive_pdfs(count: int, content: bytes) -> None:
    """Let the first ``count`` pending invoices have come with a PDF of their own."""
    invoices = list(Invoice.objects.pending().order_by("number")[:count])
    documents = []
    for invoice in invoices:
        own = content + f"% {invoice.number}\n".encode()
        name = f"received/{invoice.pk.hex}.pdf"
        path = Path(default_storage.path(name))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(own)
        documents.append(
            Document(
                invoice=invoice,
                source=Document.Source.RECEIVED,
                storage_name=name,
                sha256=hashlib.sha256(own).hexdigest(),
                size=len(own),
            )
        )
    Document.objects.bulk_create(documents)
    Invoice.objects.filter(pk__in=[invoice.pk for invoice in invoices]).update(origin=Invoice.Origin.PDF)


def multiply(count: int) -> datetime.date:
    """Make ``count`` invoices without lines by one statement, from a day on that no other invoice knows; that day."""
    first = DAY_OF_LISTS
    have = Invoice.objects.filter(issue_date__gte=first).count()
    if have >= count:
        return first
    columns = [field.column for field in Invoice._meta.concrete_fields]
    changed = {
        "id": "gen_random_uuid()" if connection.vendor == "postgresql" else "lower(hex(randomblob(16)))",
        "number": "m.number || '-L' || n.n",
        "issue_date": f"'{first}'",
        "document_id": "NULL",
        "published_at": "NULL",
    }
    values = ", ".join(changed.get(column, f"m.{column}") for column in columns)
    models = Invoice.objects.filter(issue_date__lt=first).count()
    turns = -(-count // models)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO invoices_invoice ({', '.join(columns)})"
            f" WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < {turns})"
            f" SELECT {values} FROM invoices_invoice m, n WHERE m.issue_date < '{first}' LIMIT {count}"
        )
    return first
