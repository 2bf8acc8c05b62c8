"""Django's history of changes: what the back-office does, and what rooms that do not know it do."""

from collections.abc import Sequence

from django.contrib.admin.models import CHANGE, LogEntry
from django.db.models import Model


def log_changes(author_id: int, rows: Sequence[Model], sentence: str, *, flag: int = CHANGE) -> None:
    """Write into the history of each row that the account of ``author_id`` did ``sentence``; one statement for all.

    ``flag`` is one of Django's ADDITION, CHANGE and DELETION.
    """
    if rows:
        LogEntry.objects.log_actions(author_id, rows, flag, sentence)
