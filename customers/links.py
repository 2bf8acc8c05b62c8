"""Links that open the space once: to sign in, or to choose a new password. What goes by mail is short-lived.

The token is signed and bound to the account's password (django-sesame): it holds until it is used, until the password
changes, or until its time runs out. It is made when the mail leaves and stored nowhere; of one that has served, a hash
is kept as long as it would have held, so that another link of the same account is left alone.
"""

import base64
import datetime
import enum
import hashlib

from django.utils import timezone
from sesame.tokens import create_token, parse_token

from customers.models import Account, UsedLink


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
    if account is not None and UsedLink.objects.filter(digest=_digest(token)).exists():
        return None
    return account


def use_token(token: str, purpose: Purpose) -> Account | None:
    """The account that ``token`` opens, once: a second use, even at the same moment, finds nothing.

    In a transaction: what is rolled back leaves the link as it was.
    """
    account = account_of_token(token, purpose)
    if account is None:
        return None
    # Whoever comes second waits for the first one's transaction, then finds the row.
    _used, is_first = UsedLink.objects.get_or_create(digest=_digest(token))
    return account if is_first else None


def forget_used_links() -> int:
    """Erase what is kept of links whose time has run out; returns how many there were."""
    return UsedLink.objects.filter(used_at__lt=timezone.now() - 2 * max(LIFETIMES.values())).delete()[0]


def _digest(token: str) -> str:
    """Of the bytes of ``token`` as they are written: its last character has bits to spare, so many texts are one."""
    content = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    return hashlib.sha256(base64.urlsafe_b64encode(content).rstrip(b"=")).hexdigest()


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
