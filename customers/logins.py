"""The one form of a login, in which it is stored and compared. Pure: settings are read with it too."""

import unicodedata
from typing import Final

# The length of an address at most (RFC 5321, 4.5.3.1.3), which is what a login is.
LONGEST_LOGIN: Final = 254


def canonical_login(text: str) -> str:
    """The form of a login under which all its writings are one: NFKC, lower case, no blanks around, nothing invisible.

    The dotless ı stays itself: PostgreSQL's upper case would make it the same as i, and one person's tries another's.
    """
    visible = "".join(char for char in text if unicodedata.category(char) not in ("Cf", "Cc"))
    return unicodedata.normalize("NFKC", visible).strip().lower()
