"""«Mon compte»."""

import io
import json
import zipfile

import pytest
from django.test import Client

from customers.links import Purpose, make_token
from customers.models import Account
from customers.services import PasswordReplacedError, choose_password
from mailing.outbox import Draft, write_messages
from portal.devices import describe_device
from portal.models import Session
from portal.space.forms import ChangePasswordForm
from tests.support.factories import PASSWORD, make_account, make_customer, make_published_invoice

pytestmark = pytest.mark.django_db

BACKEND = "customers.authentication.AccountBackend"
NEW = "tortue-verte-77-lampe"
FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:128.0) Gecko/20100101 Firefox/128.0"
IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/17.5 Mobile/15E148 Safari/604.1"
)


@pytest.fixture
def account() -> Account:
    return make_account(make_customer(email="a@a.example"))


@pytest.fixture
def signed_in(client: Client, account: Account) -> Client:
    client.force_login(account, backend=BACKEND)
    return client


def test_the_password_is_changed_after_the_present_one_and_other_sessions_end(
    signed_in: Client, account: Account
) -> None:
    elsewhere = Client()
    elsewhere.force_login(account, backend=BACKEND)
    sent = {"present": "wrong-password-12", "new_password": NEW, "again": NEW}

    refused = signed_in.post("/compte/mot-de-passe/", sent).content.decode()
    assert "Ce n’est pas votre mot de passe actuel." in refused
    assert 'href="#id_present"' in refused
    assert signed_in.post("/compte/mot-de-passe/", {**sent, "present": PASSWORD})["Location"] == "/compte/"

    assert signed_in.get("/compte/").status_code == 200
    assert elsewhere.get("/compte/").status_code == 302
    assert Session.objects.filter(account=account).count() == 1
    account.refresh_from_db()
    assert account.check_password(NEW)


def test_of_two_changes_allowed_by_one_password_the_first_stands_and_the_second_says_so(
    signed_in: Client, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    def change_elsewhere(form: ChangePasswordForm) -> str:
        present = form.cleaned_data["present"]
        assert form.account.check_password(present)
        choose_password(account=Account.objects.get(pk=account.pk), password=NEW)
        return str(present)

    monkeypatch.setattr(ChangePasswordForm, "clean_present", change_elsewhere)
    other = f"{NEW}-autre"
    refused = signed_in.post("/compte/mot-de-passe/", {"present": PASSWORD, "new_password": other, "again": other})

    assert "vient d’être changé ailleurs" in refused.content.decode()
    account.refresh_from_db()
    assert account.check_password(NEW)
    assert signed_in.get("/compte/").status_code == 302  # its session was opened by the password before


def test_a_password_link_loses_to_a_change_that_came_between(
    client: Client, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    def replaced(**_given: object) -> None:
        raise PasswordReplacedError

    token = make_token(account, Purpose.PASSWORD)
    monkeypatch.setattr("customers.services.choose_password", replaced)
    answer = client.post(f"/connexion/nouveau-mot-de-passe/{token}/", {"new_password": NEW, "again": NEW})
    assert answer.status_code == 410


@pytest.mark.parametrize(
    ("password", "again", "sentence"),
    [
        ("court", "court", "trop court"),
        ("quatre mots sans rapport", "quatre mots sans rapports", "ne sont pas les mêmes"),
        ("motdepasse2026", "motdepasse2026", "trop facile à deviner"),
        ("a@a.example", "a@a.example", "ressemble"),
        ("123456789012", "123456789012", "entièrement numérique"),
        ("qwerty123456", "qwerty123456", "trop courant"),
    ],
)
def test_a_weak_password_is_refused_with_its_reason(
    signed_in: Client, password: str, again: str, sentence: str
) -> None:
    page = signed_in.post("/compte/mot-de-passe/", {"present": PASSWORD, "new_password": password, "again": again})

    assert page.status_code == 200
    assert sentence in page.content.decode()


def test_after_the_password_one_is_led_to_this_site_only(signed_in: Client) -> None:
    sent = {"present": PASSWORD, "new_password": NEW, "again": NEW, "next": "https://evil.example/"}

    assert signed_in.post("/compte/mot-de-passe/", sent)["Location"] == "/compte/"


def test_mails_can_be_declined(signed_in: Client, account: Account) -> None:
    assert signed_in.post("/compte/", {"language": "fr"})["Location"] == "/compte/"

    account.refresh_from_db()
    assert not account.notify_by_mail
    assert "Vos préférences sont enregistrées." in signed_in.get("/compte/").content.decode()


def test_only_ones_own_mails_are_shown_their_secrets_masked(signed_in: Client) -> None:
    write_messages(
        Draft(
            key=recipient,
            kind="credentials",
            recipient=recipient,
            sender="compta@aquila.example",
            subject=f"Pour {recipient}",
            text="Mot de passe : ••••••\n<b>gras</b>",
            secret_reference="1",
        )
        for recipient in ("a@a.example", "b@b.example")
    )

    page = signed_in.get("/compte/mails/").content.decode()

    assert "Pour a@a.example" in page
    assert "Pour b@b.example" not in page
    assert "••••••" in page
    assert "&lt;b&gt;gras" in page
    assert "en file" in page


def test_sessions_are_listed_with_their_device_and_closed_one_by_one(account: Account) -> None:
    here, there = Client(headers={"User-Agent": FIREFOX}), Client(headers={"User-Agent": IPHONE})
    for client in (here, there):
        client.post("/connexion/", {"username": "a@a.example", "password": PASSWORD})
        client.get("/factures/")

    page = here.get("/compte/")
    content = page.content.decode()
    assert "Firefox sur Windows" in content
    assert "Safari sur iPhone" in content
    for session in Session.objects.all():
        assert session.session_key not in content
    (other,) = [each for each in page.context["sessions"] if not each["is_this"]]

    assert here.post("/compte/sessions/", {"session": other["number"]})["Location"] == "/compte/"

    assert there.get("/compte/").status_code == 302
    assert here.get("/compte/").status_code == 200


def test_all_other_sessions_close_at_once(signed_in: Client, account: Account) -> None:
    others = [Client(), Client()]
    for other in others:
        other.force_login(account, backend=BACKEND)

    signed_in.post("/compte/sessions/", {"others": "1"})

    assert [other.get("/compte/").status_code for other in others] == [302, 302]
    assert signed_in.get("/compte/").status_code == 200


def test_the_key_of_the_session_changes_at_login(client: Client, account: Account) -> None:
    client.get("/connexion/")
    session = client.session
    session["kept"] = "yes"
    session.save()
    before = session.session_key
    client.post("/connexion/", {"username": "a@a.example", "password": PASSWORD})

    assert client.session.session_key != before
    assert not Session.objects.filter(session_key=before).exists()


def test_all_ones_data_come_in_one_archive(signed_in: Client, account: Account) -> None:
    make_published_invoice(b"%PDF mine", customer=account.customers.get(), number="18000135")
    make_published_invoice(number="OTHER")

    response = signed_in.get("/compte/donnees.zip")

    with zipfile.ZipFile(io.BytesIO(response.getvalue())) as archive:
        known = json.loads(archive.read("donnees.json"))
        pdfs = [name for name in archive.namelist() if name.endswith(".pdf")]
    assert known["compte"]["identifiant"] == "a@a.example"
    assert [each["number"] for each in known["factures"]] == ["18000135"]
    assert len(pdfs) == 1
    assert account.password not in json.dumps(known)


@pytest.mark.parametrize(
    ("user_agent", "expected"),
    [
        (FIREFOX, "Firefox sur Windows"),
        (IPHONE, "Safari sur iPhone"),
        ("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/126.0 Safari/537.36 Edg/126.0", "Edge sur Linux"),
        ("", "appareil inconnu"),
        ("<script>", "appareil inconnu"),
    ],
)
def test_a_device_is_named_in_words(user_agent: str, expected: str) -> None:
    assert describe_device(user_agent) == expected
