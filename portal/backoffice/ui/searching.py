"""Searches by a part of a text, over a table and one beside it, that a database answers from its indexes.

Django's admin joins both and asks for a part of a column of one or of the other: no index serves such a question. Here
the rows of the table beside are looked up first, by their own indexes, and asked for by key.
"""

from collections.abc import Iterable, Sequence
from functools import reduce
from itertools import product
from operator import or_
from typing import Any, Final

from django.db.models import Model, Q, QuerySet
from django.utils.text import smart_split, unescape_string_literal

# The keys of so many rows beside are named in the statement; more of them are asked for within it.
MOST_KEYS: Final = 200
# Every way to share out more words than this between two tables would make a long statement.
MOST_WORDS: Final = 4


def search_by_keys(model: type[Model], search_fields: Sequence[str], text: str) -> Q:
    """Rows of ``model`` of which every word of ``text`` is in a field of their own, or in one of a row beside them.

    ``search_fields`` are plain names, those of the one table beside with its relation before: ``customer__name``.
    """
    own = [name for name in search_fields if "__" not in name]
    relation, fields = _beside(search_fields)
    words = _split_words(text)
    # Which words are in the row itself, in each way to share them out; of many words all are in the same table.
    whole = [(True,) * len(words), (False,) * len(words)]
    sharing = product((True, False), repeat=len(words)) if len(words) <= MOST_WORDS else whole
    ways = []
    for sides in sharing:
        found = _in_all((word for word, is_own in zip(words, sides, strict=True) if is_own), own)
        if there := [word for word, is_own in zip(words, sides, strict=True) if not is_own]:
            # Where few rows have the other words, these are asked what is beside them.
            few = _keys_of(model._default_manager.filter(found).order_by()) if any(sides) else None
            if few is None:
                found &= _points_to(model, relation, _in_all(there, fields))
            else:
                beside = _in_all(there, [f"{relation}__{field}" for field in fields])
                found = Q(pk__in=_keys_of(model._default_manager.filter(beside, pk__in=few).order_by().distinct()))
        ways.append(found)
    return reduce(or_, ways)


def search_within(model: type[Model], search_fields: Sequence[str], relation: str, text: str) -> Q:
    """Rows whose ``relation`` leads to a row of ``model`` that the search finds, where few of many are searched.

    Few of them are asked for by key. Where the words are in many rows, reading the few that are searched is quicker;
    where all words are in many rows beside, as a word of all names is, the rows of ``model`` are not even looked at.
    """
    words = _split_words(text)
    beside, fields = _beside(search_fields)
    if _keys_of(_rows_beside(model, beside).filter(_in_all(words, fields))) is not None:
        keys = _keys_of(model._default_manager.filter(search_by_keys(model, search_fields, text)).order_by())
        if keys is not None:
            return Q(**{f"{relation}__in": keys})
    return _in_all(words, [f"{relation}__{field}" for field in search_fields])


def _beside(search_fields: Sequence[str]) -> tuple[str, list[str]]:
    """The relation to the table beside, and the fields that are searched there."""
    pairs = [name.split("__", 1) for name in search_fields if "__" in name]
    (relation,) = {relation for relation, _field in pairs}
    return relation, [field for _relation, field in pairs]


def _points_to(model: type[Model], relation: str, wanted: Q) -> Q:
    """Rows of ``model`` whose ``relation`` leads to a row that is as ``wanted``."""
    field: Any = model._meta.get_field(relation)
    beside = _rows_beside(model, relation).filter(wanted)
    keys = _keys_of(beside)
    if field.concrete and not field.many_to_many:
        return Q(**{f"{relation}__in": beside.values("pk") if keys is None else keys})
    rows = model._default_manager.filter(**{f"{relation}__in": beside if keys is None else keys}).order_by()
    own_keys = _keys_of(rows)
    return Q(pk__in=rows.values("pk") if own_keys is None else own_keys)


def _rows_beside(model: type[Model], relation: str) -> QuerySet[Any]:
    field: Any = model._meta.get_field(relation)
    rows: QuerySet[Any] = field.related_model._default_manager.order_by()
    return rows


def _keys_of(rows: QuerySet[Any]) -> list[Any] | None:
    """The keys of ``rows``; None where they are too many to be named."""
    keys = list(rows.values_list("pk", flat=True)[: MOST_KEYS + 1])
    return keys if len(keys) <= MOST_KEYS else None


def _split_words(text: str) -> list[str]:
    """The words of a search as Django's admin reads them: what is in quotes is one."""
    words = []
    for bit in smart_split(text):
        is_quoted = len(bit) > 1 and bit[0] in "\"'" and bit[0] == bit[-1]
        words.append(unescape_string_literal(bit) if is_quoted else bit)
    return words


def _in_all(words: Iterable[str], fields: Sequence[str]) -> Q:
    """Every word is in one of ``fields``, whatever the case."""
    found = Q()
    for word in words:
        found &= reduce(or_, (Q(**{f"{field}__icontains": word}) for field in fields))
    return found
