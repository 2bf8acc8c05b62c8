"""The dossier of evidence of one invoice: verified by its own program, with Python and OpenSSL alone."""

import json
import subprocess
import sys
import zipfile
from datetime import date
from decimal import Decimal
from io import BytesIO
from pathlib import Path

import pytest
from django.test import Client, override_settings

from customers.models import Account
from invoices.documents.consultations import record_consultations
from invoices.evidence.dossier import write_dossier
from invoices.evidence.story import list_story_steps
from invoices.exporting.exports import create_export, start_export
from invoices.exporting.run.worker import run_lines
from invoices.models import Consultation, Invoice, Payment
from mailing.trail.chain import chain_new_entries
from mailing.trail.models import Entry
from mailing.trail.stamps import seal_last_day
from tests.invoices.exporting.test_run import FULL
from tests.support.factories import make_account, make_customer, make_invoice

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def invoice(shared_rows: Path, authority: tuple[str, Path]) -> Invoice:
    """Ordered, exported, announced, read and paid; its trail is chained and stamped."""
    customer = make_customer(kind="individual")
    reader = make_account(customer)
    invoice = make_invoice(customer=customer, purchase_order_reference="CMD-77")
    run_lines(start_export(export=create_export(criteria=FULL)))
    invoice.refresh_from_db()
    assert invoice.is_published
    record_consultations(invoice_ids=[invoice.pk], account=reader, channel=Consultation.Channel.PDF)
    Payment.objects.create(invoice=invoice, date=date(2026, 11, 20), amount=Decimal("120.00"))
    chain_new_entries()
    with override_settings(TIMESTAMP_URL=authority[0], TIMESTAMP_CA_FILE=str(authority[1])):
        assert seal_last_day() == 1
    return invoice


@pytest.fixture(scope="module")
def dossier(invoice: Invoice) -> bytes:
    """What staff download."""
    file = BytesIO()
    write_dossier(invoice, file)
    return file.getvalue()


@pytest.fixture
def folder(dossier: bytes, tmp_path: Path) -> Path:
    """The dossier, unpacked."""
    target = tmp_path / "dossier"
    zipfile.ZipFile(BytesIO(dossier)).extractall(target)
    return target


def verify(folder: Path, *arguments: str) -> tuple[int, str]:
    """What its own program says, run as an auditor does."""
    command = [sys.executable, "-I", str(folder / "verifier.py"), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd="/")
    return done.returncode, done.stdout + done.stderr


def reseal(folder: Path, name: str) -> None:
    """What a forger does after he changed a file: its line of the table of fingerprints, too."""
    import hashlib

    table = json.loads((folder / "empreintes.json").read_text())
    table[name] = hashlib.sha256((folder / name).read_bytes()).hexdigest()
    (folder / "empreintes.json").write_text(json.dumps(table, ensure_ascii=False, indent=1))


def test_the_whole_dossier_verifies_with_the_authority(folder: Path, authority: tuple[str, Path]) -> None:
    code, said = verify(folder, str(authority[1]))
    assert (code, said.split(" :")[0]) == (0, "Tout concorde"), said
    assert "2 entrées chaînées, dont 2 sous une racine" in said
    assert verify(folder)[0] == 0


def test_it_holds_the_life_of_the_invoice(folder: Path) -> None:
    mails = json.loads((folder / "mails.json").read_text())
    assert len(mails) == 1
    assert mails[0]["pieces_jointes"][0]["sha256"] == json.loads((folder / "documents.json").read_text())[0]["sha256"]
    assert [each["channel"] for each in json.loads((folder / "consultations.json").read_text())] == ["pdf"]
    acts = [each["entree"]["action"] for each in json.loads((folder / "piste.json").read_text())]
    assert acts == ["published", "consulted"]
    assert json.loads((folder / "cycle_de_vie.json").read_text())["encaissements"][0]["amount"] == "120.00"


@pytest.mark.parametrize("resealed", [False, True])
@pytest.mark.parametrize("pattern", ["documents/*.pdf", "piste.json", "horodatages/*.tsr", "chaines.json"])
def test_one_byte_that_was_changed_is_named(
    folder: Path, authority: tuple[str, Path], pattern: str, resealed: bool
) -> None:
    path = next(folder.glob(pattern))
    content = bytearray(path.read_bytes())
    # In the middle of a fingerprint where there is one: readable JSON all the same.
    where = (
        content.index(b'_sha256": "') + 15
        if path.suffix == ".json" and b'_sha256": "' in content
        else len(content) // 2
    )
    content[where] = content[where] ^ 1
    path.write_bytes(content)
    if resealed:
        reseal(folder, str(path.relative_to(folder)))
    code, said = verify(folder, str(authority[1]))
    assert code == 1
    assert said.startswith("ÉCART – ")
    if not resealed:
        assert str(path.relative_to(folder)) in said


def test_one_byte_changed_anywhere_in_any_file_is_named(folder: Path) -> None:
    files = [path for path in sorted(folder.rglob("*")) if path.is_file() and path.name != "verifier.py"]
    assert len(files) > 10
    for path in files:
        content = path.read_bytes()
        for where in {0, len(content) // 2, len(content) - 1} if content else set():
            path.write_bytes(content[:where] + bytes([content[where] ^ 1]) + content[where + 1 :])
            code, said = verify(folder)
            # A fingerprint that was changed is that of another file: both are to be looked at.
            is_named = path.name == "empreintes.json" or str(path.relative_to(folder)) in said
            assert (code, is_named, said[:5]) == (1, True, "ÉCART"), (path.name, where, said)
        path.write_bytes(content[:-1])
        assert str(path.relative_to(folder)) in verify(folder)[1]
        path.write_bytes(content)
    assert verify(folder)[0] == 0


def test_a_blank_of_the_table_of_fingerprints_that_was_changed_is_named(folder: Path) -> None:
    table = folder / "empreintes.json"
    table.write_text(table.read_text().replace("\n", " ", 1))
    assert verify(folder) == (1, "ÉCART – empreintes.json : modifié\n")


def test_a_file_that_was_added_or_taken_away_is_named(folder: Path, authority: tuple[str, Path]) -> None:
    (folder / "documents" / "autre.pdf").write_bytes(b"%PDF")
    assert verify(folder) == (1, "ÉCART – documents/autre.pdf : ajouté\n")
    (folder / "documents" / "autre.pdf").unlink()
    (folder / "racines.pem").write_bytes(authority[1].read_bytes())
    assert verify(folder, str(folder / "racines.pem"))[0] == 0
    (folder / "racines.pem").unlink()
    (folder / "mails.json").unlink()
    assert verify(folder) == (1, "ÉCART – mails.json : manquant\n")


def test_a_fact_changed_in_an_entry_is_named_by_its_number(folder: Path) -> None:
    path = folder / "piste.json"
    path.write_text(
        path.read_text()
        .replace('"channel\\":\\"pdf', '"channel\\":\\"zip')
        .replace('\\"channel\\":\\"pdf', '\\"channel\\":\\"zip')
    )
    reseal(folder, "piste.json")
    code, said = verify(folder)
    number = Entry.objects.filter(action="consulted").latest("pk").pk
    assert (code, said.strip()) == (1, f"ÉCART – entrée {number} : modifiée")


def test_the_story_goes_from_the_order_to_the_payment(invoice: Invoice) -> None:
    steps = list_story_steps(invoice)
    assert [step.name for step in steps] == ["Commande", "Facture", "Mail", "Consultation", "Paiement"]
    assert all(step.facts for step in steps)
    assert steps[0].facts[0].sentence == "Commande CMD-77, citée par la facture."


def test_what_is_missing_is_said(db: None) -> None:
    steps = list_story_steps(make_invoice(customer=make_customer()))
    assert [bool(step.missing) for step in steps] == [True, False, True, True, True]


def test_staff_get_both_from_the_page_of_the_invoice(staff_client: Client, invoice: Invoice, staff: Account) -> None:
    page = staff_client.get(f"/gestion/invoices/invoice/{invoice.pk}/change/").content.decode()
    for address in ("piste", "preuve"):
        assert f"/gestion/invoices/invoice/{invoice.pk}/{address}/" in page
    shown = staff_client.get(f"/gestion/invoices/invoice/{invoice.pk}/piste/").content.decode()
    assert "Encaissement de 120,00" in shown
    answer = staff_client.get(f"/gestion/invoices/invoice/{invoice.pk}/preuve/")
    content = b"".join(answer.streaming_content)  # type: ignore[attr-defined]
    assert "verifier.py" in zipfile.ZipFile(BytesIO(content)).namelist()
    entry = Entry.objects.filter(action="proof-exported").latest("pk")
    assert (entry.object_id, entry.account) == (str(invoice.pk), staff.pk)
