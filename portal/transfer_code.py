"""The QR code of a SEPA credit transfer (EPC069-12), which a bank's application reads."""

from dataclasses import dataclass
from decimal import Decimal

from segno import helpers

LONGEST_NAME = 70
LONGEST_TEXT = 140
LARGEST_AMOUNT = Decimal("999999999.99")


@dataclass(frozen=True, slots=True)
class TransferCode:
    """What to pay to whom, and the same as a picture (``data:`` address of an SVG)."""

    holder: str
    iban: str  # in groups of four
    bic: str
    amount: Decimal
    text: str
    picture: str


def transfer_code(
    *, holder: str, iban: str, bic: str, amount: Decimal, currency: str, text: str
) -> TransferCode | None:
    """The code of a transfer of ``amount``; None where there is nothing to pay, no IBAN, or another currency.

    EPC069-12 knows euros only, from 0.01 to 999 999 999.99.
    """
    if not iban or not holder or currency != "EUR" or not 0 < amount <= LARGEST_AMOUNT:
        return None
    try:
        code = helpers.make_epc_qr(
            name=holder[:LONGEST_NAME],
            iban=iban,
            amount=amount,
            text=text[:LONGEST_TEXT],
            bic=bic or None,
            encoding="utf-8",
        )
    except ValueError:  # an IBAN or BIC of a form that the standard does not know
        return None
    groups = " ".join(iban[start : start + 4] for start in range(0, len(iban), 4))
    picture = code.svg_data_uri(scale=4, border=4, dark="#000", light="#fff")
    return TransferCode(holder, groups, bic, amount, text[:LONGEST_TEXT], picture)
