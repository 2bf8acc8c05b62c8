"""``EMAIL_URL``: the mail server by which mails leave, or the folder in which they are written."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import environ
from django.core.exceptions import ImproperlyConfigured

from portal.environment import hide_password, wrong

type Mailer = dict[str, Any]


def read_mailers(url: str, *, timeout: int, folder: Path) -> dict[str, Mailer]:
    """Django's ``MAILERS`` for an address of :data:`SCHEMES`, and for an empty one, files under ``folder``.

    ``timeout`` is in seconds. Raises ImproperlyConfigured with a French sentence.
    """
    if not url:
        return {"default": {"BACKEND": "mailing.files.EmlFileBackend", "OPTIONS": {"directory": str(folder)}}}
    read = SCHEMES.get(url.partition("://")[0].lower())
    try:
        mailer = read(url, timeout) if read is not None else None
    except (ValueError, KeyError, LookupError, ImproperlyConfigured):
        mailer = None
    if mailer is None:
        *others, last = (f"{scheme}://" for scheme in SCHEMES)
        raise wrong(
            "EMAIL_URL",
            hide_password(url),
            expected=f"une adresse en {', '.join(others)} ou {last}",
            example="smtp+tls://utilisateur:secret@smtp.exemple.fr:587",
        )
    return {"default": mailer}


def _read_smtp(url: str, timeout: int) -> Mailer:
    """An SMTP server, as django-environ reads its address."""
    read = environ.Env.email_url_config(url)
    return {
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
    }


SCHEMES: Final[dict[str, Callable[[str, int], Mailer]]] = {
    "smtp": _read_smtp,
    "smtp+tls": _read_smtp,
    "smtp+ssl": _read_smtp,
}
"""How an address is read, by its scheme: what comes back is a backend and its options."""
