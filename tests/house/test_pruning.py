"""What serves no one any more is forgotten."""

import datetime

import pytest
from axes.models import AccessLog
from django.test import Client
from django.utils import timezone

from invoices.management.commands.run_worker import prune
from portal.models import Session
from tests.support.factories import PASSWORD, make_account, make_customer

pytestmark = pytest.mark.django_db


def test_sessions_that_ran_out_are_erased_and_open_ones_stay() -> None:
    over, is_open = Client(), Client()
    account = make_account(make_customer())
    for browser in (over, is_open):
        browser.force_login(account, backend="customers.authentication.AccountBackend")
    yesterday = timezone.now() - datetime.timedelta(days=1)
    Session.objects.filter(session_key=over.session.session_key).update(expire_date=yesterday)

    prune()

    assert [row.session_key for row in Session.objects.all()] == [is_open.session.session_key]


def test_who_came_in_from_where_is_not_kept(client: Client) -> None:
    account = make_account(make_customer())

    answer = client.post("/connexion/", {"username": account.login, "password": PASSWORD})

    assert answer.status_code == 302
    assert not AccessLog.objects.exists()
