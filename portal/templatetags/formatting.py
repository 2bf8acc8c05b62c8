"""House filters: amounts, plurals."""

from decimal import Decimal

from django import template

from invoices import money
from invoices.en16931.countries import country_name
from invoices.money import NO_BREAK_SPACE, show_amount, write_decimal

register = template.Library()


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
    if value is None:
        return ""
    shortest = f"{Decimal(value).normalize():f}"
    return f"{write_decimal(Decimal(shortest))}{NO_BREAK_SPACE}%"


@register.filter
def fingerprint(value: str) -> str:
    """A hexadecimal fingerprint in groups of four, which can be read out and typed."""
    return " ".join(value[start : start + 4] for start in range(0, len(value), 4))


@register.filter
def country(code: str) -> str:
    """``"DE"|country`` as «Allemagne»."""
    return country_name(code)


@register.filter
def plural(count: int | None, forms: str) -> str:
    """``3|plural:"facture,factures"`` as «3 factures». In French the plural begins at two: «0 facture», «1 facture»."""
    singular, several = forms.split(",")
    number = count or 0
    word = several if abs(number) >= 2 else singular
    return f"{write_decimal(Decimal(number))}{NO_BREAK_SPACE}{word}"


@register.filter
def agree(state: str, number: int) -> str:
    """``"différée"|agree:3`` as «différées»."""
    return money.agree(str(state), number)
