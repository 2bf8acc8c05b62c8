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
from invoices.printing.fonts import FALLBACKS, _widths, printable, width
from invoices.printing.layouts import LAYOUTS, POINTS_PER_MM
from invoices.printing.markup import FOLDER
from invoices.printing.number_format import money
from invoices.printing.page import compose
from invoices.printing.totals import DUE_WIDE
from tests.support import invoice_samples as samples
from tests.support.code_reading import read_code
from tests.support.pdf_structure import check_accessible, check_archive, pages_text, qpdf_complaints, text_of
from tests.support.printed_style import CREATED, STYLE, style_for

XML = b"<?xml version='1.0'?><invoice>18000135</invoice>"


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
            # No long word is on another.
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


@pytest.mark.parametrize("template", TEMPLATES)
def test_pictures_mathematical_letters_and_ligatures_are_printed(
    template: str, caplog: pytest.LogCaptureFixture
) -> None:
    name = "🎸 Café 𝓜𝓾𝓼𝓲𝓺𝓾𝓮 𝐁𝐨𝐥𝐝 𝟙𝟚 ★ ❤ ☎ → ① 🇫🇷"
    data = render_invoice(
        samples.named(f"{name} ﬁn ﬂeur"), style_for(samples.plain(1), template=template), created=CREATED
    )
    check_archive(data, with_xml=None)
    check_accessible(data)
    text = text_of(data)
    assert [word for word in name.split() if word not in text] == []
    assert "fin fleur" in text
    assert "□" not in text
    assert caplog.text == ""


def test_what_only_changes_the_picture_before_it_is_left_out() -> None:
    assert printable("👍🏽 ❤\ufe0f 1\ufe0f\u20e3 👨\u200d👩") == "👍 ❤ 1 👨👩"
    assert printable("ﬃ ㈱ ½ ﷺ") == "ffi ㈱ ½ ﷺ"


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("1⅔ m", "1 2⁄3 m"),
        ("⅔⅔", "2⁄3 2⁄3"),
        ("½\u200b⅔", "½ 2⁄3"),
        ("⅔5", "2⁄3 5"),
        ("⅔ m, (⅕)", "2⁄3 m, (1⁄5)"),
        ("㏠3㏡", "1日3 2日"),
        ("㍹2", "dm3 2"),
        ("5①", "5①"),
        ("１２", "１２"),
        ("20㎡", "20㎡"),
        ("10⁵", "10⁵"),
        ("a\0b", "ab"),
    ],
)
def test_what_represents_a_character_changes_no_number(text: str, printed: str) -> None:
    assert printable(text) == printed
    assert printable(printed) == printed


def test_a_sign_is_in_one_of_the_faces_of_signs_only() -> None:
    faces = [set(_widths(file)) - set(map(ord, " \u00a0\u202f")) for file in FALLBACKS[-4:]]
    assert sum(map(len, faces)) == len(set().union(*faces))


def test_a_character_without_a_glyph_is_replaced_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    data = render_invoice(samples.named("Société \U00013000 Nil"), STYLE, created=CREATED)
    check_archive(data, with_xml=None)
    assert "Société □ Nil" in text_of(data)
    assert "U+13000" in caplog.text


def test_latin_text_needs_no_other_face_than_the_two() -> None:
    data = render_invoice(samples.plain(8), STYLE, created=CREATED)
    fonts = subprocess.run(["pdffonts", "-"], input=data, capture_output=True, check=True).stdout.decode()
    assert sorted(re.findall(r"\+(\S+)", fonts)) == ["Facture-Sans", "Facture-Sans-Bold"]


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
        assert width(line, layout.title, bold=True) <= layout.identity_width * POINTS_PER_MM
    assert page.heading.replace("\n", " ").lower() == page.title.lower()


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


@pytest.mark.parametrize("width", [7_000, 10_000, 65_000])  # each refused at another place of Pillow
def test_a_logo_of_few_bytes_that_claims_many_pixels_is_refused(width: int) -> None:
    out = io.BytesIO()
    Image.new("P", (8, 8)).save(out, "GIF")
    claimed = width.to_bytes(2, "little") * 2
    with pytest.raises(LogoError, match="trop de points"):
        read_logo(out.getvalue().replace(b"GIF87a\x08\x00\x08\x00", b"GIF87a" + claimed))


def test_the_first_pages_of_a_process_may_be_asked_for_at_once() -> None:
    """As a site of several threads does: each page is whole, and the same."""
    program = (
        "import hashlib, sys, threading\n"
        # A site has its settings before its threads, which do not load them at once without harm.
        "import django\n"
        "django.setup()\n"
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
    with pytest.raises(ValueError, match="Le modèle de facture « ancien » n’existe pas : choisissez ") as refused:
        PrintStyle(template="ancien")
    assert str(refused.value).endswith(f"{', '.join(TEMPLATES)}.")
