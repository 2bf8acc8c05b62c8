"""What happens to accounts: credentials made, sent, renewed, closed."""

import datetime
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.contrib.auth.password_validation import validate_password
from django.db import IntegrityError, transaction
from django.utils import timezone

from customers.credentials import encrypt_secret
from customers.languages import language_of_country
from customers.links import Purpose, use_token
from customers.mails import draft_credentials_mail, draft_link_mail, draft_password_changed_mail
from customers.models import Access, Account, Customer
from customers.typed_passwords import draw_password
from mailing.composition import load_template
from mailing.outbox import StoredMessage, mails_with_secret, write_messages
from mailing.trail.actions import Action
from mailing.trail.recording import Act, record, record_all

_FIELDS_OF_THE_PASSWORD: Final = (
    "password",
    "provisional_password",
    "provisional_expires_at",
    "must_change_password",
    "password_changed_at",
)


class PasswordReplacedError(Exception):
    """The password that allowed a change was replaced meanwhile."""


@dataclass(frozen=True, slots=True)
class GeneratedCredentials:
    """An account after the generation; ``is_new`` where a provisional password was drawn by it."""

    account: Account
    is_new: bool


def generate_credentials(*, customer: Customer, address: str, name: str = "") -> GeneratedCredentials:
    """Give ``address`` an account that sees ``customer``.

    Where the address has an account already, that one gets the access and keeps its password, except a provisional one
    that has run out, which is drawn again. Safe against two callers at once: the login is unique in the database.
    Raises ValueError on an empty address, or one that belongs to a member of staff.
    """
    address = address.strip()
    if not address:
        raise ValueError("An account needs an address.")
    account = Account.objects.filter(login=address).first()
    is_new = account is None
    if account is None:
        account = Account(login=address, name=name or customer.name, language=language_of_country(customer.country))
        # The hash takes tens of milliseconds: before the transaction, which holds SQLite's one writer's place.
        draw_credentials(account)
        try:
            with transaction.atomic():
                account.save()
                Access.objects.create(account=account, customer=customer)
                _record_credentials(account, customer)
        except IntegrityError:
            # Somebody else made it between the look and the write.
            account, is_new = Account.objects.get(login=address), False
    if account.is_staff:
        raise ValueError(f"{address} belongs to a member of staff.")
    if not is_new:
        _give_access(account, customer)
        if account.has_expired_provisional:
            renew_credentials(account=account)
            is_new = True
    return GeneratedCredentials(account, is_new)


@transaction.atomic
def _give_access(account: Account, customer: Customer) -> None:
    _access, is_new = Access.objects.get_or_create(account=account, customer=customer)
    if is_new:
        _record_credentials(account, customer)


def _record_credentials(account: Account, customer: Customer) -> None:
    record(Action.CREDENTIALS_MADE, account, details={"customer": customer.code}, personal={"login": account.login})


def draw_credentials(account: Account) -> None:
    """Draw a provisional password on the instance: hashed for login, encrypted so that it can be sent.

    Nothing is written: the hash takes tens of milliseconds, which should pass before a transaction begins.
    """
    secret = draw_password()
    account.password = make_password(secret)
    account.provisional_password = encrypt_secret(secret)
    account.provisional_expires_at = timezone.now() + settings.PROVISIONAL_PASSWORD_LIFETIME
    account.must_change_password = True
    account.password_changed_at = None


def renew_credentials(*, account: Account) -> Account:
    """Draw a new provisional password (*Réinitialiser*); the old password stops working at once."""
    draw_credentials(account)
    return save_credentials(account=account)


@transaction.atomic
def save_credentials(*, account: Account) -> Account:
    """Write what :func:`draw_credentials` drew: from here on the old password no longer works."""
    account.save(update_fields=_FIELDS_OF_THE_PASSWORD)
    record(Action.CREDENTIALS_MADE, account, details={"renewed": True}, personal={"login": account.login})
    return account


@transaction.atomic
def choose_password(*, account: Account, password: str) -> Account:
    """Set the password that its owner chose, and wipe the provisional one.

    All sessions but the caller's own end with the old password, and a mail notifies the owner.
    Raises django's ValidationError where the password is too weak, and PasswordReplacedError where another one took
    its place since ``account`` was read.
    """
    validate_password(password, account)
    # Of two changes at once the second one was allowed by a password that no longer holds.
    stored = Account.objects.select_for_update().values_list("password", flat=True).get(pk=account.pk)
    if stored != account.password:
        raise PasswordReplacedError
    account.set_password(password)
    account.provisional_password = ""
    account.provisional_expires_at = None
    account.must_change_password = False
    account.password_changed_at = timezone.now()
    account.save(update_fields=_FIELDS_OF_THE_PASSWORD)
    record(Action.PASSWORD_CHOSEN, account, personal={"login": account.login})
    if "@" in account.login:
        write_messages([draft_password_changed_mail(account=account, sending=_this_moment())])
    return account


@transaction.atomic
def send_link(*, login: str, purpose: Purpose, target: str = "") -> bool:
    """Write the mail with a link for ``login`` in the outbox; True where there is such an open customer's account.

    ``target`` is the page of the site that the link leads on to (a path), or empty. An account whose provisional
    password has run out gets the link to choose one, whatever was asked for. The caller says the same to everybody:
    what is returned is not for the one who asks.
    """
    account = Account.objects.of_customers().filter(login=login.strip(), is_active=True).first()
    if account is None:
        return False
    if account.has_expired_provisional:
        purpose = Purpose.PASSWORD
    write_messages([draft_link_mail(account=account, purpose=purpose, sending=_this_moment(), target=target)])
    return True


@transaction.atomic
def use_sign_in_link(*, token: str) -> Account | None:
    """The account that ``token`` signs in, once: a second use, even at the same moment, finds nothing."""
    return use_token(token, Purpose.SIGN_IN)


@transaction.atomic
def use_password_link(*, token: str, password: str) -> Account | None:
    """Set the password chosen through ``token``; None where the link has served or run out.

    Raises django's ValidationError where the password is too weak; the link then still serves. Raises
    PasswordReplacedError as above.
    """
    account = use_token(token, Purpose.PASSWORD)
    return choose_password(account=account, password=password) if account is not None else None


def _this_moment() -> str:
    return timezone.now().strftime("%Y%m%d%H%M%S%f")


@transaction.atomic
def send_credentials(*, accounts: Iterable[Account]) -> int:
    """Write the mail of credentials to each of ``accounts`` in the outbox; returns how many mails were written.

    Deactivated accounts get none. What is sent is the provisional password while it holds; where the owner has chosen
    his own, the mail says so.
    """
    now = timezone.now()
    chosen = [account for account in accounts if account.is_active and not account.is_staff]
    template = load_template("credentials")
    write_messages(
        [
            draft_credentials_mail(account=account, template=template, sending=now.strftime("%Y%m%d%H%M%S%f"))
            for account in chosen
        ]
    )
    Account.objects.filter(pk__in=[account.pk for account in chosen]).update(credentials_sent_at=now)
    record_all(Act(Action.CREDENTIALS_SENT, account, personal={"login": account.login}) for account in chosen)
    return len(chosen)


# A run writes many mails to one account: noted a moment ago is noted.
_A_MOMENT = datetime.timedelta(minutes=1)


def needs_note_of_credentials(account: Account) -> bool:
    """True where a mail that leaves now contains the provisional password of ``account``, and none is noted yet."""
    sent_at = account.credentials_sent_at
    return bool(account.provisional_password) and (sent_at is None or sent_at <= timezone.now() - _A_MOMENT)


@transaction.atomic(savepoint=False)
def note_sent_credentials(references: Iterable[str]) -> None:
    """Note that mails contain the provisional passwords of the accounts that ``references`` (of secrets) name.

    Called with the transaction that writes the mails. An account whose owner has chosen his password receives none.
    Those noted a moment ago are left alone: a run writes many mails to one account.
    """
    keys = {int(reference) for reference in references if reference.isdecimal()}
    if not keys:
        return
    now = timezone.now()
    to_note = (
        Account.objects.filter(pk__in=keys)
        .exclude(provisional_password="")
        .exclude(credentials_sent_at__gt=now - _A_MOMENT)
    )
    # In one order: two workers that announce the same accounts wait for each other, and never both at once. Rows that
    # only refer to an account (a line's mail) wait for neither.
    locked = list(to_note.order_by("pk").select_for_update(no_key=True))
    Account.objects.filter(pk__in=[account.pk for account in locked]).update(credentials_sent_at=now)
    record_all(Act(Action.CREDENTIALS_SENT, account, personal={"login": account.login}) for account in locked)


def mails_of_credentials(account: Account) -> list[StoredMessage]:
    """The last mails that contain the password of ``account``, of credentials or of invoices, newest first."""
    return mails_with_secret(str(account.pk), [account.login])


@transaction.atomic
def set_active(*, accounts: Iterable[Account], is_active: bool) -> int:
    """Open or close ``accounts`` (*compte actif / compte désactivé*); returns how many changed.

    The sessions of a closed account are over for good, not only until it is opened again.
    """
    keys = [account.pk for account in accounts]
    changed = Account.objects.filter(pk__in=keys).exclude(is_active=is_active)
    action = Action.ACCOUNT_OPENED if is_active else Action.ACCOUNT_CLOSED
    record_all(Act(action, account, personal={"login": account.login}) for account in changed.order_by("pk"))
    if is_active:
        return changed.update(is_active=True)
    return changed.update(is_active=False, sessions_closed_at=timezone.now())


def close_sessions_of_closed(account: Account, changed: Iterable[str]) -> None:
    """Note on the instance, before a form saves it, that its sessions are over where ``changed`` closed it."""
    if "is_active" in changed and not account.is_active:
        account.sessions_closed_at = timezone.now()


def wipe_expired_secrets() -> int:
    """Forget the provisional passwords whose time has run out; returns how many."""
    expired = Account.objects.filter(provisional_expires_at__lte=timezone.now()).exclude(provisional_password="")
    return expired.update(provisional_password="")
