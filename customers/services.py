"""What happens to accounts: credentials made, sent, renewed, closed."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.contrib.auth.password_validation import validate_password
from django.db import IntegrityError, transaction
from django.utils import timezone

from customers.credentials import draw_password, encrypt_secret
from customers.models import Access, Account, Customer
from customers.notices import draft_credentials_mail
from mailing.composition import load_template
from mailing.outbox import write_messages


@dataclass(frozen=True, slots=True)
class GeneratedCredentials:
    """An account after the generation; ``is_new`` where a provisional password was drawn by it."""

    account: Account
    is_new: bool


def generate_credentials(*, customer: Customer, address: str, name: str = "") -> GeneratedCredentials:
    """Give ``address`` an account that sees ``customer``.

    Where the address has an account already, that one gets the access and keeps its password, except a provisional one
    that has run out, which is drawn anew. Safe against two callers at once: the login is unique in the database.
    Raises ValueError on an empty address, or one that belongs to a member of staff.
    """
    address = address.strip()
    if not address:
        raise ValueError("An account needs an address.")
    account = Account.objects.filter(login__iexact=address).first()
    is_new = account is None
    if account is None:
        account = Account(login=address, name=name or customer.name)
        # The hash takes tens of milliseconds: before the transaction, which holds SQLite's one writer's place.
        draw_credentials(account)
        try:
            with transaction.atomic():
                account.save()
                Access.objects.create(account=account, customer=customer)
        except IntegrityError:
            # Somebody else made it between the look and the write.
            account, is_new = Account.objects.get(login__iexact=address), False
    if account.is_staff:
        raise ValueError(f"{address} belongs to a member of staff.")
    if not is_new:
        Access.objects.get_or_create(account=account, customer=customer)
        if account.has_expired_provisional:
            renew_credentials(account=account)
            is_new = True
    return GeneratedCredentials(account, is_new)


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
    """Draw a new provisional password (*Réinitialiser*, *Relancer*); the old password stops working at once."""
    draw_credentials(account)
    return save_credentials(account=account)


def save_credentials(*, account: Account) -> Account:
    """Write what :func:`draw_credentials` drew: from here on the old password no longer works."""
    account.save(
        update_fields=[
            "password",
            "provisional_password",
            "provisional_expires_at",
            "must_change_password",
            "password_changed_at",
        ]
    )
    return account


@transaction.atomic
def choose_password(*, account: Account, password: str) -> Account:
    """Set the password that its owner chose, and wipe the provisional one.

    Raises django's ValidationError where the password is too weak.
    """
    validate_password(password, account)
    account.set_password(password)
    account.provisional_password = ""
    account.provisional_expires_at = None
    account.must_change_password = False
    account.password_changed_at = timezone.now()
    account.save(
        update_fields=[
            "password",
            "provisional_password",
            "provisional_expires_at",
            "must_change_password",
            "password_changed_at",
        ]
    )
    return account


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
    return len(chosen)


@transaction.atomic
def set_active(*, accounts: Iterable[Account], is_active: bool) -> int:
    """Open or close ``accounts`` (*compte actif / compte désactivé*); returns how many changed."""
    keys = [account.pk for account in accounts]
    return Account.objects.filter(pk__in=keys).exclude(is_active=is_active).update(is_active=is_active)


def wipe_expired_secrets() -> int:
    """Forget the provisional passwords whose time has run out; returns how many."""
    expired = Account.objects.filter(provisional_expires_at__lte=timezone.now()).exclude(provisional_password="")
    return expired.update(provisional_password="")
