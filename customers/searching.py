"""Text as searches compare it."""

import unicodedata
from itertools import filterfalse


def search_key(text: str) -> str:
    """``text`` without accents and case, in one case: «Comptabilité» gives «comptabilite»."""
    decomposed = unicodedata.normalize("NFKD", text)
    return "".join(filterfalse(unicodedata.combining, decomposed)).casefold().strip()
