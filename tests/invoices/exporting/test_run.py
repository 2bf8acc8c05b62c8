"""Exporting: each invoice is published once, frozen, and announced to the right people."""

import hashlib
import socket
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.db import connection
from django.test.utils import CaptureQueriesContext

from customers.models import Account
from customers.recipients import ContactRules
from invoices.documents import rendering
from invoices.exporting.counts import count_items
from invoices.exporting.criteria import Criteria, Scope
from invoices.exporting.exports import (
    NothingToDoError,
    cancel_export,
    create_export,
    pause_export,
    recheck_customer,
    retry_failures,
    set_excluded,
    start_export,
)
from invoices.exporting.run.freezing import freeze_lines, prepare_lines
from invoices.exporting.run.publishing import commit_lines
from invoices.exporting.run.worker import claim_lines, run_lines
from invoices.models import Delivery, Document, Export, ExportItem, Invoice
from mailing import outbox
from tests.support.factories import make_account, make_contact, make_customer, make_invoice, make_published_invoice

pytestmark = pytest.mark.django_db

State = ExportItem.State
Reason = ExportItem.Reason
FULL = Criteria(generate_credentials=True, notify=True, attach_pdf=True)


def export_all(criteria: Criteria = FULL) -> Export:
    """Make the list, run it in this process, and give the export back."""
    export = start_export(export=create_export(criteria=criteria))
    run_lines(export)
    export.refresh_from_db()
    return export


def reasons(export: Export) -> dict[str, str]:
    """Reason, or state, of each line by invoice number."""
    return {item.invoice.number: item.reason or item.state for item in export.items.select_related("invoice")}


def test_an_exported_invoice_is_frozen_published_and_announced_with_its_pdf() -> None:
    invoice = make_invoice(customer=make_customer(email="paul@client.example"))

    export = export_all()

    invoice.refresh_from_db()
    assert invoice.is_published
    assert invoice.document is not None
    with default_storage.open(invoice.document.storage_name) as file:
        content = file.read()
    assert content.startswith(b"%PDF-")
    assert hashlib.sha256(content).hexdigest() == invoice.document.sha256
    assert export.state == Export.State.DONE
    delivery = Delivery.objects.get(item__invoice=invoice)
    assert outbox.states_of([delivery.message_id])[delivery.message_id].recipient == "paul@client.example"
    assert count_items(export).credentials == 1
    account = Account.objects.get(login="paul@client.example")
    assert list(account.customers.all()) == [invoice.customer]


def test_the_first_reason_that_applies_is_the_one_that_is_given() -> None:
    paper = make_invoice(customer=make_customer(invoice_copies="2", email=""))
    exported = make_published_invoice()
    no_contact = make_invoice(customer=make_customer(email=""))
    no_address = make_invoice(customer=make_customer(email=""))
    make_contact(no_address.customer, email="", function="Achats")
    disabled_customer = make_customer()
    make_account(disabled_customer, is_active=False)
    disabled = make_invoice(customer=disabled_customer)
    no_credentials = make_invoice()
    ready_customer = make_customer()
    make_account(ready_customer)
    ready = make_invoice(customer=ready_customer)

    export = create_export(criteria=Criteria())

    assert reasons(export) == {
        paper.number: Reason.NOT_DEMATERIALISED,
        exported.number: Reason.ALREADY_EXPORTED,
        no_contact.number: Reason.NO_ADDRESS,
        no_address.number: Reason.NO_ADDRESS,
        disabled.number: Reason.ACCOUNT_DISABLED,
        no_credentials.number: Reason.NO_CREDENTIALS,
        ready.number: State.READY,
    }
    with_contact = create_export(criteria=Criteria(contacts=ContactRules(require_contact=True)))
    assert reasons(with_contact)[no_contact.number] == Reason.NO_CONTACT
    assert reasons(with_contact)[ready.number] == Reason.NO_CONTACT


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        (ContactRules(), {"own@a.example"}),
        (ContactRules(use_contacts=True), {"main@a.example", "buyer@a.example"}),
        (ContactRules(use_contacts=True, main_contact_only=True), {"main@a.example"}),
        (ContactRules(use_contacts=True, function="COMPTABILITE"), {"main@a.example"}),
        (ContactRules(use_contacts=True, function="direction"), {"own@a.example"}),
        (ContactRules(function="achats"), {"own@a.example"}),
    ],
)
def test_recipients_are_the_retained_contacts_else_the_customer(rules: ContactRules, expected: set[str]) -> None:
    customer = make_customer(email="own@a.example")
    make_contact(customer, email="main@a.example", function="Responsable comptabilité", is_main=True)
    make_contact(customer, email="buyer@a.example", function="Achats")
    make_invoice(customer=customer)

    export_all(Criteria(contacts=rules, generate_credentials=True, notify=True))

    assert set(Delivery.objects.values_list("address", flat=True)) == expected


def test_with_scope_all_an_invoice_without_account_is_published_and_no_mail_is_written() -> None:
    invoice = make_invoice()

    export = export_all(Criteria(scope=Scope.ALL, notify=True))

    invoice.refresh_from_db()
    assert invoice.is_published
    assert count_items(export).mails == 0
    assert not Account.objects.exists()


def test_a_customer_who_wants_no_mail_is_published_without_one() -> None:
    customer = make_customer()
    make_account(customer, notify_by_mail=False)
    make_invoice(customer=customer)

    figures = count_items(export_all())

    assert (figures.published, figures.mails) == (1, 0)


def test_exporting_twice_publishes_and_writes_once() -> None:
    make_invoice()
    export_all()

    second = export_all()

    figures = count_items(second)
    assert (figures.published, figures.mails, figures.left_out) == (0, 0, {"already_exported": 1})
    assert Delivery.objects.count() == 1
    assert Document.objects.count() == 1


def test_two_lists_with_the_same_invoice_publish_it_once() -> None:
    invoice = make_invoice()
    first = start_export(export=create_export(criteria=FULL))
    second = start_export(export=create_export(criteria=FULL))

    run_lines(first)
    run_lines(second)

    assert ExportItem.objects.filter(invoice=invoice, state=State.PUBLISHED).count() == 1
    assert second.items.get().reason == Reason.ALREADY_EXPORTED
    assert Delivery.objects.count() == 1
    assert len(default_storage.listdir("2025")[1]) == 1


@pytest.mark.postgresql
def test_the_page_of_a_mail_is_compressed_by_lz4_where_the_server_has_it() -> None:
    make_invoice()

    export_all()

    with connection.cursor() as cursor:
        cursor.execute("SELECT enumvals FROM pg_settings WHERE name = 'default_toast_compression'")
        (known,) = cursor.fetchone()
        cursor.execute("SELECT pg_column_compression(html) FROM mailing_message")
        (used,) = cursor.fetchone()
    assert used == ("lz4" if "lz4" in known else "pglz")


def test_a_worker_that_lost_its_claim_publishes_nothing() -> None:
    make_invoice()
    export = start_export(export=create_export(criteria=FULL))
    lines = prepare_lines(export, claim_lines(export, worker="first"), FULL)
    freeze_lines(lines)
    ExportItem.objects.update(claimed_by="second")

    with_commit = commit_lines(export, lines, FULL, worker="first")

    assert with_commit == 0
    assert not Invoice.objects.published().exists()
    assert not Document.objects.exists()


def test_a_run_killed_after_storing_finds_its_file_again_and_leaves_no_second_one() -> None:
    make_invoice()
    export = start_export(export=create_export(criteria=FULL))
    freeze_lines(prepare_lines(export, claim_lines(export, worker="killed"), FULL))
    ExportItem.objects.update(state=State.READY, claimed_by="")

    run_lines(export)

    assert default_storage.listdir("2025")[1] == [Document.objects.get().storage_name.removeprefix("2025/")]


def test_a_line_that_fails_is_reported_and_does_not_stop_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    good, bad = make_invoice(), make_invoice()
    render = rendering.render_document

    def render_or_fail(invoice: Invoice, *einvoice: Any) -> Any:
        if invoice.pk == bad.pk:
            raise ValueError("no such font")
        return render(invoice, *einvoice)

    monkeypatch.setattr("invoices.exporting.run.freezing.render_document", render_or_fail)
    export = export_all()

    assert reasons(export) == {good.number: State.PUBLISHED, bad.number: State.FAILED}
    assert "no such font" in export.items.get(invoice=bad).error
    monkeypatch.undo()

    assert retry_failures(export=export) == 1
    run_lines(start_export(export=Export.objects.get(pk=export.pk)))
    assert reasons(export) == {good.number: State.PUBLISHED, bad.number: State.PUBLISHED}
    assert Delivery.objects.count() == 2


def test_one_mail_per_customer_holds_all_the_invoices_of_the_run() -> None:
    customer, other = make_customer(), make_customer()
    for _number in range(3):
        make_invoice(customer=customer)
    make_invoice(customer=other)

    export = export_all(Criteria(generate_credentials=True, notify=True, attach_pdf=True, one_mail_per_customer=True))

    assert count_items(export).mails == 2
    messages = set(Delivery.objects.filter(item__invoice__customer=customer).values_list("message", flat=True))
    assert len(messages) == 1
    assert Delivery.objects.filter(item__invoice__customer=customer).count() == 3


def test_unticked_lines_stay_and_can_be_exported_by_another_list() -> None:
    kept, unticked = make_invoice(), make_invoice()
    export = create_export(criteria=FULL)
    set_excluded(export=export, items=[export.items.get(invoice=unticked).pk], excluded=True)

    run_lines(start_export(export=export))

    assert reasons(export) == {kept.number: State.PUBLISHED, unticked.number: State.EXCLUDED}
    assert count_items(export_all()).published == 1


def test_a_corrected_customer_makes_his_lines_ready_without_a_new_list() -> None:
    customer = make_customer(email="", invoice_copies="1")
    make_invoice(customer=customer)
    make_invoice(customer=customer)
    export = create_export(criteria=FULL)
    assert set(reasons(export).values()) == {Reason.NOT_DEMATERIALISED}

    customer.invoice_copies = "D"
    customer.save()
    assert recheck_customer(export=export, customer_id=customer.pk) == 0
    assert set(reasons(export).values()) == {Reason.NO_ADDRESS}
    customer.email = "enfin@client.example"
    customer.save()

    assert recheck_customer(export=export, customer_id=customer.pk) == 2
    run_lines(start_export(export=export))
    assert set(Delivery.objects.values_list("address", flat=True)) == {"enfin@client.example"}


def test_a_paused_export_goes_on_where_it_stopped_and_a_cancelled_one_does_not() -> None:
    make_invoice()
    export = start_export(export=create_export(criteria=FULL))
    pause_export(export=export)
    assert run_lines(export) == 0

    export = start_export(export=export)
    assert run_lines(export) == 1

    make_invoice()
    cancelled = create_export(criteria=FULL)
    cancel_export(export=cancelled)
    with pytest.raises(NothingToDoError, match="annulée"):
        start_export(export=cancelled)


def test_lines_of_a_dead_process_are_taken_over_at_once_and_others_when_their_lease_ends() -> None:
    make_invoice()
    export = start_export(export=create_export(criteria=FULL))
    claim_lines(export, worker=f"{socket.gethostname()[:60]}:4194304:dead")
    assert run_lines(export) == 1


def test_a_line_that_kills_its_worker_each_time_is_given_up() -> None:
    make_invoice()
    export = start_export(export=create_export(criteria=FULL))
    ExportItem.objects.update(attempts=5)

    run_lines(export)

    assert "5 fois" in export.items.get().error
    export.refresh_from_db()
    assert export.state == Export.State.DONE


def test_the_list_costs_the_same_number_of_statements_whatever_its_length() -> None:
    def statements() -> int:
        with CaptureQueriesContext(
            connection,
        ) as captured:
            create_export(criteria=FULL)
        return len(captured)

    make_invoice()
    few = statements()
    for _number in range(30):
        make_invoice()

    assert statements() == few
