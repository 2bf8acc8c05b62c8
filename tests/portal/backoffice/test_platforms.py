"""The way of an e-invoice in the back-office: channel, status, hand-over, new version."""

import datetime
import io
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from customers.models import Account
from invoices.einvoices.checks import check_waiting
from invoices.exporting.criteria import Criteria, Scope
from invoices.exporting.exports import create_export, start_export
from invoices.exporting.run.worker import run_lines
from invoices.models import Export, Handover, Invoice, Submission
from invoices.platforms.simulated.server import SimulatedPlatform
from tests.support.factories import PASSWORD, make_company, make_customer, make_invoice, make_published_invoice
from tests.support.invoice_examples import french_vat
from tests.support.simulated_platforms import (
    connect,
    directory_line,
    make_platform,
    running_platform,
    settled,
    wait_until,
)

pytestmark = pytest.mark.django_db

DATA = Path(__file__).parents[2] / "data"
BACKEND = "customers.authentication.AccountBackend"
SIREN = "552100554"


def publish() -> Export:
    company = make_company()
    company.operations = "S"
    company.save()
    make_invoice(company=company, customer=make_customer(siren=SIREN, vat_identifier=french_vat(SIREN)))
    export = start_export(export=create_export(criteria=Criteria(scope=Scope.ALL)))
    run_lines(export)
    return export


def test_the_page_of_an_invoice_says_its_channel(staff_client: Client) -> None:
    invoice = make_published_invoice()
    page = staff_client.get(reverse("admin:invoices_invoice_change", args=[invoice.pk])).content.decode()
    assert "Voie légale" in page
    assert "plateforme agréée (pas encore obligatoire)" in page


def test_the_list_says_what_is_wrong_with_an_e_invoice_and_where(staff_client: Client) -> None:
    make_company().__class__.objects.update(operations="S", allow_plain_pdf=False)
    customer = make_customer(siren=SIREN, vat_identifier=french_vat(SIREN))
    make_invoice(customer=customer, total_vat="20.01")
    check_waiting()
    export = create_export(criteria=Criteria(scope=Scope.ALL))

    page = staff_client.get(reverse("admin:export_web_list", args=[export.number])).content.decode()

    assert "e-facture non conforme" in page
    assert "Total de la TVA : 20,01 indiqué, 20,00 calculé." in page
    assert "BT-110" in page


def test_a_status_is_typed_and_shown_with_who_typed_it(staff_client: Client) -> None:
    invoice = make_published_invoice()
    address = reverse("admin:invoice_status", args=[invoice.pk])
    assert staff_client.get(address).status_code == 200

    answer = staff_client.post(address, {"code": "212", "at": "07/07/2025 14:30", "reason": ""})

    assert answer.status_code == 302
    status = invoice.statuses.get()
    assert (status.code, status.author_name) == ("212", "Nathalie Blanc")
    assert status.at == datetime.datetime(2025, 7, 7, 12, 30, tzinfo=datetime.UTC)
    assert LogEntry.objects.filter(change_message__contains="212 Encaissée").count() == 1
    assert "212 Encaissée" in staff_client.get(answer["Location"]).content.decode()


def test_messages_of_the_platform_are_given_on_a_page_reported_logged_and_refused_with_a_reason(
    staff_client: Client,
) -> None:
    company = make_company()
    company.siren = "732829320"
    company.save()
    disputed = make_published_invoice(company=company, number="F1", issue_date=datetime.date(2025, 6, 7))
    make_published_invoice(company=company, number="F2")
    address = reverse("admin:export_web_statuses")
    assert staff_client.get(address).status_code == 200
    sample = (DATA / "statuses" / "en-litige.xml").read_bytes()

    def give() -> str:
        given = [SimpleUploadedFile("litige.xml", sample), SimpleUploadedFile("autre.xml", b"<Invoice/>")]
        answer = staff_client.post(address, {"messages": given})
        assert answer.status_code == 200
        return answer.content.decode()

    page = give()

    assert "2 statuts enregistrés, 0 déjà connu, 1 refus." in page.replace("\xa0", " ")
    assert "autre.xml : Ce fichier n’est pas un message de statut (CDAR)." in page
    status = disputed.statuses.get()
    assert (status.code, status.author_name) == ("207", "Nathalie Blanc")
    logged = LogEntry.objects.get(object_id=str(disputed.pk))
    assert logged.get_change_message() == "Statut 207 En litige, importé : LITIGE-1."
    assert "0 statut enregistré, 2 déjà connus, 1 refus." in give().replace("\xa0", " ")
    assert disputed.statuses.count() == 1
    assert staff_client.post(address, {}).status_code == 422


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"code": "210", "at": "07/07/2025", "reason": " "}, "demande un motif"),
        ({"code": "999", "at": "07/07/2025"}, "999"),
        ({"code": "200", "at": "hier"}, "Saisissez une date"),
        ({"code": "200", "at": "01/01/2999"}, "01/01/2999"),
    ],
)
def test_a_wrong_status_is_answered_with_a_sentence(staff_client: Client, typed: dict[str, str], sentence: str) -> None:
    invoice = make_published_invoice()
    answer = staff_client.post(reverse("admin:invoice_status", args=[invoice.pk]), typed)
    assert answer.status_code == 422
    assert sentence in answer.content.decode()
    assert not invoice.statuses.exists()


def test_the_e_invoices_of_an_export_are_downloaded_and_marked(staff_client: Client) -> None:
    export = publish()
    address = reverse("admin:export_web_hand_over", args=[export.number])
    assert "À remettre : 1 ; déjà remises : 0 ; sans e-facture : 0." in staff_client.get(address).content.decode()

    answer: Any = staff_client.post(address, {"form": "facturx", "platform": "PA Exemple"})

    assert answer["Content-Type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content))) as archive:
        assert len(archive.namelist()) == 3
    assert LogEntry.objects.filter(change_message__contains="1\u00a0e-facture.").count() == 1
    handover = Handover.objects.get()
    assert (handover.platform, handover.author_name, handover.export) == ("PA Exemple", "Nathalie Blanc", export)
    again = staff_client.post(address, {"form": "facturx", "platform": ""}, follow=True)
    assert "aucune e-facture à remettre" in again.content.decode()


def test_a_new_version_is_published_with_its_reason(staff_client: Client) -> None:
    publish()
    invoice = Invoice.objects.get()
    address = reverse("admin:invoice_new_version", args=[invoice.pk])
    assert staff_client.post(address, {"reason": ""}).status_code == 422
    refused = staff_client.post(address, {"reason": "Tampon", "pdf": SimpleUploadedFile("f.pdf", b"<x/>")})
    assert "pas un PDF" in refused.content.decode()

    answer = staff_client.post(address, {"reason": "Adresse corrigée"})

    assert answer.status_code == 302
    invoice.refresh_from_db()
    assert invoice.document is not None
    assert (invoice.document.version, invoice.document.author_name) == (2, "Nathalie Blanc")
    assert "Adresse corrigée" in staff_client.get(answer["Location"]).content.decode()


@pytest.mark.parametrize("name", ["invoice_status", "invoice_new_version"])
def test_who_may_only_look_may_not_act(client: Client, name: str) -> None:
    reader = Account.objects.create_user("lecteur@aquila.example", PASSWORD, is_staff=True)
    reader.user_permissions.add(Permission.objects.get(codename="view_invoice"))
    client.force_login(reader, backend=BACKEND)
    assert client.get(reverse(f"admin:{name}", args=[make_published_invoice().pk])).status_code == 403


# Submission by the interface.


@pytest.fixture
def simulated(tmp_path: Path) -> Iterator[SimulatedPlatform]:
    """A platform whose directory knows the customer of these tests."""
    with running_platform(tmp_path) as server:
        server.book.add_line(directory_line(SIREN))
        yield server


def export_to(server: SimulatedPlatform) -> Export:
    company, customer = connect(make_platform(server.url))
    make_invoice(company=company, customer=customer, number="FA-1")
    export = start_export(export=create_export(criteria=Criteria(scope=Scope.ALL)))
    run_lines(export)
    return export


def test_an_export_is_submitted_from_its_bordereau_and_its_story_shown(
    staff_client: Client, simulated: SimulatedPlatform, settings: Any
) -> None:
    settings.TASKS = {"default": {"BACKEND": "django.tasks.backends.immediate.ImmediateBackend"}}
    export = export_to(simulated)
    bordereau = f"/gestion/export-web/factures/export/{export.number}/bordereau/"
    assert "Remettre à la plateforme (1 facture)" in " ".join(staff_client.get(bordereau).content.decode().split())

    simulated.book.add_line(directory_line(SIREN, status="Disabled"))
    page = staff_client.post(
        "/gestion/export-web/factures/plateforme/remettre/", {"export": export.number}, follow=True
    )
    assert "1 facture part vers sa plateforme" in " ".join(page.content.decode().split())
    wait_until(lambda: settled(simulated))
    staff_client.post("/gestion/export-web/factures/plateforme/relever/")
    assert "rejetée : REJ_ADR" in staff_client.get(bordereau).content.decode()
    work = staff_client.get("/gestion/export-web/factures/plateforme/").content.decode()
    assert "213 Rejetée" in work

    simulated.book.add_line(directory_line(SIREN))
    line = Submission.objects.get()
    page = staff_client.post(f"/gestion/export-web/factures/plateforme/depot/{line.pk}/", follow=True)
    assert "part à nouveau vers la plateforme" in page.content.decode()
    wait_until(lambda: settled(simulated))
    staff_client.post("/gestion/export-web/factures/plateforme/relever/")
    said = staff_client.get(f"/gestion/invoices/invoice/{line.invoice_id}/change/").content.decode()
    assert "acceptée" in said
    assert "retransmise" in said
