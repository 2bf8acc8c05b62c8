"""Django's history of changes, written for rooms that do not know the back-office."""

from collections.abc import Sequence

from django.contrib.admin.models import CHANGE, LogEntry
from django.db.models import Model


def log_changes(author_id: int, rows: Sequence[Model], sentence: str) -> None:
    """Write into the history of each row that the account of ``author_id`` did ``sentence``."""
    if len(rows) == 1:
        LogEntry.objects.log_actions(author_id, rows, CHANGE, sentence, single_object=True)
    else:
        LogEntry.objects.log_actions(author_id, rows, CHANGE, sentence)
