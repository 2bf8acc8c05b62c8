"""What tests are set up with, and rows that all tests of a module share."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.test import override_settings


def settings_below(folder: Path) -> dict[str, Any]:
    """The settings of a test that writes below ``folder`` alone."""
    return {
        "DOCUMENTS_ROOT": folder / "documents",
        "MAIL_ROOT": folder / "mail",
        # The cache says who is checking e-invoices: the tests that run beside this one must not be seen in it.
        "CACHES": {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": str(folder)}},
        # Argon2 is slow on purpose, and no test but one is about it (tests/customers/test_passwords.py).
        "PASSWORD_HASHERS": ["django.contrib.auth.hashers.MD5PasswordHasher"],
        # Static files come straight from their source folders: nothing was collected for a test.
        "WHITENOISE_AUTOREFRESH": True,
        "WHITENOISE_USE_FINDERS": True,
        "MAILERS": {
            "default": {"BACKEND": "mailing.files.EmlFileBackend", "OPTIONS": {"directory": str(folder / "mail")}}
        },
        # Django forgets the storages it made when this setting changes: DOCUMENTS_ROOT is read again.
        "STORAGES": {
            **settings.STORAGES,
            "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
        },
    }


@contextmanager
def around_a_module(folder: Path) -> Iterator[None]:
    """The settings of a test, and a transaction that is rolled back, in which each test of a module is a savepoint."""
    around = transaction.atomic()
    # As the transaction of a test: what must be the outermost one (``durable``) may be inside.
    around._from_testcase = True  # type: ignore[attr-defined]
    with override_settings(**settings_below(folder)), around:
        yield
        transaction.set_rollback(True)
