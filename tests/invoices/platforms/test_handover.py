"""E-invoices as files for a platform: the frozen bytes, a manifest, each marked once."""

import csv
import hashlib
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pikepdf
import pytest
from django.contrib.admin.models import LogEntry
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from django.test import Client

from customers.models import Customer
from invoices.exporting.criteria import Criteria, Scope
from invoices.exporting.exports import create_export, start_export
from invoices.exporting.run.worker import run_lines
from invoices.importing.run import import_erp
from invoices.models import Document, Export, Handover, Invoice
from invoices.platforms import handover
from invoices.platforms.handover import (
    Format,
    count_awaiting_handover,
    einvoices_to_hand_over,
    handover_archive,
    without_einvoice,
)
from invoices.platforms.handover_folder import ForeignFilesError, write_handover
from invoices.store.frozen import read_document
from tests.support.factories import make_company, make_customer, make_invoice
from tests.support.invoice_examples import french_vat

pytestmark = pytest.mark.django_db

SIREN = "552100554"
ALL = Criteria(scope=Scope.ALL)
SAMPLES = Path(__file__).parents[2] / "data" / "einvoices"
FNFE = SAMPLES / "fnfe-factur-x-samples" / "Facture_F20220028-LE_FOURNISSEUR-POUR-LE_CLIENT_EXTENDED.pdf"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty folder: documents and mails of the test have theirs beside it."""
    made = tmp_path / "remise"
    made.mkdir()
    return made


def publish(count: int = 1, **fields: Any) -> Export:
    """An export with so many professionals' invoices, each a Factur-X."""
    company = make_company()
    company.operations = "S"
    company.save()
    customer = make_customer(siren=SIREN, vat_identifier=french_vat(SIREN))
    for _number in range(count):
        make_invoice(**{"customer": customer, "company": company, **fields})
    export = start_export(export=create_export(criteria=ALL))
    run_lines(export)
    return export


def files(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_the_frozen_bytes_are_written_with_both_manifests_and_marked(folder: Path) -> None:
    publish(2)

    call_command("export_einvoices", str(folder), platform="PA Exemple")

    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["count"] == 2
    for entry in manifest["files"]:
        content = (folder / entry["file"]).read_bytes()
        invoice = Invoice.objects.get(pk=entry["invoice"])
        assert invoice.document is not None
        assert content == read_document(invoice.document)
        assert hashlib.sha256(content).hexdigest() == entry["sha256"] == invoice.document.sha256
        assert entry["file"] == f"732829320_{invoice.number}.pdf"
        assert (entry["seller_siren"], entry["buyer_siren"], entry["channel"]) == ("732829320", SIREN, "platform")
        assert (entry["profile"], entry["total_with_vat"]) == ("EN 16931", "120.00")
    rows = list(csv.DictReader(io.StringIO((folder / "manifest.csv").read_text("utf-8-sig")), delimiter=";"))
    assert [row["file"] for row in rows] == [entry["file"] for entry in manifest["files"]]
    assert set(Handover.objects.values_list("platform", flat=True)) == {"PA Exemple"}
    assert files(folder) == {"manifest.json", "manifest.csv", *(row["file"] for row in rows)}


def test_a_second_run_writes_nothing_new_unless_asked(folder: Path) -> None:
    publish()
    first = write_handover(folder, einvoices_to_hand_over(), form=Format.FACTURX)
    before = {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}

    second = write_handover(folder, einvoices_to_hand_over(), form=Format.FACTURX)
    elsewhere = write_handover(folder.with_name("autre"), einvoices_to_hand_over(again=True), form=Format.FACTURX)

    assert (first.written, first.marked) == (1, 1)
    assert (second.written, second.marked) == (0, 0)
    assert (elsewhere.written, elsewhere.marked) == (1, 0)
    assert {name: (folder / name).stat().st_mtime_ns for name in before} == before
    assert Handover.objects.count() == 1


def test_what_comes_later_joins_the_same_folder_and_its_manifest(folder: Path) -> None:
    publish()
    write_handover(folder, einvoices_to_hand_over(), form=Format.FACTURX)
    publish(2)

    assert write_handover(folder, einvoices_to_hand_over(), form=Format.FACTURX).written == 2
    assert json.loads((folder / "manifest.json").read_text())["count"] == 3


def test_the_xml_alone_is_the_one_inside_the_pdf(folder: Path) -> None:
    publish()

    call_command("export_einvoices", str(folder), "--format", "cii")

    invoice = Invoice.objects.get()
    assert invoice.document is not None
    with pikepdf.open(io.BytesIO(read_document(invoice.document))) as pdf:
        inside = pdf.attachments["factur-x.xml"].get_file().read_bytes()
    assert (folder / f"732829320_{invoice.number}.xml").read_bytes() == inside
    assert hashlib.sha256(inside).hexdigest() == invoice.document.xml_sha256


def test_only_the_invoices_of_the_export_are_handed_over(folder: Path) -> None:
    first, second = publish(1), publish(2)

    call_command("export_einvoices", str(folder), "--export", str(second.number))

    assert set(Handover.objects.values_list("export", flat=True)) == {second.pk}
    assert Handover.objects.count() == 2
    assert einvoices_to_hand_over(first).count() == 1
    with pytest.raises(CommandError, match="n° 99"):
        call_command("export_einvoices", str(folder), "--export", "99")


@pytest.mark.parametrize("name", ["contrat.pdf", "732829320_1.pdf", "dossier/"])
def test_a_folder_with_files_of_others_is_refused_untouched(folder: Path, name: str) -> None:
    publish()
    (folder / name).mkdir() if name.endswith("/") else (folder / name).write_bytes(b"important")

    with pytest.raises(CommandError, match="choisissez un dossier vide"):
        call_command("export_einvoices", str(folder))

    assert len(files(folder)) == 1
    assert not Handover.objects.exists()


def test_a_manifest_of_others_and_a_changed_file_are_refused(folder: Path) -> None:
    publish()
    (folder / "manifest.json").write_text('{"name": "une application"}')
    with pytest.raises(ForeignFilesError, match=r"manifest\.json"):
        write_handover(folder, einvoices_to_hand_over(), form=Format.FACTURX)
    (folder / "manifest.json").unlink()

    write_handover(folder, einvoices_to_hand_over(), form=Format.FACTURX)
    next(folder.glob("*.pdf")).write_bytes(b"%PDF-1.7 autre")
    publish()
    with pytest.raises(ForeignFilesError, match="modifié"):
        write_handover(folder, einvoices_to_hand_over(), form=Format.FACTURX)
    assert einvoices_to_hand_over().count() == 1


def test_a_run_that_is_killed_half_way_is_finished_by_the_next_one(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(4)
    calls = []

    def mark_or_die(*args: Any, **kwargs: Any) -> int:
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return mark(*args, **kwargs)

    mark = handover.mark_handed_over
    monkeypatch.setattr("invoices.platforms.handover_folder.BATCH", 2)
    monkeypatch.setattr("invoices.platforms.handover_folder.mark_handed_over", mark_or_die)
    with pytest.raises(KeyboardInterrupt):
        write_handover(folder, einvoices_to_hand_over(), form=Format.FACTURX)
    (folder / ".partiel-x.pdf").write_bytes(b"%PDF")
    monkeypatch.undo()

    write_handover(folder, einvoices_to_hand_over(), form=Format.FACTURX)

    names = {f"732829320_{number}.pdf" for number in Invoice.objects.values_list("number", flat=True)}
    assert files(folder) == {"manifest.json", "manifest.csv", *names}
    assert {entry["file"] for entry in json.loads((folder / "manifest.json").read_text())["files"]} == names
    assert Handover.objects.count() == 4


def test_what_the_check_says_of_a_received_facturx_is_in_the_manifest(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import_erp([FNFE], create_companies=True)
    Customer.objects.update(invoice_copies="D")
    run_lines(start_export(export=create_export(criteria=ALL)))
    assert Invoice.objects.get().check_state == Invoice.CheckState.UNCHECKED

    call_command("export_einvoices", str(folder))

    assert "Avec des avertissements du contrôle : 1" in capsys.readouterr().err
    (entry,) = json.loads((folder / "manifest.json").read_text())["files"]
    assert entry["check"] == "received"
    assert "BR-FR-08_BT-23" in entry["warnings"]
    assert "BR-FR-17_BT-123" in entry["warnings"]


def test_a_manifest_from_before_the_checks_were_written_is_continued(folder: Path) -> None:
    publish()
    call_command("export_einvoices", str(folder))
    manifest = json.loads((folder / "manifest.json").read_text())
    for entry in manifest["files"]:
        del entry["check"], entry["warnings"]
    (folder / "manifest.json").write_text(json.dumps(manifest))

    call_command("export_einvoices", str(folder))

    assert len(json.loads((folder / "manifest.json").read_text())["files"]) == 1


def test_a_number_that_is_no_file_name_gets_one_of_its_own(folder: Path) -> None:
    publish(number="F/2025/1")
    publish(number="F-2025-1")

    write_handover(folder, einvoices_to_hand_over(), form=Format.FACTURX)

    names = sorted(path.name for path in folder.glob("*.pdf"))
    assert len(names) == 2
    assert all(name.startswith("732829320_F-2025-1") for name in names)


def test_individuals_and_plain_pdfs_have_nothing_to_hand_over(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    publish(customer=make_customer(kind="individual"))
    publish(total_vat="20.01")

    call_command("export_einvoices", str(folder))

    assert files(folder) == set()
    assert "Sans e-facture, donc non remises : 1" in capsys.readouterr().err
    assert without_einvoice().count() == 2


def test_the_archive_of_the_button_holds_the_same_and_marks_once_it_is_read() -> None:
    publish(3)
    choices: dict[str, Any] = {
        "form": Format.FACTURX,
        "export": None,
        "platform": "PA Exemple",
        "author_name": "Paul",
        "unavailable": lambda _documents: None,
    }
    broken_off = handover_archive(einvoices_to_hand_over(), **choices)
    next(broken_off)
    del broken_off
    assert not Handover.objects.exists()

    data = b"".join(handover_archive(einvoices_to_hand_over(), **choices))

    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        manifest = json.loads(archive.read("manifest.json"))
        for entry in manifest["files"]:
            assert hashlib.sha256(archive.read(entry["file"])).hexdigest() == entry["sha256"]
        assert len(archive.namelist()) == 5
    assert Handover.objects.filter(author_name="Paul").count() == 3
    assert not einvoices_to_hand_over().exists()


def test_an_e_invoice_that_the_store_lost_is_named_and_waits_while_the_others_are_handed_over() -> None:
    publish(3)
    lost = einvoices_to_hand_over().select_related("document")[1]
    assert lost.document
    default_storage.delete(lost.document.storage_name)
    told: list[Document] = []

    data = b"".join(
        handover_archive(
            einvoices_to_hand_over(),
            form=Format.FACTURX,
            export=None,
            platform="PA Exemple",
            author_name="Paul",
            unavailable=told.extend,
        )
    )

    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        assert json.loads(archive.read("manifest.json"))["count"] == 2
        assert str(lost) in archive.read("A-LIRE.txt").decode("utf-8-sig")
    assert told == [lost.document]
    assert [invoice.pk for invoice in einvoices_to_hand_over()] == [lost.pk]


def test_what_the_law_sends_through_a_platform_and_was_not_handed_over_is_counted(folder: Path) -> None:
    company = make_company()
    company.einvoice_from, company.platform_name = "2025-01-01", "PA Exemple"
    company.save()
    publish(2)
    assert count_awaiting_handover() == 2

    write_handover(folder, einvoices_to_hand_over(), form=Format.FACTURX)

    assert count_awaiting_handover() == 0
    assert set(Handover.objects.values_list("platform", flat=True)) == {"PA Exemple"}


@pytest.fixture
def waiting() -> Export:
    """Two invoices that the law sends through a platform, published and not handed over."""
    company = make_company()
    company.einvoice_from, company.platform_name = "2025-01-01", "PA Exemple"
    company.save()
    return publish(2)


ALL_OF_IT = "/gestion/export-web/factures/remise/"
LIST = "/gestion/invoices/invoice/?etat=a-remettre"


def test_all_that_waits_is_handed_over_from_its_list(staff_client: Client, waiting: Export) -> None:
    assert f'href="{ALL_OF_IT}"' in staff_client.get(LIST).content.decode()
    assert ALL_OF_IT not in staff_client.get("/gestion/invoices/invoice/").content.decode()
    page = staff_client.get(ALL_OF_IT).content.decode()
    assert "2\u00a0factures : publiées" in page
    assert 'value="PA Exemple"' in page

    answer: Any = staff_client.post(ALL_OF_IT, {"form": "facturx", "platform": "PA Exemple"})

    with zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content))) as archive:
        assert len(archive.namelist()) == 4
    assert count_awaiting_handover() == 0
    assert set(Handover.objects.values_list("platform", "author_name")) == {("PA Exemple", "Nathalie Blanc")}
    assert LogEntry.objects.get().change_message == "Archive pour la plateforme demandée : 2\u00a0e-factures."
    assert ALL_OF_IT not in staff_client.get(LIST).content.decode()
    again = staff_client.post(ALL_OF_IT, {"form": "facturx", "platform": ""}, follow=True)
    assert "Plus aucune facture n’attend sa remise." in again.content.decode()


def test_what_was_deposited_otherwise_is_noted_without_a_file_and_in_each_history(
    staff_client: Client, waiting: Export
) -> None:
    answer = staff_client.post(ALL_OF_IT, {"form": "none", "platform": ""}, follow=True)

    assert "2\u00a0e-factures notées comme remises." in answer.content.decode()
    assert count_awaiting_handover() == 0
    handed = Handover.objects.all()
    assert {(each.platform, each.filename, each.export) for each in handed} == {("PA Exemple", "", None)}
    told = LogEntry.objects.values_list("object_id", "change_message")
    sentence = "Notée comme remise à la plateforme, sans fichier."
    assert set(told) == {(str(pk), sentence) for pk in Invoice.objects.values_list("pk", flat=True)}


def test_those_of_one_export_are_noted_without_a_file_too(staff_client: Client, waiting: Export) -> None:
    answer = staff_client.post(
        f"/gestion/export-web/factures/export/{waiting.number}/remise/", {"form": "none"}, follow=True
    )

    assert "2\u00a0e-factures notées comme remises." in answer.content.decode()
    assert set(Handover.objects.values_list("export__number", flat=True)) == {waiting.number}
    assert LogEntry.objects.count() == 3


def test_a_hand_over_in_no_known_form_is_answered_with_a_sentence(staff_client: Client, waiting: Export) -> None:
    answer = staff_client.post(ALL_OF_IT, {"form": "papier", "platform": "x" * 101})

    assert answer.status_code == 422
    assert "Sélectionnez un choix valide" in answer.content.decode()
    assert count_awaiting_handover() == 2
