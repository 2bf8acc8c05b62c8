"""Every table of the portal as a CSV and as JSON, a line a row; without what would open something."""

import datetime
import json
import uuid
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Final

from django.apps import apps
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group
from django.db import models

from invoices.files.csv_tables import Column, CsvTable

_AT_ONCE: Final = 1000
_APPS: Final = ("customers", "invoices", "mailing", "trail")
# What only serves the running portal, or opens something.
_LEFT_OUT: Final = {
    "customers.secondfactor",
    "customers.recoverycode",
    "mailing.mailsignin",
    "mailing.sendingslot",
    "mailing.workerpulse",
}
_SECRETS: Final = {
    "customers.account": {"password", "provisional_password"},
    "invoices.platform": {"client_secret", "callback_secret", "callback_key"},
    "mailing.message": {"secret_reference", "return_token"},
}


def tables() -> list[type[models.Model]]:
    """The models that leave, by name."""
    ours = [model for app in _APPS for model in apps.get_app_config(app).get_models()]
    kept = [model for model in ours if not model._meta.proxy and model._meta.label_lower not in _LEFT_OUT]
    return sorted([*kept, Group, LogEntry], key=lambda model: model._meta.label_lower)


def columns_of(model: type[models.Model]) -> list[str]:
    """The names of the columns of ``model`` that leave."""
    secrets = _SECRETS.get(model._meta.label_lower, set())
    return [field.attname for field in model._meta.concrete_fields if field.name not in secrets]


def rows_of(model: type[models.Model]) -> Iterator[dict[str, Any]]:
    """The rows of ``model``, some hundred at a time."""
    rows = model._default_manager.order_by("pk").values(*columns_of(model))
    return rows.iterator(chunk_size=_AT_ONCE)


def csv_of(model: type[models.Model]) -> Iterator[bytes]:
    """The table as French spreadsheets open it."""
    table = CsvTable([Column(name, _cell(name)) for name in columns_of(model)])
    return (line.encode() for line in table.lines(rows_of(model)))


def json_of(model: type[models.Model]) -> Iterator[bytes]:
    """The table as one JSON object a line."""
    return (json.dumps(row, ensure_ascii=False, default=_plain).encode() + b"\n" for row in rows_of(model))


def _cell(name: str) -> Any:
    def read(row: dict[str, Any]) -> object:
        value = row[name]
        return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else _bytes_as_hex(value)

    return read


def _plain(value: Any) -> object:
    match value:
        case datetime.datetime() | datetime.date():
            return value.isoformat()
        case Decimal() | uuid.UUID():
            return str(value)
        case _:
            return str(_bytes_as_hex(value))


def _bytes_as_hex(value: object) -> object:
    return bytes(value).hex() if isinstance(value, bytes | memoryview) else value
