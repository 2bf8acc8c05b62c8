"""Importer: an unknown table is understood once, on one screen, and then without a question."""

import datetime
import html
import re
from decimal import Decimal
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from customers.models import Account, Customer
from invoices.importing.run import import_erp
from invoices.importing.unknown_tables import prepare_print
from invoices.models import ImportBatch, ImportMapping, Invoice
from tests.support.factories import make_company, make_customer, make_invoice, make_published_invoice, make_staff
from tests.support.pdf_structure import text_of

pytestmark = pytest.mark.django_db

URL = "/gestion/invoices/importbatch/"
TABLE = "Aaa;Bbb;Ccc;Ddd;Eee;Fff\n{n}1;15/01/2025;Dupont;Vis;100,00;20\n{n}2;16/01/2025;Dupont;Vis;200,00;20\n"
CHOSEN = ["numero", "date", "client.raison_sociale", "ligne.designation", "ligne.total_ht", "ligne.taux_tva"]


@pytest.fixture
def staff(client: Client) -> Account:
    """A member of staff with all rights, signed in."""
    make_company()
    make_customer(code="C1", name="Dupont SARL")
    account = make_staff(name="Claire Martin")
    client.force_login(account, backend="customers.authentication.AccountBackend")
    return account


def give(client: Client, text: str) -> str:
    file = SimpleUploadedFile("maison.csv", text.encode())
    return client.post(f"{URL}add/", {"documents": [file]}, follow=True).content.decode()


def test_a_table_is_explained_once_and_the_next_is_read_without_a_question(client: Client, staff: Account) -> None:
    page = give(client, TABLE.format(n="F"))
    batch = ImportBatch.objects.get()
    screen = f"{URL}{batch.pk}/colonnes/0/"
    assert screen in page

    page = client.get(screen).content.decode()
    assert "15/01/2025 · 16/01/2025" in page
    fields = {f"field-{place}": name for place, name in enumerate(CHOSEN)}
    page = client.post(screen, {**fields, "check": ""}).content.decode()
    assert "Clients à reconnaître" in page
    answer = {"customer": "Dupont", "code": "C1", "name": "Notre tableau"}
    page = client.post(screen, {**fields, **answer, "check": ""}).content.decode()
    assert re.search(r"Ensemble</th>\s*<td[^>]*>2</td>\s*<td[^>]*>300[.,]00</td>", page)

    # What was answered is in the page, so that keeping sends it.
    assert re.search(r'name="customer" value="Dupont"><input[^>]*name="code" value="C1"', page)
    pictures = [html.unescape(each) for each in re.findall(r'<img src="([^"]+)"', page)]
    assert len(pictures) == 2
    assert client.get(pictures[1]).content.startswith(b"\x89PNG")
    assert client.get(pictures[1].replace("/facture/1/", "/facture/2/")).status_code == 404
    assert not Invoice.objects.exists()

    page = client.post(screen, {**fields, **answer, "keep": ""}, follow=True).content.decode()
    assert "Format gardé" in page
    client.post(f"{URL}{batch.pk}/confirmer/")
    give(client, TABLE.format(n="G"))
    second = ImportBatch.objects.order_by("created_at").last()
    assert second is not None
    assert second.report["to_map"] == []
    client.post(f"{URL}{second.pk}/confirmer/")

    assert set(Invoice.objects.values_list("number", "total_with_vat", "customer__code")) == {
        (f"{letter}{place}", Decimal(120 * place), "C1") for letter in "FG" for place in (1, 2)
    }
    page = client.get("/gestion/invoices/importmapping/").content.decode()
    assert "Notre tableau" in page
    page = client.get(f"/gestion/invoices/importmapping/{ImportMapping.objects.get().pk}/change/").content.decode()
    assert f'<a href="{URL}add/">Contrôler un fichier de cette forme' in page


def test_columns_that_do_not_fit_together_are_not_kept_without_a_word(client: Client, staff: Account) -> None:
    give(client, TABLE.format(n="F").replace("Fff", "Fff;Ggg").replace(";20\n", ";20;999,00\n"))
    batch = ImportBatch.objects.get()
    fields = {f"field-{place}": name for place, name in enumerate([*CHOSEN, "total_ttc"])}
    page = client.post(f"{URL}{batch.pk}/colonnes/0/", {**fields, "keep": ""}).content.decode()
    assert "Des montants ne s’accordent pas" in page
    assert not ImportMapping.objects.exists()


def test_a_format_is_renamed_and_deleted(client: Client, staff: Account) -> None:
    mapping = ImportMapping.objects.create(name="Ancien", fingerprint="0" * 64, headers=["A"], fields=["numero"])
    address = f"/gestion/invoices/importmapping/{mapping.pk}/"
    client.post(f"{address}change/", {"name": "Nouveau", "company": ""})
    mapping.refresh_from_db()
    assert mapping.name == "Nouveau"
    client.post(f"{address}delete/", {"post": "yes"})
    assert not ImportMapping.objects.exists()


def test_an_invoice_that_would_be_refused_is_not_shown_as_another_of_its_number(client: Client, staff: Account) -> None:
    customer = Customer.objects.get(code="C1")
    make_published_invoice(customer=customer, number="F1", issue_date=datetime.date(2025, 1, 15))
    make_invoice(
        customer=customer,
        company=make_company(siret="35600000000048", name="Une autre"),
        number="F2",
        issue_date=datetime.date(2025, 1, 16),
    )
    give(client, TABLE.format(n="F"))
    screen = f"{URL}{ImportBatch.objects.get().pk}/colonnes/0/"
    answer = {"fields": ",".join(CHOSEN), "customer": "Dupont", "code": "C1"}
    pages = [client.get(f"{screen}facture/{place}/", answer) for place in (0, 1)]
    assert [page.status_code for page in pages] == [404, 200]
    assert Invoice.objects.count() == 2


def test_an_invoice_whose_lines_are_apart_is_shown_whole(client: Client, staff: Account) -> None:
    rows = "".join(
        f"F{place:03};15/01/2025;Dupont;{article};10,00;20\n" for article in ("Vis", "Clou") for place in range(150)
    )
    give(client, f"Aaa;Bbb;Ccc;Ddd;Eee;Fff\n{rows}")
    batch = ImportBatch.objects.get()
    render = prepare_print(
        batch=batch, name=batch.report["to_map"][0], fields=CHOSEN, customers={"Dupont": "C1"}, place=0
    )
    assert render is not None
    assert "24,00" in text_of(render())
    assert not Invoice.objects.exists()


def test_a_code_that_is_on_no_card_is_said_and_its_invoices_wait(client: Client, staff: Account) -> None:
    give(client, TABLE.format(n="F"))
    screen = f"{URL}{ImportBatch.objects.get().pk}/colonnes/0/"
    fields = {f"field-{place}": name for place, name in enumerate(CHOSEN)}
    page = client.post(screen, {**fields, "customer": "Dupont", "code": "C9", "check": ""}).content.decode()
    assert "Aucune fiche n’a le code C9." in page
    assert "<img src" not in page


def test_answers_kept_with_a_format_are_not_asked_again(client: Client, staff: Account) -> None:
    give(client, TABLE.format(n="F"))
    fields = {f"field-{place}": name for place, name in enumerate(CHOSEN)}
    screen = f"{URL}{ImportBatch.objects.get().pk}/colonnes/0/"
    client.post(screen, {**fields, "customer": "Dupont", "code": "C1", "name": "Notre tableau", "keep": ""})
    give(client, TABLE.format(n="G").replace("16/01/2025;Dupont", "16/01/2025;Martin"))
    batch = ImportBatch.objects.order_by("created_at").last()
    assert batch is not None
    screen = f"{URL}{batch.pk}/colonnes/0/"
    for page in (client.get(screen), client.post(screen, {**fields, "check": ""})):
        assert re.findall(r'name="customer" value="([^"]+)"', page.content.decode()) == ["Martin"]


AMERICAN = "Aaa,Date,Ccc,Ddd,Qty,Unit Price,Tax Rate,Shipping\n"


def keep(client: Client, text: str) -> None:
    """The mapping of a table as a member of staff keeps it, and its import."""
    give(client, text)
    batch = ImportBatch.objects.latest("created_at")
    fields = ["numero", "date", "code_client", "ligne.designation", "ligne.quantite", "ligne.prix_unitaire_ht"]
    chosen = {f"field-{place}": name for place, name in enumerate([*fields, "ligne.taux_tva"])}
    client.post(f"{URL}{batch.pk}/colonnes/0/", {**chosen, "name": "American", "keep": ""})


def test_days_are_read_as_in_the_table_that_was_confirmed(client: Client, staff: Account, tmp_path: Path) -> None:
    keep(client, f"{AMERICAN}F1,01/28/2025,C1,Bolt,2,50.00,20,0\n")
    (tmp_path / "ventes.csv").write_text(f"{AMERICAN}F2,03/04/2025,C1,Bolt,2,50.00,20,0\n")
    report = import_erp([tmp_path / "ventes.csv"])
    assert report.is_clean, report.rejected
    assert Invoice.objects.get(number="F2").issue_date == datetime.date(2025, 3, 4)


def test_what_may_change_an_amount_and_was_not_there_then_is_asked_about(
    client: Client, staff: Account, tmp_path: Path
) -> None:
    keep(client, f"{AMERICAN}F1,01/28/2025,C1,Bolt,2,50.00,20,0\n")
    with_carriage = f"{AMERICAN}F2,01/29/2025,C1,Bolt,2,50.00,20,9.90\n"
    (tmp_path / "ventes.csv").write_text(with_carriage)
    assert "Shipping" in import_erp([tmp_path / "ventes.csv"]).rejected[0].reason
    assert not Invoice.objects.filter(number="F2").exists()
    keep(client, with_carriage)
    assert import_erp([tmp_path / "ventes.csv"]).is_clean
    assert Invoice.objects.get(number="F2").total_with_vat == Decimal(120)
