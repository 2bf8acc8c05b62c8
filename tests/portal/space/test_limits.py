"""How often a sign-in, a link or the present password may be tried, and whom the tries are counted for."""

from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import Client, RequestFactory

from customers.authentication import AccountBackend
from customers.logins import canonical_login
from customers.models import Account
from customers.typed_passwords import draw_password
from mailing.models import Message
from portal.proxies import read_trusted_proxies
from portal.space.requests import client_address, client_network
from tests.support.factories import PASSWORD, make_account, make_customer

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_the_beginning_of_a_span")]


@pytest.fixture
def victim() -> Account:
    """An account with a password that its owner chose."""
    return make_account(login="Victim@client.example")


def sign_in(client: Client, login: str, password: str = PASSWORD, address: str = "198.51.100.7") -> int:
    """The status of the answer to one try: 302 where it came in."""
    sent = {"username": login, "password": password}
    return client.post("/connexion/", sent, REMOTE_ADDR=address).status_code


def test_a_login_is_stored_and_found_in_one_form(victim: Account) -> None:
    assert victim.login == "victim@client.example"
    assert Account.objects.get(login=" VICTIM@client.example\u200b") == victim
    assert not Account.objects.filter(login="vıctim@client.example").exists()


@pytest.mark.parametrize("other", ["vıctim@client.example", "VİCTIM@client.example", "victim@" + "x" * 300])
def test_another_login_does_not_sign_in_for_it(client: Client, victim: Account, other: str) -> None:
    assert sign_in(client, other) == 200
    assert sign_in(client, victim.login) == 302


def test_writings_of_one_login_count_together(client: Client, victim: Account) -> None:
    for login in ("victim@client.example", "VICTIM@client.example", " victim@client.example ", "Victim@client.example"):
        assert sign_in(client, login, "wrong-password-1") == 200
    assert sign_in(client, "victim\u200b@client.example", "wrong-password-1") == 429
    assert sign_in(client, "victim@client.example") == 429


PASTED = (
    *(f"{blank}{PASSWORD}{blank}" for blank in " \t\xa0\u2003\u202f\u3000\u200b\u2060\ufeff\u200e"),
    *(PASSWORD.replace("-", dash) for dash in "‐‑–—−－"),
    PASSWORD.replace("agrafe", "ag\u00adra\u200bfe"),
)


@pytest.mark.parametrize("pasted", PASTED)
def test_a_password_that_pasting_changed_signs_in(client: Client, victim: Account, pasted: str) -> None:
    assert sign_in(client, victim.login, pasted) == 302


@pytest.mark.parametrize("pasted", PASTED[2:18:5])
def test_a_password_that_pasting_changed_proves_who_one_is(client: Client, victim: Account, pasted: str) -> None:
    client.force_login(victim, backend="customers.authentication.AccountBackend")
    assert client.post("/connexion/confirmer/", {"password": pasted}).status_code == 302
    sent = {"present": pasted, "new_password": "tortue-verte-77-lampe\u00a0", "again": "tortue-verte-77-lampe"}
    assert client.post("/compte/mot-de-passe/", sent).status_code == 302
    client.logout()
    assert sign_in(client, victim.login, "tortue-verte-77-lampe") == 302


@pytest.mark.parametrize("around", ["« %s »", '"%s".', "Mot de passe : %s", "\u2066%s\u2069,"])
def test_a_provisional_password_is_found_in_what_came_along_with_it(around: str) -> None:
    password = draw_password()
    account = make_account(make_customer(), password=password)
    assert AccountBackend().authenticate(None, username=account.login, password=around % password) == account
    wrapped = password.replace("-", "- \n", 1)
    assert AccountBackend().authenticate(None, username=account.login, password=wrapped) == account
    assert AccountBackend().authenticate(None, username=account.login, password=password[:-1]) is None


def test_a_flood_from_one_network_is_stopped_and_others_come_in(client: Client, victim: Account) -> None:
    answers = [sign_in(client, f"n{number}@client.example", address=f"2001:db8::{number:x}") for number in range(1, 62)]
    assert answers[:60] == [200] * 60
    assert answers[60] == 429
    assert sign_in(client, victim.login, address="2001:db8:0:1::1") == 302


def test_tries_from_many_addresses_slow_down_but_do_not_lock_the_owner_out(
    client: Client, victim: Account, time_machine: Any
) -> None:
    time_machine.move_to("2026-03-02T10:00:00Z", tick=False)
    answers = [sign_in(client, victim.login, "wrong-password-1", f"203.0.113.{number}") for number in range(1, 40)]
    assert answers == [200] * 36 + [429] * 3
    time_machine.move_to("2026-03-02T10:01:00Z", tick=False)
    assert sign_in(client, victim.login, address="198.51.100.1") == 302


def test_links_asked_for_by_a_stranger_do_not_silence_the_owner(client: Client, victim: Account) -> None:
    for _try in range(5):
        client.post("/connexion/lien/", {"login": victim.login}, REMOTE_ADDR="203.0.113.9")
    assert Message.objects.count() == 3
    client.post("/connexion/lien/", {"login": victim.login}, REMOTE_ADDR="198.51.100.1")
    assert Message.objects.count() == 4


def test_the_present_password_cannot_be_guessed_in_an_open_session(client: Client, victim: Account) -> None:
    client.force_login(victim, backend="customers.authentication.AccountBackend")
    new = "quatre mots sans rapport"
    sent = {"present": "wrong-password-1", "new_password": new, "again": new}
    answers = [client.post("/compte/mot-de-passe/", sent).status_code for _try in range(11)]
    assert answers == [200] * 10 + [429]


@pytest.mark.parametrize(
    ("setting", "connection", "forwarded", "expected"),
    [
        ("0", "192.0.2.1", "203.0.113.5", "192.0.2.1"),
        ("1", "127.0.0.1", "203.0.113.5", "203.0.113.5"),
        ("1", "127.0.0.1", "1.2.3.4, 203.0.113.5", "203.0.113.5"),  # the visitor wrote the first
        ("1", "127.0.0.1", "", "127.0.0.1"),
        ("1", "127.0.0.1", "no address", "127.0.0.1"),
        ("2", "127.0.0.1", "1.2.3.4, 203.0.113.5, 10.0.0.2", "203.0.113.5"),
        ("2", "127.0.0.1", "203.0.113.5", "127.0.0.1"),
        ("127.0.0.1, 10.0.0.0/8", "127.0.0.1", "1.2.3.4, 203.0.113.5, 10.0.0.2", "203.0.113.5"),
        ("10.0.0.0/8", "192.0.2.1", "203.0.113.5", "192.0.2.1"),  # not from our proxy: not believed
        ("oui", "127.0.0.1", "203.0.113.5", "203.0.113.5"),
    ],
)
def test_the_visitor_is_the_rightmost_that_no_trusted_proxy_is(
    settings: Any, setting: str, connection: str, forwarded: str, expected: str
) -> None:
    settings.TRUSTED_PROXIES = read_trusted_proxies(setting)
    request = RequestFactory().get("/", REMOTE_ADDR=connection, HTTP_X_FORWARDED_FOR=forwarded)
    assert client_address(request) == expected


def test_the_addresses_of_one_ipv6_network_are_one_visitor() -> None:
    networks = {
        client_network(RequestFactory().get("/", REMOTE_ADDR=address))
        for address in ("2001:db8::1", "2001:db8::ffff:1", "2001:DB8:0:0:1::")
    }
    assert networks == {"2001:db8::"}


def test_a_wrong_list_of_proxies_is_one_sentence() -> None:
    with pytest.raises(ImproperlyConfigured, match="BEHIND_PROXY vaut « nginx »"):
        read_trusted_proxies("nginx")


def test_the_form_of_a_login_keeps_what_makes_it_another() -> None:
    assert canonical_login(" Ａ@Ｘ.fr\u00ad") == "a@x.fr"
    assert canonical_login("straße@x.fr") != canonical_login("strasse@x.fr")
