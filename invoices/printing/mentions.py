"""The mentions of the law under the totals and at the foot of the page, by kind of customer.

Sources: CGI ann. II art. 242 nonies A; C. com. L441-9, L441-10, D441-5, R123-237; order 83-50/A.
"""

import re
from collections.abc import Iterable

from invoices.cldr import foreign_locale, punctuation, translate
from invoices.en16931.model import Delivery, InvoiceContent
from invoices.printing import number_format, wording
from invoices.printing.parties import postal_lines
from invoices.printing.style import PrintStyle

LATE_PENALTY, RECOVERY_FEE, DISCOUNT = "PMD", "PMT", "AAB"
# Said at the foot of the page (capital, RCS) or meant for machines alone (BAR: B2B, B2C…).
FOOT_NOTES = frozenset({"REG", "ABL"})
REVERSE_CHARGE = "Autoliquidation – "
# Articles as the codes of VATEX cite them (invoices.en16931.vat); of the directive as English writes it: 132(1)(i).
OF_FRANCE = re.compile(r"Exonération de TVA, (?:article|art\.) (.+) du CGI\.?")
OF_THE_UNION = re.compile(
    r"Exonération de TVA, article (\d+)(?:, paragraphe (\d+))?(?:, point (.+?)\))?,? de la directive 2006/112/CE\.?"
)
TECHNICAL_NOTES = frozenset({"BAR"})


def terms(content: InvoiceContent, style: PrintStyle) -> list[str]:
    """The paragraphs under the totals: on VAT and the operation, on payment, then each other note by itself."""
    vat = _unique(item.printed_reason for item in content.vat_breakdown)
    if content.type_code in wording.SELF_BILLED:
        vat.append(wording.SELF_BILLING)
    if style.has_reform_mentions and style.is_professional:
        vat += _reform_mentions(content, style)
    # Nothing is to be paid on a credit note, so nothing is said of when, nor of being late.
    payment = [] if content.is_credit_note else [content.payment_terms or style.payment_terms]
    payment += [] if content.is_credit_note else _payment_mentions(content, style)
    apart = {LATE_PENALTY, RECOVERY_FEE, DISCOUNT} | FOOT_NOTES | TECHNICAL_NOTES
    others = [note.text for note in content.notes if note.subject_code not in apart]
    documents = _supporting_documents(content)
    deliveries = [
        translate("Autre livraison%(where)s.") % {"where": delivery_text(each)} for each in content.other_deliveries
    ]
    # The law's own words are French; what they mean is beneath, where the document is in another language.
    meant = [[meaning for text in texts if text and (meaning := _meaning(text)) != text] for texts in (vat, payment)]
    legal = [_sentences(texts) for texts in (vat, payment, *meant)]
    return _unique([*legal, *deliveries, *others, documents, *style.other_mentions])


def _meaning(text: str) -> str:
    """A text of the law in the language of the document; itself where it is in words of the company's own."""
    if foreign_locale() is None:
        return text
    if (known := translate(text)) != text:
        return known
    if text.startswith(REVERSE_CHARGE):
        return f"{translate('Autoliquidation')} – {_meaning(text.removeprefix(REVERSE_CHARGE))}"
    if cited := OF_FRANCE.fullmatch(text):
        return translate("Exonération de TVA, article %(article)s du CGI") % {"article": cited[1]}
    if cited := OF_THE_UNION.fullmatch(text):
        parts = "".join(f"({part})" for part in cited.groups()[1:] if part)
        return translate("Exonération de TVA, article %(article)s de la directive 2006/112/CE") % {
            "article": f"{cited[1]}{parts}"
        }
    return text


def delivery_text(delivery: Delivery) -> str:
    """« le 03/06/2022 : Dépôt de Lyon, 3 rue du Port, 69002 Lyon », with what is known of it; begins with a space."""
    parts = [delivery.name, *(postal_lines(delivery.address) if delivery.address else [])]
    if not any(parts) and delivery.location:
        parts = [delivery.location.value]
    place = ", ".join(filter(None, parts))
    when = translate(" le %(date)s") % {"date": number_format.day(delivery.date)} if delivery.date else ""
    return f"{when}{punctuation(':')} {place}" if place else when


def _supporting_documents(content: InvoiceContent) -> str:
    """What goes with the invoice (BG-24): by its number, what it is, and where it is to be found."""
    documents = []
    for each in content.supporting_documents:
        kind = wording.word(wording.SUPPORTING_DOCUMENTS, each.description) or each.description
        named = f"{kind} {each.reference}" if kind and kind != each.reference else each.reference
        place = each.location or each.filename
        documents.append(f"{named} ({place})" if place and place != named else named)
    if not documents:
        return ""
    return translate("Pièces jointes : %(names)s.") % {"names": f"{punctuation(';')} ".join(documents)}


def _sentences(texts: Iterable[str]) -> str:
    """The texts one after the other, each closed by a stop."""
    return " ".join(text if text[-1] in ".!?…:" else f"{text}." for text in _unique(texts))


def _reform_mentions(content: InvoiceContent, style: PrintStyle) -> list[str]:
    """Category of the operation, option for VAT on debits (ann. II 242 nonies A, as amended by decree 2022-1299)."""
    mentions = []
    if category := wording.OPERATION_CATEGORIES.get(content.business_process[:1]):
        mentions.append(category)
    if style.vat_on_debits or content.vat_point_code == "5":
        mentions.append(wording.VAT_ON_DEBITS)
    return mentions


def _payment_mentions(content: InvoiceContent, style: PrintStyle) -> list[str]:
    """Discount, late penalties, recovery fee: the document's notes, else the company's; no fee for individuals."""
    mentions = []
    for code, standing in (
        (DISCOUNT, style.early_discount),
        (LATE_PENALTY, style.late_penalty),
        (RECOVERY_FEE, style.recovery_fee),
    ):
        if not style.is_professional and code == RECOVERY_FEE:
            continue
        own = [note.text for note in content.notes if note.subject_code == code]
        if own:
            mentions += own
        elif style.is_professional:
            mentions.append(standing)
    return mentions


def foot_of_page(content: InvoiceContent, style: PrintStyle) -> list[str]:
    """Who the seller is by law: the company's mentions, else the document's (BT-33); notes REG and ABL."""
    standing = (
        "\n".join(filter(None, (*style.legal_mentions, _contact(content, style)))) or content.seller.legal_information
    )
    own = [note.text for note in content.notes if note.subject_code in FOOT_NOTES]
    return _unique([standing, *(text for text in own if text not in standing)])


def _contact(content: InvoiceContent, style: PrintStyle) -> str:
    """The company's contact in one line, without what is beside the seller's name already."""
    contact = content.seller.contact
    said = {_bare(text) for text in (contact.phone, contact.email) if text} if contact else set()
    return " – ".join(part for part in style.contact if _bare(part) not in said)


def _bare(text: str) -> str:
    return "".join(text.split()).lower()


def _unique(texts: Iterable[str]) -> list[str]:
    """The texts that say something, each once, in order."""
    return list(dict.fromkeys(text.strip() for text in texts if text and text.strip()))
