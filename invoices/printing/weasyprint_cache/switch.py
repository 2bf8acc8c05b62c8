"""Whether invoices are made with memory: what is common to them is then worked out once (see :mod:`.layout`).

WeasyPrint computes every document from nothing. Invoices of one company share structure, stylesheet, fonts and most of
their short texts. Using that means stepping in for private functions of WeasyPrint, so it is done only with the release
it was written for; with any other the plain path is taken, which gives the same bytes (tests hold it), and the log
says so once.
"""

import contextlib
from collections.abc import Iterator
from typing import Any

from weasyprint import CSS, HTML

from invoices.printing.release import is_right_release

_is_wanted = True


def is_on() -> bool:
    """Whether documents are made with memory: the release is the right one and no one asked for the plain path."""
    return _is_wanted and is_right_release()


@contextlib.contextmanager
def without_memory() -> Iterator[None]:
    """The plain path inside of the block, for comparison."""
    global _is_wanted
    before, _is_wanted = _is_wanted, False
    try:
        yield
    finally:
        _is_wanted = before


@contextlib.contextmanager
def patched() -> Iterator[None]:
    """WeasyPrint with its private functions replaced inside of the block, and as it is after it.

    The one switch: where it is off (another release, :func:`without_memory`) nothing is replaced at all.
    """
    if not is_on():
        yield
        return
    from invoices.printing.weasyprint_cache.replacements import REPLACEMENTS

    for place, name, ours, _ in REPLACEMENTS:
        setattr(place, name, ours)
    try:
        yield
    finally:
        for place, name, _, theirs in REPLACEMENTS:
            setattr(place, name, theirs)


def document_of(html: str, url_fetcher: Any) -> HTML:
    """The parsed document; ``html`` is well-formed, so a quick parser may read it."""
    if not is_on():
        return HTML(string=html, url_fetcher=url_fetcher)
    from invoices.printing.weasyprint_cache.layout import WellFormed

    return WellFormed(html, url_fetcher)


def forget(sheet: CSS | None = None) -> None:
    """Forget what is remembered for a stylesheet; for all of them by default."""
    from invoices.printing.markup import stylesheet

    if sheet is not None:
        sheet.__dict__.pop("remembered", None)
        return
    stylesheet.cache_clear()
