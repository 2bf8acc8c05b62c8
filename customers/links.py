"""Links that open the space once: to sign in, or to choose a new password. What goes by mail is short-lived.

The token is signed and bound to the account's password and last login (django-sesame): it holds until it is used, until
the account signs in otherwise, or until its time runs out. It is made when the mail leaves and stored nowhere.
"""

import datetime
import enum

from sesame.tokens import create_token, parse_token

from customers.models import Account


class Purpose(enum.StrEnum):
    """What a link is for."""

    SIGN_IN = "connexion"
    PASSWORD = "motdepasse"  # noqa: S105 - a name, not a password


LIFETIMES = {Purpose.SIGN_IN: datetime.timedelta(minutes=15), Purpose.PASSWORD: datetime.timedelta(hours=1)}
# The pages of the space that take a token, by the names of their addresses.
PAGES = {Purpose.SIGN_IN: "sign_in_by_link", Purpose.PASSWORD: "password_by_link"}
_REFERENCE = "{}:{}"


def make_token(account: Account, purpose: Purpose) -> str:
    """The token of a link for ``account``, good once and for ``purpose`` only."""
    return str(create_token(account, scope=purpose))


def account_of_token(token: str, purpose: Purpose) -> Account | None:
    """The active customer's account that ``token`` opens for ``purpose``; None where it opens nothing (any more)."""

    def find(key: int) -> Account | None:
        return Account.objects.of_customers().filter(pk=key, is_active=True).first()

    account: Account | None = parse_token(token, find, scope=purpose, max_age=LIFETIMES[purpose])
    return account


def write_reference(account: Account, purpose: Purpose) -> str:
    """How a stored mail names the token that is made when it leaves."""
    return _REFERENCE.format(purpose, account.pk)


def token_of_reference(reference: str) -> str | None:
    """A fresh token for a mail that leaves now; None where ``reference`` names no link or no open account."""
    name, _, key = reference.partition(":")
    if name not in list(Purpose) or not key.isdecimal():
        return None
    account = Account.objects.of_customers().filter(pk=key, is_active=True).first()
    return make_token(account, Purpose(name)) if account else None
