"""The bordereau of an export: what was asked and what became of it, as a page, a table, a PDF and an archive."""

import csv
import io
import zipfile
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from invoices.exporting.exports import cancel_export, create_export
from invoices.models import Document, Export, ExportItem
from tests.portal.backoffice.test_export_runs import FULL, make_list, run
from tests.support.back_office import SCREEN, words
from tests.support.back_office import list_url as url
from tests.support.factories import make_company, make_customer, make_invoice
from tests.support.pdf_structure import text_of

pytestmark = pytest.mark.django_db

State, ItemState = Export.State, ExportItem.State


@pytest.fixture(autouse=True)
def work_in_this_process(settings: Any) -> None:
    """Tasks are done where they are asked for."""
    settings.TASKS = {"default": {"BACKEND": "django.tasks.backends.immediate.ImmediateBackend"}}


def test_the_bordereau_says_what_was_asked_by_whom_and_what_became_of_it(staff_client: Client) -> None:
    make_invoice(customer=make_customer(invoice_copies="1"), number="P-1")
    export = run(make_list(2))

    page = words(staff_client.get(url(export, "bordereau/")))

    assert "Bordereau d’export n° 1" in page
    assert "Auteur Nathalie Blanc" in page
    assert "Période d’export toutes les dates" in page
    assert "Mail au client un par facture, avec le PDF joint" in page
    assert "Facture disponible : version 1" in page
    assert "Modèle de facture : classique" in page
    assert "2 factures publiées 240,00 €" in page
    assert "Écartées 1 pas en D (démat)" in page
    assert "Mails 2 en file" in page
    assert "durée" in page
    assert "P-1" in page
    assert "P-1" not in words(staff_client.get(url(export, "bordereau/?etat=published")))


def test_the_bordereau_costs_the_same_queries_whatever_its_length(staff_client: Client) -> None:
    few, many = run(make_list(2)), run(make_list(30))

    def queries(export: Export) -> int:
        with CaptureQueriesContext(connection) as captured:
            staff_client.get(url(export, "bordereau/"))
        return len(captured)

    queries(few)
    assert queries(many) == queries(few)


def test_the_csv_opens_in_a_french_spreadsheet_and_runs_no_formula(staff_client: Client) -> None:
    export = make_list()
    make_invoice(customer=make_customer(name="=HYPERLINK(1);ruse", email="a@b.example"), total_without_vat="1234.50")
    export = run(create_export(criteria=FULL))

    response = staff_client.get(url(export, "bordereau.csv"))
    content = response.getvalue().decode()

    rows = list(csv.reader(io.StringIO(content.removeprefix("\ufeff")), delimiter=";"))
    assert content.startswith("\ufeff")
    assert response["Content-Disposition"] == 'attachment; filename="bordereau-export-2.csv"'
    assert rows[0][1] == "Facture"
    assert len(rows) == 3
    line = rows[2]
    assert line[4] == "'=HYPERLINK(1);ruse"
    assert line[5] == "1481,40"
    assert line[7:9] == ["publiée", "publiée"]
    assert line[9] == "a@b.example en file"
    assert line[10] == Document.objects.get(invoice__customer__email="a@b.example").sha256


def test_the_pdf_of_the_bordereau_holds_every_line(staff_client: Client) -> None:
    make_company(name="Aquila & Fils <SAS>")
    export = run(make_list(3))

    response = staff_client.get(url(export, "bordereau.pdf"))

    text = text_of(response.content)
    assert response["Content-Type"] == "application/pdf"
    assert "Bordereau d’export n° 1" in text
    assert "Aquila & Fils <SAS>" in text
    for number in export.items.values_list("invoice__number", flat=True):
        assert number in text
    assert "360,00 €" in text


def test_the_pdfs_of_an_export_come_as_one_file_and_those_of_another_stay_out(staff_client: Client) -> None:
    other = run(make_list(1))
    export = run(make_list(2))
    numbers = set(export.items.filter(state="published").values_list("invoice__number", flat=True))

    response = staff_client.get(url(export, "factures.zip"))

    assert response["Content-Disposition"] == f'attachment; filename="Factures-export-{export.number}.zip"'
    with zipfile.ZipFile(io.BytesIO(b"".join(response))) as archive:
        index = list(csv.DictReader(io.StringIO(archive.read("Index.csv").decode("utf-8-sig")), delimiter=";"))
        assert len(numbers) == 2
        assert {row["Facture"] for row in index} == numbers
        assert all(archive.read(row["Fichier"]).startswith(b"%PDF-") for row in index)
    assert str(other.items.get().invoice.number) not in numbers


def test_an_export_that_published_nothing_has_no_pdfs(staff_client: Client) -> None:
    export = make_list(1)

    assert "Cet export n’a publié aucune facture." in words(staff_client.get(url(export, "factures.zip"), follow=True))


ODD = "Zoë\x0b\u202egnirts\u202c 名前 \U0001f600 <b>&amp;</b> שלום"


def test_the_pdf_of_the_bordereau_survives_odd_characters_and_endless_cells(staff_client: Client) -> None:
    customer = make_customer(name=ODD, code="É\u200b\u00ad1")
    make_invoice(customer=customer, number="N°\u2028\ufeff7")
    export = run(make_list())
    ExportItem.objects.filter(export=export).update(
        state=ItemState.FAILED, error="encre\x07 vide \ud7ff" + "x" * 5000, document=None
    )

    response = staff_client.get(url(export, "bordereau.pdf"))

    text = text_of(response.content)
    unbroken = "".join(text.split())
    assert response.status_code == 200
    assert "Zoë" in unbroken
    assert "&amp;" in unbroken  # as it was typed, not as markup
    assert "encrevide" in unbroken
    assert not set("\x07\x0b\u202e\u200b\ufeff") & set(text)
    # A cell is cut; the CSV says all of it.
    assert "x" * 5000 not in unbroken
    whole: Any = staff_client.get(url(export, "bordereau.csv"))
    assert "x" * 5000 in b"".join(whole.streaming_content).decode()


def test_a_pdf_too_long_to_be_read_shows_the_failures_and_says_where_the_rest_is(
    staff_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("invoices.exporting.report.PDF_LINES", 2)
    export = run(make_list(4))
    last = export.items.order_by("pk").last()
    assert last is not None
    ExportItem.objects.filter(pk=last.pk).update(state=ItemState.FAILED, error="encre vide", document=None)

    text = text_of(staff_client.get(url(export, "bordereau.pdf")).content)

    assert last.invoice.number in text
    assert "encre vide" in text
    assert "2 lignes de plus : le bordereau en CSV les donne toutes." in text


def test_lists_already_exported_stand_in_the_admin_and_lead_to_their_bordereau(staff_client: Client) -> None:
    done, draft = run(make_list(2)), make_list()
    cancel_export(export=create_export(criteria=FULL))

    page = words(staff_client.get("/gestion/invoices/export/"))

    assert "2 publiées, 2 mails" in page
    assert "1 prête, 2 écartées" in page
    assert staff_client.get(f"/gestion/invoices/export/{done.pk}/change/")["Location"] == url(done, "bordereau/")
    assert staff_client.get(f"/gestion/invoices/export/{draft.pk}/change/")["Location"] == url(draft)
    assert staff_client.get("/gestion/invoices/export/999/change/").status_code == 404
    assert "Bordereau n° 1" in words(staff_client.get(f"{SCREEN}export/"))


def test_an_export_that_does_not_exist_is_not_found(staff_client: Client) -> None:
    for what in ("", "bordereau/", "bordereau.csv", "bordereau.pdf", "avancement/", "annuler/", "relancer/"):
        assert staff_client.get(f"{SCREEN}export/99/{what}").status_code == 404
    assert staff_client.post(f"{SCREEN}export/99/exporter/").status_code == 404
