"""What was asked while the session had ended comes back after the sign-in, or is said to be lost."""

import io
import re
import zipfile

import pytest
from django.test import Client

from customers.models import Account
from tests.support.factories import PASSWORD, make_account, make_customer, make_published_invoice

pytestmark = pytest.mark.django_db
HERE = "http://testserver"
BACKEND = "customers.authentication.AccountBackend"


@pytest.fixture
def account() -> Account:
    return make_account(make_customer(), login="a@a.example")


def hidden_fields(page: str) -> dict[str, list[str]]:
    fields: dict[str, list[str]] = {}
    for name, value in re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', page):
        fields.setdefault(name, []).append(value)
    return fields


def sign_in(client: Client, target: str) -> str:
    """Sign in at the page that ``target`` leads to; returns the page that comes then."""
    sent = {"username": "a@a.example", "password": PASSWORD, "next": target.partition("next=")[2].replace("%2F", "/")}
    return client.post("/connexion/", sent, follow=True).content.decode()


def test_ticked_invoices_are_downloaded_after_the_sign_in_and_no_others(client: Client, account: Account) -> None:
    customer = account.customers.get()
    chosen, _other = [make_published_invoice(customer=customer, number=number) for number in ("F1", "F2")]

    page = sign_in(client, client.post("/factures/archive.zip", {"facture": str(chosen.pk)})["Location"])
    assert "Télécharger la facture cochée." in page
    archive = client.post("/factures/archive.zip", hidden_fields(page))

    names = zipfile.ZipFile(io.BytesIO(b"".join(archive.streaming_content))).namelist()  # type: ignore[attr-defined]
    assert [name for name in names if "F2" in name] == []
    assert [name for name in names if "F1" in name] != []


def test_saved_preferences_are_not_lost(client: Client, account: Account) -> None:
    page = sign_in(client, client.post("/compte/", {"language": "fr"})["Location"])

    assert "Votre session avait pris fin" in page
    assert 'action="/compte/"' in page
    assert hidden_fields(page)["language"] == ["fr"]
    assert account.notify_by_mail
    client.post("/compte/", hidden_fields(page))
    account.refresh_from_db()
    assert not account.notify_by_mail


def test_a_password_is_not_kept_and_is_said_to_be_typed_again(client: Client, account: Account) -> None:
    sent = {"present": PASSWORD, "new_password": "un autre mot de passe", "again": "un autre mot de passe"}

    page = sign_in(client, client.post("/compte/mot-de-passe/", sent)["Location"])

    assert "à saisir de nouveau" in page
    assert 'href="/compte/mot-de-passe/"' in page
    assert PASSWORD not in page


def test_the_way_out_is_open_to_who_is_out_already(client: Client, account: Account) -> None:
    assert client.post("/deconnexion/")["Location"] == "/connexion/"
    sent = {"username": "a@a.example", "password": PASSWORD, "next": "/deconnexion/"}

    assert client.post("/connexion/", sent)["Location"] == "/"


def test_a_second_tab_that_signs_in_after_the_first_goes_on(account: Account) -> None:
    first_tab = Client(enforce_csrf_checks=True)
    first_tab.get("/connexion/")
    old_token = first_tab.cookies["csrftoken"].value
    first_tab.force_login(account, backend=BACKEND)
    first_tab.cookies["csrftoken"] = "a" * 32  # the sign-in gave the browser another
    sent = {"username": "a@a.example", "password": PASSWORD, "next": "/compte/", "csrfmiddlewaretoken": old_token}

    answer = first_tab.post("/connexion/", sent, headers={"Origin": HERE})

    assert (answer.status_code, answer["Location"]) == (302, "/compte/")


def test_a_form_of_before_another_sign_in_is_offered_once_more_and_only_to_this_site(account: Account) -> None:
    careful = Client(enforce_csrf_checks=True)
    careful.force_login(account, backend=BACKEND)
    careful.cookies["csrftoken"] = "a" * 32
    sent = {"language": "fr", "csrfmiddlewaretoken": "b" * 32}

    offered = careful.post("/compte/", sent, headers={"Origin": HERE})
    foreign = careful.post("/compte/", sent, headers={"Origin": "https://elsewhere.example"})

    assert (offered.status_code, foreign.status_code) == (403, 403)
    assert "Le faire maintenant" in offered.content.decode()
    assert "Le faire maintenant" not in foreign.content.decode()
    account.refresh_from_db()
    assert account.notify_by_mail


def test_what_is_sent_before_the_code_or_a_new_password_comes_back_after_it(client: Client, account: Account) -> None:
    account.must_change_password = True
    account.save()
    client.force_login(account, backend=BACKEND)

    stopped = client.post("/compte/", {"language": "fr"})
    assert stopped["Location"] == "/compte/mot-de-passe/?next=%2Freprendre%2F"
    assert "_session_expiry" not in client.session  # it ends when it would have
    chosen = {"new_password": "tortue-verte-77-lampe", "again": "tortue-verte-77-lampe", "next": "/reprendre/"}
    page = client.post("/compte/mot-de-passe/", chosen, follow=True).content.decode()

    assert "Enregistrer vos préférences de mails." in page or "Enregistrer les réglages de votre compte." in page
    assert hidden_fields(page)["language"] == ["fr"]


@pytest.mark.parametrize("path", ["/connexion/oubli/", "/connexion/lien/", "/verification/"])
def test_a_public_form_of_before_is_offered_where_it_is_and_leads_to_no_sign_in(account: Account, path: str) -> None:
    careful = Client(enforce_csrf_checks=True)
    careful.cookies["csrftoken"] = "a" * 32
    sent = {"login": "a@a.example", "number": "F1", "csrfmiddlewaretoken": "b" * 32}

    offered = careful.post(path, sent, headers={"Origin": HERE})

    assert offered.status_code == 403
    page = offered.content.decode()
    assert f'action="{path}"' in page
    assert "Le faire maintenant" in page
    again = {**hidden_fields(page), "csrfmiddlewaretoken": careful.cookies["csrftoken"].value}
    assert careful.post(path, again, headers={"Origin": HERE}).status_code == 200


def test_what_no_page_sends_opens_no_session(client: Client, account: Account) -> None:
    for method in ("OPTIONS", "PUT", "PATCH", "DELETE", "TRACE"):
        assert client.generic(method, "/compte/")["Location"] == "/connexion/"
    assert "sessionid" not in client.cookies


def test_a_long_search_comes_back_after_the_sign_in(client: Client, account: Account) -> None:
    search = "東京" * 100
    page = client.get("/factures/", {"q": search}, follow=True)
    target = page.context["next"]
    sent = {"username": "a@a.example", "password": PASSWORD, "next": target}
    assert client.post("/connexion/", sent)["Location"] == target
    assert client.get(target).context["choice"].search == search
