"""The labels of the PDF in the customer's language; the French mentions of the law stay, and what they mean beneath."""

import datetime
import io
from dataclasses import replace
from decimal import Decimal
from typing import cast

import pytest
from django.utils.translation import override
from pypdf import PdfReader
from pypdf.generic import StreamObject

from customers.models import Account
from invoices.cldr import translate
from invoices.documents.rendering import document_language, render_document
from invoices.printing import PrintStyle, number_format, render_invoice, wording
from invoices.printing.fonts import width
from invoices.printing.layouts import LAYOUTS, POINTS_PER_MM, TEMPLATES
from invoices.printing.page import compose
from invoices.printing.totals import VAT_LABEL
from tests.support.factories import make_account, make_company, make_customer, make_invoice
from tests.support.invoice_examples import EXAMPLES

PENALTY = "En cas de retard de paiement, pénalités exigibles au taux de trois fois l’intérêt légal."
CREATED = datetime.datetime(2026, 10, 5, tzinfo=datetime.UTC)
CONTENT = replace(next(iter(EXAMPLES.values())).content, notes=())


def printed(language: str) -> bytes:
    with override(language):
        return render_invoice(CONTENT, PrintStyle(late_penalty=PENALTY), created=CREATED)


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("fr", ("FACTURE", "Échéance", "Désignation", "Net à payer", "Page 1 / 1")),
        ("en", ("INVOICE", "Due date", "Description", "Amount due", "three times the French legal interest rate")),
        ("de", ("RECHNUNG", "Fälligkeit", "Bezeichnung", "Zahlbetrag", "Verzugszinsen", "Seite 1 / 1")),
        ("es", ("FACTURA", "Vencimiento", "Descripción", "Total a pagar", "triple del interés legal")),
    ],
)
def test_labels_are_in_the_language_and_the_law_stays_french(language: str, words: tuple[str, ...]) -> None:
    pdf = PdfReader(io.BytesIO(printed(language)))
    text = " ".join(" ".join(page.extract_text() for page in pdf.pages).split())
    assert [word for word in (*words, "pénalités exigibles") if word not in text] == []
    assert str(pdf.root_object["/Lang"]) == language
    assert (
        f"<rdf:li>{language}</rdf:li></rdf:Bag></dc:language>"
        in cast("StreamObject", pdf.root_object["/Metadata"].get_object()).get_data().decode()
    )


@pytest.mark.parametrize("language", ["en", "de", "es"])
@pytest.mark.parametrize("template", TEMPLATES)
@pytest.mark.parametrize("currency", ["EUR", "USD"])
@pytest.mark.parametrize("category", sorted(wording.CATEGORIES))
def test_words_of_the_tables_stand_in_their_columns(language: str, template: str, currency: str, category: str) -> None:
    vat = replace(CONTENT.vat_breakdown[0], category=category, rate=None)
    lines = (replace(CONTENT.lines[0], vat_category=category, vat_rate=None),)
    layout = LAYOUTS[template]
    with override(language):
        page = compose(
            replace(CONTENT, currency=currency, lines=lines, vat_breakdown=(vat,)), PrintStyle(template=template)
        )
        heads = {translate("Prix HT"): layout.price, translate("Montant HT"): layout.amount}
    labels = [(page.rows[0].rate, layout.rate, layout.text), (page.vat[0].rate, VAT_LABEL, layout.text)]
    labels += [(f"{word} ({currency})", room, layout.small) for word, room in heads.items()]
    for text, room, size in labels:
        assert text
        assert max(width(line, size, bold=size == layout.small) for line in text.split("\n")) < room * POINTS_PER_MM


@pytest.mark.parametrize(
    ("category", "code", "french", "german"),
    [
        (
            "E",
            "VATEX-FR-CGI261C-1",
            "Exonération de TVA, article 261 C-1° du CGI",
            "Steuerfrei, Artikel 261 C-1° des französischen Steuergesetzbuchs (CGI)",
        ),
        (
            "E",
            "VATEX-EU-132-1I",
            "Exonération de TVA, article 132, paragraphe 1, point i), de la directive 2006/112/CE",
            "Steuerfrei, Artikel 132(1)(i) der Richtlinie 2006/112/EG",
        ),
        ("E", "VATEX-EU-F", "Régime particulier – Biens d’occasion", "Gebrauchtgegenstände/Sonderregelung"),
        (
            "AE",
            "VATEX-EU-132-1I",
            "Autoliquidation – Exonération de TVA, article 132, paragraphe 1, point i), de la directive 2006/112/CE",
            "Steuerschuldnerschaft des Leistungsempfängers – Steuerfrei, Artikel 132(1)(i) der Richtlinie 2006/112/EG",
        ),
    ],
)
def test_a_reason_known_by_its_code_is_in_french_and_in_the_language_beneath(
    category: str, code: str, french: str, german: str
) -> None:
    vat = replace(CONTENT.vat_breakdown[0], category=category, rate=None, exemption_code=code)
    content = replace(CONTENT, vat_breakdown=(vat,))
    with override("de"):
        text = " ".join(" ".join(compose(content, PrintStyle()).terms).split())
    assert french in text
    assert text.index(german) > text.index(french)
    with override("fr"):
        text = " ".join(" ".join(compose(content, PrintStyle()).terms).split())
    assert text.count("article") == french.count("article")


@pytest.mark.parametrize(
    ("language", "amount", "paid_by"),
    [
        ("fr", "1\u202f234,50\xa0€", "Règlement : virement"),
        ("en", "€1,234.50", "Payment: bank transfer"),
        ("de", "1.234,50\xa0€", "Zahlung: Überweisung"),
        ("es", "1.234,50\xa0€", "Pago: transferencia"),
    ],
)
def test_amounts_follow_cldr_and_words_of_the_house_the_language(language: str, amount: str, paid_by: str) -> None:
    content = replace(CONTENT, amount_due=Decimal("1234.5"))
    with override(language):
        page = compose(content, PrintStyle(iban="FR7630006000011234567890189"))
    assert page.totals[-1].amount == amount
    assert page.payment.startswith(paid_by)


@pytest.mark.parametrize(
    ("amount", "currency", "printed"),
    [
        ("-5", "EUR", "−€5.00"),
        ("5", "CHF", "CHF\xa05.00"),
        ("1500", "JPY", "JP¥1,500"),
        ("1500.5", "USD", "US$1,500.50"),
    ],
)
def test_signs_symbols_and_decimals_are_those_of_the_currency(amount: str, currency: str, printed: str) -> None:
    with override("en"):
        assert number_format.money(Decimal(amount), currency) == printed


def test_the_same_language_gives_the_same_bytes_twice() -> None:
    first = printed("de")
    printed("fr")
    assert printed("de") == first


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("offered", "country", "accounts", "language"),
    [
        ([], "DE", ("de",), "fr"),
        (["de", "en"], "DE", (), "de"),
        (["en"], "DE", (), "fr"),
        (["de", "en"], "DE", ("en", "de"), "en"),
        (["de", "en"], "FR", (), "fr"),
    ],
)
def test_a_document_is_in_its_customers_language(
    offered: list[str], country: str, accounts: tuple[str, ...], language: str
) -> None:
    company = make_company(languages=offered)
    customer = make_customer(country=country)
    for number, chosen in enumerate(accounts):
        make_account(customer, login=f"a{number}@a.example", language=chosen)
    assert document_language(make_invoice(company=company, customer=customer)) == language


@pytest.mark.django_db
def test_the_language_of_a_document_changes_nothing_of_its_xml() -> None:
    invoice = make_invoice(company=make_company(is_default=True, languages=["de"]))
    french = render_document(invoice)
    make_account(invoice.customer, language="de")
    german = render_document(invoice)
    assert german.sha256 != french.sha256
    assert german.xml_sha256 == french.xml_sha256
    Account.objects.update(language="fr")
    assert render_document(invoice).sha256 == french.sha256
