"""The bundled faces: which characters they hold, how wide a text is, and how WeasyPrint finds them.

Nothing of the system's fonts is used, so every machine draws the same page. Latin, Greek and Cyrillic are in the two
main faces; the others are looked at only when a text needs them, and cost nothing otherwise.
"""

import itertools
import logging
import os
import re
import threading
import unicodedata
from functools import cache, lru_cache
from pathlib import Path

from fontTools.ttLib import TTFont
from weasyprint.text.fonts import FontConfiguration

logger = logging.getLogger(__name__)

FOLDER = Path(__file__).resolve().parent / "faces"
REGULAR = "FactureSans-Regular.ttf"
BOLD = "FactureSans-Bold.ttf"
FALLBACKS = (
    "NotoSansArabic-Regular.ttf",
    "NotoSansHebrew-Regular.ttf",
    "NotoSansArmenian-Regular.ttf",
    "NotoSansGeorgian-Regular.ttf",
    "NotoSansThai-Regular.ttf",
    "NotoSansDevanagari-Regular.ttf",
    "NotoSansBengali-Regular.ttf",
    "NotoSansGurmukhi-Regular.ttf",
    "NotoSansGujarati-Regular.ttf",
    "NotoSansOriya-Regular.ttf",
    "NotoSansTamil-Regular.ttf",
    "NotoSansTelugu-Regular.ttf",
    "NotoSansKannada-Regular.ttf",
    "NotoSansMalayalam-Regular.ttf",
    "NotoSansSinhala-Regular.ttf",
    "NotoSansLao-Regular.ttf",
    "NotoSansKhmer-Regular.ttf",
    "NotoSansMyanmar-Regular.ttf",
    "NotoSansEthiopic-Regular.ttf",
    "DroidSansFallbackFull.ttf",
    "FactureHangul-Regular.ttf",
    # Of signs, each in one face only: which one prints a sign does not depend on their order.
    "NotoEmoji-Regular.ttf",
    "NotoSansSymbols2-Regular.ttf",
    "NotoSansSymbols-Regular.ttf",
    "NotoSansMath-Regular.ttf",
)
# Shown for a character that no bundled face has: a missing glyph would make the file no PDF/A.
SUBSTITUTE = "□"
# What only changes the picture before it (UTS 51): its style, its keycap, skin tones. The picture alone is printed.
MODIFIERS = re.compile("[\ufe00-\ufe0f\u20e3\U0001f3fb-\U0001f3ff]")
# Arabic, the scripts of India and of the south-east of Asia: in these, a joiner or its contrary is spelling.
JOINED = re.compile("[\u0600-\u08ff\u0900-\u0dff\u1000-\u109f\u1780-\u17ff]")
JOINERS = "\u200c\u200d"
# Spaces at which a line may break: not before a sign that French writes apart from its word, nor within a number.
BREAKS = re.compile("(?<!«) (?![;:!?»%€·])(?!(?<=[0-9] )[0-9]{2,3}(?![0-9]))")
PART_ENDS = "@/._-"  # of an address or a code: it is broken after one of these
VIRAMA = 9  # combining class of the sign that ties a consonant to the next one
# Beside what is printed in place of one character; no text has it, as every control is left out.
SEAM = "\0"
SEAMS = re.compile(f"{SEAM}+")
BETWEEN_MARKUP = re.compile("[^<>]+")

_lock = threading.Lock()


@cache
def _widths(file: str) -> dict[int, float]:
    """Advance width of each character of a face, in em."""
    # A face reads its tables when they are asked for, which two threads must not do in the same object.
    with TTFont(FOLDER / file, lazy=True) as face:
        # Glyphs need no name of theirs to be looked up, and naming them is most of the work.
        face.setGlyphOrder([str(glyph) for glyph in range(face["maxp"].numGlyphs)])
        advances, units = face["hmtx"].metrics, face["head"].unitsPerEm
        return {codepoint: advances[glyph][0] / units for codepoint, glyph in face.getBestCmap().items()}


@cache
def font_configuration() -> FontConfiguration:
    """WeasyPrint's own font configuration, reading the bundled folder and nothing else; one for the process."""
    # Fontconfig reads its place from the environment when a configuration is made. The variable is put back at
    # once: a child process (a browser, say) must find its own fonts.
    with _lock:
        before = os.environ.get("FONTCONFIG_FILE")
        os.environ["FONTCONFIG_FILE"] = str(FOLDER / "fonts.conf")
        try:
            return FontConfiguration()
        finally:
            if before is None:
                del os.environ["FONTCONFIG_FILE"]
            else:
                os.environ["FONTCONFIG_FILE"] = before


@cache
def _outside_main_faces() -> re.Pattern[str]:
    """Matches any character that may not go to the page as it is."""
    codepoints = sorted(_widths(REGULAR).keys() & _widths(BOLD).keys())
    safe = [c for c in codepoints if c == 0xA0 or c == 0x202F or unicodedata.category(chr(c))[0] not in "CZ" or c == 32]
    ranges, start, last = [], safe[0], safe[0]
    for codepoint in [*safe[1:], 0x110000]:
        if codepoint != last + 1:
            ranges.append(f"\\U{start:08x}-\\U{last:08x}")
            start = codepoint
        last = codepoint
    return re.compile(f"[^\n{''.join(ranges)}]")


@lru_cache(maxsize=4096)
def _substitute_for(character: str) -> str:
    """What is printed for a character that the main faces lack."""
    category = unicodedata.category(character)
    if category in ("Zs", "Zl", "Zp") or character in "\t\r\v\f\x85":
        return " "
    if category[0] == "C" or MODIFIERS.match(character):  # controls, direction overrides, surrogates
        return ""
    if _is_in_a_face(character):
        return character
    # A ligature, a letter in a circle or of half a width: the letters that it is made of.
    letters = unicodedata.normalize("NFKC", character)
    if letters != character and all(map(_is_in_a_face, letters)):
        # A digit of whatever script or width goes on a number; a fraction or a day of the month does not.
        return letters if category == "Nd" else f"{SEAM}{letters}{SEAM}"
    logger.warning("no bundled font has U+%04X; %s is printed for it", ord(character), SUBSTITUTE)
    return SUBSTITUTE


def _is_in_a_face(character: str) -> bool:
    return any(ord(character) in _widths(file) for file in (REGULAR, *FALLBACKS))


def printable(text: str) -> str:
    """``text`` with nothing in it that the bundled faces cannot show, nor any control or direction character."""
    if _outside_main_faces().search(text) is None:
        return text
    # A bracket and a stroke laid over it would become one letter, and a page would lose its tag.
    composed = BETWEEN_MARKUP.sub(lambda match: unicodedata.normalize("NFC", match[0]), text)
    replaced = _outside_main_faces().sub(_replaced, composed)
    return SEAMS.sub(_between_numbers, replaced) if SEAM in replaced else replaced


def _between_numbers(seam: re.Match[str]) -> str:
    """A blank where digits on both sides would be read as one number: « 1⅔ » is no « 12⁄3 »."""
    before, after = seam.string[max(seam.start() - 1, 0) : seam.start()], seam.string[seam.end() : seam.end() + 1]
    return " " if before.isnumeric() and after.isnumeric() else ""


def _replaced(match: re.Match[str]) -> str:
    if (
        match[0] in JOINERS
        and JOINED.match(match.string, match.start() - 1)
        and JOINED.match(match.string, match.end())
    ):
        return match[0]
    return _substitute_for(match[0])


@lru_cache(maxsize=4096)
def width(text: str, size: float, *, bold: bool = False) -> float:
    """Width of ``text`` at ``size``, in the unit of ``size``, without kerning (which only narrows it)."""
    widths = _widths(BOLD if bold else REGULAR)
    try:
        return sum([widths[ord(character)] for character in text]) * size
    except KeyError:
        return sum(_advance(character, bold) for character in text) * size


@lru_cache(maxsize=4096)
def _advance(character: str, bold: bool) -> float:
    for file in (BOLD if bold else REGULAR, *FALLBACKS):
        if (advance := _widths(file).get(ord(character))) is not None:
            return advance
    return 1.0


def wrap(text: str, room: float, size: float, *, bold: bool = False) -> list[str]:
    """The lines of ``text`` when it is set at ``size`` in a column of ``room`` (same unit).

    Breaks at its newlines, then at spaces (not before « : » or within « 1 234 »), then inside of a word that is wider
    than the column: whatever is typed stays inside its place. The page is laid out with these breaks, so heights are
    known before layout. What is measured is what is printed (see :func:`printable`).
    """
    lines = []
    for paragraph in printable(text).split("\n"):
        if width(paragraph, size, bold=bold) <= room:
            lines.append(paragraph)
            continue
        line = ""
        words = (
            [part] if width(part, size, bold=bold) <= room else part.split(" ") for part in BREAKS.split(paragraph)
        )
        for word in itertools.chain.from_iterable(words):
            candidate = f"{line} {word}" if line else word
            if width(candidate, size, bold=bold) <= room:
                line = candidate
                continue
            if line:
                lines.append(line)
            while width(word, size, bold=bold) > room:
                fitting = _fitting(word, room, size, bold)
                lines.append(word[:fitting])
                word = word[fitting:]
            line = word
        lines.append(line)
    return lines


def _fitting(word: str, room: float, size: float, bold: bool) -> int:
    """How many characters of ``word`` fit in ``room``, at least one; what is tied to a letter stays with it."""
    total, count = 0.0, 0
    for count, character in enumerate(word):
        total += _advance(character, bold) * size
        if total > room and count:
            break
    while count > 1 and _is_tied(word[count - 1], word[count]):
        count -= 1
    # After a sign that joins parts of an address or a code, where that leaves no short line; a number stays as it is.
    for place in range(count, count // 2, -1):
        if word[place - 1] in PART_ENDS and not (word[place].isdigit() or _is_tied(word[place - 1], word[place])):
            return place
    return max(count, 1)


def _is_tied(before: str, character: str) -> bool:
    return (
        unicodedata.category(character)[0] == "M"
        or character in JOINERS
        or before in JOINERS
        or unicodedata.combining(before) == VIRAMA
    )
