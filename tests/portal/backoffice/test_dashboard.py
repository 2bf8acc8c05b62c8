"""The dashboard of the back-office: what waits, what went wrong, whether everything runs."""

import datetime
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from customers.models import Account, BulkAction, Customer
from customers.services import send_credentials
from invoices.exporting.criteria import Criteria
from invoices.exporting.exports import create_export
from invoices.models import Document, ImportBatch, Invoice
from mailing.heartbeats import record_heartbeat
from mailing.models import MailSignIn, Message
from tests.support.back_office import BACKEND, list_url, words
from tests.support.factories import (
    make_account,
    make_company,
    make_contact,
    make_customer,
    make_invoice,
    make_published_invoice,
    make_staff,
)
from tests.support.sending import use_smtp

pytestmark = pytest.mark.django_db


def test_the_dashboard_counts_what_waits_and_leads_to_it(client: Client) -> None:
    client.force_login(make_staff(), backend=BACKEND)
    paper = make_customer(invoice_copies="2")
    make_invoice(customer=paper)
    for _number in range(2):
        make_invoice()
    make_published_invoice()
    make_customer(email="", invoice_copies="D")
    send_credentials(accounts=[make_account(make_customer())])

    page = client.get("/gestion/")
    board = page.context["board"]
    counts = {figure.word: figure for figure in [*board.waiting, *board.wrong]}

    assert counts["factures en attente d’export"].count == 2
    assert counts["mail en file"].count == 1
    assert counts["compte jamais utilisé"].count == 1
    assert counts["client en D sans adresse"].count == 1
    for figure in counts.values():
        assert client.get(figure.url).status_code == 200
    assert [(chart.key, chart.total) for chart in board.charts] == [("factures", 1), ("mails", 1)]


def test_each_figure_leads_to_as_many_rows_as_it_says(client: Client) -> None:
    client.force_login(make_staff(), backend=BACKEND)
    make_customer(email="", invoice_copies="D")
    make_customer(email="", invoice_copies="1")
    accounts = [make_account(make_customer()) for _number in range(3)]
    send_credentials(accounts=accounts)
    Message.objects.filter(recipient=accounts[0].login).update(state="rejected", next_attempt_at=None)
    Account.objects.filter(pk=accounts[1].pk).update(last_login=timezone.now())

    board = client.get("/gestion/").context["board"]

    for figure in [*board.waiting, *board.wrong]:
        page = client.get(figure.url)
        if "cl" in page.context and "etat=" not in figure.url:
            assert page.context["cl"].result_count == figure.count, figure.url


def test_the_dashboard_counts_what_is_to_be_handed_over_once_a_platform_is_named(client: Client) -> None:
    client.force_login(make_staff(), backend=BACKEND)
    company = make_company()
    customer = make_customer(kind=Customer.Kind.PROFESSIONAL, country="FR")
    due = [make_published_invoice(company=company, customer=customer) for _number in range(2)]
    plain = make_published_invoice(company=company, customer=customer)
    Document.objects.filter(invoice__in=due).update(profile="EN 16931")
    assert "à remettre à la plateforme" not in words(client.get("/gestion/"))
    assert "à remettre à la plateforme" not in words(client.get("/gestion/invoices/invoice/"))

    company.einvoice_from, company.platform_name = datetime.date(2025, 1, 1), "PA Exemple"
    company.save()

    page = client.get("/gestion/")
    assert "2 factures à remettre à la plateforme" in words(page)
    figure = next(one for one in page.context["board"].waiting if "plateforme" in one.forms)
    found = client.get(figure.url)
    assert found.context["cl"].result_count == 2
    assert plain.number not in words(found)


def test_a_long_list_says_honestly_where_it_stops_counting(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    client.force_login(make_staff(), backend=BACKEND)
    monkeypatch.setattr("portal.backoffice.ui.lists.COUNTED_ROWS", 3)
    for _number in range(3):
        make_invoice(number=f"L-{_number}")
    exact = words(client.get("/gestion/invoices/invoice/?q=L-"))
    assert "3 résultats" in exact
    assert "plus de" not in exact

    make_invoice(number="L-4")

    page = words(client.get("/gestion/invoices/invoice/?q=L-"))
    assert "plus de 3 résultats" in page
    assert "plus de 3 factures Les 3 premières de ce tri se parcourent ; pour les autres, cherchez ou filtrez." in page


def test_the_dashboard_warns_when_no_worker_has_been_seen_for_a_minute(client: Client) -> None:
    client.force_login(make_staff(), backend=BACKEND)
    assert "n’a jamais donné signe de vie" in words(client.get("/gestion/"))
    record_heartbeat("machine:1", "export")
    record_heartbeat("machine:2", "mail")
    assert "signe de vie" not in words(client.get("/gestion/"))

    with time_machine.travel(timezone.now() + datetime.timedelta(seconds=61)):
        assert "n’a plus donné signe de vie depuis" in words(client.get("/gestion/"))


def test_where_tasks_run_at_once_no_page_waits_for_a_worker(client: Client, settings: Any) -> None:
    staff = make_staff()
    client.force_login(staff, backend=BACKEND)
    batch = ImportBatch.objects.create(state="received", author=staff)
    bulk_action = BulkAction.objects.create(kind="activate", author=staff)
    make_invoice()
    export = create_export(criteria=Criteria(), author_name="Nathalie Blanc")
    pages = (
        "/gestion/",
        f"/gestion/invoices/importbatch/{batch.pk}/change/",
        f"/gestion/customers/bulkaction/{bulk_action.pk}/change/",
        list_url(export),
    )
    record_heartbeat("machine:1", "mail")
    warnings = ("signe de vie", "ne s’est signalé")

    def warned() -> list[bool]:
        return [any(warning in words(client.get(page)) for warning in warnings) for page in pages]

    settings.TASKS_BACKEND = "database"
    assert warned() == [True] * len(pages)
    settings.TASKS_BACKEND = "immediate"
    assert warned() == [False] * len(pages)


def test_the_charts_tell_their_figures_in_a_table_too(client: Client) -> None:
    client.force_login(make_staff(), backend=BACKEND)
    for _number in range(3):
        make_published_invoice()

    page = client.get("/gestion/").content.decode()

    assert "<caption>Factures exportées par mois</caption>" in page
    assert "<td>3</td>" in page


@time_machine.travel(datetime.datetime(2026, 3, 10, 9, tzinfo=datetime.UTC))
def test_a_month_that_has_ended_is_counted_once_and_the_present_one_each_time(client: Client) -> None:
    client.force_login(make_staff(), backend=BACKEND)
    invoices = [make_published_invoice() for _number in range(3)]
    last_month = timezone.now() - datetime.timedelta(days=20)
    Invoice.objects.filter(pk=invoices[0].pk).update(published_at=last_month)

    def bars() -> list[int]:
        return [placed.bar.count for placed in client.get("/gestion/").context["board"].charts[0].bars][-2:]

    assert bars() == [1, 2]
    make_published_invoice()
    with CaptureQueriesContext(connection) as asked:
        assert bars() == [1, 3]
    (by_month,) = [query["sql"] for query in asked if "GROUP BY" in query["sql"] and "published_at" in query["sql"]]
    assert "2026-02-28" in by_month or "2026-03-01" in by_month  # midnight of March the first, in Paris or in UTC


def test_the_dashboard_asks_as_often_for_many_rows_as_for_few(client: Client) -> None:
    client.force_login(make_staff(), backend=BACKEND)

    def fill(count: int) -> None:
        company = make_company()
        for _number in range(count):
            make_published_invoice(company=company)
            make_contact(make_customer())

    fill(2)
    client.get("/gestion/")
    with CaptureQueriesContext(connection) as few:
        client.get("/gestion/")
    fill(60)
    with CaptureQueriesContext(connection) as many:
        client.get("/gestion/")

    assert len(many) == len(few)
    # PostgreSQL is also asked for its clock and for its estimate of how many mails there are.
    assert len(many) <= (29 if connection.vendor == "postgresql" else 27)


@pytest.mark.parametrize(
    "address", ["/gestion/", "/gestion/customers/customer/", "/gestion/courrier/adresses-en-erreur/"]
)
def test_every_page_says_that_no_mail_server_is_set(client: Client, settings: Any, address: str) -> None:
    client.force_login(make_staff(), backend=BACKEND)
    assert "aucun client ne les reçoit" in words(client.get(address))

    use_smtp(settings, 25)
    assert "aucun client ne les reçoit" not in words(client.get(address))


def test_the_dashboard_says_why_the_mail_cannot_be_entered_and_what_to_do(client: Client, settings: Any) -> None:
    settings.MAIL_OAUTH = {"flow": "device"}
    MailSignIn.objects.create(failure="Le consentement a été retiré : relancer « manage.py mail_auth ».")
    client.force_login(make_staff(), backend=BACKEND)

    assert "relancer « manage.py mail_auth »" in words(client.get("/gestion/"))


def test_the_header_leads_to_the_second_factor(client: Client) -> None:
    client.force_login(make_staff(), backend=BACKEND)
    assert 'href="/compte/second-facteur/"' in client.get("/gestion/").content.decode()


def test_charts_of_nothing_are_left_out(client: Client) -> None:
    client.force_login(make_staff(), backend=BACKEND)

    page = client.get("/gestion/")

    assert page.context["board"].charts == []
    assert "Factures exportées par mois" not in page.content.decode()
