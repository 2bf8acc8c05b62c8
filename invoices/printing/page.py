"""What is on the printed invoice, as short texts in their places: the template only sets them out.

Texts come out already broken into lines for their column (see :func:`invoices.printing.fonts.wrap`), so the page needs
no wrapping, no floats and no flexible boxes, and two blocks side by side know which one is the taller.
"""

import datetime
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from invoices.cldr import language_in_use, punctuation, translate
from invoices.en16931.countries import country_name
from invoices.en16931.model import InvoiceContent, Line
from invoices.printing import number_format, wording
from invoices.printing.columns import MOST, vat_label, widened
from invoices.printing.fonts import width, wrap
from invoices.printing.layouts import LAYOUTS, POINTS_PER_MM, TEXT_WIDTH, Layout
from invoices.printing.mentions import delivery_text, foot_of_page, terms
from invoices.printing.parties import address_lines, party_lines
from invoices.printing.payment import code_of_transfer, due_of, payment_texts
from invoices.printing.style import PrintStyle
from invoices.printing.totals import (
    BETWEEN,
    VAT_LABEL,
    VAT_LABEL_WIDE,
    Total,
    allowance_label,
    is_wide,
    signed,
    totals_of,
)
from invoices.printing.transfer_code import TransferCode

HEADING_SIZES = range(100, 45, -5)  # per cent of the usual size of the title
CONTINUED = 115  # mm of the title of the pages that follow
UNSPACED = 0.96  # of the room of the title: a template may space its letters


class Fact(NamedTuple):
    """« Échéance 07/07/2022 », the value broken into lines."""

    label: str
    value: str


class Row(NamedTuple):
    """A line of the invoice; ``details`` are small lines under the name, ``carried`` the sum up to here."""

    name: str
    details: str
    quantity: str
    price: str
    rate: str
    amount: str
    carried: str


class Vat(NamedTuple):
    """A row of the VAT table."""

    rate: str
    base: str
    tax: str


@dataclass(frozen=True, slots=True)
class Page:
    """Everything the template shows. Texts of several lines hold newlines."""

    title: str
    document_title: str  # of the file: « Facture N° 18000135 »
    continued: str  # the title of the pages that follow: « Facture N° 18000135 (suite) »
    heading: str  # the title as it is printed, broken into lines
    heading_percent: int  # of the usual size, where a word of it is long
    is_credit_note: bool
    number: str
    label: str
    facts: tuple[Fact, ...]
    due_label: str  # of the band under the head: what becomes of the amount, and when
    due: str
    seller: str
    seller_lines: str
    buyer: str
    buyer_lines: str
    delivery: str  # empty when goods go to the buyer's own address
    currency: str  # "" for euros, else said in the heads of the columns
    rows: tuple[Row, ...]
    columns: dict[str, float]  # widths (mm) of the columns of lines by their class, where they are not the usual ones
    vat: tuple[Vat, ...]
    vat_label: float  # width (mm) of the first column of the VAT table; zero where it is the usual one
    totals: tuple[Total, ...]
    vat_is_taller: bool
    is_wide: bool  # amounts that take more room than usual
    means: str
    account: str
    recalled: str
    transfer_code: TransferCode | None
    terms: tuple[str, ...]
    foot: str

    @property
    def payment(self) -> str:
        """The whole text on payment."""
        return "\n".join(filter(None, (self.means, self.account, self.recalled)))


def compose(content: InvoiceContent, style: PrintStyle, *, label: str = "") -> Page:
    """The page of ``content`` in ``style``; ``label`` is a word beside the title (« Copie »), or empty."""
    layout = LAYOUTS[style.template]
    facts = _facts(content, layout)
    payment = payment_texts(content, style, layout)
    buyer, buyer_lines = party_lines(content.buyer, content, layout, is_seller=False)
    seller, seller_lines = party_lines(content.seller, content, layout, is_seller=True)
    delivery = _delivery(content, layout)
    is_large = is_wide(content, layout)
    vat, label_width = _vat(content, layout, is_wide=is_large)
    totals = totals_of(content, layout)
    rows, columns = _rows(content, layout)
    title = wording.title(content)
    heading, heading_percent = _heading(title, layout)
    room = layout.identity_width * POINTS_PER_MM
    number = " ".join(f"{translate('N°')} {content.number}".split())
    due_label, due = due_of(content)
    return Page(
        title=title,
        document_title=f"{title} {number}",
        continued=_continued(f"{title} {number}", layout),
        heading=heading,
        heading_percent=heading_percent,
        is_credit_note=content.is_credit_note,
        number=_clipped(number, room, layout.party, bold=True),
        label=label,
        facts=facts,
        due_label=due_label,
        due=due,
        seller=seller,
        seller_lines=seller_lines,
        buyer=buyer,
        buyer_lines=buyer_lines,
        delivery=delivery,
        currency="" if content.currency in ("EUR", "") else content.currency,
        rows=rows,
        columns=columns,
        vat=vat,
        vat_label=label_width,
        totals=totals,
        vat_is_taller=sum(row.rate.count("\n") + 1 for row in vat) > sum(row.label.count("\n") + 1 for row in totals),
        is_wide=is_large,
        means=payment.means,
        account=payment.account,
        recalled=payment.recalled,
        transfer_code=code_of_transfer(content, style),
        terms=tuple("\n".join(wrap(text, TEXT_WIDTH * POINTS_PER_MM, layout.small)) for text in terms(content, style)),
        foot="\n".join(
            wrap("\n".join(foot_of_page(content, style)), 150 * POINTS_PER_MM, layout.small),
        ),
    )


def _facts(content: InvoiceContent, layout: Layout) -> tuple[Fact, ...]:
    """Dates and references beside the title."""
    pairs = []
    if content.issue_date:
        pairs.append((translate("Date"), number_format.day(content.issue_date)))
    if content.due_date and not content.is_credit_note:
        pairs.append((translate("Échéance"), number_format.day(content.due_date)))
    for reference in content.preceding_invoices:
        date = translate(" du %(date)s") % {"date": number_format.day(reference.date)} if reference.date else ""
        is_corrected = content.is_credit_note or content.type_code in wording.RECTIFYING
        label = translate("Facture d’origine") if is_corrected else translate("Facture antérieure")
        pairs.append((label, f"{reference.number}{date}"))
    delivery_date = content.delivery.date if content.delivery else None
    if delivery_date and delivery_date != content.issue_date:
        pairs.append((translate("Livraison ou exécution"), number_format.day(delivery_date)))
    if content.vat_point_date and content.vat_point_date not in (content.issue_date, delivery_date):
        pairs.append((translate("Exigibilité de la TVA"), number_format.day(content.vat_point_date)))
    if content.period and (period := period_text(content.period.start, content.period.end)):
        pairs.append((translate("Période"), period))
    pairs += [
        (translate("Votre commande"), content.purchase_order_reference),
        (translate("Votre référence"), content.buyer_reference),
        (translate("Contrat"), content.contract_reference),
        (translate("Projet"), content.project_reference),
        (translate("Notre commande"), content.sales_order_reference),
        (translate("Bon de livraison"), content.despatch_advice_reference),
        (translate("Avis de réception"), content.receiving_advice_reference),
        (translate("Marché ou lot"), content.tender_reference),
        (translate("Objet facturé"), content.invoiced_object.value if content.invoiced_object else ""),
        (translate("Imputation"), content.buyer_accounting_reference),
    ]
    beside = layout.fact * POINTS_PER_MM
    room = layout.identity_width * POINTS_PER_MM - beside
    return tuple(
        Fact("\n".join(wrap(label, beside - BETWEEN, layout.text)), _clipped(value, room, layout.text))
        for label, value in pairs
        if value
    )


def period_text(start: datetime.date | None, end: datetime.date | None) -> str:
    """« du 01/06/2022 au 30/06/2022 », or what is known of it."""
    if start and start == end:
        return translate("le %(date)s") % {"date": number_format.day(start)}
    if start and end:
        return translate("du %(start)s au %(end)s") % {"start": number_format.day(start), "end": number_format.day(end)}
    if start:
        return translate("à partir du %(date)s") % {"date": number_format.day(start)}
    return translate("jusqu’au %(date)s") % {"date": number_format.day(end)} if end else ""


def _delivery(content: InvoiceContent, layout: Layout) -> str:
    """Where the goods went, when it is not the buyer's address."""
    delivery = content.delivery
    if delivery is None or (delivery.address is None and not delivery.name):
        return ""
    if delivery.address == content.buyer.address and delivery.name in ("", content.buyer.name):
        return ""
    lines = [delivery.name] if delivery.name else []
    if delivery.address:
        lines += address_lines(delivery.address, content)
    return _clipped("\n".join(lines), layout.buyer_width * POINTS_PER_MM, layout.text, most=12)


def _clipped(text: str, room: float, size: float, *, most: int = 4, bold: bool = False) -> str:
    """The first ``most`` lines: a reference is short, and one that is not must not push the invoice off its page."""
    lines = wrap(text, room, size, bold=bold)
    if len(lines) > most:
        lines[most - 1 :] = [_cut(lines[most - 1], room, size, bold=bold)]
    return "\n".join(lines)


def _cut(text: str, room: float, size: float, *, bold: bool = False) -> str:
    """The beginning of ``text`` that leaves room for the sign that says so."""
    while text and width(f"{text}…", size, bold=bold) > room:
        text = text[:-1]
    return f"{text.rstrip()}…"


def _continued(title: str, layout: Layout) -> str:
    word = translate("(suite)")
    room = CONTINUED * POINTS_PER_MM - width(f" {word}", layout.small)
    return f"{title if width(title, layout.small) <= room else _cut(title, room, layout.small)} {word}"


def _heading(title: str, layout: Layout) -> tuple[str, int]:
    """The title broken into lines, and the per cent of its usual size at which each word is whole on its line."""
    title = title.upper() if layout.in_capitals else title
    room = layout.identity_width * POINTS_PER_MM * UNSPACED
    for percent in HEADING_SIZES:
        size = layout.title * percent / 100
        if all(width(word, size, bold=True) <= room for word in title.split()):
            break
    return "\n".join(wrap(title, room, size, bold=True)), percent


def _rows(content: InvoiceContent, layout: Layout) -> tuple[tuple[Row, ...], dict[str, float]]:
    """The lines of the invoice, and the widths of their columns where the usual ones are too narrow."""
    currency = content.currency
    quantities = [_quantity(line, layout) for line in content.lines]
    prices = [_price(line, currency) for line in content.lines]
    amounts = ["" if _is_text(line) else number_format.amount(line.net_amount, currency) for line in content.lines]
    wider = widened(layout, quantities=quantities, prices=prices, amounts=amounts)
    columns = {"n": wider.name, "q": wider.quantity, "p": wider.price, "a": wider.amount}
    room = (wider.name - 3) * POINTS_PER_MM
    carried = Decimal(0)
    rows = []
    for line, quantity, price, amount in zip(content.lines, quantities, prices, amounts, strict=True):
        carried += line.net_amount
        details = _details(line, currency)
        elsewhere = [delivery_text(each) for each in line.deliveries if each != content.delivery]
        details += [translate("Livré%(where)s") % {"where": text} for text in elsewhere if text]
        rows.append(
            Row(
                name="\n".join(wrap(line.name, room, layout.text)),
                details="\n".join(wrap("\n".join(details), room, layout.small)) if details else "",
                quantity=quantity,
                price=price,
                rate="" if _is_text(line) else _rate(line.vat_category, line.vat_rate, layout),
                amount=amount,
                carried=number_format.money(carried, currency),
            )
        )
    return tuple(rows), {} if wider is layout else columns


def _is_text(line: Line) -> bool:
    return line.quantity is None and line.net_price is None and not line.net_amount


def _quantity(line: Line, layout: Layout) -> str:
    if line.quantity is None:
        return ""
    quantity = number_format.number(line.quantity)
    unit = wording.unit(line.unit, line.quantity)
    if not unit:
        return quantity
    text = f"{quantity}{number_format.BEFORE_UNIT}{unit}"
    room = MOST * POINTS_PER_MM - BETWEEN
    is_too_long = len(text) * layout.text > room and width(text, layout.text) > room
    return f"{quantity}\n{unit}" if is_too_long else text


def _price(line: Line, currency: str) -> str:
    if line.net_price is None:
        return ""
    price = number_format.price(line.net_price, currency)
    if line.price_base_quantity in (None, 0, 1):
        return price
    return f"{price} / {number_format.number(line.price_base_quantity)}"


def _details(line: Line, currency: str) -> list[str]:
    """The small lines under a name: description, references, period, discounts."""
    details = [text for text in (line.description, line.note) if text and text != line.name]
    references = [
        f"{label}{number_format.BEFORE_UNIT}{value}"
        for label, value in (
            (translate("Réf."), line.seller_item_identifier),
            (translate("Votre réf."), line.buyer_item_identifier),
            ("GTIN", line.standard_item_identifier.value if line.standard_item_identifier else ""),
            (translate("Poste de commande"), line.order_line_reference),
            (translate("Objet"), line.object_identifier.value if line.object_identifier else ""),
            (translate("Imputation"), line.accounting_reference),
            (
                translate("Origine"),
                country_name(line.origin_country, language_in_use()) if line.origin_country else "",
            ),
        )
        if value
    ]
    if line.attributes:
        details.append(
            " · ".join(
                f"{each.name}{punctuation(':', number_format.BEFORE_UNIT)} {each.value}" for each in line.attributes
            )
        )
    if references:
        details.append(" · ".join(references))
    if line.period and (period := period_text(line.period.start, line.period.end)):
        details.append(f"{period[:1].upper()}{period[1:]}")
    if line.gross_price is not None and line.price_discount:
        details.append(
            translate("Prix brut %(price)s, remise %(discount)s par unité")
            % {
                "price": number_format.price(line.gross_price, currency),
                "discount": number_format.price(line.price_discount, currency),
            }
        )
    details += [
        f"{allowance_label(item)}{punctuation(':')} {number_format.amount(signed(item), currency)}"
        for item in line.allowances_charges
    ]
    return details


def _rate(category: str, rate: Decimal | None, layout: Layout) -> str:
    """A rate, or the category where there is none to pay."""
    if rate and category in ("S", "", "L", "M"):
        return number_format.rate(rate)
    if short := wording.word(wording.SHORT_CATEGORIES, category):
        return "\n".join(wrap(short, layout.rate * POINTS_PER_MM - BETWEEN, layout.text))
    return "" if rate is None else number_format.rate(rate)


def _category(category: str, layout: Layout, room: float) -> str:
    """Why no VAT is due, broken into lines for the VAT table: the short word where the long one is too long."""
    label = wording.word(wording.CATEGORIES, category)
    if any(width(word, layout.text) > room for word in label.split()):
        label = wording.word(wording.SHORT_CATEGORIES, category)
    return "\n".join(wrap(label, room, layout.text)) if label else ""


def _vat(content: InvoiceContent, layout: Layout, *, is_wide: bool) -> tuple[tuple[Vat, ...], float]:
    """The rows of the VAT table, and the width of its labels (mm) where it is not the usual one."""
    usual = VAT_LABEL_WIDE if is_wide else VAT_LABEL
    sums = [sums for item in content.vat_breakdown for sums in (item.taxable_amount, item.tax_amount)]
    label_width = vat_label(layout, usual, [number_format.amount(each, content.currency) for each in sums])
    rows = []
    for item in content.vat_breakdown:
        label = _category(item.category, layout, label_width * POINTS_PER_MM) or (
            "" if item.rate is None else number_format.rate(item.rate)
        )
        rows.append(
            Vat(
                label,
                number_format.amount(item.taxable_amount, content.currency),
                number_format.amount(item.tax_amount, content.currency),
            )
        )
    return tuple(rows), 0 if label_width == usual else label_width
