"""Callbacks of a platform: who they are from is known by their signature, and by nothing else.

Two ways are known: Standard Webhooks (``webhook-signature: v1,…`` over identifier, time and body) and the plain
HMAC-SHA256 of the body in hexadecimal. A callback only says that there is something new: what it is, is read from the
platform itself, so that a repeated or invented one changes nothing.
"""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Mapping
from typing import Final

from invoices.models import Platform

TOLERANCE_SECONDS: Final = 300
_PREFIX: Final = "whsec_"
_MOMENT: Final = re.compile(r"[0-9]{1,12}")  # seconds of the epoch


def is_genuine(platform: Platform, headers: Mapping[str, str], body: bytes, *, now: float) -> bool:
    """True where ``body`` was signed by ``platform``; ``headers`` in lower case, ``now`` in seconds of the epoch."""
    secret = platform.read_callback_secret()
    if not secret:
        return False
    if platform.signature == Platform.Signature.HEXADECIMAL:
        given = headers.get("x-signature", "").removeprefix("sha256=")
        return hmac.compare_digest(given.encode(), hmac.new(secret.encode(), body, hashlib.sha256).hexdigest().encode())
    if platform.signature != Platform.Signature.STANDARD:
        return False
    identifier, moment = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not _MOMENT.fullmatch(moment) or abs(now - int(moment)) > TOLERANCE_SECONDS:
        return False
    expected = sign_standard(secret, identifier, moment, body)
    signatures = [part.removeprefix("v1,") for part in headers.get("webhook-signature", "").split()]
    return any(hmac.compare_digest(each.encode(), expected.encode()) for each in signatures)


def sign_standard(secret: str, identifier: str, moment: str, body: bytes) -> str:
    """The signature of Standard Webhooks (base64), without its version."""
    signed = f"{identifier}.{moment}.".encode() + body
    return base64.b64encode(hmac.new(_key(secret), signed, hashlib.sha256).digest()).decode()


def _key(secret: str) -> bytes:
    """Secrets of Standard Webhooks are base64 after «whsec_»; others are taken as they are."""
    if secret.startswith(_PREFIX):
        try:
            return base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
        except (binascii.Error, ValueError):
            return secret.encode()
    return secret.encode()
