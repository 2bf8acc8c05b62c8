"""Whatever is printed stays inside its place: titles, numbers of any length, lines broken where a reader expects it."""

import re
import subprocess
from dataclasses import replace
from decimal import Decimal
from itertools import pairwise

import pytest
from django.utils.translation import override

from invoices.en16931.model import CreditAccount, InvoiceContent, VatBreakdown
from invoices.printing import TEMPLATES, render_invoice, wording
from invoices.printing.fonts import width, wrap
from invoices.printing.layouts import LAYOUTS, POINTS_PER_MM
from invoices.printing.page import compose
from tests.support import invoice_samples as samples
from tests.support.pdf_structure import pages_text, text_of
from tests.support.printed_style import CREATED, STYLE, style_for

LANGUAGES = ("fr", "en", "de", "es")
MARGIN, RIGHT_EDGE = 18 * POINTS_PER_MM, (210 - 18) * POINTS_PER_MM
WORD = re.compile(r'<word xMin="([\d.]+)" yMin="([\d.]+)" xMax="([\d.]+)" yMax="([\d.]+)">(.*?)<')


def boxes_of(data: bytes) -> list[list[tuple[float, float, float, float, str]]]:
    """The box of each word of each page, in points."""
    run = subprocess.run(["pdftotext", "-bbox", "-", "-"], input=data, capture_output=True, check=True)
    return [
        [(float(x1), float(y1), float(x2), float(y2), text) for x1, y1, x2, y2, text in WORD.findall(page)]
        for page in run.stdout.decode().split("<page ")[1:]
    ]


def assert_apart(data: bytes) -> None:
    """Words on one line have white between them, and none is outside of the margins."""
    for page in boxes_of(data):
        for index, (left, top, right, bottom, text) in enumerate(page):
            assert MARGIN - 1 <= left <= right <= RIGHT_EDGE + 1, text
            for start, above, end, below, other in page[index + 1 :]:
                if min(bottom, below) - max(top, above) > (bottom - top) / 3:
                    assert right <= start or end <= left, (text, other)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("template", TEMPLATES)
def test_every_word_of_every_title_is_whole_on_its_line(template: str, language: str) -> None:
    layout = LAYOUTS[template]
    for code in ("380", "381", *wording.TITLES):
        content = replace(samples.plain(1), type_code=code)
        with override(language):
            page = compose(content, style_for(content, template=template))
        size = layout.title * page.heading_percent / 100
        assert page.heading.lower().split() == page.title.lower().split(), page.heading
        for line in page.heading.split("\n"):
            assert width(line, size, bold=True) < layout.identity_width * POINTS_PER_MM, line


def test_a_title_is_smaller_only_where_a_word_is_too_long() -> None:
    deposit = replace(samples.plain(1), type_code="386")
    assert compose(deposit, STYLE).heading_percent == 100
    with override("de"):
        page = compose(deposit, STYLE)
        data = render_invoice(deposit, STYLE, created=CREATED)
    assert page.heading == "ANZAHLUNGSRECHNUNG"
    assert page.heading_percent < 100
    assert_apart(data)
    assert "ANZAHLUNGSRECHNUNG" in text_of(data)


def with_large_numbers() -> InvoiceContent:
    """Twelve digits before the comma, a quantity of many digits in a unit that no list has."""
    given = (
        samples.line(1, "Marché de travaux", "1", "98765432109.87"),
        samples.line(2, "Révision", "12345678.123456", "0.000123", unit="UNITE-INCONNUE-D-UN-ERP"),
        samples.line(3, "Chênes", "1234567.5", "1234.56789", unit="MTQ"),
    )
    return samples.invoice(given)


@pytest.mark.parametrize("language", ["fr", "de"])
@pytest.mark.parametrize("template", TEMPLATES)
def test_numbers_of_any_length_are_apart_in_the_tables(template: str, language: str) -> None:
    content = with_large_numbers()
    style = style_for(content, template=template)
    with override(language):
        data = render_invoice(content, style, created=CREATED)
        page = compose(content, style)
    assert_apart(data)
    assert sum(page.columns[name] for name in "nqpa") + LAYOUTS[template].rate == pytest.approx(174)
    for row in page.rows:
        assert row.amount.replace("\u202f", " ") in text_of(data)


def test_columns_are_as_the_template_has_them_where_everything_fits() -> None:
    page = compose(samples.plain(45), STYLE)
    assert page.columns == {}
    assert page.vat_label == 0


@pytest.mark.parametrize("template", TEMPLATES)
def test_a_number_of_eighty_signs_leaves_the_brought_sum_legible(template: str) -> None:
    number = "REF-" + "ABCDEFGHIJKLMNOPQRS" * 4
    content = samples.invoice(samples.lines(60), number=number)
    data = render_invoice(content, style_for(content, template=template), created=CREATED)
    assert len(pages_text(data)) > 1
    assert_apart(data)


def test_a_text_that_is_cut_short_stays_within_its_column() -> None:
    layout = LAYOUTS["classic"]
    content = replace(samples.plain(1), project_reference="Wil" * 200, contract_reference="liW " * 200)
    room = (layout.identity_width - layout.fact) * POINTS_PER_MM
    cut = [fact.value.split("\n") for fact in compose(content, STYLE).facts if "…" in fact.value]
    assert len(cut) == 2
    for lines in cut:
        assert len(lines) == 4
        assert all(width(line, layout.text) <= room for line in lines)


@pytest.mark.parametrize(
    "text",
    [
        "Le procès-verbal est joint ; les réserves sont levées : voir « annexe 3 » !",
        "Indemnité forfaitaire de 40 € pour frais de recouvrement, soit 12,5 % du total ?",
        "RCS Grenoble 552 081 317 au capital de 1 234 567,89 € tél. 04 76 00 00 00",
        "GTIN 3760123456789 · Poste de commande 10 · Objet SN-4457 · Imputation 607100",
    ],
)
def test_no_line_begins_with_a_sign_or_within_a_number(text: str) -> None:
    broken = set()
    for room in range(95, 300, 5):
        lines = wrap(text, room, 8.5)
        assert " ".join(lines) == text
        broken |= set(pairwise(lines))
    assert broken
    for before, after in broken:
        assert not re.match("[;:!?»%€·]", after), (before, after)
        assert not before.endswith("«"), (before, after)
        assert not (before[-1].isdigit() and re.match(r"\d{2,3}\b", after)), (before, after)


def test_a_number_longer_than_the_column_is_broken_at_its_spaces() -> None:
    assert wrap("12 345 678 901 234 567", 60, 8.5) == ["12 345 678", "901 234 567"]


def test_every_account_of_the_invoice_is_printed() -> None:
    other = CreditAccount(iban="DE89370400440532013000", bic="COBADEFF")
    content = replace(samples.plain(1), payment=replace(samples.PAYMENT, other_accounts=(other,)))
    text = text_of(render_invoice(content, STYLE, created=CREATED))
    assert "IBAN FR76 3000 6000 0112 3456 7890 189 · BIC AGRIFRPP" in text
    assert "IBAN DE89 3704 0044 0532 0130 00 · BIC COBADEFF" in text


@pytest.mark.parametrize("template", TEMPLATES)
def test_the_long_word_of_a_category_gives_way_to_large_sums(template: str) -> None:
    base = Decimal("98765432109.87")
    vat = (VatBreakdown("K", Decimal(0), base, Decimal(0), "Exonération", "VATEX-EU-IC"),)
    content = replace(samples.of_category("K"), vat_breakdown=vat, total_with_vat=base, amount_due=base)
    assert_apart(render_invoice(content, style_for(content, template=template), created=CREATED))
