"""The lines of a block of preformatted text: one text, or a name and its details in small type under it."""

from typing import Any

from weasyprint.formatting_structure import boxes
from weasyprint.layout import inline

from invoices.printing.weasyprint_cache.layout import resolve_percentages, split_line, strut_of

next_line_plainly = inline.get_next_linebox


def next_line(
    context: Any,
    linebox: Any,
    position_y: float,
    bottom_space: Any,
    skip_stack: Any,
    containing_block: Any,
    absolute_boxes: Any,
    fixed_boxes: Any,
    first_letter_style: Any,
    first_line_style: Any,
) -> Any:
    """The next line of a block that holds one preformatted text and nothing else, as nearly all of ours do.

    The same steps as for any line, without those that only concern floats, several boxes, wrapping or direction.
    A name with details under it is such a text and then another, which begins with the break between them: without
    this its two lines cost as much as ten others (3 ms of processor time of 50 an invoice of six lines).
    """
    found = None
    if not (context.excluded_shapes or first_letter_style or first_line_style):
        if _is_one_text(linebox):
            found = _line_of_text(context, linebox, position_y, skip_stack, containing_block)
        elif linebox.text_indent == 0 and is_name_with_details(linebox):
            found = _line_of_name(context, linebox, position_y, skip_stack, containing_block)
    if found is None:  # an empty line, too: rare, and a case of its own
        return next_line_plainly(
            context, linebox, position_y, bottom_space, skip_stack, containing_block,
            absolute_boxes, fixed_boxes, first_letter_style, first_line_style,
        )  # fmt: skip
    return found


def _begin_line(linebox: Any, box: Any, position_y: float, containing_block: Any) -> None:
    """Put an empty line, and the first ``box`` in it, where the line begins."""
    linebox.position_y = box.position_y = position_y
    linebox.width = linebox.height = 0
    linebox.position_x = box.position_x = containing_block.content_box_x()
    resolve_percentages(box, containing_block)


def _line_of_text(context: Any, linebox: Any, position_y: float, skip_stack: Any, containing_block: Any) -> Any:
    skip = _skipped(skip_stack)
    text = _text_after(linebox.children[0].text, skip)
    if not text or text[0] == "\n":
        return None
    box = linebox.children[0]
    split = split_line(text, box.style, context, None, 0)
    _begin_line(linebox, box, position_y, containing_block)

    line = _line_of(linebox, [_shown(box, split)])
    _align(context, line, containing_block, position_y)
    resume_index = split[2]
    return line, None if resume_index is None else {0: {resume_index + skip: None}}


def _line_of_name(context: Any, linebox: Any, position_y: float, skip_stack: Any, containing_block: Any) -> Any:
    name, small = linebox.children
    (index, inner) = (0, None) if skip_stack is None else next(iter(skip_stack.items()))
    box = small.children[0] if index else name
    skip = _skipped(inner if index else skip_stack)
    text = _text_after(box.text, skip)
    if not text or text[0] == "\n":
        return None
    split = split_line(text, box.style, context, None, 0)
    _begin_line(linebox, box, position_y, containing_block)
    resolve_percentages(small, containing_block)
    shown, is_last = _shown(box, split), split[2] is None
    resume_at: Any = None if is_last else {split[2] + skip: None}
    if index:
        resume_at = None if is_last else {1: {0: resume_at}}
        children = [_part(small, [shown], linebox.position_x, is_start=False, is_end=is_last)]
    elif is_last:
        # The details begin on this line, with its end: nothing of them is on it.
        resume_at = {1: {0: {1: None}}}
        after = shown.position_x + shown.margin_width()
        children = [shown, _part(small, [], after, is_start=True, is_end=False)]
    else:
        resume_at, children = {0: resume_at}, [shown]
    line = _line_of(linebox, children)
    _align(context, line, containing_block, position_y)
    return line, resume_at


def _part(small: Any, children: list[Any], position_x: float, *, is_start: bool, is_end: bool) -> Any:
    """What of ``small`` is on one line."""
    part = small.copy_with_children(children)
    part.remove_decoration(start=not is_start, end=not is_end)
    part.position_x = position_x
    part.width = 0
    for child in children:
        part.width = child.position_x + child.margin_width() - part.content_box_x()
    inline._adjust_line_height(part)
    return part


def is_name_with_details(linebox: Any) -> bool:
    """A text, and in an element of its own another that begins with a line break."""
    children = linebox.children
    return (
        len(children) == 2
        and type(children[0]) is boxes.TextBox
        and type(children[1]) is boxes.InlineBox
        and len(children[1].children) == 1
        and type(children[1].children[0]) is boxes.TextBox
        and children[1].children[0].text[:1] == "\n"
        and linebox.style["white_space"] == "pre"
        and linebox.style["direction"] == "ltr"
        and not linebox.is_leader
        and _is_bare_text(children[0].style)
        and _is_bare_text(children[1].style)
        and _is_bare_text(children[1].children[0].style)
    )


def _is_bare_text(style: Any) -> bool:
    """Preformatted, on the line's own baseline, with nothing around it."""
    try:
        return style.remembered_plainness  # type: ignore[no-any-return]
    except AttributeError:
        found = style.remembered_plainness = (
            style["white_space"] == "pre"
            and style["direction"] == "ltr"
            and style["vertical_align"] == "baseline"
            and style["position"] == "static"
            and style["float"] == "none"
            and all(
                style[f"{kind}_{side}"] == (0, "px")
                for kind in ("margin", "padding")
                for side in ("top", "right", "bottom", "left")
            )
            and not any(style[f"border_{side}_width"] for side in ("top", "right", "bottom", "left"))
        )
        return found


def _is_one_text(linebox: Any) -> bool:
    children, style = linebox.children, linebox.style
    return (
        len(children) == 1
        and type(children[0]) is boxes.TextBox
        and style["white_space"] == "pre"
        and style["direction"] == "ltr"
        and children[0].style["vertical_align"] == "baseline"
        and not linebox.is_leader
        and linebox.text_indent == 0
    )


def _skipped(skip_stack: Any) -> int:
    """How many bytes of the text the lines before hold."""
    if skip_stack is None:
        return 0
    ((_, inner),) = skip_stack.items()
    return 0 if inner is None else next(iter(inner))


def _text_after(text: str, skip: int) -> str:
    return text.encode()[skip:].decode() if skip else text


def _shown(box: Any, split: Any) -> Any:
    """``box`` with the part of its text that is on this line, centred in the height of the line."""
    layout, _, _, width, height, baseline = split
    shown = box.copy_with_text(layout.text)
    shown.width, shown.height, shown.pango_layout = width, height, layout
    line_height, _ = strut_of(box.style)
    shown.margin_top = shown.margin_bottom = (line_height - height) / 2
    shown.baseline = baseline + shown.margin_top
    return shown


def _line_of(linebox: Any, children: list[Any]) -> Any:
    line = linebox.copy_with_children(children)
    line.width = children[-1].position_x + children[-1].margin_width() - line.content_box_x()
    inline._adjust_line_height(line)
    linebox.width, linebox.height = line.width, line.height
    return line


def _align(context: Any, line: Any, containing_block: Any, position_y: float) -> None:
    """Move ``line`` to its place: all baselines are at 0 while the heights are compared."""
    top, bottom = -line.baseline, line.margin_height() - line.baseline
    for child in (*line.children, *line.children[-1].children):
        child.position_y = -child.baseline
        top = min(top, child.position_y)
        bottom = max(bottom, child.position_y + child.margin_height())
    offset_x = inline.text_align(context, line, containing_block.width, last=True)
    line.baseline = -top
    line.position_y = top
    line.height = bottom - top
    line.margin_top = line.margin_bottom = 0
    line.translate(offset_x, position_y - top)
    line.position_y = position_y
