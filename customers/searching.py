"""Text as searches compare it."""

import unicodedata


def search_key(text: str) -> str:
    """``text`` without accents and case, in one case: «Comptabilité» gives «comptabilite»."""
    decomposed = unicodedata.normalize("NFKD", text)
    return "".join(char for char in decomposed if not unicodedata.combining(char)).casefold().strip()
