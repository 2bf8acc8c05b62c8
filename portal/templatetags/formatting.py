"""House filters: amounts, plurals."""

import datetime
import re
from decimal import Decimal
from typing import Final

from django import template
from django.utils.translation import get_language, gettext

from invoices import money
from invoices.cldr import plural_form, write_day, write_moment, write_month
from invoices.en16931.countries import country_name
from invoices.money import NO_BREAK_SPACE, show_amount, write_decimal

register = template.Library()

# Up to what is said of the number in words, or to the next one.
_FIRST_NUMBER: Final = re.compile(r"\+?\s?(?:[\d.\s\u2010-\u2015-]|\(\d+\)|/(?=\d))+")


@register.filter
def amount(value: Decimal | None, currency: str = "EUR") -> str:
    """``1234.5|amount`` as «1 234,50 €», below zero with a minus sign that is read out; nothing for None."""
    return "" if value is None else show_amount(Decimal(value), currency)


@register.filter
def number(value: Decimal | None) -> str:
    """``1234.5|number`` as «1 234,5», with the decimals it has; nothing for None."""
    return "" if value is None else write_decimal(Decimal(value))


@register.filter
def rate(value: Decimal | None) -> str:
    """``20.00|rate`` as «20 %», ``5.50|rate`` as «5,5 %»; nothing for None."""
    return "" if value is None else money.write_rate(Decimal(value))


@register.filter
def fingerprint(value: str) -> str:
    """A hexadecimal fingerprint in groups of four, which can be read out and typed."""
    return " ".join(value[start : start + 4] for start in range(0, len(value), 4))


@register.filter
def phone_uri(value: str) -> str:
    """``"+33 (0)4 72 00 00 00 (poste 12)"|phone_uri`` as «tel:+33472000000» (RFC 3966); nothing where no number is.

    Only the first number counts. The zero in brackets is dialled inside of its country, never behind a prefix.
    """
    written = _FIRST_NUMBER.match(value.strip())
    number = written[0] if written else ""
    digits = re.sub(r"[^\d+]", "", number.replace("(0)", "") if number.startswith("+") else number)
    return f"tel:{digits}" if len(digits) > 2 else ""


@register.filter
def country(code: str) -> str:
    """``"DE"|country`` as «Allemagne», in the language in use."""
    return country_name(code, get_language() or "fr")


@register.filter(expects_localtime=True)
def day(value: datetime.date | None) -> str:
    """A date, or the date of a moment, as «07/06/2025» in French; nothing for None."""
    return "" if value is None else write_day(value)


@register.filter(expects_localtime=True)
def moment(value: datetime.datetime | None) -> str:
    """A moment as «07/06/2025 14:05» in French; nothing for None."""
    return "" if value is None else write_moment(value)


@register.filter
def month_of_year(value: datetime.date) -> str:
    """A day of a month as «Juin 2025»."""
    return write_month(value)


@register.filter
def plural(count: int | None, forms: str) -> str:
    """``3|plural:"facture,factures"`` as «3 factures», or the forms that the language in use has for these.

    In French the plural begins at two: «0 facture», «1 facture».
    """
    number = count or 0
    return f"{write_decimal(Decimal(number))}{NO_BREAK_SPACE}{plural_form(gettext(forms).split(','), number)}"


@register.filter
def agree(state: str, number: int) -> str:
    """``"différée"|agree:3`` as «différées»."""
    return money.agree(str(state), number)
