"""The words that passwords are judged by, as a small file for the page that judges while one types: a Bloom filter.

The page never judges a password better than the server does, so a filter, which takes some other words for its own,
is good enough. Format: number of bits and of hashes (4 bytes each, little-endian), then the bits.
"""

import math
import struct
from collections.abc import Iterator
from typing import Final

from django.contrib.auth.password_validation import CommonPasswordValidator

from customers.passwords import french_words

# One text of two thousand that is no word of the lists is taken for one; a password has a hundred parts.
_BITS_PER_WORD: Final = 16
_HASHES: Final = 11
# Shorter ones are found about as fast letter by letter; longer ones are not typed as one word.
SHORTEST, LONGEST = 4, 24
# A word of a rank beyond these is found after as many guesses at least.
RARE: Final = (3000, 300)


def write_filter() -> bytes:
    """The file, the same for the same lists."""
    marked = sorted({f"{word}{_mark(rank)}" for word, rank in _ranks().items()})
    size = math.ceil(len(marked) * _BITS_PER_WORD / 8) * 8
    bits = bytearray(size // 8)
    for text in marked:
        for place in places(text, size=size, hashes=_HASHES):
            bits[place >> 3] |= 1 << (place & 7)
    return struct.pack("<II", size, _HASHES) + bytes(bits)


def places(text: str, *, size: int, hashes: int) -> Iterator[int]:
    """The bits of ``text``: two hashes (FNV-1a of 32 bits, from two beginnings) give all others."""
    data = text.encode()
    one, two = _fnv(data, 0x811C9DC5), _fnv(data, 0x01000193) | 1
    for number in range(hashes):
        yield (one + number * two) % 2**32 % size


def _fnv(data: bytes, start: int) -> int:
    value = start
    for byte in data:
        value = (value ^ byte) * 0x01000193 % 2**32
    return value


def _mark(rank: int) -> str:
    """``2`` for rare words, ``1`` for less rare ones, ``0`` for those that are guessed first."""
    return next((str(len(RARE) - place) for place, limit in enumerate(RARE) if rank > limit), "0")


def _ranks() -> dict[str, int]:
    """Each word with its best rank in any list."""
    from zxcvbn.matching import RANKED_DICTIONARIES

    lists = [*RANKED_DICTIONARIES.values(), french_words(), dict.fromkeys(CommonPasswordValidator().passwords, 1)]
    ranks: dict[str, int] = {}
    for words in lists:
        for word, rank in words.items():
            if SHORTEST <= len(word) <= LONGEST:
                ranks[word] = min(rank, ranks.get(word, rank))
    return ranks
