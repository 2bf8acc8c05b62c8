"""The second factor: turned on, asked for at each sign-in, taken away; and who is there, asked once more."""

import datetime
import re
from typing import Any

import pyotp
import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from customers.models import Account
from customers.second_factor import draw_key, take_code, turn_on
from tests.support.factories import make_account, make_customer, make_staff

pytestmark = pytest.mark.django_db

BACKEND = "customers.authentication.AccountBackend"
PASSWORD = "k7Rqm-pX3dh-9wFtc"


def code_of(key: str, *, steps: int = 0) -> str:
    """What the application shows, ``steps`` of thirty seconds from now."""
    return pyotp.TOTP(key).at(timezone.now() + datetime.timedelta(seconds=30 * steps))


@pytest.fixture
def owner() -> Account:
    account = make_account(make_customer())
    account.set_password(PASSWORD)
    account.save()
    return account


@pytest.fixture
def key(owner: Account) -> str:
    """The key of the owner's application, whose codes of this moment are still good."""
    drawn = draw_key()
    assert turn_on(account=owner, key=drawn, code=code_of(drawn, steps=-1)) is not None
    return drawn


def sign_in(client: Client, account: Account) -> Any:
    return client.post("/connexion/", {"username": account.login, "password": PASSWORD})


def test_the_application_is_shown_the_key_and_gives_it_back_as_six_digits(client: Client, owner: Account) -> None:
    sign_in(client, owner)
    other = Client()
    sign_in(other, owner)
    page = client.get("/compte/second-facteur/").content.decode()
    found = re.search(r'class="figures">([A-Z2-7 ]+)<', page)
    assert found is not None
    key = found[1].replace(" ", "")

    assert "Ce code n’est pas celui" in client.post("/compte/second-facteur/", {"code": "000000"}).content.decode()
    codes = re.findall(
        r'class="figures">([^<]+)<', client.post("/compte/second-facteur/", {"code": code_of(key)}).content.decode()
    )

    assert len(set(codes)) == 10
    assert client.get("/factures/").status_code == 200
    assert other.get("/factures/").status_code == 302  # opened before: closed
    owner.refresh_from_db()
    assert take_code(account=owner, code=codes[0])
    assert not take_code(account=owner, code=codes[0])
    assert take_code(account=owner, code=f"\u200b{codes[1].replace('-', ' – ')}\u00a0")


@pytest.mark.parametrize("path", ["/factures/", "/compte/", "/compte/mot-de-passe/", "/compte/second-facteur/"])
def test_nothing_opens_before_the_code(client: Client, owner: Account, key: str, path: str) -> None:
    sign_in(client, owner)
    assert client.get(path)["Location"] == f"/connexion/second-facteur/?next={path.replace('/', '%2F')}"
    assert "Ce code n’est pas le bon" in client.post("/connexion/second-facteur/", {"code": "000000"}).content.decode()
    assert client.post("/connexion/second-facteur/", {"code": code_of(key), "next": path})["Location"] == path
    assert client.get(path).status_code == 200


def test_a_link_of_a_mail_does_not_go_round_the_code(client: Client, owner: Account, key: str) -> None:
    from customers.links import Purpose, make_token

    client.post(f"/connexion/lien/{make_token(owner, Purpose.SIGN_IN)}/")
    assert client.get("/factures/")["Location"].startswith("/connexion/second-facteur/")


def test_a_code_is_taken_once_and_by_a_clock_a_step_off(owner: Account, key: str) -> None:
    code = code_of(key)
    assert take_code(account=owner, code=f"\u00a0{code[:3]}–{code[3:]}\ufeff")
    assert not take_code(account=owner, code=code_of(key))
    assert take_code(account=owner, code=code_of(key, steps=1))
    assert not take_code(account=owner, code=code_of(key, steps=3))


@pytest.mark.usefixtures("at_the_beginning_of_a_span")
def test_codes_cannot_be_tried_for_long(client: Client, owner: Account, key: str) -> None:
    sign_in(client, owner)
    answers = [client.post("/connexion/second-facteur/", {"code": f"{n:06}"}).status_code for n in range(7)]
    assert answers == [200] * 6 + [429]


def test_staff_turn_it_on_before_anything_else_where_it_is_required(client: Client, settings: Any) -> None:
    settings.STAFF_SECOND_FACTOR = "required"
    staff = make_staff()
    client.force_login(staff, backend=BACKEND)
    assert client.get("/gestion/")["Location"] == "/compte/second-facteur/?next=%2Fgestion%2F"
    assert client.get("/compte/second-facteur/").status_code == 200
    customer = Client()
    customer.force_login(make_account(make_customer()), backend=BACKEND)
    assert customer.get("/factures/").status_code == 200


def test_a_provisional_password_is_replaced_first(client: Client, settings: Any) -> None:
    settings.STAFF_SECOND_FACTOR = "required"
    staff = make_staff()
    staff.must_change_password = True
    staff.save()
    client.force_login(staff, backend=BACKEND)
    assert client.get("/gestion/")["Location"].startswith("/compte/mot-de-passe/")
    assert client.get("/compte/mot-de-passe/").status_code == 200


def test_it_is_taken_away_by_its_owner_or_by_the_command(client: Client, owner: Account, key: str) -> None:
    sign_in(client, owner)
    client.post("/connexion/second-facteur/", {"code": code_of(key)})
    assert client.post("/compte/second-facteur/retirer/").status_code == 302
    assert client.get("/factures/").status_code == 200
    with pytest.raises(CommandError, match="pas de double authentification"):
        call_command("remove_second_factor", owner.login)
    again = draw_key()
    turn_on(account=owner, key=again, code=code_of(again))
    call_command("remove_second_factor", owner.login)
    other = Client()
    sign_in(other, owner)
    assert other.get("/factures/").status_code == 200


def test_ones_data_are_given_to_whoever_proves_who_he_is(client: Client, owner: Account, time_machine: Any) -> None:
    sign_in(client, owner)
    assert client.get("/compte/donnees.zip").status_code == 200
    time_machine.move_to(timezone.now() + datetime.timedelta(minutes=20))
    asked = client.get("/compte/donnees.zip")
    assert asked["Location"] == "/connexion/confirmer/?next=%2Fcompte%2Fdonnees.zip"
    assert "Ce n’est pas votre mot de passe" in client.post(asked["Location"], {"password": "autre"}).content.decode()
    assert client.post(asked["Location"], {"password": PASSWORD})["Location"] == "/compte/donnees.zip"
    assert client.get("/compte/donnees.zip").status_code == 200
