"""Statuses of e-invoices: recorded by hand, read from platforms' messages, shown as the last one."""

import datetime
import json
import zipfile
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core.management import call_command
from django.utils import timezone

from invoices.formats.cdar import read_statuses
from invoices.formats.refusals import UnreadableEInvoice
from invoices.models import Invoice, LifecycleStatus
from invoices.platforms.lifecycle import (
    LAST_STATUS,
    StatusRefusedError,
    import_statuses,
    last_status,
    record_status,
    status_word,
)
from tests.support.factories import make_company, make_invoice, make_published_invoice

DATA = Path(__file__).parents[2] / "data"
SAMPLES = DATA / "einvoices" / "gobl-cii"
DISPUTE = DATA / "statuses" / "en-litige.xml"
PARIS = ZoneInfo("Europe/Paris")


def test_a_message_of_a_platform_is_read_with_number_seller_code_and_time() -> None:
    (status,) = read_statuses((SAMPLES / "UC1_F202500003_01-CDV-200_Deposee.xml").read_bytes())

    assert (status.number, status.seller_siren, status.code) == ("F202500003", "100000009", "200")
    assert status.issue_date == datetime.date(2025, 7, 1)
    assert status.at == datetime.datetime(2025, 7, 1, 15, 10, tzinfo=PARIS)
    assert status.message_id == "F202500003_200_20250701151000#380_20250701"
    assert status.reason == ""


def test_what_was_paid_is_said_with_its_vat_rate() -> None:
    (status,) = read_statuses((SAMPLES / "UC1_F202500003_07-CDV-212_Encaissee.xml").read_bytes())

    assert status.code == "212"
    assert status.at == datetime.datetime(2025, 8, 2, 10, 0, tzinfo=PARIS)
    assert status.reason == "12\u202f000,00\u00a0€ encaissés (TVA 20 %)"


def test_a_message_may_speak_of_several_invoices_and_gives_its_reasons() -> None:
    disputed, taken = read_statuses(DISPUTE.read_bytes())

    assert (disputed.number, disputed.code) == ("F1", "207")
    assert disputed.reason == ("TX_TVA_ERR : Taux de TVA erroné ; action attendue : Émettre une facture rectificative")
    assert (taken.number, taken.code, taken.issue_date, taken.reason) == ("F2", "204", None, "")


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (("207</ram:Process", "</ram:Process"), "F1"),
        (("<ram:IssuerAssignedID>F1</ram:IssuerAssignedID>", ""), "numéro"),
        (("20250701180000", "hier"), "« hier »"),
        (("20250701180000", "00010101000000"), "« 00010101000000 »"),
        (("20250701180000", "99991231235959"), "« 99991231235959 »"),
        (("CrossDomainAcknowledgementAndResponse", "CrossIndustryInvoice"), "pas un message de statut"),
    ],
)
def test_a_message_that_lacks_what_matters_is_refused_with_a_sentence(change: tuple[str, str], sentence: str) -> None:
    with pytest.raises(UnreadableEInvoice, match=sentence):
        read_statuses(DISPUTE.read_text().replace(*change).encode())


@pytest.mark.parametrize("data", [b"", b"%PDF-1.7", b"<!DOCTYPE x []><x/>", b"\x00\xff\x00"])
def test_other_files_are_refused(data: bytes) -> None:
    with pytest.raises(UnreadableEInvoice):
        read_statuses(data)


@pytest.mark.django_db
class TestRecording:
    """With the database."""

    def test_a_status_is_recorded_once_and_the_last_one_is_shown(self) -> None:
        invoice = make_published_invoice()
        at = datetime.datetime(2025, 7, 1, 10, 0, tzinfo=datetime.UTC)
        assert last_status(invoice) is None

        _status, is_new = record_status(invoice=invoice, code="200", at=at, author_name="Paul")
        assert is_new
        assert record_status(invoice=invoice, code="200", at=at)[1] is False
        record_status(invoice=invoice, code="212", at=at + datetime.timedelta(days=30))
        record_status(invoice=invoice, code="203", at=at + datetime.timedelta(days=1))

        last = last_status(invoice)
        assert last is not None
        assert (last.code, status_word(last.code)) == ("212", "Encaissée")
        assert Invoice.objects.annotate(last=LAST_STATUS).values_list("last", flat=True).get() == "212"
        assert [status.code for status in invoice.statuses.all()] == ["212", "203", "200"]

    @pytest.mark.parametrize("code", ["206", "207", "208", "210", "213", "501"])
    def test_some_statuses_need_a_reason(self, code: str) -> None:
        invoice = make_invoice()
        with pytest.raises(StatusRefusedError, match="demande un motif"):
            record_status(invoice=invoice, code=code, reason="  ")

        record_status(invoice=invoice, code=code, reason="TX_TVA_ERR")
        assert invoice.statuses.get().reason == "TX_TVA_ERR"

    @pytest.mark.parametrize(("code", "days"), [("199", 0), ("200", 3)])
    def test_unknown_statuses_and_times_to_come_are_refused(self, code: str, days: int) -> None:
        with pytest.raises(StatusRefusedError):
            record_status(invoice=make_invoice(), code=code, at=timezone.now() + datetime.timedelta(days=days))
        assert not LifecycleStatus.objects.exists()

    def test_files_of_a_platform_are_recorded_once(self) -> None:
        company = make_company(siren="100000009", name="VENDEUR", siret="")
        invoice = make_invoice(
            company=company,
            number="F202500003",
            issue_date=datetime.date(2025, 7, 1),
            total_without_vat="10000.00",
        )

        first = import_statuses([SAMPLES])
        second = import_statuses([SAMPLES])

        assert (first.recorded, first.unchanged, first.rejected) == (2, 0, [])
        assert (second.recorded, second.unchanged) == (0, 2)
        assert set(invoice.statuses.values_list("code", flat=True)) == {"200", "212"}
        assert invoice.statuses.get(code="200").source == "F202500003_200_20250701151000#380_20250701"

    def test_a_message_with_an_unknown_invoice_is_refused_whole(self) -> None:
        known = make_invoice(number="F1")

        report = import_statuses([DISPUTE])

        assert report.recorded == 0
        assert report.rejected == [
            {"file": "en-litige.xml", "number": "F2", "reason": "La facture F2 du SIREN 732829320 n’est pas connue."}
        ]
        assert not known.statuses.exists()

    def test_the_date_of_the_invoice_must_agree(self) -> None:
        make_invoice(number="F1", issue_date=datetime.date(2024, 6, 7))
        make_invoice(number="F2")

        assert "07/06/2025" in import_statuses([DISPUTE]).rejected[0]["reason"]

    def test_the_command_takes_an_archive_and_says_what_it_refuses(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        make_invoice(number="F1")
        make_invoice(number="F2")
        archive = tmp_path / "statuts.zip"
        with zipfile.ZipFile(archive, "w") as zipped:
            zipped.write(DISPUTE, "lot/en-litige.xml")
            zipped.writestr("lot/lisez-moi.txt", "bonjour")
        invoice = tmp_path / "facture.pdf"
        invoice.write_bytes(b"%PDF-1.7")

        with pytest.raises(SystemExit) as ended:
            call_command("import_statuses", str(archive), str(invoice), "--json")

        assert ended.value.code == 1
        said: dict[str, Any] = json.loads(capsys.readouterr().out)
        assert (said["recorded"], said["unchanged"]) == (2, 0)
        assert [each["file"] for each in said["rejected"]] == ["facture.pdf"]


@pytest.mark.django_db
@pytest.mark.parametrize(
    "reason", ["DOUBLON", "DOUBLON : Facture déjà reçue", "Vérifiée ; DOUBLON ; action attendue : NOA"]
)
def test_the_refusal_of_a_second_delivery_leaves_the_status_of_the_first(reason: str) -> None:
    invoice = make_published_invoice()
    now = timezone.now()
    record_status(invoice=invoice, code="202", at=now - datetime.timedelta(hours=2))
    record_status(invoice=invoice, code="213", at=now - datetime.timedelta(hours=1), reason=reason)

    status = last_status(invoice)
    assert status is not None
    assert status.code == "202"
    assert Invoice.objects.annotate(last=LAST_STATUS).values_list("last", flat=True).get(pk=invoice.pk) == "202"
    assert invoice.statuses.filter(code="213").exists()


@pytest.mark.django_db
@pytest.mark.parametrize("reason", ["ADR_ERR : Adresse erronée", "DOUBLON_LIGNE : Ligne en double"])
def test_a_rejection_for_another_reason_is_the_last_status(reason: str) -> None:
    invoice = make_published_invoice()
    record_status(invoice=invoice, code="202", at=timezone.now() - datetime.timedelta(hours=2))
    record_status(invoice=invoice, code="213", reason=reason)

    status = last_status(invoice)
    assert status is not None
    assert status.code == "213"
    assert Invoice.objects.annotate(last=LAST_STATUS).values_list("last", flat=True).get(pk=invoice.pk) == "213"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("told", "last"),
    [
        # (code, milliseconds at which the platform listed it, or None), in the order of their receipt.
        ([("200", 10), ("202", 20), ("203", 30)], "203"),
        ([("203", 30), ("202", 20), ("200", 10)], "203"),
        ([("200", 10), ("213", 20)], "213"),
        ([("213", 10), ("200", 20)], "200"),  # delivered once more within the second
        ([("200", 20), ("213", 10)], "200"),
        ([("203", None), ("202", None)], "203"),  # typed or read from files: the life cycle
        ([("213", None), ("212", None)], "213"),
        ([("501", None), ("200", None)], "501"),
        ([("210", None), ("203", 10)], "203"),
    ],
)
def test_statuses_of_the_same_second_have_an_order(told: list[tuple[str, int | None]], last: str) -> None:
    invoice = make_published_invoice()
    at = datetime.datetime(2026, 11, 5, 10, 0, tzinfo=datetime.UTC)
    for code, listed in told:
        listed_at = None if listed is None else at + datetime.timedelta(milliseconds=listed)
        record_status(invoice=invoice, code=code, at=at, reason="REJ_SEMAN", listed_at=listed_at)

    status = last_status(invoice)
    assert status is not None
    assert status.code == last
    assert Invoice.objects.annotate(last=LAST_STATUS).values_list("last", flat=True).get() == last
    assert invoice.statuses.all()[0].code == last


@pytest.mark.django_db
def test_a_status_read_from_a_file_gets_its_place_once_the_platform_lists_it() -> None:
    invoice = make_published_invoice()
    at = datetime.datetime(2026, 11, 5, 10, 0, tzinfo=datetime.UTC)
    record_status(invoice=invoice, code="213", at=at, reason="REJ_SEMAN")
    record_status(invoice=invoice, code="200", at=at, listed_at=at + datetime.timedelta(milliseconds=2))
    _status, is_new = record_status(
        invoice=invoice, code="213", at=at, reason="REJ_SEMAN", listed_at=at + datetime.timedelta(milliseconds=3)
    )
    assert not is_new
    assert [status.code for status in invoice.statuses.all()] == ["213", "200"]
