"""Columns that say what a document is, and which sign its amounts have."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from customers.searching import search_key
from invoices.en16931.model import CREDIT_NOTE_TYPE_CODES
from invoices.importing.mapping.names import name_key
from invoices.importing.mapping.samples import Column
from invoices.importing.tables.invoice_rows import type_code
from invoices.importing.values import BadValue

_SHORTEST_WORD: Final = 4
_FEW: Final = 6
_YES: Final = frozenset(("oui", "o", "yes", "true", "vrai", "x", "1"))
_CREDITS: Final = frozenset(
    (
        *("avoir", "avoirs", "est avoir", "is credit note", "credit note", "note de credit", "remboursement"),
        *("retour", "retours", "retour client", "refund", "return", "gutschrift"),
    )
)
_SAYS_INVOICE: Final = re.compile(r"factur|invoice", re.IGNORECASE)
_TAKES_BACK: Final = re.compile(r"retour|rembours|avoir|credit|refund|return|storno|annul|abono|nota")
_SIGNS: Final = frozenset(("d", "c", "debit", "credit", "dt", "cr", "+", "-", "1", "-1"))


def may_be_a_type(cell: str) -> bool:
    """Whether a cell may be a type of documents: a code, a type by its name, something that is given back."""
    return len(cell) < _SHORTEST_WORD or bool(code_of_type(cell)) or _TAKES_BACK.search(search_key(cell)) is not None


def says_signs(column: Column, columns: Sequence[Column]) -> bool:
    """Whether a column may give the sign of amounts, none of which in ``columns`` has one.

    «+» and «-», «D» and «C», «Avoir»: Oui, «Mouvement»: Sortie or Retour.
    """
    signs = set(map(search_key, filter(None, column.cells)))
    if len(signs) > 1 and signs <= _SIGNS:
        return True
    is_flag = name_key(column.name) in _CREDITS and bool(signs & _YES)
    if not is_flag and not (1 < len(signs) <= _FEW and signs & _CREDITS):
        return False
    return not any(number is not None and number < 0 for each in columns for number in each.numbers)


def says_types(cells: Iterable[str]) -> bool:
    """Whether ``cells`` are types of invoices, credit notes among them, or say «facture»: «avoir» may come later."""
    cells = list(cells)
    codes = set(map(code_of_type, cells))
    return "" not in codes and bool(codes & CREDIT_NOTE_TYPE_CODES or all(map(_SAYS_INVOICE.match, cells)))


def type_column(columns: Sequence[Column], taken: Mapping[int, str]) -> int | None:
    """The place of a column that says «Avoir», whatever its name: unread, it would cost the sign."""
    free = (column for column in columns if column.index not in taken and column.filled and column.is_text)
    return next((column.index for column in free if says_types(column.counts)), None)


def code_of_type(text: str) -> str:
    """The code of UNTDID 1001 of a type of documents by its name; empty where ``text`` is none."""
    try:
        return type_code(text)
    except BadValue:
        return ""
