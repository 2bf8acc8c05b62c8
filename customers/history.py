"""Who changed what: higher rooms keep the history, which this one does not know."""

from collections.abc import Callable, Sequence

from django.db.models import Model

HistoryWriter = Callable[[int, Sequence[Model], str], None]

_writers: list[HistoryWriter] = []


def register_history_writer(writer: HistoryWriter) -> None:
    """Have ``writer`` called with the key of an account, the rows it changed and a sentence; each writer once."""
    if writer not in _writers:
        _writers.append(writer)


def write_history(author_id: int, rows: Sequence[Model], sentence: str) -> None:
    """Have it written, within the transaction, that the account changed ``rows``."""
    for writer in _writers:
        writer(author_id, rows, sentence)
