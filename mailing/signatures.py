"""DKIM (RFC 6376): mails signed for the domain they come from, where the settings name a key."""

import functools
from pathlib import Path

import dkim
from django.conf import settings

# What a reader sees or acts upon; the trace headers that servers add or rewrite are left out (RFC 6376 § 5.4.1).
SIGNED_HEADERS = (
    "From", "To", "Reply-To", "Subject", "Date", "Message-ID", "MIME-Version", "Content-Type", "Auto-Submitted",
    "List-Unsubscribe",
)  # fmt: skip


def signing_is_on() -> bool:
    """True where domain, selector and key are all set."""
    return bool(settings.DKIM_DOMAIN and settings.DKIM_SELECTOR and settings.DKIM_PRIVATE_KEY)


def sign(wire: bytes) -> bytes:
    """``wire`` (a whole mail with CRLF) under its DKIM-Signature; unchanged where signing is not set up.

    Raises OSError where the key cannot be read and dkim.DKIMException where it is no key.
    """
    if not signing_is_on():
        return wire
    signature = dkim.sign(
        wire,
        selector=settings.DKIM_SELECTOR.encode(),
        domain=settings.DKIM_DOMAIN.encode("idna"),
        privkey=_private_key(Path(settings.DKIM_PRIVATE_KEY)),
        canonicalize=(b"relaxed", b"relaxed"),
        include_headers=[name.encode() for name in SIGNED_HEADERS],
    )
    return bytes(signature) + wire


@functools.cache
def _private_key(path: Path) -> bytes:
    return path.read_bytes()
