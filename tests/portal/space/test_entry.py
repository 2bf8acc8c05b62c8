"""Coming in, going out, and where one lands."""

import pytest
from django.test import Client
from django.urls import reverse

from tests.support.factories import PASSWORD, make_account, make_customer, make_staff

pytestmark = pytest.mark.django_db


def test_the_login_page_asks_for_identifiant_and_mot_de_passe(client: Client) -> None:
    page = client.get("/connexion/")

    assert page.status_code == 200
    text = page.content.decode()
    assert "Identifiant" in text
    assert "Mot de passe" in text
    assert "Se connecter" in text
    assert 'name="username"' in text
    assert 'name="password"' in text


def test_a_customer_logs_in_whatever_the_case_of_the_login_and_lands_on_the_invoices(client: Client) -> None:
    customer = make_customer(email="Compta@Client.example")
    make_account(customer, name="Client Un")

    answer = client.post("/connexion/", {"username": "compta@client.EXAMPLE", "password": PASSWORD}, follow=True)

    assert answer.redirect_chain == [("/", 302), ("/factures/", 302)]
    assert "Bienvenue <strong>Client Un</strong>" in answer.content.decode()


def test_staff_land_in_the_back_office(client: Client) -> None:
    client.force_login(make_staff(), backend="customers.authentication.AccountBackend")

    assert client.get("/")["Location"] == reverse("admin:index")


def test_a_link_leads_through_login_to_the_very_page(client: Client) -> None:
    make_account(make_customer(email="a@a.example"))
    door = client.get("/factures/?annee=2024")
    assert door["Location"] == "/connexion/?next=/factures/%3Fannee%3D2024"

    answer = client.post(
        door["Location"], {"username": "a@a.example", "password": PASSWORD, "next": "/factures/?annee=2024"}
    )

    assert answer["Location"] == "/factures/?annee=2024"


def test_a_link_to_another_site_is_not_followed(client: Client) -> None:
    make_account(make_customer(email="a@a.example"))

    answer = client.post(
        "/connexion/", {"username": "a@a.example", "password": PASSWORD, "next": "https://evil.example/"}
    )

    assert answer["Location"] == "/"


@pytest.mark.parametrize("login", ["a@a.example", "nobody@a.example", "closed@a.example"])
def test_a_refused_login_says_the_same_whether_the_login_exists(client: Client, login: str) -> None:
    make_account(make_customer(), login="a@a.example")
    make_account(make_customer(), login="closed@a.example", is_active=False)
    password = PASSWORD if login.startswith("closed") else "wrong-password-12"

    page = client.post("/connexion/", {"username": login, "password": password}).content.decode()

    assert "Identifiant ou mot de passe incorrect." in page
    assert "_auth_user_id" not in client.session


def test_going_out_is_a_post_and_leads_to_the_door(client: Client) -> None:
    account = make_account(make_customer())
    client.force_login(account, backend="customers.authentication.AccountBackend")

    opened = client.get("/deconnexion/")
    assert opened.status_code == 405
    assert "Revenir à l’accueil" in opened.content.decode()
    assert client.post("/deconnexion/")["Location"] == "/connexion/"
    assert client.get("/factures/").status_code == 302


def test_the_session_ends_with_the_browser_unless_one_stays_signed_in(client: Client) -> None:
    make_account(make_customer(email="a@a.example"))
    sent = {"username": "a@a.example", "password": PASSWORD}

    client.post("/connexion/", sent)
    assert client.session.get_expire_at_browser_close()
    client.post("/deconnexion/")
    client.post("/connexion/", {**sent, "remember": "on"})

    assert not client.session.get_expire_at_browser_close()
