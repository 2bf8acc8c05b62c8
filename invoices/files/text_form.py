"""How a text file is written: its encoding found, its separator guessed.

UTF-8 with or without BOM, with rows of Windows-1252 in it too; UTF-16; Windows-1252; ISO-8859-15; else what
charset-normalizer finds.
"""

import codecs
import functools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple

import charset_normalizer

from invoices.files.rows import UnreadableTable, opened

_SAMPLE_BYTES: Final = 64 * 1024
_CHUNK_BYTES: Final = 1024 * 1024
_LONGEST_SIGN: Final = 10  # of what is looked for in the bytes: an entity of HTML
_DELIMITERS: Final = (";", "\t", ",", "|")
_OTHER_SINGLE_BYTE: Final = ["cp1252", "cp850", "mac_roman", "iso8859_15", "cp1250", "iso8859_2"]
# In Windows-1252 these are quotes, dots and daggers; between letters they are another code page's accented ones.
_MISREAD_ACCENTS: Final = re.compile(r"[a-z][‚ƒ„…†‡ˆ‰Š‹Œ‘“”•–—˜Ž][a-z]")
# Signs that ISO-8859-15 has where Windows-1252 has others: the euro instead of ¤, œ and Œ instead of fractions.
_LATIN9: Final = re.compile(rb"\xa4|[a-zA-Z]\xbd|\xbd[a-z]{2}|\xbc[a-zA-Z]{2}")
_NOT_LATIN: Final = re.compile(rb"[\x80-\x9f]")  # letters of Windows-1252, control characters in ISO-8859-15
_INVISIBLE_BYTES: Final = re.compile(rb"\xc2\xad|\xe2\x80[\x8b-\x8f\xaa-\xae]|\xe2\x81[\xa0\xa6-\xa9]|\xef\xbb\xbf")
_APOSTROPHE_BYTES: Final = re.compile(rb"'(?<=[;,\t|\"\n]')[0-9+]")
_ENTITY_BYTES: Final = re.compile(rb"&#?[A-Za-z0-9]{1,8};")
_HEADS_OF_INVISIBLE: Final = (
    b"\xc2\xad",
    b"\xe2\x80",
    b"\xe2\x81",
    codecs.BOM_UTF8,
)
_SOFT_HYPHEN: Final = b"\xad"
_CONTROL_BYTES: Final = bytes((*range(9), 11, 12, *range(14, 32), 127))


class TextForm(NamedTuple):
    """The form of a text file. ``skipped``: how many lines precede the table."""

    encoding: str
    delimiter: str
    skipped: int
    has_unwanted: bool
    """Whether any character is one that no database takes, or that no one sees."""
    has_marks: bool
    """Whether any cell seems to have what makes spreadsheets take a number for text."""
    has_cut_entities: bool
    """Whether semicolons separate cells, and seem to end entities of HTML (``&amp;``) too."""


def form_of(source: Path | bytes) -> TextForm:
    """The form of a text file. Raises :class:`UnreadableTable` where it cannot be opened or no encoding is found."""
    if isinstance(source, bytes):
        return _look_through(source)
    try:
        state = source.stat()
    except OSError as error:
        raise UnreadableTable("Ce fichier ne peut pas être ouvert.") from error
    return _form_of_file(source, (state.st_dev, state.st_ino, state.st_size, state.st_mtime_ns))


@functools.lru_cache(maxsize=32)  # an import begins to read a table several times, and to know this reads all of it
def _form_of_file(path: Path, _state: tuple[int, ...]) -> TextForm:
    return _look_through(path)


def _look_through(source: Path | bytes) -> TextForm:
    encoding = _encoding_of(source)
    delimiter, skipped = _delimiter_of(source, encoding)
    has_entities = delimiter == ";" and any(map(_ENTITY_BYTES.search, _chunks(source)))
    return TextForm(encoding, delimiter, skipped, _has_unwanted(source, encoding), _has_marks(source), has_entities)


def _chunks(source: Path | bytes) -> Iterator[bytes]:
    """The bytes of ``source``, each chunk after the last bytes of the one before it."""
    with opened(source) as stream:
        end = b""
        while chunk := stream.read(_CHUNK_BYTES):
            yield end + chunk
            end = chunk[-_LONGEST_SIGN:]


def _has_marks(source: Path | bytes) -> bool:
    """Whether any cell seems to have such marks."""
    return any(_holds(chunk, b'="') or _APOSTROPHE_BYTES.search(chunk) is not None for chunk in _chunks(source))


def _holds(chunk: bytes, sign: bytes) -> bool:
    """Whether ``sign`` is in ``chunk``: often one of its bytes is not, and one is looked for ten times as fast."""
    return sign[0] in chunk and sign[-1] in chunk and sign in chunk


def _has_unwanted(source: Path | bytes, encoding: str) -> bool:
    """Whether any byte is one of those: looked at once, so that sound files need no look at each line."""
    if encoding.startswith("utf-16"):
        return True
    is_utf8 = encoding.startswith("utf-8")
    for number, chunk in enumerate(_chunks(source)):
        if not number and chunk.startswith(codecs.BOM_UTF8):
            chunk = chunk[len(codecs.BOM_UTF8) :]
        if len(chunk.translate(None, _CONTROL_BYTES)) != len(chunk):
            return True
        if not is_utf8:
            if _SOFT_HYPHEN in chunk:
                return True
        elif any(_holds(chunk, head) for head in _HEADS_OF_INVISIBLE) and _INVISIBLE_BYTES.search(chunk):
            return True
    return False


def _delimiter_of(source: Path | bytes, encoding: str) -> tuple[str, int]:
    """The separator by the first lines that hold any, and how many lines to pass over (``sep=;``, Excel's own hint)."""
    with opened(source) as stream:
        head = stream.read(_SAMPLE_BYTES)
    lines = codecs.getincrementaldecoder(encoding)("replace").decode(head).splitlines()[:10]
    if lines and (hint := re.fullmatch(r"\"?sep=(.)\"?", lines[0].strip("\ufeff \t"))):
        return hint[1], 1
    for line in lines:
        outside_quotes = re.sub(r'"[^"]*"', "", line)
        counts = {delimiter: outside_quotes.count(delimiter) for delimiter in _DELIMITERS}
        best = max(counts, key=lambda each: counts[each])
        if counts[best]:
            return best, 0
    return ";", 0


def _encoding_of(source: Path | bytes) -> str:
    """The encoding in which the whole file can be read."""
    with opened(source) as stream:
        head = stream.read(_SAMPLE_BYTES)
        if head.startswith(codecs.BOM_UTF8):
            return "utf-8-sig"
        if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            return "utf-16"
        if (nul_free := _utf16_without_bom(head)) is not None:
            return nul_free
        stream.seek(0)
        if _decodes(stream, "utf-8"):
            return "utf-8"
        stream.seek(0)
        if _has_rows_in_utf8(stream):
            return "utf-8"  # with rows of Windows-1252, which OTHER_ROWS reads
        stream.seek(0)
        readable = _decodes(stream, "cp1252")
    # The sample begins where the accents are: a file may be plain for a long time.
    sample = _first_accents(source)
    if readable and not _MISREAD_ACCENTS.search(sample.decode("cp1252", "replace")):
        return "iso8859_15" if _LATIN9.search(sample) and not _NOT_LATIN.search(sample) else "cp1252"
    if (sure := _only_french(sample)) is not None:
        return sure
    guess = charset_normalizer.from_bytes(sample, cp_isolation=_OTHER_SINGLE_BYTE).best()
    if guess is None:
        raise UnreadableTable("Le jeu de caractères de ce fichier n’est pas reconnu : enregistrez-le en UTF-8.")
    return guess.encoding


_FRENCH_SIGNS: Final = frozenset("àâäçéèêëîïôöùûüÿœæÀÂÄÇÉÈÊËÎÏÔÖÙÛÜŸŒÆ°€«»’‘–²³\u00a0")


def _only_french(sample: bytes) -> str | None:
    """The old code page, of those of DOS and the Mac, in which all beyond ASCII is French; None for none or both."""
    found = []
    for encoding in ("cp850", "mac_roman"):
        beyond = {char for char in sample.decode(encoding, "replace") if not char.isascii()}
        if beyond and beyond <= _FRENCH_SIGNS:
            found.append(encoding)
    return found[0] if len(found) == 1 else None


def _has_rows_in_utf8(stream: BinaryIO) -> bool:
    """Whether any line with letters beyond ASCII is UTF-8: text of another code page never is, by chance."""
    while line := stream.readline(_CHUNK_BYTES):
        if not line.isascii():
            try:
                line.decode()
            except UnicodeDecodeError:
                continue
            return True
    return False


def _as_windows_1252(error: UnicodeError) -> tuple[str, int]:
    """What UTF-8 cannot read, as Windows-1252: rows that another program added to the file."""
    if not isinstance(error, UnicodeDecodeError) or "unexpected end" in error.reason:
        raise error  # the file was cut in the middle of a character
    text = error.object[error.start : error.end].decode("cp1252")
    return text.replace("¤", "€"), error.end  # ISO-8859-15 has the euro there, and no one writes ¤


OTHER_ROWS: Final = "rows-of-windows-1252"
codecs.register_error(OTHER_ROWS, _as_windows_1252)


def _utf16_without_bom(head: bytes) -> str | None:
    """UTF-16 betrays itself by the zero in every other byte of ordinary text."""
    even, odd = head[0:400:2], head[1:400:2]
    if len(odd) >= 4 and odd.count(0) > 0.7 * len(odd) and even.count(0) < 0.1 * len(even):
        return "utf-16-le"
    if len(even) >= 4 and even.count(0) > 0.7 * len(even) and odd.count(0) < 0.1 * len(odd):
        return "utf-16-be"
    return None


def _decodes(stream: BinaryIO, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    try:
        while chunk := stream.read(_CHUNK_BYTES):
            decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _first_accents(source: Path | bytes) -> bytes:
    """Lines with bytes beyond ASCII, up to the size of a sample."""
    lines: list[bytes] = []
    size = 0
    with opened(source) as stream:
        while size < _SAMPLE_BYTES and (line := stream.readline(_SAMPLE_BYTES)):
            if not line.isascii():
                lines.append(line)
                size += len(line)
    return b"".join(lines)
