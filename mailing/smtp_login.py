"""How we sign in to an SMTP server: with a password in any alphabet (PLAIN, UTF-8), or with a token (XOAUTH2)."""

import base64
import smtplib
from typing import Any

from django.utils.translation import gettext as _

from mailing import oauth
from mailing.json_text import parse_json
from mailing.oauth import SignInError


def sign_in(connection: smtplib.SMTP, user: str, password: str) -> None:
    """Sign in as ``user``; without a password with a token, where the settings name an issuer; else not at all.

    Raises smtplib.SMTPException for what the server says, and SignInError where no token can be had or is of use.
    """
    if user and password:
        if user.isascii() and password.isascii():
            connection.login(user, password)
        else:
            _login_in_utf8(connection, user, password)
    elif user and oauth.is_set_up():
        _login_with_token(connection, user)


def _login_in_utf8(connection: smtplib.SMTP, user: str, password: str) -> None:
    """PLAIN in UTF-8 (RFC 4616 § 2), or LOGIN; smtplib writes ASCII alone."""
    offered = _offered(connection)
    if "PLAIN" in offered:
        code, reply = connection.docmd("AUTH", f"PLAIN {_base64(f'\0{user}\0{password}')}")
    elif "LOGIN" in offered:
        code, reply = connection.docmd("AUTH", f"LOGIN {_base64(user)}")
        if code == 334:
            code, reply = connection.docmd(_base64(password))
    else:
        raise smtplib.SMTPNotSupportedError("AUTH PLAIN, AUTH LOGIN")
    if code not in (235, 503):
        raise smtplib.SMTPAuthenticationError(code, reply)


def _login_with_token(connection: smtplib.SMTP, user: str) -> None:
    """XOAUTH2; a token that the server refuses is renewed once: it may have been withdrawn before its end."""
    if "XOAUTH2" not in _offered(connection):
        raise smtplib.SMTPNotSupportedError("AUTH XOAUTH2")
    token = oauth.access_token()
    code, reply = _try(connection, user, token)
    if 500 <= code <= 599:
        token = oauth.access_token(refused=token)
        code, reply = _try(connection, user, token)
        if 500 <= code <= 599:
            sentence = refusal_of_a_new_token(user, token, reply.decode("utf-8", "replace"))
            oauth.note_failure(sentence)
            raise SignInError(sentence)
    if code not in (235, 503):
        raise smtplib.SMTPAuthenticationError(code, reply)
    oauth.note_success()


def _try(connection: smtplib.SMTP, user: str, token: str) -> tuple[int, bytes]:
    code, reply = connection.docmd("AUTH", f"XOAUTH2 {_base64(f'user={user}\1auth=Bearer {token}\1\1')}")
    if code == 334:  # the error, in JSON; the server says its last word after an empty line
        code, reply = connection.docmd("")
    return code, reply


def refusal_of_a_new_token(user: str, token: str, reply: str) -> str:
    """The sentence for a server that does not take a token that was just given."""
    return _(
        "Le serveur de messagerie refuse un jeton neuf : il n’est pas fait pour lui (%(audience)s), ou %(user)s n’a "
        "pas le droit d’entrer par ce chemin. Vérifier MAIL_OAUTH_SCOPES, et chez le fournisseur que l’application a "
        "accès à cette boîte. (%(reply)s)"
    ) % {"audience": _audience(token), "user": user, "reply": " ".join(reply.split())[:200]}


def _audience(token: str) -> str:
    """For whom a token was made, where it says so (RFC 7519 § 4.1.3): most do."""
    try:
        body = token.split(".")[1]
        claims: Any = parse_json(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
        audience = claims["aud"]
    except (ValueError, KeyError, IndexError, TypeError):
        return _("il ne dit pas pour qui il est fait")
    return _("il est fait pour %(audience)s") % {"audience": str(audience)[:100]}


def _offered(connection: smtplib.SMTP) -> list[str]:
    connection.ehlo_or_helo_if_needed()
    return connection.esmtp_features.get("auth", "").upper().split()


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
