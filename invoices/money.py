"""Money: rounded half up to the cent in one place, and written as readers of the language in use expect."""

from decimal import ROUND_HALF_UP, Decimal

from babel.numbers import get_currency_precision

from invoices.cldr import amount_in, before_percent, decimal_in, foreign_locale

CENT = Decimal("0.01")
HALF_CENT = Decimal("0.005")
_ZERO = Decimal("0.00")
NARROW_SPACE = "\u202f"
NO_BREAK_SPACE = "\u00a0"
MINUS = "\u2212"
SYMBOLS = {"EUR": "€", "USD": "$", "GBP": "£"}


def to_cents(amount: Decimal) -> Decimal:
    """``amount`` rounded half up to the cent (BR-FR, EN 16931 §6.5.2); never ``-0.00``."""
    return amount.quantize(CENT, rounding=ROUND_HALF_UP) + _ZERO


def whole_cents(amount: str) -> int:
    """The cents of ``1234.50``, which is written with two decimals and nothing else."""
    return int(amount.replace(".", ""))


def vat_amount(taxable: Decimal, rate: Decimal) -> Decimal:
    """The VAT of ``taxable`` at ``rate`` per cent, to the cent (BT-117)."""
    return to_cents(taxable * rate / 100)


def write_decimal(value: Decimal) -> str:
    """``1234.50`` as «1 234,50» with narrow no-break spaces and as many decimals as ``value`` has."""
    if (locale := foreign_locale()) is not None:
        return decimal_in(locale, value)
    return f"{value:,f}".replace(",", NARROW_SPACE).replace(".", ",")


def write_amount(amount: Decimal, currency: str = "EUR") -> str:
    """``1234.5`` as «1 234,50 €»; currencies without a common symbol are written by their ISO 4217 code.

    Of a currency that has no cents none are shown, unless there are some: «98 765 JPY».
    """
    rounded = to_cents(amount)
    if currency != "EUR" and rounded == rounded.to_integral_value() and get_currency_precision(currency) == 0:
        rounded = rounded.quantize(Decimal(1))
    if (locale := foreign_locale()) is not None:
        return amount_in(locale, rounded, currency)
    return f"{write_decimal(rounded)}{NO_BREAK_SPACE}{SYMBOLS.get(currency, currency)}"


def show_amount(amount: Decimal, currency: str = "EUR") -> str:
    """:func:`write_amount` for a page: below zero with a minus sign that is read out."""
    return write_amount(amount, currency).replace("-", MINUS)


def write_rate(rate: Decimal) -> str:
    """``5.50`` as «5,5 %»."""
    locale = foreign_locale()
    space = NO_BREAK_SPACE if locale is None else before_percent(locale)
    return f"{write_decimal(Decimal(f'{rate.normalize():f}'))}{space}%"


def write_count(number: int, singular: str, several: str) -> str:
    """``3, "facture", "factures"`` as «3 factures». In French the plural begins at two: «0 facture», «1 facture»."""
    word = several if abs(number) >= 2 else singular
    return f"{write_decimal(Decimal(number))}{NO_BREAK_SPACE}{word}"


def agree(state: str, number: int) -> str:
    """The French word of a state as ``number`` of them are in it: «différée» as «différées» from two on.

    Only a participle that comes first takes an s: «écrite dans un fichier», not «en file» or «à remettre».
    """
    word, space, rest = state.partition(" ")
    is_several = abs(number) >= 2 and word.endswith(("é", "ée", "ue", "ise", "ite"))
    return f"{word}s{space}{rest}" if is_several else state
