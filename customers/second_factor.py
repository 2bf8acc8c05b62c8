"""Turning a second factor on, asking for it, and taking it away (TOTP, RFC 6238; recovery codes)."""

import datetime
import secrets

import pyotp
from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.translation import gettext as _

from customers.credentials import decrypt_secret, encrypt_secret
from customers.history import write_history
from customers.models import Account, RecoveryCode, SecondFactor
from customers.typed_passwords import ALPHABET, with_signs_of_a_keyboard

STEP = 30  # seconds (RFC 6238, 4)
# A telephone's clock may be a step off, on either side (RFC 6238, 5.2).
STEPS_ACCEPTED = (-1, 0, 1)
RECOVERY_CODES = 10
RECOVERY_GROUPS, RECOVERY_GROUP_LENGTH = 2, 6


def draw_key() -> str:
    """A new key of 160 bits, in base 32, as applications take it."""
    return pyotp.random_base32()


def address_of_key(account: Account, key: str, *, issuer: str) -> str:
    """The ``otpauth://`` address that a QR code says to the application."""
    return pyotp.TOTP(key).provisioning_uri(name=account.login, issuer_name=issuer)


@transaction.atomic
def turn_on(*, account: Account, key: str, code: str) -> list[str] | None:
    """Ask ``account`` for a second factor from now on; its recovery codes, None where ``code`` is not that of ``key``.

    A second factor that stood before is replaced.
    """
    step = _step_of(key, code)
    if step is None:
        return None
    SecondFactor.objects.filter(account=account).delete()
    factor = SecondFactor.objects.create(account=account, key=encrypt_secret(key), last_step=step)
    account.second_factor_at = timezone.now()
    account.save(update_fields=["second_factor_at"])
    write_history(account.pk, [account], _("Double authentification activée."))
    return _draw_recovery_codes(factor)


@transaction.atomic
def turn_off(*, account: Account, author: Account | None = None) -> bool:
    """Ask ``account`` for no second factor any more; False where there was none. ``author`` does it, else its owner."""
    found, _rows = SecondFactor.objects.filter(account=account).delete()
    Account.objects.filter(pk=account.pk).update(second_factor_at=None)
    account.second_factor_at = None
    if found:
        write_history((author or account).pk, [account], _("Double authentification retirée."))
    return bool(found)


@transaction.atomic
def renew_recovery_codes(*, account: Account) -> list[str]:
    """New recovery codes; those of before are worth nothing any more. Raises SecondFactor.DoesNotExist."""
    factor = SecondFactor.objects.select_for_update().get(account=account)
    factor.recovery_codes.all().delete()
    return _draw_recovery_codes(factor)


@transaction.atomic
def take_code(*, account: Account, code: str) -> bool:
    """True where ``code`` is what the application of ``account`` shows now, or a recovery code; each is taken once."""
    factor = SecondFactor.objects.select_for_update().filter(account=account).first()
    if factor is None:
        return False
    key = decrypt_secret(factor.key)
    step = _step_of(key, code) if key else None
    if step is not None:
        if step <= factor.last_step:
            return False
        factor.last_step = step
        factor.save(update_fields=["last_step"])
        return True
    unused = RecoveryCode.objects.filter(factor=factor, used_at=None)
    return bool(unused.filter(digest__in=_digests(code)).update(used_at=timezone.now()))


def count_recovery_codes(account: Account) -> int:
    """How many recovery codes were not used yet."""
    return RecoveryCode.objects.filter(factor__account=account, used_at=None).count()


def _step_of(key: str, code: str) -> int | None:
    """The step of time of which ``code`` is the code, among those that are accepted now."""
    typed = "".join(with_signs_of_a_keyboard(code).replace("-", " ").split())
    now = timezone.now()
    for offset in STEPS_ACCEPTED:
        moment = now + datetime.timedelta(seconds=offset * STEP)
        if constant_time_compare(pyotp.TOTP(key).at(moment), typed):
            return int(moment.timestamp()) // STEP
    return None


def _draw_recovery_codes(factor: SecondFactor) -> list[str]:
    codes = [
        "-".join(
            "".join(secrets.choice(ALPHABET) for _ in range(RECOVERY_GROUP_LENGTH)) for _ in range(RECOVERY_GROUPS)
        )
        for _ in range(RECOVERY_CODES)
    ]
    RecoveryCode.objects.bulk_create(RecoveryCode(factor=factor, digest=_digests(code)[0]) for code in codes)
    return codes


def _digests(code: str) -> list[str]:
    """What is kept of ``code``, under the present key of the installation and the older ones."""
    typed = "".join(with_signs_of_a_keyboard(code).split())
    keys = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    return [salted_hmac("customers.recovery_code", typed, secret=key, algorithm="sha256").hexdigest() for key in keys]
