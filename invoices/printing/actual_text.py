"""What is copied out of a page is what was typed: for scripts whose glyphs are not one for each character.

WeasyPrint gives a glyph the text of the cluster in which it meets it first: a letter first met under an accent would be
copied as nothing ever after, and its accent as the letter with the accent. Here each glyph is given its own character
as the face maps them. Where glyphs and characters do not match one by one (Thai vowels drawn in two parts, stacked
accents, conjuncts), the word carries its text (ActualText, ISO 32000-1 14.9.4).

Only words written from left to right carry their text: readers that lay the letters of a line in order (those made
with Poppler or PDFium) turn an ActualText of Hebrew or Arabic round, and read its glyphs rightly.
"""

import contextlib
import io
import re
import unicodedata
from collections.abc import Iterator
from typing import Any

import weasyprint.draw.text
from fontTools.ttLib import TTFont
from weasyprint.text.ffi import ffi, pango

from invoices.printing.release import is_right_release

draw_first_line_plainly = weasyprint.draw.text.draw_first_line

# Marks and joining signs, and the scripts that reorder, join or stack.
SHAPED = re.compile(
    "[\u0300-\u036f\u0483-\u0489\u0590-\u109f\u1100-\u11ff\u1780-\u17ff\u1ab0-\u1aff\u1dc0-\u1dff"
    "\u200c\u200d\u20d0-\u20ff\ufe20-\ufe2f]"
)
SHOWN = re.compile(rb"<([0-9a-f]*)>|[^<]+")
# For a glyph that represents nothing by itself: PDF/A-3a wants some text for each. The word joiner is not shown.
NO_TEXT = "\u2060"
DIGITS = 4  # of a glyph in a string that is shown


@contextlib.contextmanager
def copied_as_typed() -> Iterator[None]:
    """Draw texts with what copying them needs, inside of the block."""
    if not is_right_release():
        yield
        return
    weasyprint.draw.text.draw_first_line = draw_first_line
    try:
        yield
    finally:
        weasyprint.draw.text.draw_first_line = draw_first_line_plainly


def draw_first_line(stream: Any, textbox: Any, text_overflow: str, block_ellipsis: str, matrix: Any) -> Any:
    """Draw a line of text as WeasyPrint does, then mark in its operators the words that carry their text."""
    text = textbox.text
    if text.isascii() or text_overflow != "clip" or block_ellipsis != "none" or SHAPED.search(text) is None:
        return draw_first_line_plainly(stream, textbox, text_overflow, block_ellipsis, matrix)
    layout = textbox.pango_layout
    pango.pango_layout_set_single_paragraph_mode(layout.layout, True)
    words = _study(stream, layout)
    operators = stream.stream
    before = len(operators)
    pictures = draw_first_line_plainly(stream, textbox, text_overflow, block_ellipsis, matrix)
    if words:
        operators[before:] = _with_texts(operators[before:], words)
    return pictures


def _study(stream: Any, layout: Any) -> list[tuple[int, int, str]]:
    """Teach the fonts what each glyph of the line represents; the words to mark, by their first and last glyph."""
    line, _ = layout.get_first_line()
    encoded = layout.text.encode()
    words = []
    position = 0
    run = line.runs[0]
    while run != ffi.NULL:
        item, glyphs = run.data.item, run.data.glyphs
        run = run.next
        font, _ = stream.add_font(item.analysis.font)
        is_leftwards = bool(item.analysis.level % 2)
        start, typed, is_matched = position, "", True
        for drawn, text in _clusters(encoded[item.offset : item.offset + item.length], glyphs, is_leftwards):
            _teach(font, drawn, text)
            if text.isspace():
                if not is_matched:
                    words.append((start, position, typed))
                start, typed, is_matched = position + len(drawn), "", True
            else:
                typed += text
                is_matched = is_matched and (is_leftwards or _is_plain(drawn, text))
            position += len(drawn)
        if not is_matched:
            words.append((start, position, typed))
    return words


def _is_plain(glyphs: list[int], text: str) -> bool:
    """One glyph for one character that is beside the one before, not above or under it."""
    return len(glyphs) == len(text) == 1 and unicodedata.category(text)[0] != "M"


def _clusters(encoded: bytes, glyph_string: Any, is_leftwards: bool) -> list[tuple[list[int], str]]:
    """The clusters of a run as they are drawn: the glyphs of each, and its text."""
    groups: list[tuple[int, list[int]]] = []
    for index in range(glyph_string.num_glyphs):
        offset = glyph_string.log_clusters[index]
        if not groups or groups[-1][0] != offset:
            groups.append((offset, []))
        glyph = glyph_string.glyphs[index].glyph
        if glyph != pango.PANGO_GLYPH_EMPTY:
            groups[-1][1].append(glyph)
    offsets = [offset for offset, _ in groups]
    ends = [len(encoded), *offsets[:-1]] if is_leftwards else [*offsets[1:], len(encoded)]
    return [(glyphs, encoded[offset:end].decode()) for (offset, glyphs), end in zip(groups, ends, strict=True)]


def _teach(font: Any, glyphs: list[int], text: str) -> None:
    """Give each glyph of a cluster the character that the face draws with it; what is left over, to the others."""
    own = _characters_of(font)
    drawable = {character for glyph in glyphs for character in own.get(glyph, "")}
    left = [part for character in text for part in (character if character in drawable else _parts(character))]
    others = []
    for glyph in glyphs:
        found = next((character for character in own.get(glyph, "") if character in left), "")
        if found:
            left.remove(found)
            font.to_unicode.setdefault(glyph, found)
        elif not glyph & pango.PANGO_GLYPH_UNKNOWN_FLAG:
            others.append(glyph)
    for index, glyph in enumerate(others, 1):
        given = left if index == len(others) else left[:1]
        font.to_unicode.setdefault(glyph, "".join(given) or own.get(glyph, NO_TEXT)[0])
        left = left[len(given) :]


def _parts(character: str) -> str:
    """What a character may be drawn in: the Thai vowel am in two, but no other sign is put for it."""
    return unicodedata.normalize("NFKD", character)


_known: dict[bytes, dict[int, str]] = {}  # by face: these are few


def _characters_of(font: Any) -> dict[int, str]:
    """The characters that a face draws with each glyph when it is alone."""
    face = font.name.partition(b"+")[2]
    if face not in _known:
        with TTFont(io.BytesIO(font.file_content), fontNumber=font.index, lazy=True) as opened:
            characters: dict[int, str] = {}
            for codepoint, name in opened.getBestCmap().items():
                glyph = opened.getGlyphID(name)
                characters[glyph] = characters.get(glyph, "") + chr(codepoint)
        _known[face] = characters
    return _known[face]


def _with_texts(operators: list[Any], words: list[tuple[int, int, str]]) -> list[Any]:
    """The operators that show glyphs, with each word's text around its glyphs."""
    opening = {start: b"/Span<</ActualText<feff%b>>>BDC" % _hexadecimal(text) for start, _, text in words}
    closing = {end for _, end, _ in words}
    marked: list[Any] = []
    shown: list[bytes] = []
    count = 0

    def show() -> None:
        if shown:
            marked.append(b"[%b] TJ" % b"".join(shown))
            shown.clear()

    for operator in operators:
        if type(operator) is not bytes or not operator.endswith(b"] TJ"):
            marked.append(operator)
            continue
        for token in SHOWN.finditer(operator, 1, len(operator) - len(b"] TJ")):
            if not token[1]:  # a move, or the nothing between two moves
                shown.append(token[0])
                continue
            for place in range(0, len(token[1]), DIGITS):
                if count in opening:
                    show()
                    marked.append(opening[count])
                shown.append(b"<%b>" % token[1][place : place + DIGITS])
                count += 1
                if count in closing:
                    show()
                    marked.append(b"EMC")
        show()
    return marked


def _hexadecimal(text: str) -> bytes:
    return text.encode("utf-16-be").hex().encode()
