"""What is remembered of drawing: bare boxes, plain lines, and each text in each style (see :mod:`.layout`)."""

import copy
from dataclasses import dataclass
from typing import Any

import weasyprint.draw
from weasyprint.draw.border import draw_border as draw_border_plainly
from weasyprint.draw.color import get_color
from weasyprint.formatting_structure import boxes
from weasyprint.layout import background
from weasyprint.matrix import Matrix
from weasyprint.pdf.fonts import Font
from weasyprint.pdf.stream import Stream
from weasyprint.text.ffi import ffi
from weasyprint.text.fonts import get_pango_font_key

from invoices.printing.actual_text import draw_first_line
from invoices.printing.weasyprint_cache import texts
from invoices.printing.weasyprint_cache.trees import to_bytes

MOST_TEXTS = 200  # for each style

original_draw_text = weasyprint.draw.draw_text
set_color_plainly = Stream.set_color
layout_backgrounds_plainly = background.layout_box_backgrounds

NO_RADII = {f"border_{corner}_radius": (0, 0) for corner in ("top_left", "top_right", "bottom_right", "bottom_left")}


def _is_bare(style: Any) -> Any:
    """No background, no round corner, no picture for a border or a mask."""
    try:
        return style.remembered_bareness
    except AttributeError:
        found = style.remembered_bareness = (
            style["visibility"] == "visible"
            and get_color(style, "background_color").alpha == 0
            and all(kind == "none" for kind, _ in style["background_image"])
            and not style["box_shadow"]
            and style["border_image_source"][0] == "none"
            and style["mask_border_source"][0] == "none"
            and all(tuple(map(tuple, style[name])) == ((0, "px"), (0, "px")) for name in NO_RADII)
            and style["column_width"] == style["column_count"] == "auto"
        )
        return found


def layout_box_backgrounds(
    page: Any, box: Any, get_image: Any, layout_children: bool = True, style: Any = None
) -> None:
    """Most boxes have neither background nor round corners: they only lead to their children."""
    if box is page or style is not None or not layout_children or not _is_bare(box.style):
        layout_backgrounds_plainly(page, box, get_image, layout_children, style)
        return
    if isinstance(box, boxes.Box):
        box.__dict__.update(NO_RADII)
    else:
        for name, value in NO_RADII.items():
            setattr(box, name, value)
    for child in box.all_children():
        layout_box_backgrounds(page, child, get_image)
    box.background = None


def draw_border(stream: Any, box: Any) -> None:
    """No border: nothing to do. A plain line above or below: its few operators."""
    widths = (box.border_top_width, box.border_right_width, box.border_bottom_width, box.border_left_width)
    style = box.style
    if not _is_bare(style):
        draw_border_plainly(stream, box)
        return
    top, right, bottom, left = widths
    if not (top or right or bottom or left):
        return
    side = "bottom" if bottom else "top"
    color = get_color(style, f"border_{side}_color")
    if right or left or (top and bottom) or style[f"border_{side}_style"] != "solid" or not color.alpha:
        draw_border_plainly(stream, box)
        return
    x, y = box.border_box_x(), box.border_box_y()
    width, height = box.border_width(), box.border_height()
    with stream.artifact(), stream.stacked():
        edge, inner = (y + height, y + height - bottom) if bottom else (y, y + top)
        start, end, first = to_bytes(x), to_bytes(x + width), to_bytes(edge)
        last = to_bytes(inner)
        stream.stream.append(
            b"%b %b m\n%b %b l\n%b %b l\n%b %b l\nW*\nn" % (end, first, start, first, start, last, end, last)
        )
        stream.set_color(color)
        long = to_bytes(width)
        stream.stream.append(
            b"%b %b %b %b re\n%b %b %b %b re\nf*"
            % (
                start,
                to_bytes(y + top),
                long,
                to_bytes(height - top - bottom),
                start,
                to_bytes(y),
                long,
                to_bytes(height),
            )
        )


def set_color(stream: Any, color: Any, stroke: bool = False) -> None:
    """The operator of a colour is kept beside it; a stylesheet has few."""
    if stroke or color.space != "srgb":
        set_color_plainly(stream, color, stroke)
        return
    try:
        key, operator = color.remembered_operator
    except AttributeError:
        key = (color.space, *color.coordinates)
        operator = b" ".join((*map(to_bytes, color.to("srgb").coordinates), b"rg"))
        color.remembered_operator = (key, operator)
    stream.set_alpha(color.alpha)
    if key != stream._current_color:
        stream._current_color = key
        stream.stream.append(operator)


def page_references(pdf: Any) -> tuple[bytes, ...]:
    """Asked by each element of the structure tree: made again only when pages were added."""
    kids = pdf.pages["Kids"]
    known: tuple[bytes, ...] = pdf.__dict__.get("remembered_references", ())
    if 3 * len(known) != len(kids):
        known = pdf.remembered_references = tuple(b"%d 0 R" % number for number in kids[::3])
    return known


class _Drawn:
    """How a text is drawn, wherever it is: operators of the content stream, and glyphs by font."""

    def __init__(self, operators: list[Any], fonts: dict[Any, Any]) -> None:
        self.operators = operators
        self.fonts = fonts


def draw_text(stream: Any, textbox: Any, offset_x: float, text_overflow: str, block_ellipsis: str) -> None:
    """A text in a style is always drawn alike, wherever it is."""
    style = textbox.style
    if (
        text_overflow != "clip"
        or block_ellipsis != "none"
        or textbox.justification_spacing
        or style["visibility"] != "visible"
        or style["text_decoration_line"] != "none"
    ):
        original_draw_text(stream, textbox, offset_x, text_overflow, block_ellipsis)
        return
    drawn = _known_drawings(style).get(textbox.text)
    if drawn is None:
        # Not met when it was laid out (see learn_drawing), forgotten since, or not to be remembered.
        original_draw_text(stream, textbox, offset_x, text_overflow, block_ellipsis)
        return
    stream.set_color(style["color"])
    stream.begin_text()
    if drawn.operators:
        operators = stream.stream
        place = to_bytes(textbox.position_x), to_bytes(textbox.position_y + textbox.baseline)
        operators.append(b"1 0 0 -1 %b %b Tm" % place)
        for operator in drawn.operators:
            if type(operator) is bytes:
                operators.append(operator)
            else:
                stream.set_font_size(*operator)
        fonts = stream._fonts
        for key, (prototype, widths, to_unicode) in drawn.fonts.items():
            font = fonts.get(key)
            if font is None:
                font = fonts[key] = _fresh(prototype)
            known = font.to_unicode
            for glyph, characters in to_unicode.items():
                if glyph not in known:
                    known[glyph] = characters
                    font.widths.setdefault(glyph, widths[glyph])
    stream.end_text()


def _known_drawings(style: Any) -> dict[str, _Drawn]:
    try:
        return style.remembered_drawings  # type: ignore[no-any-return]
    except AttributeError:
        memo: dict[str, _Drawn] = {}
        style.remembered_drawings = memo
        return memo


@dataclass(slots=True)
class _LaidOut:
    """What drawing asks of a box of text."""

    style: Any
    text: str
    pango_layout: Any
    baseline: float = 0.0


def learn_drawing(layout: Any, style: Any) -> None:
    """Record how a text that was just laid out is drawn, while its layout is there: it need not be made again."""
    memo = _known_drawings(style)
    recorder = _Recorder()
    pictures = draw_first_line(recorder, _LaidOut(style, layout.text, layout), "clip", "none", Matrix(d=-1))
    if pictures or any(font.missing for font in recorder.fonts.values()):  # a glyph that no face has
        return
    if len(memo) >= MOST_TEXTS:
        memo.clear()
    fonts = {key: (prototypes[key], font.widths, font.to_unicode) for key, font in recorder.fonts.items()}
    memo[layout.text] = _Drawn(recorder.stream, fonts)


def learn_line(line: texts.Line, style: Any) -> bool:
    """The same for a line in the layout of its style; False where it cannot be read from there."""
    memo = _known_drawings(style)
    found = texts.drawn(line, prototypes)
    if found is None:
        return False
    if len(memo) >= MOST_TEXTS:
        memo.clear()
    memo[line.text] = _Drawn(*found)
    return True


# Faces are few and the font configuration keeps them: not bounded.
prototypes: dict[Any, Any] = {}


def _fresh(prototype: Any) -> Any:
    """The font for one document: what it holds of glyphs is its own."""
    font = copy.copy(prototype)
    font.widths, font.to_unicode, font.missing = {}, {}, {}
    return font


class _Recorder:
    """Replaces the content stream while a text is drawn for the first time."""

    # Where Pango writes what it is asked.
    length, ink_rect, logical_rect = (
        ffi.new("unsigned int *"),
        ffi.new("PangoRectangle *"),
        ffi.new("PangoRectangle *"),
    )

    def __init__(self) -> None:
        self.stream: list[Any] = []
        self.fonts: dict[Any, Any] = {}

    def add_font(self, pango_font: Any) -> tuple[Any, float]:
        key, description, size = get_pango_font_key(pango_font)
        if key not in self.fonts:
            if key not in prototypes:
                prototypes[key] = Font(pango_font, description, size)
            self.fonts[key] = _fresh(prototypes[key])
        return self.fonts[key], size

    def set_text_matrix(self, *_: float) -> None:
        """Where it is is not remembered."""

    def set_font_size(self, font: str, size: float) -> None:
        self.stream.append((font, size))

    def show_text(self, text: str) -> None:
        self.stream.append(b"[" + text.encode("ascii") + b"] TJ")

    def set_text_rise(self, height: float) -> None:
        self.stream.append(to_bytes(height) + b" Ts")
