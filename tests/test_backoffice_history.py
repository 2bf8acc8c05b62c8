"""What staff do is in the history, and what they close is closed."""

import pytest
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from mailing.models import Message
from mailing.outbox import Draft, write_messages
from tests.factories import make_account, make_customer, make_staff

pytestmark = pytest.mark.django_db

BACKEND = "customers.authentication.AccountBackend"
OUTBOX = "/gestion/mailing/message/"


@pytest.fixture
def desk(client: Client) -> Client:
    client.force_login(make_staff(), backend=BACKEND)
    return client


@pytest.mark.parametrize("is_staff", [False, True])
def test_an_account_closed_by_its_form_finds_its_old_sessions_over_when_it_opens_again(
    desk: Client, is_staff: bool
) -> None:
    account = make_staff("paul@aquila.example") if is_staff else make_account(make_customer())
    browser = Client()
    browser.force_login(account, backend=BACKEND)
    kind = "staffaccount" if is_staff else "customeraccount"
    form = {"login": account.login, "name": "", "accesses-TOTAL_FORMS": "0", "accesses-INITIAL_FORMS": "0"}
    assert browser.get("/", follow=True).status_code == 200

    for state in ({}, {"is_active": "on"}):
        answer = desk.post(f"/gestion/customers/{kind}/{account.pk}/change/", form | state)
        assert answer.status_code == 302

    account.refresh_from_db()
    assert account.is_active
    assert browser.get("/compte/").headers["Location"].startswith("/connexion/")


def test_a_gesture_on_many_mails_is_noted_on_each_in_one_statement(desk: Client) -> None:
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
        desk.post(OUTBOX, {"action": "retry", "_selected_action": rows, "confirmed_count": "30"})

    assert LogEntry.objects.filter(change_message="Remis en file.").count() == 30
    assert sum("INSERT INTO" in query["sql"] and "django_admin_log" in query["sql"] for query in queries) == 1
    assert set(LogEntry.objects.values_list("user__login", flat=True)) == {"compta@aquila.example"}
