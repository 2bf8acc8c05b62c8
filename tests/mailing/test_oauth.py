"""OAuth 2.0 for sending and reading mail: tokens asked for, kept encrypted, renewed, and each refusal in words."""

import base64
import datetime
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import time_machine
from aiosmtpd.smtp import SMTP, AuthResult
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.utils import timezone

from mailing import oauth, outbox
from mailing.breaker import current_rest
from mailing.mailboxes import MailboxError, open_imap
from mailing.models import MailSignIn, Message
from mailing.sending import Sender
from portal.mail_oauth import read_mail_oauth
from tests.support.authorization_server import AuthorizationServer, running_issuer
from tests.support.imap_server import running_imap
from tests.support.sending import draft, use_smtp
from tests.support.smtp_sink import Sink, running

USER = "factures@exemple.fr"


class TokenSink(Sink):
    """A mail server that lets in those for whose token the issuer vouches."""

    def __init__(self, issuer: AuthorizationServer) -> None:
        super().__init__()
        self.issuer = issuer
        self.sign_ins: list[str] = []

    async def auth_XOAUTH2(self, server: SMTP, args: list[str]) -> AuthResult:
        said = base64.b64decode(args[1]).decode()
        user, token = said.split("\1")[0].removeprefix("user="), said.split("\1")[1].removeprefix("auth=Bearer ")
        self.sign_ins.append(user)
        if self.issuer.takes(token):
            return AuthResult(success=True, auth_data=user)
        await server.challenge_auth(b'{"status":"401","schemes":"bearer"}')
        await server.push("535 5.7.3 Authentication unsuccessful")
        return AuthResult(success=False, handled=True)


@pytest.fixture
def issuer(settings: Any) -> Iterator[AuthorizationServer]:
    """An authorization server that the settings name."""
    server = AuthorizationServer()
    with running_issuer(server) as address:
        settings.MAIL_OAUTH = {
            "flow": "client_credentials",
            "client_id": "app",
            "client_secret": "s3cret",
            "key_file": "",
            "user": USER,
            "token_url": f"{address}/token",
            "device_url": f"{address}/device",
            "scope": "mail/.default",
        }
        yield server


@pytest.fixture
def server(settings: Any, issuer: AuthorizationServer) -> Iterator[TokenSink]:
    """A mail server that speaks XOAUTH2, to which mails go, without a password."""
    sink = TokenSink(issuer)
    with running(sink, auth_require_tls=False) as port:
        use_smtp(settings, port, username=USER, timeout=20)
        yield sink


pytestmark = pytest.mark.django_db


def send_one() -> Message:
    """Write a mail, run the worker, and see what became of it."""
    [pk] = outbox.write_messages([draft(f"k{Message.objects.count()}")])
    # Due by the clock of the database, which no test moves.
    Message.objects.filter(pk=pk).update(next_attempt_at="2020-01-01T00:00Z")
    Sender().run()
    return Message.objects.get(pk=pk)


def test_mails_leave_with_a_token_that_is_kept_encrypted(server: TokenSink, issuer: AuthorizationServer) -> None:
    assert send_one().state == "accepted"
    assert send_one().state == "accepted"

    assert server.sign_ins == [USER, USER]
    assert issuer.requests == [
        {"grant_type": "client_credentials", "client_id": "app", "client_secret": "s3cret", "scope": "mail/.default"}
    ]
    row = MailSignIn.objects.get()
    assert issuer.token(1) not in row.access_token
    assert row.failure == ""


def test_a_days_run_renews_its_token_each_hour(server: TokenSink, issuer: AuthorizationServer) -> None:
    start = timezone.now()
    for hour in range(24):
        with time_machine.travel(start + datetime.timedelta(hours=hour), tick=False):
            issuer.withdrawn = {issuer.token(number) for number in range(1, issuer.given + 1)}  # they have ended
            assert send_one().state == "accepted"

    assert issuer.given == 24
    assert len(server.mails) == 24


def test_a_token_that_was_withdrawn_before_its_end_is_renewed_at_once(
    server: TokenSink, issuer: AuthorizationServer
) -> None:
    send_one()
    issuer.withdrawn = {issuer.token(1)}

    assert send_one().state == "accepted"
    assert issuer.given == 2


@pytest.mark.parametrize(
    ("refusal", "sentence"),
    [
        ({"error": "invalid_grant"}, "le consentement a été retiré ou a expiré : relancer « manage.py mail_auth »"),
        ({"error": "invalid_client"}, "vérifier MAIL_OAUTH_CLIENT_ID et MAIL_OAUTH_CLIENT_SECRET"),
        (
            {
                "error": "invalid_client",
                "error_description": "AADSTS7000222: The provided client secret keys are expired.",
            },
            "le secret de l’application a expiré",
        ),
        ({"error": "invalid_scope"}, "vérifier MAIL_OAUTH_SCOPES"),
    ],
)
def test_what_the_issuer_refuses_is_a_sentence_with_what_to_do(
    server: TokenSink, issuer: AuthorizationServer, refusal: dict[str, str], sentence: str
) -> None:
    issuer.refusal = (400, refusal)

    message = send_one()

    assert (message.state, message.answer) == ("deferred", "login")
    assert sentence in message.reason
    failure = oauth.current_failure()
    assert failure is not None
    assert sentence in failure[1]


def test_a_token_for_somebody_else_is_known_by_its_audience(server: TokenSink, issuer: AuthorizationServer) -> None:
    issuer.audience = "https://graph.example"

    message = send_one()

    assert message.state == "deferred"
    assert "il est fait pour https://graph.example" in message.reason
    assert "MAIL_OAUTH_SCOPES" in message.reason
    assert oauth.current_failure() is not None


def test_the_outbox_goes_on_by_itself_once_consent_is_given_again(
    server: TokenSink, issuer: AuthorizationServer
) -> None:
    issuer.refusal = (400, {"error": "invalid_grant"})
    send_one()
    issuer.refusal = None
    Message.objects.update(next_attempt_at=timezone.now())

    Sender().run()

    assert list(Message.objects.values_list("state", flat=True)) == ["accepted"]
    assert oauth.current_failure() is None
    assert current_rest() is None


def test_an_issuer_that_is_away_only_makes_mails_wait(server: TokenSink, issuer: AuthorizationServer) -> None:
    issuer.refusal = (503, {"error": "away"})

    message = send_one()

    assert (message.state, message.answer) == ("deferred", "")
    assert "ne donne pas de jeton" in message.reason


# ─── Reading ─────────────────────────────────────────────────────────────────────────────────────────────────────────
def test_the_mailbox_of_returns_is_opened_with_the_same_token(issuer: AuthorizationServer) -> None:
    with running_imap(issuer.takes) as port:
        address = f"imap://{USER.replace('@', '%40')}@127.0.0.1:{port}/INBOX"
        with open_imap(address) as box:
            assert list(box.letters()) == []
        issuer.withdrawn = {issuer.token(1)}
        with open_imap(address) as box:
            assert list(box.letters()) == []
        assert issuer.given == 2
        issuer.audience = "https://graph.example"
        MailSignIn.objects.update(expires_at=timezone.now())
        with pytest.raises(MailboxError, match="il est fait pour https"), open_imap(address):
            pass


# ─── manage.py mail_auth ─────────────────────────────────────────────────────────────────────────────────────────────
def test_a_person_agrees_once_and_mails_leave_from_then_on(
    settings: Any, server: TokenSink, issuer: AuthorizationServer, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.MAIL_OAUTH = {**settings.MAIL_OAUTH, "flow": "device", "client_secret": ""}
    assert "lancer « manage.py mail_auth »" in send_one().reason
    code = oauth.ask_device_code()
    issuer.pending = 2
    pauses: list[float] = []
    oauth.wait_for_consent(code, pauses.append)

    MailSignIn.objects.update(expires_at=timezone.now())
    assert send_one().state == "accepted"
    assert pauses == [1, 1, 1]
    assert [asked.get("refresh_token") for asked in issuer.requests][-1] == "renewal-1"
    call_command("mail_auth", status=True)
    assert "Connecté." in capsys.readouterr().out


def test_the_command_signs_in_and_tries_both_servers(
    settings: Any, server: TokenSink, issuer: AuthorizationServer, capsys: pytest.CaptureFixture[str]
) -> None:
    with running_imap(issuer.takes) as port:
        settings.IMAP_URL = f"imap://{USER.replace('@', '%40')}@127.0.0.1:{port}/INBOX"
        call_command("mail_auth")
    said = capsys.readouterr().out
    assert "Jeton obtenu." in said
    assert "Envoi : 127.0.0.1 nous laisse entrer." in said
    assert "Lecture des retours : la boîte s’ouvre." in said

    issuer.audience = "https://graph.example"
    call_command("mail_auth", forget=True)
    with pytest.raises(CommandError, match=r"Envoi .EMAIL_URL. : .*il est fait pour"):
        call_command("mail_auth")
    with pytest.raises(CommandError, match="Depuis le"):
        call_command("mail_auth", status=True)


def test_without_settings_the_command_names_them(settings: Any) -> None:
    settings.MAIL_OAUTH = {}

    with pytest.raises(CommandError, match="MAIL_OAUTH_PROVIDER") as refused:
        call_command("mail_auth")
    assert refused.value.returncode == 2


def test_a_service_account_signs_for_the_mailbox(
    settings: Any, server: TokenSink, issuer: AuthorizationServer, tmp_path: Path
) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    path = tmp_path / "compte.json"
    path.write_text(json.dumps({"private_key": pem, "client_email": "robot@projet.example", "private_key_id": "k1"}))
    settings.MAIL_OAUTH = {**settings.MAIL_OAUTH, "flow": "service_account", "key_file": str(path)}

    assert send_one().state == "accepted"
    [asked] = issuer.requests
    assert asked["grant_type"] == "urn:ietf:params:oauth:grant-type:jwt-bearer"
    assert asked["assertion"].count(".") == 2
    path.write_text("{}")
    oauth.forget()
    assert "n’est pas la clé JSON d’un compte de service" in send_one().reason


# ─── Settings ────────────────────────────────────────────────────────────────────────────────────────────────────────
NOTHING = dict.fromkeys(
    (
        "provider",
        "flow",
        "tenant",
        "client_id",
        "client_secret",
        "key_file",
        "user",
        "token_url",
        "device_url",
        "scopes",
    ),
    "",
)
MICROSOFT = {**NOTHING, "provider": "microsoft", "client_id": "app", "client_secret": "x"}


@pytest.mark.parametrize(
    ("values", "variable"),
    [
        ({"provider": "yahoo"}, "MAIL_OAUTH_PROVIDER"),
        ({"flow": "password"}, "MAIL_OAUTH_FLOW"),
        ({"client_id": ""}, "MAIL_OAUTH_CLIENT_ID"),
        ({"client_secret": ""}, "MAIL_OAUTH_CLIENT_SECRET"),
        ({"token_url": "http://login.exemple.fr/token"}, "MAIL_OAUTH_TOKEN_URL"),
        ({"provider": "google"}, "MAIL_OAUTH_KEY_FILE"),
        ({"provider": "autre"}, "MAIL_OAUTH_TOKEN_URL"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(values: dict[str, str], variable: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=f"{variable} vaut"):
        read_mail_oauth({**MICROSOFT, **values})


def test_a_provider_brings_its_own_addresses() -> None:
    chosen = read_mail_oauth({**MICROSOFT, "tenant": "exemple.onmicrosoft.com"})

    assert chosen["token_url"] == "https://login.microsoftonline.com/exemple.onmicrosoft.com/oauth2/v2.0/token"
    assert (chosen["flow"], chosen["scope"]) == ("client_credentials", "https://outlook.office365.com/.default")
    assert read_mail_oauth(NOTHING) == {}


# ─── Passwords in any alphabet ───────────────────────────────────────────────────────────────────────────────────────
def test_a_password_with_accents_signs_in_by_plain_in_utf8(settings: Any) -> None:
    settings.MAIL_OAUTH = {}
    seen: list[Any] = []

    def authenticator(_server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
        seen.append((data.login.decode(), data.password.decode()))
        return AuthResult(success=True)

    sink = Sink()
    with running(sink, auth_require_tls=False, authenticator=authenticator) as port:
        use_smtp(settings, port, username=USER, password="mot-de-passe-été-€", timeout=20)
        assert send_one().state == "accepted"
    assert seen == [(USER, "mot-de-passe-été-€")]
