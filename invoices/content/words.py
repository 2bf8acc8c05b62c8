"""Full-text search: customers find their invoices by words of the lines.

Each word is in the index behind the key of the customer, so that a search reads the words of one customer only,
however many invoices there are, and finds no one else's. Words are compared without accents and case; the beginning of
a word is enough. The index is written when an invoice is published: its content stays as it is from then on.
"""

import datetime
import re
from collections.abc import Collection, Iterable, Sequence
from typing import Final

from django.db import connection
from django.db.models import Exists, OuterRef, Q
from django.db.models.expressions import RawSQL
from django.utils import timezone

from customers.searching import search_key
from invoices.models import Invoice, InvoiceLine, InvoiceWords

LONGEST_WORD: Final = 40
MOST_WORDS: Final = 5000  # of one invoice
AT_ONCE: Final = 500
_INDEXED_DETAILS: Final = ("description", "note")  # of the details of a line
# What a program of before published while this one was installed is seen to by the worker.
_LOOK_BACK: Final = datetime.timedelta(days=2)
# Chinese and Japanese write no blanks between words: each character is one.
_CHARACTER: Final = "\u3005-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_WORD: Final = re.compile(rf"[{_CHARACTER}]|[^\W_{_CHARACTER}]+")


# Letters that are two: people type either.
_LIGATURES: Final = str.maketrans({"œ": "oe", "æ": "ae"})


def without_ligatures(key: str) -> str:
    """A search key with «oe» for «œ»."""
    return key.translate(_LIGATURES)


def _spellings(word: str) -> set[str]:
    """``word`` of a search key as the index may have it, with ligatures or without."""
    plain = without_ligatures(word)
    return {word, plain, plain.replace("oe", "œ").replace("ae", "æ")}


def words_in(text: str) -> list[str]:
    """The words of ``text`` as the index has them, each once."""
    return list(dict.fromkeys(word[:LONGEST_WORD] for word in _WORD.findall(search_key(text))))


def indexed_words(customer_id: int, texts: Iterable[str]) -> str:
    """What is kept of an invoice of that customer whose lines say ``texts``."""
    return " ".join(f"{customer_id}_{word}" for word in words_in(" ".join(texts))[:MOST_WORDS])


def words_of_lines(customer_id: int, lines: Iterable[InvoiceLine]) -> str:
    """:func:`indexed_words` of lines: name, code, description and note of what was sold."""
    texts = (
        (line.name, line.item_code, *(str(line.details.get(name) or "") for name in _INDEXED_DETAILS)) for line in lines
    )
    return indexed_words(customer_id, (text for line in texts for text in line))


def index_words(invoices: Sequence[Invoice]) -> int:
    """Write the words of ``invoices`` that have none yet, by one statement where their lines are prefetched."""
    return write_words((invoice, words_of_lines(invoice.customer_id, invoice.lines.all())) for invoice in invoices)


def write_words(words: Iterable[tuple[Invoice, str]]) -> int:
    """Write the ``words`` of published invoices that have none yet, by one statement; of how many invoices.

    Lines without a word are kept as such, so that they are not looked through again.
    """
    rows = [InvoiceWords(invoice=invoice, words=said) for invoice, said in words]
    InvoiceWords.objects.bulk_create(rows, ignore_conflicts=True)
    return len(rows)


def index_what_was_missed() -> int:
    """Write the words of what was published lately by a program that wrote none; how many invoices."""
    lately = Invoice.objects.filter(published_at__gte=timezone.now() - _LOOK_BACK)
    written = Exists(InvoiceWords.objects.filter(invoice=OuterRef("pk")))
    has_lines = Exists(InvoiceLine.objects.filter(invoice=OuterRef("pk")))
    missed = lately.filter(~written, has_lines).prefetch_related("lines")
    return index_words(list(missed[:AT_ONCE]))


def says(word: str, customers: Collection[int]) -> Q:
    """A condition on invoices: a line of one of ``customers`` has a word that begins as ``word`` does.

    Several words in ``word`` («porte-vélo», signs of Chinese) must all be there.
    """
    parts = words_in(word)
    if not parts or not customers:
        return Q(pk__in=())
    spellings = [sorted(_spellings(part)) for part in parts]
    if connection.vendor == "postgresql":
        terms = (" | ".join(f"'{customer}_{part}':*" for customer in customers for part in each) for each in spellings)
        statement, sought = _POSTGRESQL, " & ".join(f"({term})" for term in terms)
    else:
        terms = (" OR ".join(f'"{customer}_{part}"*' for customer in customers for part in each) for each in spellings)
        statement, sought = _SQLITE, " AND ".join(f"({term})" for term in terms)
    return Q(pk__in=RawSQL(statement, [sought]))  # noqa: S611 - what is sought is a parameter


# In a SELECT of its own, what is sought has no say in the plan: PostgreSQL would take each beginning of a word for a
# fiftieth of all rows, and reserve memory for as many; of many customers, read the whole table.
_POSTGRESQL: Final = (
    "SELECT invoice_id FROM invoices_invoicewords"
    " WHERE array_to_tsvector(string_to_array(words, ' ')) @@ (SELECT %s::tsquery)"
)
_SQLITE: Final = (
    "SELECT invoice_id FROM invoices_invoicewords WHERE id IN"
    " (SELECT rowid FROM invoices_invoicewords_index WHERE invoices_invoicewords_index MATCH %s)"
)
