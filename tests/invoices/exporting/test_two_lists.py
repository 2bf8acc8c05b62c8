"""Two lists over the same invoices: one publishes, the other says so, makes no account and promises no mail."""

from datetime import date

import pytest
from django.test import Client

from customers.models import Account
from invoices.exporting.counts import count_items
from invoices.exporting.criteria import Criteria, Period, Scope
from invoices.exporting.exports import cancel_export, create_export, recheck_customer, start_export
from invoices.exporting.run.worker import run_lines
from invoices.exporting.selection import count_selection
from invoices.models import Delivery, Export, ExportItem
from tests.support.back_office import SCREEN, list_url, words
from tests.support.factories import make_customer, make_invoice, make_published_invoice

pytestmark = pytest.mark.django_db

FULL = Criteria(generate_credentials=True, notify=True)
State, Reason = ExportItem.State, ExportItem.Reason


def line(export: Export) -> tuple[str, str]:
    """State and reason of the only line of ``export``."""
    item = ExportItem.objects.get(export=export)
    return item.state, item.reason


def test_a_list_made_while_another_runs_leaves_its_invoices_to_it(staff_client: Client) -> None:
    make_invoice()
    first = start_export(export=create_export(criteria=FULL))

    count = count_selection(FULL)
    second = create_export(criteria=FULL)

    assert (count.ready, count.mails, count.credentials) == (0, 0, 0)
    assert count.left_out == {"in_another_list": 1}
    assert line(second) == (State.LEFT_OUT, Reason.IN_ANOTHER_LIST)
    assert f"écartée déjà prise par la liste n° {first.number}" in words(staff_client.get(list_url(second)))


def test_of_two_lists_made_before_the_one_that_starts_takes_the_invoices(staff_client: Client) -> None:
    make_invoice()
    first, second = create_export(criteria=FULL), create_export(criteria=FULL)
    assert line(first) == line(second) == (State.READY, "")
    assert f"aussi dans la liste n° {first.number}, pas encore partie" in words(staff_client.get(list_url(second)))

    start_export(export=first)
    assert line(second) == (State.LEFT_OUT, Reason.IN_ANOTHER_LIST)
    run_lines(first)

    assert line(first) == (State.PUBLISHED, "")
    assert line(second) == (State.LEFT_OUT, Reason.ALREADY_EXPORTED)
    assert f"déjà exportée par la liste n° {first.number}" in words(staff_client.get(list_url(second)))
    assert "compte à créer" not in words(staff_client.get(list_url(second)))
    run_lines(start_export(export=second))
    assert count_items(second).credentials == 0
    assert (Account.objects.of_customers().count(), Delivery.objects.count()) == (1, 1)


def test_an_invoice_that_was_not_published_after_all_is_ready_in_the_other_list() -> None:
    make_invoice()
    first, second = create_export(criteria=FULL), create_export(criteria=FULL)
    start_export(export=first)

    cancel_export(export=first)

    assert line(second) == (State.READY, "")


def test_a_paused_list_keeps_its_own_lines_when_a_customer_is_corrected() -> None:
    invoice = make_invoice()
    export = start_export(export=create_export(criteria=FULL))
    Export.objects.update(state=Export.State.PAUSED)

    assert recheck_customer(export=export, customer_id=invoice.customer_id) == 1


def test_since_the_last_export_means_not_exported_yet_whatever_the_date() -> None:
    late = make_invoice(issue_date=date(2019, 1, 1))
    make_published_invoice(issue_date=date(2025, 6, 7))
    future = make_invoice(issue_date=date(2031, 1, 1))
    asked = Criteria(period=Period.SINCE_LAST_EXPORT, scope=Scope.ALL)

    export = create_export(criteria=asked.resolve_period(date(2026, 1, 15), date(2026, 1, 10)))

    assert {item.invoice for item in export.items.all()} == {late, future}


def test_a_list_with_nothing_ready_is_asked_for_twice(staff_client: Client) -> None:
    make_invoice(customer=make_customer(invoice_copies="1"))
    form = {"scope": "all", "kind": "", "period": "fixed", "start": "2025-06-01", "end": "", "function": ""}

    question = staff_client.post(SCREEN, form | {"action": "create"})

    assert "Créer une liste où rien n’est prêt ?" in words(question)
    assert "pas en D (démat) : 1" in words(question)
    assert not Export.objects.exists()
    staff_client.post(SCREEN, dict(question.context["hidden"]))
    assert Export.objects.get().criteria["start"] == "2025-06-01"
