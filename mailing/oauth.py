"""The token with which mail servers let us in (OAuth 2.0): asked for, kept encrypted, renewed before it ends.

One row holds it for all processes together; one of them renews it, the others wait for him. What went wrong last stays
in the row with what to do about it, until a token is given again.
"""

import datetime
import hashlib
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.requests_client import OAuth2Session
from cryptography.fernet import InvalidToken
from django.conf import settings
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey

from mailing.encryption import make_cipher
from mailing.json_text import parse_json
from mailing.models import MailSignIn
from mailing.oauth_providers import explain

# A token is renewed so long before its end: it must outlast the mail that it lets through.
MARGIN = datetime.timedelta(minutes=5)
DEFAULT_LIFE = 3600  # seconds, where an issuer does not say it
ANSWER_SECONDS = 20
# While one process asks, the others wait so long; one that died is replaced after it.
RENEWAL = datetime.timedelta(seconds=2 * ANSWER_SECONDS)
JWT_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"


class SignInError(Exception):
    """No token can be had; the message is French and says what to do. ``passes`` where waiting may be enough."""

    def __init__(self, sentence: str, *, passes: bool = False) -> None:
        super().__init__(sentence)
        self.passes = passes


@dataclass(frozen=True)
class DeviceCode:
    """What a person types at ``url``: ``user_code``; asked about every ``interval`` seconds, for ``ends_in``."""

    url: str
    user_code: str
    device_code: str
    interval: int
    ends_in: int


def is_set_up() -> bool:
    """True where the settings name an issuer of tokens: addresses without a password then sign in with a token."""
    return bool(settings.MAIL_OAUTH)


def access_token(refused: str = "", *, now: datetime.datetime | None = None) -> str:
    """A token that is good for some minutes at least, and is not ``refused``, which a server did not take.

    Raises SignInError; what it says stays in the row (:func:`current_failure`).
    """
    deadline = time.monotonic() + 2 * ANSWER_SECONDS
    while True:
        moment = now or timezone.now()
        row = _row()
        token = _fresh_token(row, moment)
        if token and token != refused:
            return token
        free = Q(renewing_until__isnull=True) | Q(renewing_until__lt=moment)
        if MailSignIn.objects.filter(free, pk=1).update(renewing_until=moment + RENEWAL):
            return _renew(row, moment)
        if time.monotonic() > deadline:
            raise SignInError(_("Le jeton est en cours de renouvellement par un autre processus."), passes=True)
        time.sleep(0.2)


def _renew(row: MailSignIn, now: datetime.datetime) -> str:
    try:
        token = _ask(row)
    except SignInError as error:
        MailSignIn.objects.filter(pk=1).update(renewing_until=None, failure=str(error), failed_at=now)
        raise
    _keep(token, now)
    return str(token["access_token"])


def current_failure() -> tuple[datetime.datetime, str] | None:
    """Since when we cannot sign in, and the sentence about it; None while we can."""
    row = MailSignIn.objects.filter(pk=1).exclude(failure="").first()
    return (row.failed_at or timezone.now(), row.failure) if row and is_set_up() else None


def token_end() -> datetime.datetime | None:
    """Until when the token at hand is good; None where there is none."""
    row = _row()
    return row.expires_at if _decrypted(row.access_token) else None


def note_failure(sentence: str) -> None:
    """A mail server does not take our tokens, for the reason of ``sentence``."""
    MailSignIn.objects.filter(pk=1).update(failure=sentence, failed_at=timezone.now())


def note_success() -> None:
    """A mail server took our token."""
    MailSignIn.objects.filter(pk=1).exclude(failure="").update(failure="", failed_at=None)


def forget() -> None:
    """Throw the tokens away."""
    MailSignIn.objects.filter(pk=1).delete()


# ─── A person agrees, once ───────────────────────────────────────────────────────────────────────────────────────────
def ask_device_code() -> DeviceCode:
    """The first step of RFC 8628. Raises SignInError."""
    chosen = settings.MAIL_OAUTH
    data = {"client_id": chosen["client_id"], "scope": chosen["scope"]}
    try:
        answer = requests.post(chosen["device_url"], data=data, timeout=ANSWER_SECONDS)
        said = parse_json(answer.content)
        if not isinstance(said, dict):
            raise ValueError
    except (requests.RequestException, ValueError) as problem:
        raise _unreachable(problem) from problem
    if "device_code" not in said:
        raise _refused(str(said.get("error", answer.status_code)), str(said.get("error_description", "")))
    url = said.get("verification_uri") or said.get("verification_url") or ""
    return DeviceCode(
        url=str(said.get("verification_uri_complete") or url),
        user_code=str(said.get("user_code", "")),
        device_code=str(said["device_code"]),
        interval=_seconds(said.get("interval"), default=5),
        ends_in=_seconds(said.get("expires_in"), default=900),
    )


def _seconds(value: object, *, default: int) -> int:
    """``value`` as it was answered, a number or its digits; ``default`` where it is neither, or nothing."""
    text = str(value)
    return int(text) or default if text.isascii() and text.isdigit() and len(text) < 6 else default


def wait_for_consent(code: DeviceCode, pause: Callable[[float], object] = time.sleep) -> None:
    """Ask until the person has agreed (RFC 8628 § 3.4), and keep the tokens. Raises SignInError."""
    interval, waited = code.interval, 0
    while waited <= code.ends_in:
        pause(interval)
        waited += interval
        try:
            token = _fetch({"device_code": code.device_code}, DEVICE_GRANT)
        except _PendingError as pending:
            interval += 5 if pending.is_too_fast else 0
            continue
        _row()
        _keep(token, timezone.now())
        return
    raise _refused("expired_token", "")


# ─── The row ─────────────────────────────────────────────────────────────────────────────────────────────────────────
def _row() -> MailSignIn:
    """The one row; tokens that were asked for with other settings are no use."""
    row, _made = MailSignIn.objects.get_or_create(pk=1, defaults={"settings_digest": _digest()})
    if row.settings_digest != _digest():
        row = MailSignIn(pk=1, settings_digest=_digest())
        row.save()
    return row


def _digest() -> str:
    chosen = settings.MAIL_OAUTH
    values = [chosen[name] for name in ("flow", "token_url", "client_id", "scope", "user")]
    return hashlib.sha256(json.dumps(values).encode()).hexdigest()


def _fresh_token(row: MailSignIn, now: datetime.datetime) -> str:
    if row.expires_at is None or row.expires_at <= now + MARGIN:
        return ""
    return _decrypted(row.access_token)


def _keep(token: dict[str, Any], now: datetime.datetime) -> None:
    life = str(token.get("expires_in") or "")
    seconds = int(life) if life.isdecimal() else DEFAULT_LIFE
    values: dict[str, Any] = {
        "access_token": _encrypted(str(token["access_token"])),
        "expires_at": now + datetime.timedelta(seconds=min(seconds, 30 * 86400)),
        "renewed_at": now,
        "renewing_until": None,
        "failure": "",
        "failed_at": None,
    }
    if token.get("refresh_token"):
        values["refresh_token"] = _encrypted(str(token["refresh_token"]))
    MailSignIn.objects.filter(pk=1).update(**values)


def _encrypted(text: str) -> str:
    return make_cipher(b"mailing.oauth").encrypt(text.encode()).decode()


def _decrypted(text: str) -> str:
    try:
        return make_cipher(b"mailing.oauth").decrypt(text.encode()).decode() if text else ""
    except InvalidToken:  # of another key of the installation
        return ""


# ─── The authorization server ────────────────────────────────────────────────────────────────────────────────────────
class _PendingError(Exception):
    """The person has not answered yet (RFC 8628 § 3.5)."""

    def __init__(self, *, is_too_fast: bool) -> None:
        super().__init__()
        self.is_too_fast = is_too_fast


def _ask(row: MailSignIn) -> dict[str, Any]:
    chosen = settings.MAIL_OAUTH
    if chosen["flow"] == "client_credentials":
        return _fetch({"scope": chosen["scope"]}, "client_credentials")
    if chosen["flow"] == "service_account":
        return _fetch({"assertion": _assertion()}, JWT_GRANT)
    refresh_token = _decrypted(row.refresh_token)
    if not refresh_token:
        raise SignInError(_("Personne n’a encore autorisé l’envoi des mails : lancer « manage.py mail_auth »."))
    return _fetch({"refresh_token": refresh_token, "scope": chosen["scope"]}, "refresh_token")


def _assertion() -> str:
    """What a service account signs to speak for the mailbox (RFC 7523 § 3)."""
    chosen = settings.MAIL_OAUTH
    path = Path(chosen["key_file"])
    try:
        account = parse_json(path.read_text())
        now = int(time.time())
        claims = {
            "iss": account["client_email"],
            "sub": chosen["user"],
            "aud": chosen["token_url"],
            "scope": chosen["scope"],
            "iat": now,
            "exp": now + DEFAULT_LIFE,
        }
        header = {"alg": "RS256", "kid": str(account.get("private_key_id", ""))}
        return jwt.encode(header, claims, RSAKey.import_key(account["private_key"]))
    except OSError as problem:
        sentence = _("La clé du compte de service ne peut pas être lue (MAIL_OAUTH_KEY_FILE=%(path)s).")
        raise SignInError(sentence % {"path": path}) from problem
    except (JoseError, ValueError, KeyError, TypeError) as problem:
        sentence = _("%(path)s n’est pas la clé JSON d’un compte de service (MAIL_OAUTH_KEY_FILE).")
        raise SignInError(sentence % {"path": path}) from problem


def _fetch(values: dict[str, str], grant_type: str) -> dict[str, Any]:
    """A token of the authorization server. Raises SignInError, or _PendingError where a person is still waited for."""
    chosen = settings.MAIL_OAUTH
    secret = chosen["client_secret"]
    session = OAuth2Session(
        chosen["client_id"], secret or None, token_endpoint_auth_method="client_secret_post" if secret else "none"
    )
    try:
        token = session.fetch_token(
            chosen["token_url"], grant_type=grant_type, timeout=ANSWER_SECONDS, allow_redirects=False, **values
        )
        if not isinstance(token, dict) or not token.get("access_token"):
            raise ValueError("no token")
    except AuthlibBaseError as problem:
        error = str(problem.error or "")
        if error in ("authorization_pending", "slow_down"):
            raise _PendingError(is_too_fast=error == "slow_down") from problem
        raise _refused(error, str(problem.description or "")) from problem
    except (requests.RequestException, ValueError, KeyError, TypeError) as problem:
        raise _unreachable(problem) from problem
    finally:
        session.close()
    return dict(token)


def _refused(error: str, description: str) -> SignInError:
    code = " ".join(f"{error} {description}".split())[:200]
    return SignInError(
        _("Connexion à la messagerie refusée : %(meaning)s. (%(said)s)")
        % {"meaning": explain(error, description), "said": code}
    )


def _unreachable(problem: Exception) -> SignInError:
    return SignInError(
        _("Le serveur d’autorisation %(url)s ne donne pas de jeton (%(said)s).")
        % {"url": settings.MAIL_OAUTH["token_url"], "said": type(problem).__name__},
        passes=True,
    )
