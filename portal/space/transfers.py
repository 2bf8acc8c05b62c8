"""What a customer's page shows of the transfer that pays an invoice: words, and the code for a bank's application."""

from dataclasses import dataclass
from decimal import Decimal
from urllib.parse import quote

from invoices.money import NO_BREAK_SPACE
from invoices.printing.payment import grouped_iban
from invoices.printing.transfer_code import LONGEST_TEXT, transfer_code, transfer_payload

QUIET_ZONE = 4  # squares (ISO/IEC 18004)


@dataclass(frozen=True, slots=True)
class Transfer:
    """What to pay to whom, and the same as a picture (``data:`` address of an SVG)."""

    holder: str
    iban: str  # in groups of four, with blanks at which a narrow page may break
    bic: str
    amount: Decimal
    text: str
    picture: str


def transfer_shown(*, holder: str, iban: str, bic: str, amount: Decimal, currency: str, text: str) -> Transfer | None:
    """The transfer of ``amount`` to ``holder``; None where there is nothing to pay, no IBAN, or another currency."""
    payload = transfer_payload(holder=holder, iban=iban, bic=bic, amount=amount, currency=currency, text=text)
    if not payload:
        return None
    picture = transfer_code(payload).as_svg(margin=QUIET_ZONE)
    return Transfer(
        holder,
        grouped_iban(iban).replace(NO_BREAK_SPACE, " "),
        bic,
        amount,
        text[:LONGEST_TEXT],
        f"data:image/svg+xml,{quote(picture)}",
    )
