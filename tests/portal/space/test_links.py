"""Links by mail: to sign in, to choose a new password; and the provisional password that has run out."""

import re
import string
from datetime import timedelta
from typing import Any
from urllib.parse import unquote

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from customers.credentials import reveal_for_mail
from customers.links import Purpose, forget_used_links, make_token, use_token
from customers.models import Account
from customers.services import generate_credentials, send_link, use_sign_in_link
from mailing.outbox import messages_to
from portal.space.views import entry
from tests.support.factories import PASSWORD, make_account, make_customer, make_published_invoice, make_staff

pytestmark = pytest.mark.django_db

LOGIN = "a@a.example"
NEW = "tortue-verte-77-lampe"


@pytest.fixture
def account() -> Account:
    return make_account(make_customer(email=LOGIN))


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The answer's even delay is tried once, below."""
    monkeypatch.setattr(entry, "ANSWER_AFTER", 0.0)


def is_signed_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


def test_a_link_is_written_masked_and_made_when_the_mail_leaves(client: Client, account: Account) -> None:
    page = client.post("/connexion/lien/", {"login": " A@a.example "}).content.decode()

    assert "un mail vient de partir" in page
    (mail,) = messages_to([LOGIN])
    assert mail.subject == "Votre lien de connexion"
    assert "/connexion/lien/••••••/" in mail.text
    token = reveal_for_mail(f"connexion:{account.pk}")
    assert token
    assert client.get(f"/connexion/lien/{token}/").status_code == 200


def test_looking_at_a_link_uses_nothing_up_and_its_button_signs_in_once(client: Client, account: Account) -> None:
    address = f"/connexion/lien/{make_token(account, Purpose.SIGN_IN)}/"
    scanner = Client()
    for _look in range(3):
        assert scanner.head(address).status_code == 200
        assert scanner.get(address).status_code == 200
    assert not is_signed_in(scanner)

    assert client.post(address)["Location"] == "/"
    assert is_signed_in(client)
    assert Client().post(address).status_code == 410
    assert Client().get(address).status_code == 410


@pytest.mark.parametrize(("ask", "purpose"), [("/connexion/lien/", "connexion"), ("/connexion/oubli/", "motdepasse")])
def test_who_came_for_an_invoice_is_led_to_it_by_the_link(
    client: Client, account: Account, ask: str, purpose: str
) -> None:
    invoice = make_published_invoice(customer=account.accesses.get().customer)
    wanted = f"/factures/{invoice.pk}/"
    door = client.get(wanted, follow=True).content.decode()
    (way,) = (unquote(found) for found in re.findall(r'href="([^"]+)"', door) if found.startswith(f"{ask}?next="))
    assert way == f"{ask}?next={wanted}"

    client.post(ask, {"login": LOGIN, "next": wanted})

    (mail,) = messages_to([LOGIN])
    (link,) = re.findall(r"https?://\S+/connexion/\S+", mail.text)
    token = reveal_for_mail(f"{purpose}:{account.pk}") or ""
    address = link.partition("/connexion/")[2].replace("••••••", token)
    another_browser = Client()
    page = another_browser.get(f"/connexion/{address}").content.decode()
    assert f'name="next" value="{wanted}"' in page
    answer = another_browser.post(
        f"/connexion/{address}".partition("?")[0], {"next": wanted, "new_password": NEW, "again": NEW}
    )
    assert answer["Location"] == wanted


@pytest.mark.parametrize("elsewhere", ["https://autre.example/", "//autre.example/", "javascript:alert(1)", "/" * 900])
def test_no_link_leads_to_another_site(client: Client, account: Account, elsewhere: str) -> None:
    client.post("/connexion/lien/", {"login": LOGIN, "next": elsewhere})
    (mail,) = messages_to([LOGIN])
    assert "next" not in mail.text

    token = make_token(account, Purpose.SIGN_IN)
    assert client.post(f"/connexion/lien/{token}/", {"next": elsewhere})["Location"] == "/"


def test_a_second_use_at_the_same_moment_finds_nothing(account: Account) -> None:
    token = make_token(account, Purpose.SIGN_IN)

    assert use_sign_in_link(token=token) == account
    assert use_sign_in_link(token=token) is None


def test_a_link_that_was_used_leaves_another_one_alone(account: Account) -> None:
    with time_machine.travel("2026-03-02 10:00:00+01:00", tick=False) as clock:
        first = make_token(account, Purpose.SIGN_IN)
        clock.shift(timedelta(minutes=1))
        second, password = make_token(account, Purpose.SIGN_IN), make_token(account, Purpose.PASSWORD)

        assert Client().post(f"/connexion/lien/{first}/")["Location"] == "/"
        assert Client().post(f"/connexion/lien/{first}/").status_code == 410
        assert Client().post(f"/connexion/lien/{second}/")["Location"] == "/"
        assert Client().get(f"/connexion/nouveau-mot-de-passe/{password}/").status_code == 200


@pytest.mark.parametrize("purpose", Purpose)
def test_a_used_link_opens_nothing_however_its_token_is_spelled(account: Account, purpose: Purpose) -> None:
    token = make_token(account, purpose)
    assert use_token(token, purpose) == account

    letters = string.ascii_letters + string.digits + "-_"
    spellings = [token[:-1] + letter for letter in letters] + [f"{token}=", f"{token[:3]}!{token[3:]}", f"{token}\n"]
    assert [text for text in spellings if use_token(text, purpose)] == []


def test_what_is_kept_of_used_links_outlives_them_and_no_more(account: Account) -> None:
    with time_machine.travel("2026-03-02 10:00:00+01:00", tick=False) as clock:
        use_sign_in_link(token=make_token(account, Purpose.SIGN_IN))
        clock.shift(timedelta(hours=1))
        assert forget_used_links() == 0
        clock.shift(timedelta(hours=2))
        assert forget_used_links() == 1


def test_a_link_holds_for_fifteen_minutes(client: Client, account: Account) -> None:
    with time_machine.travel("2026-03-02 10:00:00+01:00", tick=False) as clock:
        address = f"/connexion/lien/{make_token(account, Purpose.SIGN_IN)}/"
        clock.shift(timedelta(minutes=14, seconds=59))
        assert client.get(address).status_code == 200
        clock.shift(timedelta(seconds=2))
        assert client.get(address).status_code == 410
        assert client.post(address).status_code == 410


def test_a_link_serves_its_own_purpose_only(client: Client, account: Account) -> None:
    assert client.get(f"/connexion/nouveau-mot-de-passe/{make_token(account, Purpose.SIGN_IN)}/").status_code == 410
    assert client.post(f"/connexion/lien/{make_token(account, Purpose.PASSWORD)}/").status_code == 410


@pytest.mark.parametrize("address", ["/connexion/lien/", "/connexion/oubli/"])
def test_no_one_learns_whether_a_login_exists(client: Client, account: Account, address: str) -> None:
    make_account(make_customer(), login="closed@a.example", is_active=False)
    make_staff("staff@a.example")

    def answer(login: str) -> str:
        page = client.post(address, {"login": login}, REMOTE_ADDR=f"192.0.2.{len(login)}").content.decode()
        return page.replace(login, "…")

    pages = {answer(login) for login in (LOGIN, "nobody@a.example", "closed@a.example", "staff@a.example")}

    assert len(pages) == 1
    assert len(messages_to([LOGIN, "nobody@a.example", "closed@a.example", "staff@a.example"])) == 1


class Clock:
    """Replaces the module ``time``: nothing passes but what is waited for, or given to ``now``."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def test_the_answer_takes_as_long_whether_the_login_exists(
    client: Client, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()

    def send(**options: Any) -> None:
        written = len(messages_to([LOGIN]))
        send_link(**options)
        clock.now += 0.1 if len(messages_to([LOGIN])) > written else 0.01  # a mail is written for who has an account

    monkeypatch.setattr(entry, "ANSWER_AFTER", 0.25)
    monkeypatch.setattr(entry, "time", clock)
    monkeypatch.setattr(entry, "send_link", send)

    def seconds(login: str) -> float:
        began = clock.now
        client.post("/connexion/oubli/", {"login": login})
        return clock.now - began

    assert seconds(LOGIN) == pytest.approx(entry.ANSWER_AFTER)
    assert seconds("nobody@a.example") == pytest.approx(entry.ANSWER_AFTER)
    assert len(messages_to([LOGIN])) == 1


@pytest.mark.usefixtures("at_the_beginning_of_a_span")
def test_mails_are_not_written_without_end(client: Client, account: Account) -> None:
    answers = [client.post("/connexion/lien/", {"login": LOGIN}).status_code for _ in range(11)]

    assert answers == [200] * 10 + [429]
    assert len(messages_to([LOGIN])) == 3


def test_a_forgotten_password_is_chosen_again_and_closes_all_sessions(client: Client, account: Account) -> None:
    elsewhere = Client()
    elsewhere.force_login(account, backend="customers.authentication.AccountBackend")
    account.refresh_from_db()
    address = f"/connexion/nouveau-mot-de-passe/{make_token(account, Purpose.PASSWORD)}/"

    assert "12 caractères" in client.get(address).content.decode().replace("\u00a0", " ")
    weak = client.post(address, {"new_password": "azerty", "again": "azerty"})
    assert weak.status_code == 200
    assert client.post(address, {"new_password": NEW, "again": NEW})["Location"] == "/"

    assert is_signed_in(client)
    assert elsewhere.get("/compte/").status_code == 302
    assert client.get("/compte/").status_code == 200
    assert Client().post("/connexion/", {"username": LOGIN, "password": NEW}).status_code == 302
    assert Client().post("/connexion/", {"username": LOGIN, "password": PASSWORD}).status_code == 200
    assert client.get(address).status_code == 410
    assert messages_to([LOGIN])[0].subject == "Votre mot de passe a été changé"


def test_a_provisional_password_leads_to_choosing_ones_own_then_to_the_page_asked_for(client: Client) -> None:
    account = generate_credentials(customer=make_customer(email=LOGIN), address=LOGIN).account
    provisional = reveal_for_mail(str(account.pk))

    client.post("/connexion/", {"username": LOGIN, "password": provisional})
    led = client.get("/factures/?annee=2024")
    assert led["Location"] == "/compte/mot-de-passe/?next=%2Ffactures%2F%3Fannee%3D2024"
    assert client.get("/compte/donnees.zip").status_code == 302
    assert client.get("/mentions-legales/").status_code == 200
    page = client.get(led["Location"]).content.decode()
    assert "Mot de passe actuel" not in page
    chosen = client.post("/compte/mot-de-passe/", {"new_password": NEW, "again": NEW, "next": "/factures/?annee=2024"})

    assert chosen["Location"] == "/factures/?annee=2024"
    assert client.get("/factures/").status_code == 200
    account.refresh_from_db()
    assert not account.must_change_password
    assert account.provisional_password == ""


def test_a_provisional_password_that_has_run_out_says_so_to_its_holder_only(client: Client) -> None:
    account = generate_credentials(customer=make_customer(email=LOGIN), address=LOGIN).account
    provisional = reveal_for_mail(str(account.pk))
    Account.objects.filter(pk=account.pk).update(provisional_expires_at=timezone.now() - timedelta(seconds=1))

    holder = client.post("/connexion/", {"username": LOGIN, "password": provisional}).content.decode()
    guesser = client.post("/connexion/", {"username": LOGIN, "password": "something-else-12"}).content.decode()

    assert "Votre mot de passe provisoire a expiré." in holder
    assert re.search(r'href="/connexion/oubli/">\s*En recevoir un nouveau', holder)
    assert "expiré" not in guesser
    client.post("/connexion/lien/", {"login": LOGIN})
    assert messages_to([LOGIN])[0].subject == "Choisir un nouveau mot de passe"


def test_a_closed_account_loses_its_links_and_its_sessions_for_good(client: Client, account: Account) -> None:
    from customers.services import set_active

    client.force_login(account, backend="customers.authentication.AccountBackend")
    account.refresh_from_db()
    token = make_token(account, Purpose.SIGN_IN)

    set_active(accounts=[account], is_active=False)
    assert client.get("/factures/").status_code == 302
    assert Client().post(f"/connexion/lien/{token}/").status_code == 410
    set_active(accounts=[account], is_active=True)

    assert client.get("/factures/").status_code == 302


def test_a_login_tried_too_often_is_locked_for_a_while_in_french(client: Client, account: Account) -> None:
    answers: list[Any] = [
        client.post("/connexion/", {"username": login, "password": "wrong-password-12"})
        for login in (LOGIN, LOGIN.upper(), LOGIN, LOGIN, LOGIN)
    ]

    assert answers[-1].status_code == 429
    assert "essayé trop souvent" in answers[-1].content.decode()
    assert client.post("/connexion/", {"username": LOGIN, "password": PASSWORD}).status_code == 429
    elsewhere = Client(REMOTE_ADDR="192.0.2.9")
    assert elsewhere.post("/connexion/", {"username": LOGIN, "password": PASSWORD}).status_code == 302
