"""The printed invoice: what it says, and that it is the file it claims to be."""

import dataclasses
import datetime
import hashlib
import io
import os
import re
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest
from PIL import Image

from invoices.en16931.model import Address, AllowanceCharge, InvoiceContent
from invoices.printing import TEMPLATES, LogoError, PrintStyle, read_logo, render_invoice
from invoices.printing.fonts import width
from invoices.printing.layouts import LAYOUTS, POINTS_PER_MM
from invoices.printing.markup import FOLDER
from invoices.printing.number_format import amount, day, money, number, price, rate
from invoices.printing.page import compose
from invoices.printing.totals import DUE_WIDE
from tests.support import invoice_samples as samples
from tests.support.code_reading import read_code
from tests.support.pdf_structure import check_accessible, check_archive, pages_text, qpdf_complaints, text_of

CREATED = datetime.datetime(2022, 6, 7, 10, 0, tzinfo=datetime.timezone(datetime.timedelta(hours=2)))
XML = b"<?xml version='1.0'?><invoice>18000135</invoice>"


def picture() -> bytes:
    """A small logo with transparency."""
    image = Image.new("RGBA", (300, 100), (200, 30, 30, 0))
    image.paste((31, 61, 92, 255), (10, 10, 90, 90))
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


STYLE = PrintStyle(
    logo=read_logo(picture()),
    legal_mentions=("SAS au capital de 120 000 € – RCS Grenoble 552 081 317",),
    late_penalty="Pénalités de retard au taux légal triplé.",
    early_discount="Escompte : néant.",
    recovery_fee="Indemnité forfaitaire de recouvrement : 40 €.",
    payment_terms="Paiement à 30 jours.",
    has_reform_mentions=True,
    has_transfer_code=True,
)


def style_for(content: InvoiceContent, **more: object) -> PrintStyle:
    """STYLE, for the kind of customer of ``content``."""
    return dataclasses.replace(STYLE, is_professional=content.buyer != samples.PERSON, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", samples.every_kind())
def test_every_kind_of_invoice_is_archivable_and_accessible_and_says_its_figures(kind: str, tmp_path: Path) -> None:
    content = samples.every_kind()[kind]
    data = render_invoice(content, style_for(content), created=CREATED, xml=XML)
    assert qpdf_complaints(data, tmp_path) == ""
    check_archive(data, with_xml=XML)
    check_accessible(data)
    text = text_of(data)
    assert f"N° {content.number}" in text
    assert "07/06/2022" in text
    assert content.total_with_vat is not None
    whole, cents = f"{content.total_with_vat:,.2f}".replace(",", " ").split(".")
    assert f"{whole},{cents} {'€' if content.currency == 'EUR' else content.currency}" in text


@pytest.mark.parametrize("template", TEMPLATES)
def test_each_template_is_archivable_without_xml_and_without_logo(template: str, tmp_path: Path) -> None:
    content = samples.plain(45)
    style = style_for(content, template=template, logo=None, has_transfer_code=False)
    data = render_invoice(content, style, created=CREATED)
    assert qpdf_complaints(data, tmp_path) == ""
    check_archive(data, with_xml=None)
    check_accessible(data)


def test_three_hundred_lines_are_carried_from_page_to_page() -> None:
    content = samples.plain(300)
    pages = pages_text(render_invoice(content, style_for(content), created=CREATED))
    assert len(pages) > 8
    sums, total = set(), Decimal(0)
    for line in content.lines:
        total += line.net_amount
        sums.add(total)
    brought = None
    for index, page in enumerate(pages, start=1):
        assert f"Page {index} / {len(pages)}" in page
        if index > 1:
            assert "Facture N° 18000135 (suite)" in page
        carried = re.search(r"À reporter +([\d ]+,\d\d) €", page)
        report = re.search(r"Report +([\d ]+,\d\d) €", page)
        assert (report.group(1) if report else None) == brought
        brought = carried.group(1) if carried else None
        if carried:
            assert Decimal(carried.group(1).replace(" ", "").replace(",", ".")) in sums
            assert "Désignation" in page
            # What is carried is the sum up to the last line of this very page.
            amounts = re.findall(r"(\d[\d ]*,\d\d)\n", page.split("À reporter")[0])
            last = Decimal(amounts[-1].split("  ")[-1].replace(" ", "").replace(",", "."))
            assert last in [line.net_amount for line in content.lines]
    assert brought is None


def test_the_sum_carried_is_that_of_the_lines_printed_so_far() -> None:
    given = tuple(samples.line(n, f"Article {n}", "1", "10.00") for n in range(1, 61))
    first, second, *_ = pages_text(render_invoice(samples.invoice(given), STYLE, created=CREATED))
    printed = len(re.findall(r"Article \d+", first))
    assert f"À reporter {money(Decimal(10 * printed), 'EUR')}".replace("\u00a0", " ") in " ".join(first.split())
    assert f"Report {money(Decimal(10 * printed), 'EUR')}".replace("\u00a0", " ") in " ".join(second.split())


def test_a_one_page_invoice_carries_nothing() -> None:
    text = text_of(render_invoice(samples.plain(3), STYLE, created=CREATED))
    assert "reporter" not in text
    assert "Report" not in text
    assert "Page 1 / 1" in text


def test_the_same_invoice_gives_the_same_bytes_in_another_process() -> None:
    content = samples.with_allowances()
    here = hashlib.sha256(render_invoice(content, STYLE, created=CREATED, xml=XML)).hexdigest()
    program = (
        "import hashlib; from tests.invoices.printing import test_printed_page as t;"
        "from tests.support import invoice_samples as s;"
        "from invoices.printing import render_invoice as r;"
        "r(s.plain(2), t.STYLE, created=t.CREATED);"
        "print(hashlib.sha256(r(s.with_allowances(), t.STYLE, created=t.CREATED, xml=t.XML)).hexdigest())"
    )
    for seed in ("1", "2"):
        run = subprocess.run(
            [sys.executable, "-c", program],
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "PYTHONHASHSEED": seed, "TZ": "Pacific/Auckland"},
        )
        assert run.stdout.strip() == here


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


def test_a_foreign_currency_is_named_and_its_vat_stands_in_euros_too() -> None:
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


HOSTILE = (
    "<script>alert(1)</script><img src='file:///etc/passwd'/> {{ page.number }} </th></tr> &amp; \x00\x1b\u202e\ud800"
)


def test_hostile_text_is_shown_as_text(tmp_path: Path) -> None:
    content = dataclasses.replace(
        samples.named(HOSTILE), number=HOSTILE[:40], payment_terms=HOSTILE, purchase_order_reference=HOSTILE
    )
    data = render_invoice(content, STYLE, created=CREATED, xml=XML)
    assert qpdf_complaints(data, tmp_path) == ""
    check_archive(data, with_xml=XML)
    check_accessible(data)
    text = text_of(data)
    assert "<script>alert(1)</script><img" in text
    assert "{{ page.number }}" in text
    assert "&amp;" in text
    assert "root:" not in text


def test_nothing_typed_runs_out_of_its_place() -> None:
    long = "W" * 500
    content = dataclasses.replace(
        samples.named(long),
        purchase_order_reference=long,
        payment_terms=long,
        delivery=dataclasses.replace(samples.with_allowances().delivery, address=Address(line1=long, country="FR")),  # type: ignore[type-var]
    )
    data = render_invoice(content, STYLE, created=CREATED)
    check_accessible(data)
    run = subprocess.run(["pdftotext", "-bbox", "-", "-"], input=data, capture_output=True, check=True)
    margin, right = 18 / 25.4 * 72 - 1, 595.3 - 18 / 25.4 * 72 + 1
    word = re.compile(r'<word xMin="([\d.]+)" yMin="([\d.]+)" xMax="([\d.]+)" yMax="([\d.]+)">(.*?)<')
    shown = 0
    for page in run.stdout.decode().split("<page ")[1:]:
        boxes: list[tuple[float, float, float, float]] = []
        for *place, text in word.findall(page):
            x1, y1, x2, y2 = map(float, place)
            assert margin <= x1 <= x2 <= right, text
            assert 0 <= y1 <= y2 <= 842, text
            shown += text.count("W")
            # No long word stands on another.
            if len(text) > 15:
                for left, top, end, bottom in boxes:
                    assert x1 >= end or x2 <= left or y1 >= bottom - 3 or y2 <= top + 3, text
                boxes.append((x1, y1, x2, y2))
    assert shown >= 3 * 500  # name, line and terms whole; references and places cut short


@pytest.mark.parametrize(
    ("name", "font"),
    [
        ("株式会社山田製作所", "Droid-Sans-Fallback"),
        ("주식회사 한글", "Facture-Hangul"),
        ("شركة النور", "Noto-Sans-Arabic"),
        ("חברת האור", "Noto-Sans-Hebrew"),
        ("บริษัท", "Noto-Sans-Thai"),
        ("Ուղևոր", "Noto-Sans-Armenian"),
    ],
)
def test_names_in_other_scripts_are_drawn_with_a_bundled_face(name: str, font: str) -> None:
    data = render_invoice(samples.named(name), STYLE, created=CREATED)
    check_archive(data, with_xml=None)
    fonts = subprocess.run(["pdffonts", "-"], input=data, capture_output=True, check=True).stdout.decode()
    assert font in fonts
    if font in ("Droid-Sans-Fallback", "Facture-Hangul"):
        assert name in text_of(data)


def test_a_character_without_a_glyph_is_replaced_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    data = render_invoice(samples.named("Société \U00013000 Nil"), STYLE, created=CREATED)
    check_archive(data, with_xml=None)
    assert "Société □ Nil" in text_of(data)
    assert "U+13000" in caplog.text


def test_latin_text_needs_no_other_face_than_the_two() -> None:
    data = render_invoice(samples.plain(8), STYLE, created=CREATED)
    fonts = subprocess.run(["pdffonts", "-"], input=data, capture_output=True, check=True).stdout.decode()
    assert sorted(re.findall(r"\+(\S+)", fonts)) == ["Facture-Sans", "Facture-Sans-Bold"]


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


def test_an_empty_invoice_of_the_smallest_profile_is_printed() -> None:
    content = InvoiceContent(
        number="1", issue_date=None, type_code="380", currency="EUR", seller=samples.SELLER, buyer=samples.BUYER
    )
    data = render_invoice(content, PrintStyle(), created=CREATED)
    check_archive(data, with_xml=None)
    check_accessible(data)


def test_a_time_without_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        render_invoice(samples.plain(1), STYLE, created=datetime.datetime(2022, 6, 7))  # noqa: DTZ001


@pytest.mark.parametrize("template", TEMPLATES)
def test_the_printed_code_is_read_by_a_camera_and_pays_the_amount_due(template: str) -> None:
    content = samples.plain(3)
    style = style_for(content, template=template, iban="FR76 3000 6000 0112 3456 7890 189", bic="AGRIFRPP")
    assert content.payment is None or not content.payment.iban or content.payment.iban.startswith("FR")

    code = read_code(render_invoice(content, style, created=CREATED))

    said = code.bytes.decode().split("\n")
    due = content.amount_due if content.amount_due is not None else content.total_with_vat
    assert (said[:4], said[7], said[10]) == (["BCD", "002", "1", "SCT"], f"EUR{due:.2f}", content.number)
    assert code.ec_level == "M"


def test_a_stroke_laid_over_a_bracket_takes_no_tag_away() -> None:
    content = samples.plain(1)
    content = dataclasses.replace(
        content, buyer=dataclasses.replace(content.buyer, name="\u0338 Martin >\u0338<\u0338")
    )

    assert "Martin" in text_of(render_invoice(content, STYLE, created=CREATED))


@pytest.mark.parametrize("template", TEMPLATES)
def test_large_amounts_and_long_labels_stay_inside_their_column(template: str) -> None:
    due = Decimal("148148146.81")
    long_label = "Remise exceptionnelle de fin d’année accordée aux clients fidèles"
    content = dataclasses.replace(
        samples.plain(2),
        type_code="384",
        total_with_vat=due,
        amount_due=due,
        allowances_charges=(AllowanceCharge(is_charge=False, amount=Decimal("12345678.90"), reason=long_label),),
    )
    layout = LAYOUTS[template]
    page = compose(content, style_for(content, template=template))

    assert page.is_wide
    for row in page.totals:
        size, bold = (layout.text * DUE_WIDE, True) if row.kind == "due" else (layout.text, row.kind == "strong")
        widest = max(width(line, size, bold=bold) for line in row.label.split("\n"))
        assert widest + width(row.amount, size, bold=bold) <= layout.column * POINTS_PER_MM, row
    for line in page.heading.split("\n"):
        assert width(line.upper(), layout.title, bold=True) <= layout.column * POINTS_PER_MM
    assert page.heading.replace("\n", " ") == page.title


def test_a_credit_note_is_addressed_and_not_billed() -> None:
    text = text_of(render_invoice(dataclasses.replace(samples.plain(1), type_code="381"), STYLE, created=CREATED))
    assert "Adressé à" in text
    assert "Facturé à" not in text


@pytest.mark.parametrize("fill", ["device-cmyk(0 1 1 0)", "DEVICE-CMYK(0 0 0 1)", "\\64 evice-cmyk(0 0 0 1)"])
def test_a_logo_in_printing_colours_is_refused(fill: str) -> None:
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"><path fill="{fill}" d="M0 0h1v1z"/></svg>'
    with pytest.raises(LogoError, match="Le logo SVG"):
        read_logo(svg.encode())


@pytest.mark.parametrize("box", ["a b c d", "0 0 10", "0 0 0 0", "0 0 -1 1", "0 0 nan 1", ""])
def test_a_logo_with_a_frame_of_no_size_is_refused(box: str) -> None:
    path = '<path d="M0 0h1v1z"/>'
    with pytest.raises(LogoError, match=r"viewBox|dimensions"):
        read_logo(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{box}">{path}</svg>'.encode())


def test_a_logo_of_groups_within_groups_is_refused() -> None:
    groups = "<g>" * 50_000 + "</g>" * 50_000
    with pytest.raises(LogoError, match="trop de groupes"):
        read_logo(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1">{groups}</svg>'.encode())


def test_the_first_pages_of_a_process_may_be_asked_for_at_once() -> None:
    """As a site of several threads does: each page is whole, and the same."""
    program = (
        "import hashlib, sys, threading\n"
        "from tests.support import invoice_samples as samples\n"
        "from tests.invoices.printing.test_printed_page import CREATED\n"
        "from invoices.printing import PrintStyle, render_invoice\n"
        "sys.setswitchinterval(1e-6)\n"
        "content, start, found = samples.plain(), threading.Barrier(6), []\n"
        "def render():\n"
        "    start.wait()\n"
        "    found.append(hashlib.sha256(render_invoice(content, PrintStyle(), created=CREATED)).hexdigest())\n"
        "threads = [threading.Thread(target=render) for _ in range(6)]\n"
        "[thread.start() for thread in threads]\n"
        "[thread.join() for thread in threads]\n"
        "print(len(found), len(set(found)))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=120)
    assert done.stdout.split() == ["6", "1"], done.stderr


def test_a_template_is_declared_once_and_another_name_is_refused_with_a_sentence() -> None:
    # Here, because other processes import this module without Django.
    from invoices.models import Company

    assert Company.PdfTemplate.values == list(TEMPLATES)
    assert all((FOLDER / f"{name}.css").is_file() for name in TEMPLATES)
    with pytest.raises(ValueError, match="Le modèle de facture « ancien » n’existe pas : choisissez classic, modern, "):
        PrintStyle(template="ancien")
