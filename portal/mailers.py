"""``EMAIL_URL``: the mail server by which mails leave, or the folder in which they are written."""

from pathlib import Path
from typing import Any

import environ
from django.core.exceptions import ImproperlyConfigured

from portal.environment import hide_password, wrong


def read_mailers(url: str, *, timeout: int, folder: Path) -> dict[str, dict[str, Any]]:
    """Django's ``MAILERS`` for smtp://, smtp+tls:// or smtp+ssl://, and for an empty address, files under ``folder``.

    ``timeout`` is in seconds. Raises ImproperlyConfigured with a French sentence.
    """
    if not url:
        return {"default": {"BACKEND": "mailing.files.EmlFileBackend", "OPTIONS": {"directory": str(folder)}}}
    try:
        read = environ.Env.email_url_config(url)
        is_smtp = read["EMAIL_BACKEND"].endswith("smtp.EmailBackend")
    except (ValueError, KeyError, LookupError, ImproperlyConfigured):
        is_smtp = False
    if not is_smtp:
        raise wrong(
            "EMAIL_URL",
            hide_password(url),
            expected="une adresse en smtp://, smtp+tls:// ou smtp+ssl://",
            example="smtp+tls://utilisateur:secret@smtp.exemple.fr:587",
        )
    return {
        "default": {
            "BACKEND": read["EMAIL_BACKEND"],
            "OPTIONS": {
                "host": read["EMAIL_HOST"] or "localhost",
                "port": read["EMAIL_PORT"],  # None: 25, 587 with STARTTLS, 465 with TLS
                "username": read["EMAIL_HOST_USER"] or "",
                "password": read["EMAIL_HOST_PASSWORD"] or "",
                "use_tls": read.get("EMAIL_USE_TLS", False),
                "use_ssl": read.get("EMAIL_USE_SSL", False),
                "timeout": timeout,
            },
        },
    }
