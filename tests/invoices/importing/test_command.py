"""``manage.py import_erp``: what it prints, its exit codes, and what stops it half-way."""

import errno
import json
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError

from customers.models import Customer
from invoices.importing.report import ImportReport
from invoices.importing.tables import staging
from invoices.models import Invoice
from tests.support.import_files import CUSTOMERS, EVERYTHING, INVOICES, LINES, as_csv, changed, write_export

pytestmark = pytest.mark.django_db


def test_the_command_says_what_it_did_and_ends_with_1_where_something_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("import_erp", str(write_export(tmp_path / "good")))
    assert "Créés : 2 clients, 2 contacts, 2 factures, 4 lignes" in capsys.readouterr().out
    write_export(tmp_path / "bad", clients=changed(CUSTOMERS, 0, type="?"), contacts=[], factures=[], lignes=[])
    with pytest.raises(SystemExit) as end:
        call_command("import_erp", str(tmp_path / "bad"))
    assert end.value.code == 1
    out = capsys.readouterr().out
    assert "bad/clients.csv, ligne 2, colonne type : « ? » n’est pas un type de client" in out
    assert "→ Corrigez cette ligne dans l’ERP, puis redonnez le fichier." in out


@pytest.mark.parametrize(("options", "imported"), [([], 99), (["--strict"], 0)])
def test_one_bad_invoice_of_a_hundred_keeps_none_of_the_others_out_unless_that_is_wanted(
    tmp_path: Path, options: list[str], imported: int
) -> None:
    heads = [{**INVOICES[1], "numero": f"F{n}"} for n in range(100)]
    lines = [{**LINES[3], "numero": f"F{n}"} for n in range(100)]
    export = write_export(tmp_path / "erp", factures=changed(heads, 50, total_ttc="12,01"), lignes=lines)

    with pytest.raises(SystemExit) as end:
        call_command("import_erp", str(export), *options)

    assert end.value.code == 1
    assert Invoice.objects.count() == imported
    call_command("import_erp", str(write_export(tmp_path / "erp", factures=heads, lignes=lines)), *options)
    assert Invoice.objects.count() == 100


def test_the_command_prints_one_object(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("import_erp", str(write_export(tmp_path / "erp")), "--json")
    printed = json.loads(capsys.readouterr().out)
    assert set(printed) == {
        "created",
        "updated",
        "unchanged",
        "rejected",
        "warnings",
        "ignored",
        "skipped",
        "journal",
        "new_addresses",
    }
    assert printed["created"] == EVERYTHING


def test_a_path_that_does_not_exist_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        call_command("import_erp", str(tmp_path / "rien.csv"), "--json")
    (rejection,) = json.loads(capsys.readouterr().out)["rejected"]
    assert (rejection["file"], rejection["reason"]) == ("rien.csv", "Ce fichier n’existe pas.")


def test_an_unknown_company_on_the_command_line_is_bad_usage(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="« Personne » n’est pas dans Paramétrage société") as error:
        call_command("import_erp", str(write_export(tmp_path / "erp")), "--company", "Personne")
    assert error.value.returncode == 2


@pytest.mark.parametrize(
    ("trouble", "code", "sentence"),
    [
        (KeyboardInterrupt(), 130, "Import interrompu. Les tables déjà écrites le restent"),
        (
            OperationalError("server closed the connection unexpectedly\n\tThis probably means…"),
            1,
            "La base de données n’a pas répondu jusqu’au bout : server closed the connection unexpectedly. Les tables",
        ),
    ],
)
def test_what_stops_it_half_way_is_one_sentence_and_what_was_in_hand_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trouble: BaseException, code: int, sentence: str
) -> None:
    def stop(*_: Any, **__: Any) -> ImportReport:
        raise trouble

    monkeypatch.setattr("invoices.importing.tables.writer.InvoiceWriter.finish", stop)

    with pytest.raises(CommandError, match=sentence) as error:
        call_command("import_erp", str(write_export(tmp_path / "erp")))

    assert error.value.returncode == code
    assert (Customer.objects.count(), Invoice.objects.count()) == (2, 0)


def test_a_full_disk_of_temporary_files_is_one_sentence_with_the_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The room of a few pages, which SQLite refuses to go beyond as it would on a full disk.
    monkeypatch.setattr(staging, "_SCHEMA", staging._SCHEMA + "PRAGMA max_page_count = 5; PRAGMA cache_size = 1;")
    rows = [{**INVOICES[1], "numero": f"F{n}"} for n in range(3000)]
    export = write_export(tmp_path / "erp", factures=rows)

    with pytest.raises(CommandError, match=rf"Import arrêté : le disque est plein \({tempfile.gettempdir()}\)\. Les"):
        call_command("import_erp", str(export))
    with pytest.raises(CommandError, match=r"le disque est plein .*\. Rien n’a été écrit\."):
        call_command("import_erp", str(export), "--dry-run")

    assert (Customer.objects.count(), Invoice.objects.count()) == (2, 0)


def test_a_disk_that_fails_is_one_sentence_with_its_own_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(path: Path, _data: bytes) -> int:
        raise OSError(errno.EIO, "Input/output error", str(path))

    with zipfile.ZipFile(tmp_path / "erp.zip", "w") as archive:
        archive.writestr("clients.csv", as_csv(CUSTOMERS))
    monkeypatch.setattr(Path, "write_bytes", fail)

    with pytest.raises(CommandError, match=r"Import arrêté : Input/output error \(/.*import-.*\)\."):
        call_command("import_erp", str(tmp_path / "erp.zip"))
