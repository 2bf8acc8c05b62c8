"""What mails that differ in their values only have in common: text and HTML with places, made once and filled often."""

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

from django.template.loader import get_template
from django.utils.html import conditional_escape, escape, format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from mailing.colours import darken_for_white
from mailing.placeholders import PLACEHOLDER_PATTERN, PLACEHOLDERS

_COLOUR_PATTERN = re.compile(r"#(?:[0-9a-fA-F]{3}|[0-9a-fA-F]{6})")
_DEFAULT_COLOUR = "#334155"
_LINK_PATTERN = re.compile(
    r"""(?P<url>https?://[^\s<>"«»]*[^\s<>"«».,;:!?)\]’'])|(?P<mail>[\w.+-]+@[\w-]+(?:\.[\w-]+)+)"""
)
_PAGE = "mail/message.html"
# What no text holds, since it is drawn when the process starts.
_MARK = f"\x1a{secrets.token_hex(8)}:"
_MARKS = re.compile(f"{_MARK}([^\x1a]*)\x1a")


@dataclass(frozen=True)
class MailLook:
    """What surrounds the text of a mail.

    ``colour`` is ``#rgb`` or ``#rrggbb`` (anything else: a neutral slate); ``highlights`` are pairs of label and value
    shown large, above the text and followed by the button (amount, due date); ``rows`` are pairs of a table under the
    first paragraph that holds one of the placeholders ``rows_after``, else above the closing words; ``more`` is the
    sentence about rows that it leaves out. Without ``button_url`` there is no button. Addresses are absolute http(s).
    """

    company_name: str
    colour: str = _DEFAULT_COLOUR
    space_url: str = ""
    button_label: str = ""
    button_url: str = ""
    highlights: tuple[tuple[str, str], ...] = field(default=())
    rows: tuple[tuple[str, str], ...] = field(default=())
    more: str = ""
    rows_after: tuple[str, ...] = field(default=())
    footer: str = ""
    preferences_url: str = ""


def fill(
    pieces: tuple[tuple[str, bool], ...], values: Mapping[str, str], look: MailLook, *, subject: str
) -> tuple[str, str]:
    """The text and the HTML of a mail that says ``pieces`` (the words of its message, and the names of placeholders).

    ``values`` has the text of each placeholder. Mails that differ in their values only are filled into one format.
    """
    # Addresses become links, and blanks may part paragraphs: no mark represents these.
    fixed = tuple((name, text) for name, text in values.items() if PLACEHOLDERS[name].is_address or not text.strip())
    marked, shown = _marked(look)
    page = get_template(_PAGE)
    text, html = _formats(_Page(page, getattr(page, "template", page)), get_language(), pieces, fixed, marked)
    texts = {"subject": subject, **values, **shown}
    return text % texts, html % {name: conditional_escape(each) for name, each in texts.items()}


@dataclass(frozen=True, slots=True)
class _Page:
    """A loaded template, the same as long as it was not loaded again."""

    template: Any = field(compare=False)
    source: Any


@lru_cache(maxsize=200)
def _formats(
    page: _Page,
    _language: str,
    pieces: tuple[tuple[str, bool], ...],
    fixed: tuple[tuple[str, str], ...],
    look: MailLook,
) -> tuple[str, str]:
    """Text and HTML with places like ``%(#NOM_CLIENT)s`` where the mails differ; the values of ``fixed`` are in it."""
    values = dict(fixed)
    body = "".join(piece for piece, _is_placeholder in pieces)
    named = [
        (values.get(piece, _mark(piece)), piece) if is_placeholder else (piece, "") for piece, is_placeholder in pieces
    ]
    paragraphs = _paragraphs(named)
    rows_under = min(_rows_under(body, look.rows_after), len(paragraphs))
    context = {
        "subject": _mark("subject"),
        "company_name": look.company_name,
        "colour": look.colour if _COLOUR_PATTERN.fullmatch(look.colour) else _DEFAULT_COLOUR,
        "button_colour": _button_colour(look.colour),
        "paragraphs": paragraphs,
        "rows_under": rows_under,
        "highlights": look.highlights,
        "rows": look.rows,
        "more": look.more,
        "space_url": look.space_url,
        "button_label": look.button_label,
        "button_url": look.button_url,
        "footer_lines": look.footer.splitlines(),
        "preferences_url": look.preferences_url,
    }
    text = _text_part("".join(text for text, _name in named), look, rows_under)
    return _as_format(text), _as_format(page.template.render(context))


def _marked(look: MailLook) -> tuple[MailLook, dict[str, str]]:
    """``look`` with a mark in the place of each text that is of one mail only, and these texts by the names of their
    marks; what is empty stays empty."""
    texts: dict[str, str] = {}

    def mark(text: str) -> str:
        if not text:
            return text
        name = str(len(texts))
        texts[name] = text
        return _mark(name)

    marked = replace(
        look,
        button_url=mark(look.button_url),
        highlights=tuple([(label, mark(value)) for label, value in look.highlights]),
        rows=tuple([(mark(label), mark(value)) for label, value in look.rows]),
        more=mark(look.more),
    )
    return marked, texts


def _mark(name: str) -> str:
    return f"{_MARK}{name}\x1a"


def _as_format(text: str) -> str:
    """``text`` as a format of Python's with the places that its marks are in."""
    return _MARKS.sub(r"%(\1)s", text.replace("%", "%%"))


def warm_up() -> None:
    """Load what composing needs once, before children are forked from this process."""
    get_template(_PAGE)


def _paragraphs(pieces: list[tuple[str, str]]) -> list[SafeString]:
    """The body as HTML: blank lines part paragraphs, single line breaks stay."""
    html = "".join(_piece_as_html(text, name) for text, name in pieces)
    # Every piece was escaped above; a line break is all that is added.
    return [mark_safe(block.replace("\n", "<br>\n")) for block in _blocks(html)]  # noqa: S308


def _blocks(text: str) -> list[str]:
    """The paragraphs of ``text``: blank lines part them."""
    return [block.strip("\n") for block in re.split(r"\n[ \t]*\n", text) if block.strip()]


def _rows_under(body: str, names: tuple[str, ...]) -> int:
    """The number of the paragraph of a template's ``body`` under which the table of a mail is; from 1 on."""
    blocks = _blocks(body)
    for number, block in enumerate(blocks, 1):
        if any(name in PLACEHOLDER_PATTERN.findall(block) for name in names):
            return number
    has_closing = len(blocks) > 1 and not PLACEHOLDER_PATTERN.search(blocks[-1])
    return len(blocks) - has_closing


def _piece_as_html(text: str, name: str) -> str:
    if not name or PLACEHOLDERS[name].is_address:
        return _linked(text)
    if PLACEHOLDERS[name].is_copied:
        return format_html('<strong class="copied">{}</strong>', text)
    return escape(text)


def _linked(text: str) -> str:
    """``text`` escaped, with its http(s) and mail addresses as links."""
    html, end = [], 0
    for match in _LINK_PATTERN.finditer(text):
        html.append(escape(text[end : match.start()]))
        target = match["url"] or f"mailto:{match['mail']}"
        html.append(format_html('<a href="{}" class="link">{}</a>', target, match[0]))
        end = match.end()
    html.append(escape(text[end:]))
    return "".join(html)


def _text_part(body: str, look: MailLook, rows_under: int) -> str:
    """The plain part: all that the HTML part says, for those who read without HTML."""
    blocks = [body]
    colon = " :" if (get_language() or "fr").startswith("fr") else ":"  # French alone has a space before it
    if look.rows:
        table = [*(f"{label}{colon} {value}" for label, value in look.rows), *filter(None, [look.more])]
        blocks = _blocks(body)
        blocks.insert(rows_under, "\n".join(table))
    if look.highlights:
        blocks.append("\n".join(f"{label}{colon} {value}" for label, value in look.highlights))
    if look.button_url:
        blocks.append(f"{look.button_label}{colon}\n{look.button_url}")
    foot = [look.company_name, *look.footer.splitlines()]
    if look.preferences_url:
        foot.append(_("Choisir les mails que vous recevez : %(url)s") % {"url": look.preferences_url})
    blocks.append("-- \n" + "\n".join(foot))  # the signature mark of RFC 3676
    return "\n\n".join(blocks) + "\n"


def _button_colour(colour: str) -> str:
    """``colour`` (``#rgb``, ``#rrggbb``, or the default), darkened until white text is legible on it."""
    digits = colour[1:] if _COLOUR_PATTERN.fullmatch(colour) else _DEFAULT_COLOUR[1:]
    return darken_for_white("#" + ("".join(digit * 2 for digit in digits) if len(digits) == 3 else digits))
