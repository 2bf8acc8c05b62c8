"""Importer: files given in the back-office are checked, confirmed, imported; by a worker where they are large."""

import datetime
import errno
from pathlib import Path
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.test import Client

from customers.models import Account, Customer
from invoices.importing import batches
from invoices.importing.report import ImportReport
from invoices.importing.run import ImportStoppedError
from invoices.models import ImportBatch, Invoice
from invoices.store.local import DocumentStorage
from tests.support.back_office import words
from tests.support.factories import make_company, make_customer, make_staff
from tests.support.import_files import INVOICES, TABLES, as_csv, changed

pytestmark = pytest.mark.django_db

URL = "/gestion/invoices/importbatch/"
DEMO = Path(__file__).parents[3] / "demo" / "chinook"
CUSTOMERS = (
    "code;raison_sociale;email;adresse;code_postal;ville;pays\n"
    "000101;Boulangerie Martin;martin@client.example;1 rue A;75001;Paris;FR\n"
    "000102;Garage Petit;petit@client.example;2 rue B;69001;Lyon;FR\n"
)


@pytest.fixture
def staff(client: Client) -> Account:
    """A member of staff with all rights, signed in."""
    account = make_staff(name="Claire Martin")
    client.force_login(account, backend="customers.authentication.AccountBackend")
    return account


def give(client: Client, *files: tuple[str, bytes], **more: Any) -> Any:
    """Upload files; the answer after the redirect."""
    documents = [SimpleUploadedFile(name, content) for name, content in files]
    return client.post(f"{URL}add/", {"documents": documents, **more}, follow=True)


def test_files_are_checked_and_nothing_is_written_before_the_confirmation(client: Client, staff: Account) -> None:
    make_company()

    page = give(client, ("clients.csv", CUSTOMERS.encode()))

    batch = ImportBatch.objects.get()
    assert batch.state == "checked"
    assert batch.report["created"]["customers"] == 2
    assert "rien n’est encore écrit" in page.content.decode()
    assert not Customer.objects.exists()

    page = client.post(f"{URL}{batch.pk}/confirmer/", follow=True)

    assert "Importé le" in page.content.decode()
    assert set(Customer.objects.values_list("code", flat=True)) == {"000101", "000102"}
    assert [entry.get_change_message() for entry in LogEntry.objects.order_by("pk")] == [
        "Fichiers reçus pour contrôle.",
        "Import confirmé.",
    ]


def test_the_files_are_forgotten_once_imported_or_abandoned(client: Client, staff: Account) -> None:
    give(client, ("clients.csv", CUSTOMERS.encode()))
    give(client, ("clients.csv", CUSTOMERS.encode()))
    first, second = ImportBatch.objects.order_by("created_at")
    kept = [batch.files[0]["storage_name"] for batch in (first, second)]
    assert all(default_storage.exists(name) for name in kept)

    client.post(f"{URL}{first.pk}/confirmer/")
    client.post(f"{URL}{second.pk}/abandonner/")

    assert not any(default_storage.exists(name) for name in kept)


def test_a_batch_that_was_decided_on_is_not_decided_on_again(client: Client, staff: Account) -> None:
    give(client, ("clients.csv", CUSTOMERS.encode()))
    batch = ImportBatch.objects.get()
    client.post(f"{URL}{batch.pk}/abandonner/")

    page = client.post(f"{URL}{batch.pk}/confirmer/", follow=True)

    assert "n’attend plus de confirmation" in page.content.decode()
    assert not Customer.objects.exists()


def test_the_report_names_file_line_column_value_and_reason_and_gives_them_as_csv(
    client: Client, staff: Account
) -> None:
    wrong = CUSTOMERS + "000103;=SOMME(A1);;3 rue C;75001;Paris;Narnia\n"

    page = give(client, ("clients.csv", wrong.encode("cp1252"))).content.decode()

    batch = ImportBatch.objects.get()
    assert batch.state == "checked"
    assert "Importer les 2 bonnes" in page
    assert "Ne rien importer" in page
    assert ">clients.csv</td>" in page
    assert "Écrivez le code du pays en deux lettres (FR)." in page
    table = client.get(f"{URL}{batch.pk}/refus.csv").content.decode()
    assert table.splitlines()[0] == "\ufefffichier;ligne;colonne;valeur;motif;correction"
    assert "clients.csv;4;" in table

    page = client.post(f"{URL}{batch.pk}/confirmer/", follow=True).content.decode()

    assert "1\u00a0refus." in page.replace("&nbsp;", "\u00a0")
    assert Customer.objects.count() == 2


def test_an_invoice_whose_number_is_taken_comes_in_where_staff_let_it_replace_the_other(
    client: Client, staff: Account
) -> None:
    make_company()
    files = {name: as_csv(rows).encode() for name, rows in TABLES.items()}
    give(client, *((f"{name}.csv", data) for name, data in files.items()))
    page = client.post(f"{URL}{ImportBatch.objects.get().pk}/confirmer/", follow=True).content.decode()
    assert "TVA 10,00 %" in page
    assert "?start=2025-01-31&amp;end=2025-02-01" in page
    files["factures"] = as_csv(changed(INVOICES, 1, code_client="C1", reference="BC 9")).encode()

    page = give(client, *((f"{name}.csv", data) for name, data in files.items())).content.decode()
    batch = ImportBatch.objects.latest("created_at")
    assert "Remplacer" in page
    wanted = batch.report["replaceable"]["0"]
    assert client.post(f"{URL}{batch.pk}/remplacer/", {"invoice": "0:F9"}, follow=True).status_code == 200
    assert ImportBatch.objects.get(pk=batch.pk).report["updated"]["invoices"] == 0

    client.post(f"{URL}{batch.pk}/remplacer/", {"invoice": wanted})
    client.post(f"{URL}{batch.pk}/confirmer/")

    invoice = Invoice.objects.get(number="F2")
    assert (invoice.customer.code, invoice.version) == ("C1", 2)


def test_a_card_becomes_another_companys_only_where_staff_accept_it(client: Client, staff: Account) -> None:
    known, other = ([{**row, "siren": siren} for row in TABLES["clients"][:1]] for siren in ("404833048", "732829320"))
    give(client, ("clients.csv", as_csv(known).encode()))
    client.post(f"{URL}{ImportBatch.objects.get().pk}/confirmer/")

    page = give(client, ("clients.csv", as_csv(other).encode())).content.decode()
    batch = ImportBatch.objects.latest("created_at")

    assert "404833048" in page
    assert "732829320" in page
    assert "Remplacer" in page
    page = client.post(f"{URL}{batch.pk}/remplacer/", {"invoice": "client:C1"}, follow=True).content.decode()
    assert Customer.objects.get(code="C1").siren == "404833048"
    assert "732829320" not in page
    client.post(f"{URL}{batch.pk}/confirmer/")
    assert Customer.objects.get(code="C1").siren == "732829320"


def test_a_file_that_is_nothing_known_is_refused_with_a_sentence(client: Client, staff: Account) -> None:
    page = give(client, ("notes.csv", b"a;b\n1;2\n"))

    assert ImportBatch.objects.get().state == "rejected"
    assert "notes.csv" in page.content.decode()


def test_files_that_the_disk_does_not_take_are_refused_and_none_is_kept(
    client: Client, staff: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    save = DocumentStorage.save
    names: list[str] = []

    def save_one(storage: DocumentStorage, name: str, content: Any) -> str:
        if names:
            raise OSError(errno.ENOSPC, "No space left on device")
        names.append(save(storage, name, content))
        return names[0]

    monkeypatch.setattr(DocumentStorage, "save", save_one)

    page = give(client, ("clients.csv", CUSTOMERS.encode()), ("contacts.csv", b"code_client;nom\n"))

    assert "Les fichiers n’ont pas pu être gardés : le disque est plein." in page.content.decode()
    assert not ImportBatch.objects.exists()
    assert not default_storage.exists(names[0])


@pytest.mark.parametrize(
    ("trouble", "sentence"),
    [
        (ImportStoppedError("le disque est plein (/tmp)"), "L’import s’est arrêté : le disque est plein (/tmp)."),
        (RuntimeError("unforeseen"), "Une erreur inattendue a arrêté l’import ; elle est notée dans le journal"),
    ],
)
def test_what_stops_an_import_is_shown_to_the_one_who_waits(
    client: Client, staff: Account, monkeypatch: pytest.MonkeyPatch, trouble: Exception, sentence: str
) -> None:
    def stop(*_: Any, **__: Any) -> ImportReport:
        raise trouble

    monkeypatch.setattr(batches, "import_erp", stop)

    assert sentence in give(client, ("clients.csv", CUSTOMERS.encode())).content.decode()


@pytest.mark.parametrize(
    ("files", "sentence"),
    [([], "Choisissez au moins un fichier."), ([("clients.csv", b"")], "Un des fichiers est vide.")],
)
def test_no_file_or_an_empty_one_is_refused_beside_the_field(
    client: Client, staff: Account, files: list[tuple[str, bytes]], sentence: str
) -> None:
    page = give(client, *files)

    assert sentence in page.content.decode()
    assert not ImportBatch.objects.exists()


def test_large_files_go_to_a_worker_and_the_page_follows(
    client: Client, staff: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "REQUEST_BYTES", 10)

    page = give(client, ("clients.csv", CUSTOMERS.encode())).content.decode()
    batch = ImportBatch.objects.get()
    assert batch.state == "received"
    assert "data-refresh" in page
    assert "Aucun processus de travail" in page

    batches.do_batch(batch)
    assert batch.state == "checked"
    client.post(f"{URL}{batch.pk}/confirmer/")
    assert not Customer.objects.exists()
    batches.do_batch(batch)
    assert ImportBatch.objects.get().state == "imported"
    assert Customer.objects.count() == 2


def test_how_far_an_import_is_shows_while_its_transaction_lasts(
    client: Client, staff: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "REQUEST_BYTES", 10)
    monkeypatch.setattr(batches, "PROGRESS_EVERY", datetime.timedelta(0))
    give(client, ("clients.csv", CUSTOMERS.encode()))
    batch = ImportBatch.objects.get()
    batches.do_batch(batch)
    client.post(f"{URL}{batch.pk}/confirmer/")
    seen = []

    def import_slowly(_files: Any, *, progress: Any, **_more: Any) -> ImportReport:
        with transaction.atomic():
            progress("factures", 12_000)
            transaction.set_rollback(True)
        # What the transaction itself wrote is not there for anybody else: on SQLite and PostgreSQL alike.
        assert ImportBatch.objects.get().progress == {}
        seen.append(client.get(f"{URL}{batch.pk}/change/").content.decode())
        seen.append(client.get("/gestion/").content.decode())
        return ImportReport()

    monkeypatch.setattr(batches, "import_erp", import_slowly)
    batch.refresh_from_db()
    batches.do_batch(batch)

    page, board = seen
    assert "12\u202f000\u00a0factures écrites" in page.replace("&nbsp;", "\u00a0")
    assert "import en cours" in board
    assert client.get("/gestion/invoices/importbatch/?state__in=received,importing").status_code == 200
    assert "factures écrites" not in client.get(f"{URL}{batch.pk}/change/").content.decode()


def test_the_demonstration_data_comes_in_through_the_page(client: Client, staff: Account) -> None:
    make_company()
    names = ("clients.csv", "contacts.csv", "factures.csv", "lignes.csv")

    give(client, *((name, (DEMO / name).read_bytes()) for name in names), create_companies="on")
    batch = ImportBatch.objects.get()
    if batch.is_underway:
        batches.do_batch(batch)
    client.post(f"{URL}{batch.pk}/confirmer/")
    batches.do_batch(batch)

    assert (Customer.objects.count(), Invoice.objects.count()) == (59, 412)


def test_an_import_again_says_that_all_is_there(client: Client, staff: Account) -> None:
    make_customer(code="000101")
    give(client, ("clients.csv", CUSTOMERS.encode()))
    client.post(f"{URL}{ImportBatch.objects.get().pk}/confirmer/")

    page = give(client, ("clients.csv", CUSTOMERS.encode())).content.decode()

    assert "il n’y a rien à importer" in page
    assert "Confirmer l’import" not in page


def test_the_report_writes_large_numbers_in_groups_and_adds_up_the_rates(client: Client, staff: Account) -> None:
    make_company()
    batch = ImportBatch.objects.create(
        state="checked",
        report={
            "rejected": [],
            "created": {"customers": 0, "contacts": 0, "invoices": 1_234_567, "lines": 0},
            "updated": dict.fromkeys(("customers", "contacts", "invoices", "lines"), 0),
            "unchanged": dict.fromkeys(("customers", "contacts", "invoices", "lines"), 0),
            "journal": {
                "invoices": 3,
                "start": "2025-01-01",
                "end": "2025-01-31",
                "rates": [
                    {"currency": "CHF", "rate": "0.00", "net": "5.00", "vat": "0.00", "gross": "5.00"},
                    {"currency": "EUR", "rate": "5.50", "net": "1000.00", "vat": "55.00", "gross": "1055.00"},
                    {"currency": "EUR", "rate": "20.00", "net": "-100.00", "vat": "-20.00", "gross": "-120.00"},
                ],
                "gaps": [],
            },
        },
    )

    page = words(client.get(f"{URL}{batch.pk}/change/"))

    assert "Factures 1 234 567 0 0" in page
    assert page.count(" Total ") == 1
    assert "Total 900,00 € 35,00 € 935,00 €" in page
