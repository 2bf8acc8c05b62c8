"""Staff come in by the company's issuer of identities: a real one on this machine, with real keys."""

import datetime
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import requests
from django.contrib.auth.models import Group
from django.core.exceptions import ImproperlyConfigured
from django.test import Client
from django.utils import timezone
from joserfc.jwk import RSAKey

from customers.issuer import Issuer, RefusedIdentityError, granted_groups, verified_address
from customers.models import Account, IssuerIdentity
from mailing.trail.models import Entry
from portal.checks import check_sign_on
from portal.oidc import read_issuer
from tests.support.factories import PASSWORD, make_account, make_customer, make_staff
from tests.support.identity_issuer import CLIENT_ID, CLIENT_SECRET, IdentityIssuer, running_identity_issuer

START, RETURN = "/connexion/fournisseur/", "/connexion/fournisseur/retour/"
GROUPS = {"compta": ("Comptabilité",), "direction": ("Lecture",), "admins": ("superuser",)}


@pytest.fixture
def issuer(settings: Any) -> Iterator[IdentityIssuer]:
    """The issuer, which answers for Marie of the accounts department."""
    settings.PORTAL_URL = "http://testserver"
    with running_identity_issuer() as running:
        running.claims = {
            "sub": "marie-1",
            "email": "marie@aquila.example",
            "email_verified": True,
            "name": "Marie Blanc",
            "groups": ["compta", "tous"],
        }
        settings.OIDC = Issuer(running.address, CLIENT_ID, CLIENT_SECRET, "Annuaire", groups=GROUPS)
        yield running


def go(client: Client, *, to: str = START) -> str:
    """Follow the browser to the issuer; the address at which it comes back."""
    sent = client.get(to)
    assert sent.status_code == 302, sent.content.decode()
    back = requests.get(sent["Location"], allow_redirects=False, timeout=5).headers["Location"]
    return back.removeprefix("http://testserver")


def sign_in(client: Client, **query: str) -> Any:
    return client.get(go(client, to=f"{START}?next={query['next']}" if query else START))


def refusal(client: Client) -> str:
    """The page of a sign-in that is refused, which opens nothing."""
    answer = sign_in(client)
    assert answer.status_code == 403
    assert "_auth_user_id" not in client.session
    page: str = answer.content.decode()
    assert "Se connecter par mot de passe" in page
    return page


pytestmark = pytest.mark.django_db


def test_a_member_of_staff_comes_in_with_the_groups_that_the_issuer_says(
    client: Client, issuer: IdentityIssuer
) -> None:
    assert "Se connecter avec Annuaire" in client.get("/connexion/").content.decode()

    answer = sign_in(client, next="/gestion/")

    assert answer["Location"] == "/gestion/"
    assert client.get("/gestion/").status_code == 200
    account = Account.objects.get(login="marie@aquila.example")
    assert (account.name, account.is_staff, account.is_superuser) == ("Marie Blanc", True, False)
    assert [group.name for group in account.groups.all()] == ["Comptabilité"]
    assert not account.has_usable_password()
    entry = Entry.objects.filter(action="signed-in").get()
    assert (entry.account, entry.details) == (account.pk, '{"with":"issuer"}')
    assert issuer.asked[0]["code_challenge_method"] == "S256"


def test_the_next_time_it_is_the_same_account_even_under_another_address(
    client: Client, issuer: IdentityIssuer
) -> None:
    sign_in(client)
    issuer.claims |= {"email": "marie.noir@aquila.example", "groups": ["direction"]}

    sign_in(Client())

    account = Account.objects.get()
    assert account.login == "marie@aquila.example"
    assert [group.name for group in account.groups.all()] == ["Lecture"]


def test_an_account_of_staff_that_is_there_is_joined_by_its_verified_address(
    client: Client, issuer: IdentityIssuer
) -> None:
    there = Account.objects.create_user("Marie@Aquila.example", PASSWORD, is_staff=True)
    there.groups.add(Group.objects.get(name="Paramétrage"))

    sign_in(client)

    assert IssuerIdentity.objects.get().account == there
    assert {group.name for group in there.groups.all()} == {"Paramétrage", "Comptabilité"}  # the first is not mapped
    assert client.session["_auth_user_id"] == str(there.pk)


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"aud": "another-application"}, "aud"),
        ({"aud": [CLIENT_ID, "another"], "azp": "another"}, "azp"),
        ({"aud": [CLIENT_ID, "another"]}, "azp"),
        ({"aud": None}, "aud"),
        ({"azp": "another"}, "azp"),
        ({"iss": "https://issuer.invalid"}, "iss"),
        ({"nonce": "another"}, "nonce"),
        ({"nonce": None}, "nonce"),
        ({"exp": 1_000_000_000}, "exp"),
        ({"exp": None}, "exp"),
        ({"exp": "9999999999"}, "exp"),
        ({"iat": 9_999_999_999}, "iat"),
        ({"nbf": 9_999_999_999}, "nbf"),
        ({"sub": ""}, "sub"),
        ({"sub": ["marie-1"]}, "sub"),
    ],
)
def test_a_token_that_is_not_for_this_sign_in_is_refused(
    client: Client, issuer: IdentityIssuer, wrong: dict[str, Any], reason: str
) -> None:
    issuer.wrong = wrong
    assert f"n’est pas pour ce portail ou n’est plus valable ({reason})" in refusal(client)
    assert not Account.objects.exists()


@pytest.mark.parametrize("algorithm", ["none", "None", "HS256"])
def test_a_token_that_no_key_of_the_issuer_signed_is_refused(
    client: Client, issuer: IdentityIssuer, algorithm: str
) -> None:
    issuer.rotate(RSAKey.generate_key(2048, {"kid": "known"}))
    issuer.forged = algorithm
    assert "La signature de la réponse" in refusal(client)


def test_keys_that_change_are_fetched_again_and_the_old_one_is_worth_nothing(
    client: Client, issuer: IdentityIssuer
) -> None:
    sign_in(client)
    old = issuer.keys[0]
    issuer.rotate(RSAKey.generate_key(2048, {"kid": "second"}))

    assert sign_in(Client())["Location"] == "/"

    issuer.keys, issuer.algorithm = [old], "ES256"  # signs with it, while the portal knows the second alone
    assert "La signature" in refusal(Client())
    assert issuer.fetched.count("/keys") == 2  # not at each bad token


@pytest.mark.parametrize("said", [{"email_verified": False}, {"email_verified": None}, {"email": None}])
def test_an_address_that_the_issuer_did_not_verify_joins_and_makes_no_account(
    client: Client, issuer: IdentityIssuer, said: dict[str, Any]
) -> None:
    make_staff("marie@aquila.example")
    issuer.wrong = said
    assert "adresse e-mail" in refusal(client)
    assert not IssuerIdentity.objects.exists()


def test_a_customers_account_is_never_opened(client: Client, issuer: IdentityIssuer) -> None:
    customer = make_account(make_customer(email="marie@aquila.example"))
    assert "l’identifiant d’un client" in refusal(client)
    customer.refresh_from_db()
    assert not customer.is_staff
    assert not customer.groups.exists()


def test_who_is_in_no_mapped_group_is_refused_and_no_account_is_made(client: Client, issuer: IdentityIssuer) -> None:
    issuer.claims["groups"] = ["tous"]
    assert "aucun de vos groupes n’ouvre le back-office" in refusal(client)
    assert not Account.objects.exists()


def test_who_loses_his_groups_loses_them_here_with_what_is_still_open(client: Client, issuer: IdentityIssuer) -> None:
    sign_in(client)
    issuer.claims["groups"] = []

    refusal(Client())

    assert not Account.objects.get().groups.exists()
    assert client.get("/gestion/").status_code == 302


def test_a_superuser_is_made_and_opened_by_a_value_that_says_so_alone(client: Client, issuer: IdentityIssuer) -> None:
    boss = make_staff("marie@aquila.example")
    assert "OIDC_GROUPS donne « superuser »" in refusal(client)
    issuer.claims["groups"] = ["admins"]
    sign_in(client)
    assert client.session["_auth_user_id"] == str(boss.pk)
    issuer.claims["groups"] = ["compta"]
    sign_in(Client())
    boss.refresh_from_db()
    assert not boss.is_superuser


def test_an_account_that_was_closed_here_stays_closed(client: Client, issuer: IdentityIssuer) -> None:
    sign_in(client)
    Account.objects.update(is_active=False)
    assert "désactivé dans ce portail" in refusal(Client())


def test_an_address_that_was_given_to_another_person_does_not_open_the_account_of_the_first(
    client: Client, issuer: IdentityIssuer
) -> None:
    sign_in(client)
    issuer.claims["sub"] = "marie-2"
    assert "a déjà servi à une autre personne" in refusal(Client())


def test_an_answer_is_taken_once_and_by_the_browser_that_asked(client: Client, issuer: IdentityIssuer) -> None:
    back = go(client)
    stolen = Client().get(back)
    assert stolen.status_code == 400
    assert "a déjà servi" in stolen.content.decode()
    assert client.get(back).status_code == 302
    assert client.get(back).status_code == 400
    assert client.get(f"{RETURN}?code=x&state=").status_code == 400


def test_an_answer_that_waited_too_long_is_not_taken(client: Client, issuer: IdentityIssuer) -> None:
    back = go(client)
    session = client.session
    session["sign_ons"] = {state: {**begun, "at": begun["at"] - 601} for state, begun in session["sign_ons"].items()}
    session.save()
    assert client.get(back).status_code == 400


def test_a_code_of_another_issuer_or_without_one_is_refused(client: Client, issuer: IdentityIssuer) -> None:
    assert client.get(f"{go(client)}x").status_code == 403  # the issuer's name is another (RFC 9207)
    state = go(client).partition("state=")[2].partition("&")[0]
    answer = client.get(f"{RETURN}?state={state}&error=access_denied")
    assert "refusée ou abandonnée chez Annuaire" in answer.content.decode()
    state = go(client).partition("state=")[2].partition("&")[0]
    assert "invalid_grant" in client.get(f"{RETURN}?state={state}&code=guessed").content.decode()


def test_an_issuer_that_is_down_is_a_sentence_and_passwords_still_work(
    client: Client, issuer: IdentityIssuer, settings: Any
) -> None:
    make_staff("patron@aquila.example")
    settings.OIDC = replace(settings.OIDC, address="http://127.0.0.1:1")
    answer = client.get(START)
    assert answer.status_code == 503
    assert "Annuaire ne répond pas" in answer.content.decode()
    assert client.post("/connexion/", {"username": "patron@aquila.example", "password": PASSWORD}).status_code == 302


def test_an_issuer_that_goes_down_between_is_a_sentence(client: Client, issuer: IdentityIssuer, settings: Any) -> None:
    back = go(client).replace("iss=", "was=")
    settings.OIDC = replace(settings.OIDC, address="http://127.0.0.1:1")
    assert client.get(back).status_code == 503


@pytest.mark.parametrize(
    "next_page", ["https://evil.example/", "//evil.example", "/deconnexion/", "javascript:alert(1)"]
)
def test_the_way_back_leads_to_pages_of_this_site_alone(client: Client, issuer: IdentityIssuer, next_page: str) -> None:
    assert sign_in(client, next=next_page)["Location"] == "/"


def test_a_visitor_under_another_name_of_the_site_is_led_to_the_one_that_the_issuer_knows(
    client: Client, issuer: IdentityIssuer
) -> None:
    elsewhere = Client(headers={"host": "127.0.0.1"})
    assert elsewhere.get(f"{START}?next=/gestion/")["Location"] == f"http://testserver{START}?next=/gestion/&ici=1"


def test_our_second_factor_is_asked_unless_the_issuer_says_that_it_asked(
    client: Client, issuer: IdentityIssuer, settings: Any
) -> None:
    settings.STAFF_SECOND_FACTOR = "required"
    sign_in(client)
    assert client.get("/gestion/")["Location"].startswith("/compte/second-facteur/")
    issuer.claims["amr"] = ["pwd", "mfa"]
    two = Client()
    sign_in(two)
    assert two.get("/gestion/").status_code == 200
    issuer.claims |= {"amr": ["pwd"], "acr": "2"}
    settings.OIDC = replace(settings.OIDC, acr_values=("2",))
    three = Client()
    sign_in(three)
    assert issuer.asked[-1]["acr_values"] == "2"
    assert three.get("/gestion/").status_code == 200
    settings.OIDC = replace(settings.OIDC, acr_values=(), trusts_second_factor=True)
    four = Client()
    sign_in(four)
    assert four.get("/gestion/").status_code == 200


def test_who_has_no_password_here_proves_who_he_is_at_the_issuer(
    client: Client, issuer: IdentityIssuer, time_machine: Any
) -> None:
    sign_in(client)
    client.get("/gestion/")
    time_machine.move_to(timezone.now() + datetime.timedelta(minutes=20))
    issuer_page = client.get(client.get("/compte/donnees.zip")["Location"]).content.decode()
    assert "Confirmer avec Annuaire" in issuer_page
    assert 'name="password"' not in issuer_page
    again = f"{START}?confirmer=1&next=/compte/donnees.zip"

    issuer.wrong = {"auth_time": 1_000_000_000}
    assert "n’a pas redemandé qui vous êtes" in client.get(go(client, to=again)).content.decode()
    issuer.wrong = {"sub": "another"}
    assert "celle d’une autre personne" in client.get(go(client, to=again)).content.decode()
    issuer.wrong = {}
    assert client.get(go(client, to=again))["Location"] == "/compte/donnees.zip"

    assert issuer.asked[-1]["prompt"] == "login"
    assert client.get("/compte/donnees.zip").status_code == 200


def test_an_issuer_that_only_remembered_who_came_proves_nothing(client: Client, issuer: IdentityIssuer) -> None:
    issuer.claims |= {"auth_time": int(time.time()) - 3600}
    sign_in(client)

    assert client.get("/gestion/").status_code == 200
    assert "/connexion/confirmer/" in client.get("/compte/donnees.zip")["Location"]

    issuer.claims |= {"auth_time": int(time.time())}
    other = Client()
    sign_in(other)
    assert other.get("/compte/donnees.zip").status_code == 200


def test_where_it_is_the_only_way_staff_have_no_password_but_one(
    client: Client, issuer: IdentityIssuer, settings: Any
) -> None:
    settings.OIDC = replace(settings.OIDC, is_only_way=True, emergency_login="secours@aquila.example")
    make_staff("patron@aquila.example")
    make_staff("secours@aquila.example")
    customer = make_account(make_customer())
    refused = client.post("/connexion/", {"username": "patron@aquila.example", "password": PASSWORD})
    assert "Votre compte se connecte avec Annuaire" in refused.content.decode()
    assert "_auth_user_id" not in client.session
    for login in ("secours@aquila.example", customer.login):
        assert Client().post("/connexion/", {"username": login, "password": PASSWORD}).status_code == 302
    issuer.claims |= {"email": "secours@aquila.example", "groups": ["admins"]}
    assert "Le compte de secours se connecte par mot de passe" in refusal(Client())


def test_without_an_issuer_there_is_neither_button_nor_way(client: Client) -> None:
    assert client.get(START).status_code == client.get(RETURN).status_code == 404
    assert START not in client.get("/connexion/").content.decode()


def test_the_page_of_passwords_says_where_it_is_changed(client: Client, issuer: IdentityIssuer) -> None:
    sign_in(client)
    page = client.get("/compte/mot-de-passe/", follow=True).content.decode()
    assert "Votre mot de passe est celui de Annuaire" in page


ENTRA = Issuer("https://login.microsoftonline.com/9f1c/v2.0", "c", "s", "Microsoft", groups={"a": ("Lecture",)})


def test_values_of_a_claim_are_found_by_name_or_path_and_a_missing_list_is_explained() -> None:
    assert granted_groups({"groups": "a"}, ENTRA) == {"Lecture"}
    nested = replace(ENTRA, groups_claim="realm_access.roles")
    assert granted_groups({"realm_access": {"roles": ["a", 3]}}, nested) == {"Lecture"}
    assert granted_groups({"realm_access": "a"}, nested) == frozenset()
    with pytest.raises(RefusedIdentityError, match="vous en avez trop"):
        granted_groups({"_claim_names": {"groups": "src1"}}, ENTRA)


def test_a_directory_of_ones_own_that_says_nothing_answers_for_its_addresses() -> None:
    assert verified_address({"email": "a@b.example"}, ENTRA) == "a@b.example"
    with pytest.raises(RefusedIdentityError):
        verified_address({"email": "a@b.example", "xms_edov": False}, ENTRA)
    with pytest.raises(RefusedIdentityError, match=r"pas une adresse de b\.example"):
        verified_address({"email": "a@c.example"}, replace(ENTRA, domain="b.example"))


GIVEN = {
    "issuer": "https://id.exemple.fr/realms/societe",
    "client_id": "portail",
    "client_secret": "s",
    "name": "",
    "scopes": "",
    "groups_claim": "",
    "groups": "compta=Comptabilité, =x=Lecture",
    "domain": "",
    "second_factor": "",
    "acr_values": "",
    "emergency_account": "",
}


@pytest.mark.parametrize(
    ("variable", "given", "is_only_way"),
    [
        ("OIDC_ISSUER", {"issuer": "http://id.exemple.fr"}, False),
        ("OIDC_ISSUER", {"issuer": "id.exemple.fr"}, False),
        ("OIDC_ISSUER", {"issuer": "https://login.microsoftonline.com/common/v2.0"}, False),
        ("OIDC_ISSUER", {"issuer": "https://id.exemple.fr/.well-known/openid-configuration"}, False),
        ("OIDC_ISSUER", {"issuer": ""}, False),
        ("OIDC_ISSUER", dict.fromkeys(GIVEN, ""), True),
        ("OIDC_CLIENT_ID", {"client_id": ""}, False),
        ("OIDC_CLIENT_SECRET", {"client_secret": ""}, False),
        ("OIDC_GROUPS", {"groups": ""}, False),
        ("OIDC_GROUPS", {"groups": "compta"}, False),
        ("OIDC_GROUPS", {"groups": "compta="}, False),
        ("OIDC_SECOND_FACTOR", {"second_factor": "oui"}, False),
        ("OIDC_DOMAIN", {"issuer": "https://accounts.google.com"}, False),
        ("OIDC_EMERGENCY_ACCOUNT", {}, True),
    ],
)
def test_a_wrong_setting_is_one_sentence(variable: str, given: dict[str, str], is_only_way: bool) -> None:
    with pytest.raises(ImproperlyConfigured, match=rf"^{variable} vaut « .* » : attendu .*Par exemple : {variable}="):
        read_issuer({**GIVEN, **given}, is_only_way=is_only_way)


def test_settings_as_they_should_be() -> None:
    issuer = read_issuer({**GIVEN, "emergency_account": "Secours@exemple.fr"}, is_only_way=True)
    assert issuer is not None
    assert issuer.groups == {"compta": ("Comptabilité",), "=x": ("Lecture",)}
    assert (issuer.name, issuer.scopes) == ("id.exemple.fr", "openid email profile")
    assert issuer.emergency_login == "secours@exemple.fr"
    assert read_issuer(dict.fromkeys(GIVEN, ""), is_only_way=False) is None


def test_the_emergency_account_is_known_by_any_writing_of_its_login() -> None:
    issuer = read_issuer({**GIVEN, "emergency_account": " Ｓecours@Exemple.fr\u200b"}, is_only_way=True)
    assert issuer is not None
    assert issuer.emergency_login == "secours@exemple.fr"


def test_a_check_names_groups_that_are_not_there_and_an_emergency_account_that_cannot_come_in(settings: Any) -> None:
    settings.OIDC = replace(ENTRA, groups={"a": ("Lecture",), "b": ("Compta", "superuser")})
    [found] = check_sign_on(None)
    assert (found.id, "« Compta »" in found.msg) == ("portal.E005", True)
    settings.OIDC = replace(ENTRA, is_only_way=True, emergency_login="secours@aquila.example")
    assert [found.id for found in check_sign_on(None)] == ["portal.W004"]
    make_staff("secours@aquila.example")
    assert check_sign_on(None) == []
