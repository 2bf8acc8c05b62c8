"""What is kept of a list that has ended says what counting says, and is forgotten as soon as a line moves."""

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from invoices.exporting.counts import count_items, count_many
from invoices.exporting.criteria import Criteria
from invoices.exporting.exports import create_export, retry_failures, start_export
from invoices.exporting.items import filter_items, sum_by_currency
from invoices.exporting.kept import keep_figures_of_ended_exports
from invoices.exporting.report import read_bordereau
from invoices.exporting.resending import plan_resending, resend_invoice
from invoices.exporting.run.worker import run_lines
from invoices.models import Export, ExportItem, Invoice
from mailing.models import Message
from mailing.outbox import count_states
from portal.backoffice.exports.list_filters import SEARCHED
from portal.backoffice.ui.searching import search_within
from tests.support.back_office import list_url, words
from tests.support.factories import make_customer, make_invoice

pytestmark = pytest.mark.django_db

FULL = Criteria(generate_credentials=True, notify=True)


@pytest.fixture
def ended() -> Export:
    """Two invoices published in two currencies, one left out."""
    make_invoice(total_without_vat="100.00", currency="EUR")
    make_invoice(total_without_vat="50.00", currency="CHF")
    make_invoice(customer=make_customer(invoice_copies="1"))
    export = create_export(criteria=FULL)
    run_lines(start_export(export=export))
    export.refresh_from_db()
    return export


def bordereau_of(export: Export) -> dict[str, Any]:
    """The head of the report but for the export itself."""
    head = read_bordereau(export)
    return {name: getattr(head, name) for name in head.__slots__ if name != "export"}


def test_a_list_with_kept_figures_says_what_it_said_before_and_asks_less(ended: Export) -> None:
    counted = count_items(ended), sum_by_currency(ended), bordereau_of(ended)

    assert keep_figures_of_ended_exports() == 1
    assert keep_figures_of_ended_exports() == 0
    ended.refresh_from_db()

    assert (count_items(ended), sum_by_currency(ended), bordereau_of(ended)) == counted
    assert (count_items(ended).published, count_items(ended).set_aside) == (2, 1)
    assert [(row.currency, row.count) for row in sum_by_currency(ended, ExportItem.State.PUBLISHED)] == [
        ("CHF", 1),
        ("EUR", 1),
    ]
    with CaptureQueriesContext(connection) as captured:
        count_many([ended])
        sum_by_currency(ended)
    assert len(captured) == 0


def test_a_list_that_waits_runs_or_was_cancelled_is_counted_each_time(ended: Export) -> None:
    Export.objects.filter(pk=ended.pk).update(state=Export.State.CANCELLED)

    assert keep_figures_of_ended_exports() == 0


def test_a_mail_sent_again_after_the_end_is_counted(ended: Export) -> None:
    keep_figures_of_ended_exports()
    invoice = Invoice.objects.published().first()
    assert invoice is not None
    plan = plan_resending(invoice)

    resend_invoice(invoice=invoice, accounts=plan.accounts, sending=plan.sending, attach_pdf=False)
    ended.refresh_from_db()
    Message.objects.update(state=Message.State.ACCEPTED, next_attempt_at=None, accepted_at=timezone.now())

    assert read_bordereau(ended).mails["accepted"][1] == 3


def test_a_list_that_is_started_again_forgets_what_was_kept(ended: Export) -> None:
    keep_figures_of_ended_exports()
    ExportItem.objects.filter(export=ended, state=ExportItem.State.LEFT_OUT).update(
        state=ExportItem.State.FAILED, reason="", error="essai"
    )
    retry_failures(export=ended)
    ended.refresh_from_db()
    assert count_items(ended).ready == 1

    started = start_export(export=ended)
    assert (started.kept_figures, count_items(started).ready) == (None, 1)


def test_a_line_that_learns_of_another_list_has_the_lines_of_its_list_counted_again() -> None:
    make_invoice()
    first = create_export(criteria=FULL)
    second = create_export(criteria=FULL)
    start_export(export=first)
    Export.objects.filter(pk=second.pk).update(state=Export.State.DONE)
    keep_figures_of_ended_exports()

    run_lines(first)
    second.refresh_from_db()

    assert count_items(second).left_out == {"already_exported": 1}


def test_mails_that_were_sent_are_what_the_others_leave_of_their_number(ended: Export) -> None:
    mails = list(Message.objects.values_list("pk", flat=True))
    Message.objects.filter(pk=mails[0]).update(state=Message.State.REJECTED, next_attempt_at=None)
    Message.objects.filter(pk=mails[1]).update(
        state=Message.State.ACCEPTED, next_attempt_at=None, accepted_at=timezone.now()
    )

    assert count_states(mails, len(mails)) == count_states(mails)


@pytest.mark.parametrize("typed", ["Durand", "dur 17", "C77", "introuvable", "' %"])
def test_a_search_within_a_list_finds_the_same_by_key_and_line_by_line(
    monkeypatch: pytest.MonkeyPatch, typed: str
) -> None:
    customer = make_customer(name="Durand", code="C77")
    make_invoice(number="2025-17", customer=customer)
    make_invoice(number="2025-18", customer=customer)
    make_invoice(number="2025-19")
    export = create_export(criteria=FULL)

    def found() -> list[int]:
        return list(filter_items(export, wanted=search_within(Invoice, SEARCHED, "invoice", typed)))

    by_key = found()
    monkeypatch.setattr("portal.backoffice.ui.searching.MOST_KEYS", 0)

    assert found() == by_key


@pytest.mark.parametrize("query", ["", "?q=Durand"])
def test_the_page_of_a_list_asks_nothing_of_its_lines_twice(staff_client: Client, query: str) -> None:
    durand = make_customer(name="Durand")
    for _number in range(3):
        make_invoice(customer=durand)
    export = create_export(criteria=FULL)

    with CaptureQueriesContext(connection) as asked:
        assert "Durand" in words(staff_client.get(list_url(export, query)))

    selects = [each["sql"] for each in asked if 'FROM "invoices_exportitem"' in each["sql"]]
    assert [each for each in set(selects) if selects.count(each) > 1] == []


def test_a_word_of_many_customers_is_not_looked_for_among_all_invoices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("portal.backoffice.ui.searching.MOST_KEYS", 1)
    for _number in range(3):
        make_customer(name="Durand")

    with CaptureQueriesContext(connection) as asked:
        search_within(Invoice, SEARCHED, "invoice", "durand")

    assert [each["sql"] for each in asked if "invoices_invoice" in each["sql"]] == []


def test_the_amounts_of_a_long_list_come_beside_its_page(staff_client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    make_invoice(total_without_vat="100.00")
    make_invoice(total_without_vat="50.00")
    export = create_export(criteria=FULL)
    at_once = words(staff_client.get(list_url(export)))
    monkeypatch.setattr("portal.backoffice.exports.lists.LINES_SUMMED_AT_ONCE", 1)

    page = staff_client.get(list_url(export))

    assert "180,00 €" in at_once
    assert "180,00 €" not in words(page)
    assert f'href="{list_url(export, "montant/")}"' in page.content.decode()
    assert words(staff_client.get(list_url(export, "montant/"))).strip() == "180,00 €"


# ─── On PostgreSQL ───────────────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.postgresql
@pytest.mark.parametrize(
    ("rows", "index"),
    [
        (lambda export: filter_items(export)[:50], "items_in_their_order"),
        (lambda export: filter_items(export).filter(pk__gt=7)[:500], "items_in_their_order"),
    ],
)
def test_a_page_of_a_list_is_read_in_the_order_of_an_index(ended: Export, rows: Any, index: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("SET LOCAL enable_sort = off")
        cursor.execute("SET LOCAL enable_bitmapscan = off")
    plan = rows(ended).explain()

    assert index in plan
    assert "Seq Scan" not in plan
    assert "Sort" not in plan
