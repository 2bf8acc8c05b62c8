"""Text on one line: what is in a header opens no other header."""

import unicodedata

# In place of the text of a mail whose time of retention is over (mailing.retention); it is not sent again.
ERASED_TEXT = "(texte effacé à la fin de sa durée de conservation)"


def one_line(text: str) -> str:
    """``text`` with a space for each control character and line break, without spaces at its ends."""
    if not text.isprintable():  # most texts are, and asking so is quicker than looking at each character
        text = "".join(" " if unicodedata.category(char) in ("Cc", "Zl", "Zp") else char for char in text)
    return text.strip()
