"""How invoices of any length are divided into pages, and what is in the band under the head."""

import dataclasses
import datetime
import io
import re
import subprocess
from decimal import Decimal

import pikepdf
import pytest

from customers.models import Customer
from invoices.documents.style import print_style
from invoices.en16931.model import InvoiceContent, Note, PaymentInstructions
from invoices.models import Company
from invoices.printing import TEMPLATES, render_invoice
from invoices.printing.page import compose
from tests.support import invoice_samples as samples
from tests.support.pdf_structure import check_accessible, elements, pages_text, text_of
from tests.support.printed_style import CREATED, STYLE, style_for

PENALTY = samples.NOTES[0].text


def numbered(count: int) -> InvoiceContent:
    """An invoice of so many lines, of one, two or three lines of text, each with its number."""
    given = (
        dataclasses.replace(line, name=f"Article {number} {line.name}")
        for number, line in enumerate(samples.lines(count), 1)
    )
    return samples.invoice(tuple(given))


def articles_by_page(content: InvoiceContent, template: str) -> list[int]:
    pages = pages_text(render_invoice(content, style_for(content, template=template), created=CREATED))
    return [len(re.findall(r"Article \d+", page)) for page in pages]


@pytest.mark.parametrize("template", TEMPLATES)
def test_a_last_page_never_holds_totals_or_terms_without_three_lines(template: str) -> None:
    for count in (9, 11, 13, 16, 21, 27, 34, 40, 46, 53, 60):
        found = articles_by_page(numbered(count), template)
        assert sum(found) == count
        assert len(found) == 1 or min(found) >= 3, (count, found)


@pytest.mark.parametrize("template", TEMPLATES)
@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_totals_are_on_the_page_of_the_last_line_of_a_short_invoice(template: str, count: int) -> None:
    runs_over = 0
    for lines_of_text in range(4, 50, 5):
        given = [dataclasses.replace(line, description="Une ligne de détail.\n" * 4) for line in samples.lines(count)]
        given[0] = dataclasses.replace(given[0], description="\n".join(["Détail"] * lines_of_text))
        content = samples.invoice(tuple(given))
        pages = pages_text(render_invoice(content, style_for(content, template=template), created=CREATED))
        (with_totals,) = (page for page in pages if "Total TTC" in page)
        # The one line of an invoice may go on over the page: its end is there.
        last = given[-1].name.split()[0] if count > 1 else "Détail"
        assert last in with_totals, lines_of_text
        assert count < 3 or given[-2].name.split()[0] in with_totals, lines_of_text
        (with_terms,) = (page for page in pages if "Conditions et mentions" in page)
        assert "Indemnité forfaitaire" in " ".join(with_terms.split())
        runs_over += len(pages) > 1
    assert runs_over


def test_a_first_page_is_not_left_empty_where_a_line_fits() -> None:
    given = [dataclasses.replace(line, description="\n".join(["Détail"] * 14)) for line in samples.lines(4)]
    for count in (3, 4):
        content = samples.invoice(tuple(given[:count]))
        first, *_ = pages_text(render_invoice(content, STYLE, created=CREATED))
        assert "Panneau chêne" in first


@pytest.mark.parametrize("template", TEMPLATES)
@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_line_of_half_a_page_goes_on_over_the_page_under_the_heads_of_the_columns(template: str, place: int) -> None:
    given = list(samples.lines(3))
    given[place] = dataclasses.replace(given[place], name=" ".join(f"mot{number}" for number in range(1500)))
    content = samples.invoice(tuple(given))
    data = render_invoice(content, style_for(content, template=template), created=CREATED)
    check_accessible(data)
    pages = pages_text(data)
    assert len(pages) > 2
    assert all("Désignation" in page for page in pages if "mot" in page)
    assert "mot0 " in pages[0]
    assert re.findall(r"mot\d+", " ".join(pages)) == [f"mot{number}" for number in range(1500)]


@pytest.mark.parametrize("template", TEMPLATES)
def test_long_terms_are_on_a_page_by_themselves_rather_than_take_the_lines_along(template: str) -> None:
    note = "Le matériel reste la propriété du vendeur jusqu’au paiement intégral. " * 90
    content = samples.invoice(samples.lines(4), notes=(*samples.NOTES, Note(note, "AAI")))
    first, *_ = pages_text(render_invoice(content, style_for(content, template=template), created=CREATED))
    assert "Panneau chêne" in first
    assert "Net à payer" in first
    assert "IBAN" in first


def test_a_compact_invoice_of_45_lines_takes_two_pages() -> None:
    assert len(articles_by_page(numbered(45), "compact")) == 2


@pytest.mark.parametrize("template", TEMPLATES)
def test_an_invoice_of_eight_lines_takes_one_page(template: str) -> None:
    assert articles_by_page(numbered(8), template) == [8]


def test_what_only_just_runs_over_a_page_is_set_tighter() -> None:
    content = samples.with_allowances()
    assert len(pages_text(render_invoice(content, style_for(content), created=CREATED))) == 1


@pytest.mark.parametrize("template", TEMPLATES)
def test_amount_and_due_date_stand_under_the_head_before_the_lines(template: str) -> None:
    content = samples.plain(2)
    text = text_of(render_invoice(content, style_for(content, template=template), created=CREATED))
    head, _, lines = text.partition("Désignation")
    assert "À payer au plus tard le 07/07/2022 92,09 €" in head
    assert "Net à payer 92,09 €" in lines


def paid_by(code: str, **more: str) -> PaymentInstructions:
    return dataclasses.replace(samples.PAYMENT, means_code=code, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "label", "amount"),
    [
        ({}, "À payer au plus tard le 07/07/2022", "92,09"),
        ({"due_date": None}, "Net à payer", "92,09"),
        ({"amount_due": Decimal(0)}, "Rien à payer", "0,00"),
        ({"amount_due": Decimal("-12.5")}, "Net en votre faveur", "12,50"),
        ({"type_code": "381"}, "Net en votre faveur", "92,09"),
        ({"type_code": "381", "amount_due": Decimal(0)}, "Rien à payer", "0,00"),
        ({"payment": paid_by("59")}, "Prélèvement le 07/07/2022", "92,09"),
        ({"payment": paid_by("", mandate_reference="RUM-1")}, "Prélèvement le 07/07/2022", "92,09"),
        ({"payment": paid_by("30", mandate_reference="RUM-1")}, "À payer au plus tard le 07/07/2022", "92,09"),
    ],
)
def test_the_band_says_what_becomes_of_the_amount(changes: dict[str, object], label: str, amount: str) -> None:
    page = compose(dataclasses.replace(samples.plain(2), **changes), STYLE)  # type: ignore[arg-type]
    assert (page.due_label, page.due) == (label, f"{amount}\u00a0€")
    # The last of the totals says the same of it.
    assert page.totals[-1].amount == page.due
    assert ("faveur" in page.totals[-1].label) == ("faveur" in label or "type_code" in changes)


@pytest.mark.parametrize(
    ("payment", "is_debit"),
    [
        (paid_by("59"), True),
        (paid_by("", mandate_reference="RUM-1"), True),
        (paid_by("1", debited_iban=samples.PAYMENT.iban), True),
        (paid_by("58", mandate_reference="RUM-1"), False),
        (paid_by(""), False),
    ],
)
def test_what_the_seller_takes_by_himself_is_not_asked_for_by_transfer(
    payment: PaymentInstructions, is_debit: bool
) -> None:
    page = compose(dataclasses.replace(samples.plain(2), payment=payment), STYLE)
    assert page.due_label.startswith("Prélèvement") == is_debit
    assert ("Règlement : prélèvement" in page.means) == is_debit
    assert bool(page.account) == (page.transfer_code is not None) == (not is_debit)


def test_a_credit_note_says_nothing_of_terms_of_payment() -> None:
    content = dataclasses.replace(
        samples.credit_note(), due_date=datetime.date(2022, 7, 7), payment_terms="Paiement à 30 jours fin de mois."
    )
    text = text_of(render_invoice(content, STYLE, created=CREATED))
    assert PENALTY not in text
    assert not re.search(r"[Pp]énalités|escompte|40 €|Paiement à|07/07/2022|Échéance", text)
    assert PENALTY in text_of(render_invoice(samples.plain(1), STYLE, created=CREATED))


def test_the_contact_is_said_once() -> None:
    company = Company(
        name="Atelier du Vercors SAS",
        phone="04 76 00 00 00",
        email="compta@atelier-vercors.example",
        website="www.atelier-vercors.example",
    )
    motto = (
        "Ébénisterie – compta@atelier-vercors.example – depuis 1952"  # a line of the company's own is not taken apart
    )
    text = text_of(
        render_invoice(samples.plain(1), dataclasses.replace(STYLE, legal_mentions=(motto,)), created=CREATED)
    )
    assert motto in text
    style = print_style(company, Customer(), on=datetime.date(2026, 1, 1))
    text = text_of(render_invoice(samples.plain(1), style, created=CREATED))
    assert text.count("compta@atelier-vercors.example") == text.count("04 76 00 00 00") == 1
    assert "www.atelier-vercors.example" in text


@pytest.mark.parametrize("template", TEMPLATES)
def test_every_block_of_the_page_has_its_heading(template: str) -> None:
    content = samples.with_allowances()
    with pikepdf.open(
        io.BytesIO(render_invoice(content, style_for(content, template=template), created=CREATED))
    ) as pdf:
        kinds = [str(element.S) for element, _ in elements(pdf.Root.StructTreeRoot.K)]
    # To whom, where it went, how to pay, terms.
    assert kinds.count("/H1") == 1
    assert kinds.count("/H2") == 4


@pytest.mark.parametrize("template", TEMPLATES)
def test_a_number_of_twenty_characters_is_on_one_line(template: str) -> None:
    content = dataclasses.replace(samples.plain(1), number="FAC-2026-00421100017")
    assert compose(content, style_for(content, template=template)).number == "N° FAC-2026-00421100017"


@pytest.mark.parametrize("template", TEMPLATES)
def test_texts_belong_to_their_paragraph_or_cell_and_the_foot_is_read_once_at_the_end(template: str) -> None:
    content = samples.plain(60)
    data = render_invoice(content, style_for(content, template=template), created=CREATED)
    with pikepdf.open(io.BytesIO(data)) as pdf:
        found = list(elements(pdf.Root.StructTreeRoot.K))
        kinds = [str(element.S) for element, _ in found]
        assert not {"/Span", "/NonStruct"} & set(kinds)
        # A name, four cells: on whatever page a line is.
        rows = [[str(cell.S) for cell in row.K] for row, _ in found if row.S == "/TR"]
        assert rows.count(["/TH", "/TD", "/TD", "/TD", "/TD"]) == 60
        assert all(
            isinstance(kid, int) for element, _ in found if element.S in ("/P", "/TH", "/TD") for kid in element.K
        )
    run = subprocess.run(["pdfinfo", "-struct-text", "-"], input=data, capture_output=True, check=True)
    heard = " ".join(run.stdout.decode().split())
    assert heard.count("SAS au capital de 120 000 €") == 1
    assert heard.index("SAS au capital") > heard.index("Conditions et mentions")
    assert "reporter" not in heard
    assert "Page 1" not in heard
