"""The users of the back-office."""

import pytest
from django.test import Client

from customers.credentials import read_provisional
from customers.models import Account
from tests.support.factories import make_account, make_customer, make_staff

pytestmark = pytest.mark.django_db

CUSTOMERS = "/gestion/customers/customer/"
ACCOUNTS = "/gestion/customers/customeraccount/"


@pytest.fixture
def staff(client: Client) -> Account:
    """A member of staff with all rights, signed in."""
    account = make_staff(name="Claire Martin")
    client.force_login(account, backend="customers.authentication.AccountBackend")
    return account


def test_a_new_user_gets_a_provisional_password_that_is_shown_once(client: Client, staff: Account) -> None:
    answer = client.post(
        "/gestion/customers/staffaccount/add/", {"login": "paul@aquila.example", "name": "Paul", "is_active": "on"}
    )

    user = Account.objects.get(login="paul@aquila.example")
    secret = read_provisional(user)
    assert user.is_staff
    assert user.must_change_password
    assert secret is not None
    assert secret in answer.content.decode()
    assert secret not in client.get(f"/gestion/customers/staffaccount/{user.pk}/change/").content.decode()


def test_a_user_cannot_take_a_customers_login(client: Client, staff: Account) -> None:
    make_account(make_customer(email="client@un.example"))

    answer = client.post("/gestion/customers/staffaccount/add/", {"login": "Client@UN.example", "name": "X"})

    assert "Un compte porte déjà cet identifiant." in answer.content.decode()


def test_nobody_locks_himself_out(client: Client, staff: Account) -> None:
    client.post(f"/gestion/customers/staffaccount/{staff.pk}/change/", {"login": staff.login, "name": "Claire"})

    staff.refresh_from_db()
    assert staff.is_active
