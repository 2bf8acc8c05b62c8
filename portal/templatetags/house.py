"""House filters: amounts, plurals."""

from decimal import Decimal

from django import template

from invoices.money import NO_BREAK_SPACE, write_amount, write_decimal

register = template.Library()


@register.filter
def amount(value: Decimal | None, currency: str = "EUR") -> str:
    """``1234.5|amount`` as «1 234,50 €»; nothing for None."""
    return "" if value is None else write_amount(Decimal(value), currency)


@register.filter
def plural(count: int | None, forms: str) -> str:
    """``3|plural:"facture,factures"`` as «3 factures». In French the plural begins at two: «0 facture», «1 facture»."""
    singular, several = forms.split(",")
    number = count or 0
    word = several if abs(number) >= 2 else singular
    return f"{write_decimal(Decimal(number))}{NO_BREAK_SPACE}{word}"
