"""How to pay: the account, what to recall, and the QR code of a transfer."""

from typing import NamedTuple

from invoices.cldr import translate
from invoices.en16931.model import InvoiceContent, PaymentInstructions
from invoices.printing import number_format, wording
from invoices.printing.fonts import wrap
from invoices.printing.layouts import POINTS_PER_MM, TEXT_WIDTH, Layout
from invoices.printing.style import PrintStyle
from invoices.printing.totals import owed_of
from invoices.printing.transfer_code import TransferCode, transfer_code, transfer_payload

TRANSFERS = frozenset({"", "1", "30", "31", "42", "58"})
DEBITS = frozenset({"49", "59"})
UNSTATED = frozenset({"", "1", "ZZZ"})  # UNTDID 4461: not defined, mutually defined
CODE_WIDTH = 30.0  # mm kept free at the left of the text for the QR code


def _account(content: InvoiceContent, style: PrintStyle) -> tuple[str, str, str]:
    """IBAN, BIC and holder: the invoice's, else the company's."""
    payment = content.payment or PaymentInstructions()
    if payment.iban:
        return payment.iban, payment.bic, payment.account_name
    if payment.means_code in TRANSFERS:
        return style.iban, style.bic, style.account_name
    return "", "", ""


def is_debit(content: InvoiceContent) -> bool:
    """Whether the seller takes the amount: by the code of the means, else by a mandate or a debited account."""
    payment = content.payment or PaymentInstructions()
    has_mandate = bool(payment.mandate_reference or payment.debited_iban)
    return payment.means_code in DEBITS or (payment.means_code in UNSTATED and has_mandate)


def grouped_iban(iban: str) -> str:
    """An IBAN in groups of four."""
    bare = iban.replace(" ", "")
    return "\N{NO-BREAK SPACE}".join(bare[start : start + 4] for start in range(0, len(bare), 4))


class Payment(NamedTuple):
    """The payment block, each text broken into lines: by which means and when, the account, what to recall."""

    means: str = ""
    account: str = ""
    recalled: str = ""


def payment_texts(content: InvoiceContent, style: PrintStyle, layout: Layout) -> Payment:
    """The payment block; empty when nothing is to be paid."""
    due = content.amount_due if content.amount_due is not None else content.total_with_vat
    if content.is_credit_note or not due or due < 0:
        return Payment()
    payment = content.payment or PaymentInstructions()
    iban, bic, holder = _account(content, style)
    account, lines = "", []
    otherwise = "prélèvement" if is_debit(content) else "virement" if iban else ""
    means = payment.means_text or wording.PAYMENT_MEANS.get(payment.means_code, otherwise)
    if means:
        if not means[1:2].isupper():
            means = means[:1].lower() + means[1:]
        if means in wording.PAYMENT_MEANS.values():
            means = translate(means)
        means = translate("Règlement : %(means)s") % {"means": means}
    if content.due_date:
        date = translate("au plus tard le %(date)s") % {"date": number_format.day(content.due_date)}
        means = f"{means}, {date}" if means else translate("Règlement %(date)s") % {"date": date}
    if is_debit(content):
        mandate = (
            (translate("Mandat"), payment.mandate_reference),
            ("ICS", payment.creditor_identifier),
            (translate("Compte débité"), grouped_iban(payment.debited_iban)),
        )
        if any(value for _label, value in mandate):
            lines.append(" · ".join(f"{label}{number_format.BEFORE_UNIT}{value}" for label, value in mandate if value))
    elif iban:
        others = [(other.iban, other.bic) for other in payment.other_accounts]
        account = "\n".join(
            f"IBAN {grouped_iban(each)}{f' · BIC {bank}' if bank else ''}" for each, bank in ((iban, bic), *others)
        )
        if holder and holder != content.seller.name:
            lines.append(translate("Titulaire : %(name)s") % {"name": holder})
        lines.append(
            translate("Référence à rappeler : %(text)s") % {"text": payment.remittance_information or content.number}
        )
    if content.payee and content.payee.name:
        lines.append(translate("À payer à %(name)s") % {"name": content.payee.name})
    room = (TEXT_WIDTH - CODE_WIDTH) * POINTS_PER_MM
    return Payment(
        "\n".join(wrap(means, room, layout.text)),
        "\n".join(wrap(account, room, layout.account, bold=True)),
        "\n".join(wrap("\n".join(lines), room, layout.text)) if lines else "",
    )


def code_of_transfer(content: InvoiceContent, style: PrintStyle) -> TransferCode | None:
    """The QR code of the transfer that pays the invoice; None where it cannot or need not be drawn."""
    due = content.amount_due if content.amount_due is not None else content.total_with_vat
    iban, bic, holder = _account(content, style)
    if not (style.has_transfer_code and due) or content.is_credit_note or is_debit(content):
        return None
    payment = content.payment or PaymentInstructions()
    payload = transfer_payload(
        holder=holder or content.seller.name,
        iban=iban,
        bic=bic,
        amount=due,
        currency=content.currency,
        text=payment.remittance_information or content.number,
    )
    return transfer_code(payload) if payload else None


def due_of(content: InvoiceContent) -> tuple[str, str]:
    """What the band under the head says: the amount and until when; nothing where no amount is known."""
    amount, is_in_favour = owed_of(content)
    if amount is None:
        return "", ""
    if not amount:
        label = translate("Rien à payer")
    elif is_in_favour:
        label = translate("Net en votre faveur")
    elif content.due_date is None:
        label = translate("Net à payer")
    elif is_debit(content):
        label = translate("Prélèvement le %(date)s") % {"date": number_format.day(content.due_date)}
    else:
        label = translate("À payer au plus tard le %(date)s") % {"date": number_format.day(content.due_date)}
    return label, number_format.money(amount, content.currency)
