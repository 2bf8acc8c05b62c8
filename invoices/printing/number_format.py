"""Amounts, quantities, rates and dates as a French reader writes them.

Narrow no-break space (U+202F) between thousands, comma, no-break space (U+00A0) before a unit, true minus sign:
« −1 234,50 € », « 2,5 », « 5,5 % », « 07/06/2022 ».
"""

import datetime
from decimal import Decimal

from invoices.en16931.currencies import decimals
from invoices.money import CENT, NARROW_SPACE, NO_BREAK_SPACE, to_cents

BEFORE_UNIT = NO_BREAK_SPACE
MINUS = "\u2212"


def number(value: Decimal) -> str:
    """``value`` with all of its digits and no trailing zero: quantities."""
    whole, _, digits = format(value.copy_abs(), "f").partition(".")
    digits = digits.rstrip("0")
    text = format(int(whole), "_d").replace("_", NARROW_SPACE)
    if digits:
        text = f"{text},{digits}"
    return f"{MINUS}{text}" if value < 0 else text


def amount(value: Decimal, currency: str = "EUR") -> str:
    """``value`` rounded half up to the cent (to the unit for a currency that has no cents), without the currency."""
    if currency != "EUR" and decimals(currency) == 0 and value == value.to_integral_value():
        return number(value)
    whole, _, cents = format(to_cents(value.copy_abs()), "f").partition(".")
    text = f"{int(whole):_d},{cents}".replace("_", NARROW_SPACE)
    return f"{MINUS}{text}" if value <= -CENT / 2 else text


def money(value: Decimal, currency: str) -> str:
    """:func:`amount` followed by « € », or by the code of any other currency."""
    return f"{amount(value, currency)}{BEFORE_UNIT}{'€' if currency == 'EUR' else currency}"


def price(value: Decimal, currency: str = "EUR") -> str:
    """A unit price: at least two decimals, and all those that say something."""
    if value == value.quantize(CENT):
        return amount(value, currency)
    return number(value)


def rate(value: Decimal) -> str:
    """A percentage, « 5,5 % »."""
    return f"{number(value)}{BEFORE_UNIT}%"


def day(value: datetime.date) -> str:
    """« 07/06/2022 »."""
    return f"{value.day:02d}/{value.month:02d}/{value.year:04d}"
