"""What every test may use: a folder of its own for documents and mails, and the fixed cast."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.files.storage import storages
from pytest_django.fixtures import SettingsWrapper


@pytest.fixture(autouse=True)
def own_folders(settings: SettingsWrapper, tmp_path: Path) -> Iterator[None]:
    """Documents and mails of a test are written below its own temporary folder."""
    settings.DOCUMENTS_ROOT = tmp_path / "documents"
    settings.MAIL_ROOT = tmp_path / "mail"
    settings.MAILERS = {
        "default": {"BACKEND": "mailing.files.EmlFileBackend", "OPTIONS": {"directory": str(tmp_path / "mail")}}
    }
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
    storages._storages.clear()
    yield
    storages._storages.clear()
