"""The users of the back-office."""

import datetime
from typing import Any
from urllib.parse import quote

import pyotp
import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.utils import timezone

from customers.credentials import read_provisional
from customers.models import Account
from customers.second_factor import draw_key, turn_on
from tests.support.back_office import sign_in_staff
from tests.support.factories import make_account, make_customer, make_staff

pytestmark = pytest.mark.django_db

CUSTOMERS = "/gestion/customers/customer/"
ACCOUNTS = "/gestion/customers/customeraccount/"


@pytest.fixture
def staff(client: Client) -> Account:
    return sign_in_staff(client)


def test_a_new_user_gets_a_provisional_password_that_is_shown_once(client: Client, staff: Account) -> None:
    answer = client.post(
        "/gestion/customers/staffaccount/add/",
        {
            "login": "paul@aquila.example",
            "name": "Paul",
            "is_active": "on",
            "groups": [Group.objects.get(name="Lecture").pk],
        },
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


def test_a_user_without_group_is_refused_with_the_groups_that_can_be_given(client: Client, staff: Account) -> None:
    answer = client.post(
        "/gestion/customers/staffaccount/add/", {"login": "vide@aquila.example", "name": "Vide", "is_active": "on"}
    )

    assert "Cochez au moins un groupe" in answer.content.decode()
    assert "Au choix : Comptabilité, Lecture, Paramétrage." in answer.content.decode()
    assert not Account.objects.filter(login="vide@aquila.example").exists()


def test_no_one_locks_himself_out(client: Client, staff: Account) -> None:
    client.post(f"/gestion/customers/staffaccount/{staff.pk}/change/", {"login": staff.login, "name": "Claire"})

    staff.refresh_from_db()
    assert staff.is_active


def test_an_administrator_takes_away_a_lost_second_factor(client: Client, staff: Account) -> None:
    lost = make_staff(login="paul@aquila.example")
    key = draw_key()
    assert turn_on(account=lost, key=key, code=pyotp.TOTP(key).now())
    address = f"/gestion/customers/staffaccount/{lost.pk}/second-facteur/"
    assert address in client.get(f"/gestion/customers/staffaccount/{lost.pk}/change/").content.decode()

    assert "de vive voix" in client.post(address).content.decode()
    lost.refresh_from_db()
    assert lost.second_factor_at is not None
    client.post(address, {"confirmed_count": "1"})

    lost.refresh_from_db()
    assert lost.second_factor_at is None


def test_a_provisional_password_is_shown_to_whoever_proves_who_he_is(
    client: Client, staff: Account, time_machine: Any
) -> None:
    user = make_staff(login="paul@aquila.example")
    client.get("/gestion/")
    time_machine.move_to(timezone.now() + datetime.timedelta(minutes=20))
    back = f"/gestion/customers/staffaccount/{user.pk}/change/"
    asked = client.post(
        f"/gestion/customers/staffaccount/{user.pk}/reinitialiser/", headers={"Referer": f"http://testserver{back}"}
    )
    assert asked["Location"] == f"/connexion/confirmer/?next={quote(back, safe='')}"


def test_the_form_says_what_the_groups_are_for(client: Client, staff: Account) -> None:
    page = client.get("/gestion/customers/staffaccount/add/").content.decode()

    assert "Lecture : tout voir, ne rien changer" in page
