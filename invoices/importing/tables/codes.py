"""Codes of customers as files write them: in another case, or without the zeros that a spreadsheet only shows."""

import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from itertools import batched
from typing import Final

from django.db.models import F, Func, TextField, Value
from django.db.models.functions import Lower

from customers.models import Customer

_AT_ONCE: Final = 900


def code_key(code: str) -> str:
    """What two writings of a code have in common: «c12» and «C12», «1» and «000001», «É1» whatever its accent is."""
    lower = unicodedata.normalize("NFC", code).lower()
    return lower.lstrip("0") or "0" if lower.isdigit() else lower


def near_codes(codes: Iterable[str]) -> dict[str, tuple[str, int]]:
    """For each of ``codes``, which are on no card, the code and key of the only card that is near it."""
    wanted = {code: code_key(code) for code in codes}
    found: dict[str, list[tuple[str, int]]] = defaultdict(list)
    bare = Lower(Func(F("code"), Value("0"), function="LTRIM", output_field=TextField()))
    for batch in batched(sorted({key.lstrip("0") for key in wanted.values()}), _AT_ONCE):
        for code, key in Customer.objects.annotate(bare=bare).filter(bare__in=batch).values_list("code", "pk"):
            found[code_key(code)].append((code, key))
    forms = {unicodedata.normalize(form, code) for code in wanted if not code.isascii() for form in ("NFC", "NFD")}
    for batch in batched(sorted(forms), _AT_ONCE):  # SQLite lowers ASCII alone
        for code, key in Customer.objects.filter(code__in=batch).values_list("code", "pk"):
            if (code, key) not in found[code_key(code)]:
                found[code_key(code)].append((code, key))
    return {code: found[key][0] for code, key in wanted.items() if len(found.get(key, ())) == 1}
