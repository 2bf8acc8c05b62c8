"""What is copied out of a printed invoice is what was typed, whatever the script."""

import datetime
import io
import re
import subprocess
import unicodedata
from collections import Counter
from pathlib import Path

import pikepdf
import pytest

from invoices.en16931.model import InvoiceContent
from invoices.printing import PrintStyle, render_invoice
from invoices.printing.fonts import printable, width, wrap
from invoices.printing.weasyprint_cache import switch
from tests.support import invoice_samples as samples
from tests.support.pdf_structure import check_accessible, check_archive, qpdf_complaints

CREATED = datetime.datetime(2022, 6, 7, tzinfo=datetime.UTC)
STYLE = PrintStyle()
LEFT_TO_RIGHT = {
    "Thai": "บริษัท น้ำ กำลัง จำกัด (มหาชน) ก็ กิ์ ปี่ ฟ้ำ ญุ ฐู",
    "Lao": "ບໍລິສັດ ນ້ຳ",
    "Khmer": "ខ្មែរ ក្រុមហ៊ុន",
    "Birman": "မြန်မာ ကုမ္ပဏီ",
    "Hindi": "हिन्दी कंपनी क्षत्रिय",
    "Bengali": "বাংলাদেশ কোম্পানি",
    "Penjabi": "ਪੰਜਾਬੀ ਕੰਪਨੀ",
    "Gujarati": "ગુજરાતી કંપની",
    "Tamil": "தமிழ் நிறுவனம்",
    "Singhalese, with a joiner": "ශ්‍රී ලංකා",
    "Amharic": "ኢትዮጵያ",
    "Vietnamese": "Nguyễn Thị Hồng Đặng",
    "Latin with stacked accents": "x̂́̇ Ẑ̧ n̈ q̃ ạ̈̄ ńǵ",
    "Cyrillic with accents": "и́ е́ Йо",
}
RIGHT_TO_LEFT = {
    "Arabic": "شركة النور للتجارة",
    "Hebrew": "חברת האור בע״מ",
    "Persian": "پژوهشگاه گچ",
}
WITH_MARKS = {"pointed Hebrew": "שָׁלוֹם בְּרֵאשִׁית בָּרָא אֱלֹהִים", "Arabic with vowels": "مُحَمَّدٌ رَسُولُ"}


def copied(data: bytes) -> str:
    """All text of a PDF, without the signs of direction that the reader adds."""
    run = subprocess.run(["pdftotext", "-", "-"], input=data, capture_output=True, check=True)
    return re.sub("[\u202a-\u202e]", "", run.stdout.decode())


def invoice_about(*texts: str) -> InvoiceContent:
    return samples.invoice(tuple(samples.line(number, text) for number, text in enumerate(texts, 1)))


@pytest.mark.parametrize("script", [*LEFT_TO_RIGHT, *RIGHT_TO_LEFT])
def test_a_name_is_copied_as_it_was_typed(script: str, tmp_path: Path) -> None:
    name = unicodedata.normalize("NFC", {**LEFT_TO_RIGHT, **RIGHT_TO_LEFT}[script])
    data = render_invoice(samples.named(name), STYLE, created=CREATED, xml=b"<invoice/>")
    assert name in copied(data)
    check_archive(data, with_xml=b"<invoice/>")
    check_accessible(data)
    assert qpdf_complaints(data, tmp_path) == ""


@pytest.mark.parametrize("script", WITH_MARKS)
def test_each_letter_and_mark_written_from_right_to_left_is_copied_once(script: str) -> None:
    text = unicodedata.normalize("NFC", WITH_MARKS[script])
    letters = Counter(text.replace(" ", ""))
    seen = Counter(copied(render_invoice(invoice_about(text), STYLE, created=CREATED)))
    assert {character: seen[character] for character in letters} == dict(letters)


def test_a_letter_met_first_under_an_accent_is_copied_alone_afterwards() -> None:
    text = copied(render_invoice(invoice_about("ǵx̂", "xg xg"), STYLE, created=CREATED))
    assert "xg xg" in text


def test_a_document_in_all_scripts_is_the_same_bytes_with_and_without_memory() -> None:
    texts = [*LEFT_TO_RIGHT.values(), *RIGHT_TO_LEFT.values(), *WITH_MARKS.values()]
    with switch.without_memory():
        plain = render_invoice(invoice_about(*texts), STYLE, created=CREATED)
    switch.forget()
    render_invoice(invoice_about(*reversed(texts)), STYLE, created=CREATED)
    for _ in range(2):
        assert render_invoice(invoice_about(*texts), STYLE, created=CREATED) == plain


def texts_carried(data: bytes) -> list[str]:
    with pikepdf.open(io.BytesIO(data)) as pdf:
        return [
            str(instruction.operands[1].ActualText)
            for page in pdf.pages
            for instruction in pikepdf.parse_content_stream(page)
            if str(instruction.operator) == "BDC" and "/ActualText" in instruction.operands[1]
        ]


def test_only_words_that_glyphs_cannot_tell_carry_their_text() -> None:
    assert texts_carried(render_invoice(samples.plain(3), STYLE, created=CREATED)) == []
    assert texts_carried(render_invoice(invoice_about("Société น้ำ กข"), STYLE, created=CREATED)) == ["น้ำ"]
    # Readers turn a text in Hebrew or Arabic round.
    assert texts_carried(render_invoice(invoice_about(*WITH_MARKS.values()), STYLE, created=CREATED)) == []


def test_a_joiner_is_kept_where_it_is_spelling_and_dropped_elsewhere() -> None:
    assert printable("می‌خواهم") == "می‌خواهم"
    assert printable("Ver‌trag a\u200d") == "Vertrag a"


def test_a_line_is_not_broken_between_a_letter_and_what_is_tied_to_it() -> None:
    for text in ("กี่" * 60, "क्षि" * 60, "ශ්‍රී" * 60):
        lines = wrap(text, 60, 10)
        assert len(lines) > 1
        assert "".join(lines) == text
        assert not any(unicodedata.category(line[0])[0] == "M" or line[0] == "\u200d" for line in lines)
        assert not any(unicodedata.combining(line[-1]) == 9 or line[-1] == "\u200d" for line in lines)


@pytest.mark.parametrize(
    ("word", "ends"),
    [
        ("comptabilite@harmonie-disques.example", "@-."),
        ("https://www.etablissements-lavoisier.example/factures/", "/-."),
        ("REF-LANGUE-LONGUE-VERZINKT-UNTERBAU", "-"),
    ],
)
def test_an_address_or_a_code_is_broken_between_its_parts(word: str, ends: str) -> None:
    *before, _last = lines = wrap(word, 120, 10)

    assert before
    assert "".join(lines) == word
    assert all(line[-1] in ends for line in before)


def test_a_number_that_is_too_long_is_not_broken_at_its_signs() -> None:
    *before, _last = lines = wrap("123.456.789.012.345.678.901.234.567", 100, 10)

    assert "".join(lines) == "123.456.789.012.345.678.901.234.567"
    assert all(width(line + "0", 10) > 100 for line in before)
