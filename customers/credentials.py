"""Provisional passwords: encrypted while they must still be sent, wiped at the first change or at expiry.

A lasting password is never readable by anybody (CNIL, délibération 2022-100); what is sent by mail only opens the way
to choosing one's own.
"""

from cryptography.fernet import InvalidToken, MultiFernet
from django.utils.translation import gettext as _

from customers.links import token_of_reference
from customers.models import Account
from mailing.encryption import make_cipher
from mailing.secrets import SecretUnavailableError


def encrypt_secret(secret: str) -> str:
    """``secret`` encrypted under the key of the installation (text)."""
    return _cipher().encrypt(secret.encode()).decode()


def decrypt_secret(token: str) -> str | None:
    """The secret in ``token``; None where no key of the installation opens it."""
    try:
        return _cipher().decrypt(token.encode()).decode()
    except InvalidToken:
        return None


def opens_stored_secrets() -> bool:
    """True unless the last provisional password that was stored was encrypted under a key that this process lacks."""
    kept = Account.objects.exclude(provisional_password="").order_by("-provisional_expires_at")
    last = kept.values_list("provisional_password", flat=True).first()
    return not last or decrypt_secret(last) is not None


def _cipher() -> MultiFernet:
    return make_cipher(b"customers.provisional_password")


def read_provisional(account: Account) -> str | None:
    """The provisional password of ``account`` while it exists and holds, else None."""
    if not account.provisional_password or account.has_expired_provisional:
        return None
    return decrypt_secret(account.provisional_password)


def describe_password(account: Account) -> str:
    """What ``#PWD_CONNEXION`` says: the provisional password while it holds, otherwise a French sentence.

    Raises :class:`~mailing.secrets.SecretUnavailableError`, in French, where the password holds and no key of this
    process opens it: what cannot be read has not expired.
    """
    provisional = read_provisional(account)
    if provisional is not None:
        return provisional
    if account.provisional_password and not account.has_expired_provisional:
        raise SecretUnavailableError(
            _(
                "il a été chiffré avec une autre clé que SECRET_KEY : remettez cette clé, "
                "ou ajoutez-la à SECRET_KEY_FALLBACKS, et le mail partira"
            )
        )
    if account.must_change_password:
        return _("expiré (demandez-en un nouveau par « Mot de passe oublié »)")
    return _("celui que vous avez choisi")


def reveal_for_mail(reference: str) -> str | None:
    """What a mail says in place of its mask: the password of the account whose primary key is ``reference``, or the
    token of a link (:mod:`customers.links`); None without one.
    """
    if ":" in reference:
        return token_of_reference(reference)
    account = Account.objects.filter(pk=reference).first() if reference.isdecimal() else None
    return describe_password(account) if account is not None else None
