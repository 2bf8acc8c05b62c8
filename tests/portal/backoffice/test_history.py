"""What staff do is in the history, and what they close is closed."""

from typing import Any

import pytest
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import Group
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from customers.models import Account
from mailing.models import Message
from mailing.outbox import Draft, write_messages
from mailing.trail.models import Entry
from tests.support.back_office import words
from tests.support.factories import make_account, make_company, make_customer, make_staff

pytestmark = pytest.mark.django_db

BACKEND = "customers.authentication.AccountBackend"
OUTBOX = "/gestion/mailing/message/"


@pytest.fixture
def staff_client(client: Client) -> Client:
    client.force_login(make_staff(), backend=BACKEND)
    return client


@pytest.mark.parametrize("is_staff", [False, True])
def test_an_account_closed_by_its_form_finds_its_old_sessions_over_when_it_opens_again(
    staff_client: Client, is_staff: bool
) -> None:
    account = make_staff("paul@aquila.example") if is_staff else make_account(make_customer())
    browser = Client()
    browser.force_login(account, backend=BACKEND)
    kind = "staffaccount" if is_staff else "customeraccount"
    form = {"login": account.login, "name": "", "accesses-TOTAL_FORMS": "0", "accesses-INITIAL_FORMS": "0"}
    assert browser.get("/", follow=True).status_code == 200

    for state in ({}, {"is_active": "on"}):
        answer = staff_client.post(f"/gestion/customers/{kind}/{account.pk}/change/", form | state)
        assert answer.status_code == 302

    account.refresh_from_db()
    assert account.is_active
    assert browser.get("/compte/").headers["Location"].startswith("/connexion/")


def test_a_bulk_action_mails_is_noted_on_each_in_one_statement(staff_client: Client) -> None:
    write_messages(
        [
            Draft(
                key=f"k{number}",
                kind="invoice",
                recipient=f"c{number}@exemple.fr",
                sender="compta@aquila.example",
                subject="Facture",
                text="Bonjour",
            )
            for number in range(30)
        ]
    )
    Message.objects.update(state=Message.State.DEFERRED, next_attempt_at=timezone.now())
    rows = [str(pk) for pk in Message.objects.values_list("pk", flat=True)]

    with CaptureQueriesContext(connection) as queries:
        staff_client.post(OUTBOX, {"action": "retry", "_selected_action": rows, "confirmed_count": "30"})

    assert LogEntry.objects.filter(change_message="Remis en file.").count() == 30
    assert sum("INSERT INTO" in query["sql"] and "django_admin_log" in query["sql"] for query in queries) == 1
    assert set(LogEntry.objects.values_list("user__login", flat=True)) == {"compta@aquila.example"}


def test_the_history_says_in_french_what_was_changed_and_leads_to_it(staff_client: Client) -> None:
    customer = make_customer(name="Garage Petit")
    company = make_company()
    staff = Account.objects.get(login="compta@aquila.example")
    LogEntry.objects.log_actions(staff.pk, [customer], CHANGE, "Passé en D.", single_object=True)
    LogEntry.objects.log_actions(staff.pk, [company], CHANGE, "Couleur changée.", single_object=True)

    page = staff_client.get("/gestion/admin/logentry/").content.decode()

    for word in ("Client", "Société", "Export", "Message prédéfini", "Utilisateur", "Groupe"):
        assert f">{word}</a>" in page
    for raw in ("Task Result", "type de contenu", "| client", "Axes", "Session"):
        assert raw not in page
    assert f'<a href="/gestion/customers/customer/{customer.pk}/change/">' in page
    assert "Passé en D." in page
    assert "Couleur changée." in page


def test_the_history_is_filtered_by_type_and_user_and_searched(staff_client: Client) -> None:
    customer, company = make_customer(name="Garage Petit"), make_company()
    compta, other = Account.objects.get(login="compta@aquila.example"), make_staff("paul@aquila.example")
    LogEntry.objects.log_actions(compta.pk, [customer], CHANGE, "Passé en D.", single_object=True)
    LogEntry.objects.log_actions(other.pk, [company], CHANGE, "Couleur changée.", single_object=True)
    kind = ContentType.objects.get_for_model(company).pk

    def shown(query: str) -> set[str]:
        answer = staff_client.get(f"/gestion/admin/logentry/?{query}")
        return {entry.get_change_message() for entry in answer.context["cl"].result_list}

    assert shown("") == {"Passé en D.", "Couleur changée."}
    assert shown(f"type={kind}") == {"Couleur changée."}
    assert shown(f"utilisateur={compta.pk}") == {"Passé en D."}
    assert shown("q=couleur") == {"Couleur changée."}
    assert shown("type=rien&utilisateur=x") == {"Passé en D.", "Couleur changée."}


def test_the_history_is_read_in_as_many_statements_however_long_it_is(staff_client: Client) -> None:
    staff = Account.objects.get(login="compta@aquila.example")

    def count() -> int:
        with CaptureQueriesContext(connection) as asked:
            assert staff_client.get("/gestion/admin/logentry/").status_code == 200
        return len(asked)

    LogEntry.objects.log_actions(staff.pk, [make_customer()], CHANGE, "Un.")
    count()
    few = count()
    LogEntry.objects.log_actions(staff.pk, [make_customer() for _ in range(30)], CHANGE, "Trente.")
    assert count() == few


def test_the_history_leads_only_where_its_reader_may_go(client: Client) -> None:
    customer, company = make_customer(), make_company()
    staff, reader = make_staff(), make_staff("reglages@aquila.example")
    reader.is_superuser = False
    reader.save()
    reader.groups.add(Group.objects.get(name="Paramétrage"))
    LogEntry.objects.log_actions(staff.pk, [customer], CHANGE, "Passé en D.", single_object=True)
    LogEntry.objects.log_actions(staff.pk, [company], CHANGE, "Couleur changée.", single_object=True)
    client.force_login(reader, backend=BACKEND)

    page = client.get("/gestion/admin/logentry/").content.decode()

    assert str(customer) in page
    assert f"/customers/customer/{customer.pk}/" not in page
    assert f'<a href="/gestion/invoices/company/{company.pk}/change/">' in page


def test_a_change_names_the_former_and_the_present_value(staff_client: Client) -> None:
    customer = make_customer(name="Durand", email="a@durand.example", city="Lyon", phone="")
    page: Any = staff_client.get(reverse("admin:customers_customer_change", args=[customer.pk]))
    form = page.context["adminform"].form
    values = {name: form[name].value() or "" for name in form.fields if form[name].value() is not False}
    inline = {"contacts-TOTAL_FORMS": "0", "contacts-INITIAL_FORMS": "0"}

    staff_client.post(
        reverse("admin:customers_customer_change", args=[customer.pk]),
        {**values, **inline, "email": "b@durand.example", "city": "", "phone": "04 72 00 00 00", "invoice_copies": "2"},
    )

    customer.refresh_from_db()
    assert customer.email == "b@durand.example"
    told = words(staff_client.get(reverse("admin:admin_logentry_changelist")))
    assert "a changé « E-mail » de a@durand.example à b@durand.example" in told
    assert "a vidé « Ville », qui était Lyon" in told
    assert "a rempli « Téléphone » : 04 72 00 00 00" in told
    assert "de D à 2" in told
    # The trail, which no one can erase, holds no address.
    assert not Entry.objects.filter(details__contains="durand.example").exists()
