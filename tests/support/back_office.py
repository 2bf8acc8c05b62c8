"""What the tests of the back-office share: who sits at the staff_client, where lists are, and what a reader reads."""

import html
import re
from typing import Any

from django.contrib.auth.models import Group

from customers.models import Account
from invoices.models import Export
from tests.support.factories import PASSWORD

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


def list_url(export: Export, what: str = "") -> str:
    """The address of the list of ``export``, or of ``what`` is under it."""
    return f"{SCREEN}export/{export.number}/{what}"
