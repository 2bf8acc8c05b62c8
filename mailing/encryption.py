"""Secrets that must be read again, encrypted at rest under the key of the installation."""

import base64

from cryptography.fernet import Fernet, MultiFernet
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings


def make_cipher(use: bytes) -> MultiFernet:
    """A cipher for one ``use``: encrypts under SECRET_KEY; decrypts under SECRET_KEY_FALLBACKS too."""
    return MultiFernet([Fernet(_derive_key(key, use)) for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)])


def _derive_key(secret_key: str, use: bytes) -> bytes:
    """A Fernet key of its own use, so that the signing key itself encrypts nothing (RFC 5869)."""
    derivation = HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=use)
    return base64.urlsafe_b64encode(derivation.derive(secret_key.encode()))
