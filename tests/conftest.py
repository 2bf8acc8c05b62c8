"""What every test may use: a folder of its own for documents and mails, a cache of its own, and the fixed cast."""

import importlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from django.test import Client

    from customers.models import Account

# A test that has none of these touches no database.
DATABASE_MARKERS = ("django_db", "postgresql")
DATABASE_FIXTURES = {"db", "transactional_db", "django_db_setup"}


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark what touches no database, to run once; leave what is about PostgreSQL (its plans, its locks) to it."""
    from django.db import connection

    for item in items:
        has_marker = any(item.get_closest_marker(name) for name in DATABASE_MARKERS)
        if not has_marker and DATABASE_FIXTURES.isdisjoint(getattr(item, "fixturenames", ())):
            item.add_marker("without_database")
    if connection.vendor == "postgresql":
        return
    elsewhere = [item for item in items if item.get_closest_marker("postgresql")]
    if elsewhere:
        config.hook.pytest_deselected(items=elsewhere)
        items[:] = [item for item in items if item not in elsewhere]


@pytest.fixture(autouse=True)
def own_folders(settings: Any, tmp_path: Path) -> None:
    """Documents and mails of a test are written below its own temporary folder."""
    settings.DOCUMENTS_ROOT = tmp_path / "documents"
    settings.MAIL_ROOT = tmp_path / "mail"
    # The cache says who is checking e-invoices: the tests that run beside this one must not be seen in it.
    settings.CACHES = {
        "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": str(tmp_path)}
    }
    # Argon2 is slow on purpose, and no test but one is about it (tests/customers/test_passwords.py).
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    # Static files come straight from their source folders: nothing was collected for a test.
    settings.WHITENOISE_AUTOREFRESH = settings.WHITENOISE_USE_FINDERS = True
    settings.MAILERS = {
        "default": {"BACKEND": "mailing.files.EmlFileBackend", "OPTIONS": {"directory": str(tmp_path / "mail")}}
    }
    # Django forgets the storages it made when this setting changes: DOCUMENTS_ROOT is read anew.
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }


@pytest.fixture
def predefined_messages() -> None:
    """What a migration wrote and the end of another test emptied."""
    from django.apps import apps

    from mailing.models import MessageTemplate

    if not MessageTemplate.objects.exists():
        importlib.import_module("mailing.migrations.0002_predefined_messages").create_messages(apps, None)


@pytest.fixture
def staff() -> "Account":
    """A member of the accounts department, with all rights."""
    from tests.support.factories import make_staff

    return make_staff(name="Nathalie Blanc")


@pytest.fixture
def desk(client: "Client", staff: "Account") -> "Client":
    """The back-office as that member sees it."""
    from tests.support.back_office import BACKEND

    client.force_login(staff, backend=BACKEND)
    return client
