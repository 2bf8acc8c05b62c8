"""Text as a cell of a CSV that no spreadsheet takes for a formula."""

from typing import Final

# What Excel, LibreOffice and their like begin a formula with, in both widths: =HYPERLINK(…) from a customer's name
# must not run on the desk of who opens the file (OWASP, «CSV injection»).
_FORMULA_STARTS: Final = ("=", "+", "-", "@", "＝", "＋", "－", "＠")  # the full-width ones are meant
_FORMULA_LEADERS: Final = ("\t", "\r", "\n")


def harmless_cell(value: object) -> str:
    """``value`` as text, with an apostrophe before it where a spreadsheet would compute it.

    Blanks before a formula are passed over by some spreadsheets, so they hide none here. Amounts are numbers and come
    without this: a minus sign before them is meant.
    """
    text = str(value)
    is_formula = text.startswith(_FORMULA_LEADERS) or text.lstrip().startswith(_FORMULA_STARTS)
    return f"'{text}" if is_formula else text
