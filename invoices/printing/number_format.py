"""Amounts, quantities, rates and dates as a French reader writes them.

Narrow no-break space (U+202F) between thousands, comma, no-break space (U+00A0) before a unit, true minus sign:
« −1 234,50 € », « 2,5 », « 5,5 % », « 07/06/2022 ».
"""

import datetime
from decimal import Decimal

from invoices.cldr import amount_in, before_percent, decimal_in, foreign_locale, write_day
from invoices.en16931.currencies import decimals
from invoices.money import CENT, NARROW_SPACE, NO_BREAK_SPACE, to_cents

BEFORE_UNIT = NO_BREAK_SPACE
MINUS = "\u2212"


def number(value: Decimal) -> str:
    """``value`` with all of its digits and no trailing zero: quantities."""
    if (locale := foreign_locale()) is not None:
        shortest = Decimal(f"{value.copy_abs().normalize():f}")
        return f"{MINUS if value < 0 else ''}{decimal_in(locale, shortest)}"
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
    if (locale := foreign_locale()) is not None:
        return f"{MINUS if value <= -CENT / 2 else ''}{decimal_in(locale, to_cents(value.copy_abs()))}"
    whole, _, cents = format(to_cents(value.copy_abs()), "f").partition(".")
    text = f"{int(whole):_d},{cents}".replace("_", NARROW_SPACE)
    return f"{MINUS}{text}" if value <= -CENT / 2 else text


def money(value: Decimal, currency: str) -> str:
    """:func:`amount` followed by « € », or by the code of any other currency; « €1,234.50 » by CLDR elsewhere."""
    if (locale := foreign_locale()) is not None:
        has_no_cents = decimals(currency) == 0 and value == value.to_integral_value()
        rounded = value.quantize(Decimal(1)) if has_no_cents else to_cents(value)
        return amount_in(locale, rounded, currency).replace("-", MINUS)
    return f"{amount(value, currency)}{BEFORE_UNIT}{'€' if currency == 'EUR' else currency}"


def price(value: Decimal, currency: str = "EUR") -> str:
    """A unit price: at least two decimals, and all those that say something."""
    if value == value.quantize(CENT):
        return amount(value, currency)
    return number(value)


def rate(value: Decimal) -> str:
    """A percentage, « 5,5 % »."""
    locale = foreign_locale()
    return f"{number(value)}{BEFORE_UNIT if locale is None else before_percent(locale)}%"


def day(value: datetime.date) -> str:
    """« 07/06/2022 »."""
    return write_day(value)
