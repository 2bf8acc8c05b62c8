"""What a typed or pasted password may mean: mail programs, word processors and keyboards change what they carry."""

import re
import secrets
import unicodedata
from typing import Final

from django.contrib.auth.hashers import check_password

# No look-alikes: neither 0 O o, nor 1 l I, nor 5 S, 2 Z, 8 B.
ALPHABET: Final = "abcdefghijkmnpqrstuvwxyzACDEFGHJKLMNPQRTUVWXY34679"
GROUPS, GROUP_LENGTH = 3, 5
_PROVISIONAL: Final = re.compile("-".join([rf"[{ALPHABET}]{{{GROUP_LENGTH}}}"] * GROUPS))
# Signs of a minus, which Unicode does not count among dashes; quotes as word processors draw them.
_SIGNS: Final = str.maketrans({**dict.fromkeys("−˗⁃", "-"), **dict.fromkeys("‘’", "'"), **dict.fromkeys("“”", '"')})


def draw_password() -> str:
    """A random password such as ``k7Rqm-pX3dh-9wFtc``: 84 bits, in groups that can be read out."""
    return "-".join("".join(secrets.choice(ALPHABET) for _ in range(GROUP_LENGTH)) for _ in range(GROUPS))


def without_edges(password: str) -> str:
    """``password`` as its owner sees it: without blanks around it, nor characters that have no sign."""
    return "".join(sign for sign in password if unicodedata.category(sign) not in ("Cf", "Cc")).strip()


def with_signs_of_a_keyboard(text: str) -> str:
    """``text`` without its edges, with the dashes and quotes of a keyboard, each letter in one with its accent."""
    plain = unicodedata.normalize("NFC", without_edges(text)).translate(_SIGNS)
    return "".join("-" if unicodedata.category(sign) == "Pd" else sign for sign in plain)


def writings_of(password: str) -> list[str]:
    """``password`` as it was typed, then what it may have been before it was pasted, each once; three at most.

    The last is a provisional password found within what came along with it: a sentence, quotes, blanks.
    """
    plain = with_signs_of_a_keyboard(password)
    provisional = _PROVISIONAL.search("".join(plain.split()))
    return list(dict.fromkeys((password, plain, provisional[0] if provisional else plain)))


def opens(password: str, encoded: str) -> bool:
    """True where ``password``, as it was typed or before it was pasted, is the one that ``encoded`` is the hash of."""
    return any(check_password(writing, encoded) for writing in writings_of(password))
