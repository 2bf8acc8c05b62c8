"""A back-office after years: invoices, accounts, contacts, exports, mails and history, written by PostgreSQL."""

from typing import Any

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.db.models import Model
from django.utils import timezone

from customers.models import Access, Account, Contact, Customer
from invoices.models import Company, Delivery, Export, ExportCustomer, ExportItem, Invoice
from mailing.models import FailedAddress, Message
from tests.benchmarks.filling import fill

INVOICES_EACH = 20
EXPORTS = 24
# Of a hundred invoices, so many still wait for their export; the others have left by one of the exports.
WAITING_OF_100 = 2


def fill_back_office(company: Company, *, invoices: int) -> None:
    """Write ``invoices`` invoices of a twentieth as many customers, with a mail for each that has left."""
    customers = fill(company=company, customers=max(invoices // INVOICES_EACH, 1), invoices_each=INVOICES_EACH)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE customers_customer SET email = 'contact-' || id || '@clients.example', city = 'Lyon',"
            " name = 'Client ' || (id - %s), siren = CASE WHEN id %% 3 = 0 THEN lpad(id::text, 9, '0') ELSE '' END"
            " WHERE id %% 500 > 0",
            [customers[0].pk],
        )
    insert(
        Contact,
        {"customer_id": "id", "name": "'Contact ' || id", "email": "'c' || id || '@clients.example'"},
        "FROM customers_customer WHERE id % 3 > 0",
        is_main="false",
    )
    insert(
        Account,
        {
            "login": "lower(code) || '@clients.example'",
            "name": "name",
            "last_login": "CASE WHEN id % 4 = 0 THEN NULL ELSE now() END",
        },
        "FROM customers_customer WHERE id % 10 > 0",
        password="'!'",
    )
    insert(
        Access,
        {"customer_id": "c.id", "account_id": "a.id"},
        "FROM customers_customer c JOIN customers_account a ON a.login = lower(c.code) || '@clients.example'",
    )
    _export_all()
    _write_mails(company)
    _remember(customers[0])
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def one_of_each() -> dict[str, Any]:
    """The keys of a customer, an invoice, the newest list and the last one that ended, for addresses."""
    customer = Customer.objects.order_by("-code")[0]
    return {
        "customer": customer.pk,
        "invoice": Invoice.objects.filter(customer=customer).values_list("pk", flat=True)[0],
        "export": Export.objects.order_by("-number")[0].number,
        "ended": Export.objects.filter(state=Export.State.DONE).order_by("-number")[0].number,
    }


def _export_all() -> None:
    """Every published invoice left by an export; a few wait, and the newest list has them as lines."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE invoices_invoice SET published_at = NULL, document_id = NULL"
            f" WHERE hashtext(number) % 100 BETWEEN 0 AND {WAITING_OF_100 - 1}"
        )
        cursor.execute(
            "UPDATE invoices_invoice SET published_at = issue_date + 5, imported_at = issue_date,"
            " first_consulted_at = CASE WHEN hashtext(number) % 3 = 0 THEN issue_date + 9 END"
            " WHERE published_at IS NOT NULL"
        )
    now = timezone.now()
    states = [Export.State.DONE] * (EXPORTS - 1) + [Export.State.DRAFT]
    exports = Export.objects.bulk_create(
        Export(number=number, state=state, author_name="Service comptabilité", started_at=now, finished_at=now)
        for number, state in enumerate(states, 1)
    )
    first, last = exports[0].pk, exports[-1].pk
    insert(
        ExportItem,
        {
            "export_id": f"{first} + abs(hashtext(number)) % {EXPORTS - 1}",
            "invoice_id": "id",
            "document_id": "document_id",
        },
        "FROM invoices_invoice WHERE published_at IS NOT NULL",
        state="'published'",
        mails="1",
        finished_at="now()",
    )
    insert(
        ExportItem,
        {"export_id": str(last), "invoice_id": "id"},
        "FROM invoices_invoice WHERE published_at IS NULL",
        state="'ready'",
    )
    insert(
        ExportCustomer,
        {
            "export_id": "i.export_id",
            "customer_id": "v.customer_id",
            "recipients": """jsonb_build_array(jsonb_build_object('address', 'c' || v.customer_id || '@clients.example',
                'name', '', 'account', NULL, 'status', 'mail'))""",
        },
        "FROM (SELECT DISTINCT export_id, customer_id FROM invoices_exportitem i JOIN invoices_invoice v"
        " ON v.id = i.invoice_id) i JOIN LATERAL (SELECT i.customer_id) v ON true",
    )


def _write_mails(company: Company) -> None:
    """One mail for each published invoice, and the record of it; some are deferred, rejected or returned."""
    insert(
        Message,
        {
            "id": "v.id",
            "key": "'bench:' || v.id",
            "message_id": "'<' || v.id || '@bench>'",
            "return_token": "v.id::text",
            "recipient": "lower(c.code) || '@clients.example'",
            "subject": "'Votre facture ' || v.number",
            "created_at": "v.published_at",
            "state": """CASE WHEN hashtext(v.number) % 1000 = 7 THEN 'rejected' WHEN hashtext(v.number) % 1000 = 8
                THEN 'bounced' WHEN hashtext(v.number) % 5000 = 9 THEN 'deferred' ELSE 'accepted' END""",
            "next_attempt_at": "CASE WHEN hashtext(v.number) % 5000 = 9 THEN now() + interval '1 hour' END",
        },
        "FROM invoices_invoice v JOIN customers_customer c ON c.id = v.customer_id WHERE v.published_at IS NOT NULL",
        kind="'invoice'",
        sender=f"'{company.email}'",
        text="'Votre facture est disponible.'",
        attempts="1",
        accepted_at="now()",
    )
    insert(
        Delivery,
        {"item_id": "i.id", "message_id": "m.id", "address": "m.recipient", "account_id": "a.id"},
        "FROM invoices_exportitem i JOIN mailing_message m ON m.id = i.invoice_id"
        " LEFT JOIN customers_account a ON a.login = m.recipient WHERE i.state = 'published'",
    )
    insert(
        FailedAddress,
        {"address": "'c' || id || '@clients.example'"},
        "FROM customers_customer WHERE id % 400 = 1",
        reason="'550 inconnu'",
        failures="1",
    )


def _remember(customer: Customer) -> None:
    """Twenty years of history: a change of every customer, by one member of staff."""
    staff = Account.objects.create_user("archives@aquila.example", None, is_staff=True, name="Archives")
    kind = ContentType.objects.get_for_model(customer)
    insert(
        LogEntry,
        {"object_id": "c.id::text", "object_repr": "c.code || ' ' || c.name"},
        "FROM customers_customer c, generate_series(1, 4)",
        content_type_id=str(kind.pk),
        user_id=str(staff.pk),
        action_flag="2",
        change_message="""'[{"changed": {"fields": ["E-mail"]}}]'""",
    )


def insert(model: type[Model], columns: dict[str, str], source: str, **same: str) -> None:
    """``INSERT … SELECT``: ``columns`` and ``same`` are SQL by name of column, the others get the model's defaults."""
    wanted = {**columns, **same}
    for field in model._meta.concrete_fields:
        if field.column in wanted or field.primary_key or field.null:
            continue
        default = field.get_default()
        if field.get_internal_type() == "DateTimeField":
            wanted[field.column] = "now()"
        elif field.get_internal_type() == "JSONField":
            wanted[field.column] = "'[]'" if default == [] else "'{}'"
        elif isinstance(default, bool):
            wanted[field.column] = str(default).lower()
        elif isinstance(default, int):
            wanted[field.column] = str(default)
        else:
            wanted[field.column] = f"'{default if default is not None else ''}'"
    table = connection.ops.quote_name(model._meta.db_table)
    names = ", ".join(connection.ops.quote_name(name) for name in wanted)
    with connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO {table} ({names}) SELECT {', '.join(wanted.values())} {source}")
