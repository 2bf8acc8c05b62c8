"""What the tests of the back-office share: who sits at the staff_client, where lists are, and what a reader reads."""

import html
import re
from typing import Any

from django.apps import apps
from django.contrib.auth.models import Group
from django.db import connection
from django.test import Client
from django.utils import timezone

from customers.models import Account
from invoices.models import Export
from mailing.outbox import summary
from tests.support.factories import PASSWORD, make_staff

BACKEND = "customers.authentication.AccountBackend"
SCREEN = "/gestion/export-web/factures/"


def words(response: Any) -> str:
    """What a reader reads: no tags, ordinary spaces, one at a time."""
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]*>", " ", response.content.decode())))


def member(group: str) -> Account:
    """A member of staff of one group."""
    account = Account.objects.create_user(f"{group}@aquila.example", PASSWORD, is_staff=True, name=group)
    account.groups.add(Group.objects.get(name=group))
    return account


def sign_in_staff(client: Client) -> Account:
    """A member of staff with all rights, signed in at ``client``."""
    account = make_staff(name="Claire Martin")
    client.force_login(account, backend=BACKEND)
    return account


def queued_mails() -> int:
    """How many mails wait in the outbox."""
    return summary(timezone.now())["queued"]


def list_url(export: Export, what: str = "") -> str:
    """The address of the list of ``export``, or of ``what`` is under it."""
    return f"{SCREEN}export/{export.number}/{what}"


def all_rows() -> dict[str, list[Any]]:
    """All rows of our tables but sessions, of rights and of the history: what no refused action may change."""
    rows = {}
    with connection.cursor() as cursor:
        for table, key in _tables():
            cursor.execute(f"SELECT * FROM {table} ORDER BY {key}")
            rows[table] = cursor.fetchall()
    return rows


def _tables() -> set[tuple[str, str]]:
    ours = ("invoices", "customers", "mailing", "auth", "admin")
    quoted = connection.ops.quote_name
    return {
        (quoted(model._meta.db_table), quoted(str(model._meta.pk.column)))
        for model in apps.get_models(include_auto_created=True)
        if model._meta.app_label in ours
    }
