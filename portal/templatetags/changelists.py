"""House filters of the back-office's lists."""

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain, repeat
from typing import Any, Final

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.text import capfirst

register = template.Library()

_EMPTY_CELL: Final = re.compile(r"<td[^>]*>-?</td>")


@register.filter
def labelled(cells: Iterable[SafeString], headers: Iterable[Mapping[str, Any]]) -> Iterator[SafeString]:
    """The ``cells`` of a row (``<td…>`` or ``<th…>``), each with the title of its column as ``data-label``.

    A phone has no room for a head over the columns: its cards show the label beside the value, and leave out what
    ``is-empty``. A column whose head is markup (the box that ticks all) has no label.
    """
    for cell, header in zip(cells, chain(headers, repeat({"text": ""})), strict=False):
        title = str(header["text"])
        if title and "<" not in title:
            # The cell is Django's own markup, and begins with the name of its element.
            label = format_html(' data-label="{}"', capfirst(title))
            labelled_cell = f"{cell[:3]}{label}{cell[3:]}"
            if _EMPTY_CELL.fullmatch(cell):
                labelled_cell = labelled_cell.replace('class="', 'class="is-empty ', 1)
            yield mark_safe(labelled_cell)  # noqa: S308
        else:
            yield cell
