"""Factures in the back-office: the list, the page of one invoice, and *Renvoyer*."""

import csv
import hashlib
import io
import re
import zipfile
from datetime import date
from pathlib import Path

import pytest
import time_machine
from django.conf import settings
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.http import StreamingHttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from customers.models import Account
from invoices.documents.consultations import record_consultations
from invoices.exporting.criteria import Criteria
from invoices.exporting.exports import NothingToDoError, create_export, start_export
from invoices.exporting.resending import plan_resending, resend_invoice
from invoices.exporting.run.worker import run_lines
from invoices.models import Consultation, ContentCheck, Delivery, Document, Invoice, LifecycleStatus
from mailing.failed_addresses import mark_address_failed
from mailing.models import Message
from tests.support.back_office import words
from tests.support.factories import freeze, make_account, make_customer, make_invoice, make_published_invoice

pytestmark = pytest.mark.django_db

LIST = "/gestion/invoices/invoice/"


def page_url(invoice: Invoice) -> str:
    return reverse("admin:invoices_invoice_change", args=[invoice.pk])


def export(*invoices: Invoice) -> None:
    """Export all that waits, with mails."""
    criteria = Criteria(generate_credentials=True, notify=True, attach_pdf=True)
    run_lines(start_export(export=create_export(criteria=criteria, author_name="Nathalie Blanc")))
    for invoice in invoices:
        invoice.refresh_from_db()


# ─── The list ────────────────────────────────────────────────────────────────────────────────────────────────────────
def test_the_list_shows_each_invoice_with_the_state_of_its_mails(staff_client: Client) -> None:
    invoice = make_invoice(number="F-1", total_without_vat="1000.00")
    make_invoice(number="F-2", customer=make_customer(invoice_copies="1"))
    export(invoice)

    page = words(staff_client.get(LIST))

    assert re.search(r"F-1 .{0,40}Client \d+ facture 1 200,00 € publiée en file", page)
    assert re.search(r"F-2 .{0,40}Client \d+ facture 120,00 € en attente", page)


def test_the_list_is_filtered_by_state_kind_period_and_customer(staff_client: Client) -> None:
    waiting = make_invoice(number="ATTENTE-1", issue_date=date(2024, 1, 5))
    read = make_published_invoice(number="LUE-1")
    make_published_invoice(number="NEUVE-1", kind=Invoice.Kind.CREDIT_NOTE)
    reader = make_account(read.customer)
    record_consultations(invoice_ids=[read.pk], account=reader, channel=Consultation.Channel.PDF)

    def numbers(query: str) -> list[str]:
        return sorted(set(re.findall(r"[A-Z]+-1", words(staff_client.get(f"{LIST}?{query}")))))

    assert numbers("etat=pending") == ["ATTENTE-1"]
    assert numbers("etat=published") == ["LUE-1", "NEUVE-1"]
    assert numbers("etat=consulted") == ["LUE-1"]
    assert numbers("etat=unread") == ["NEUVE-1"]
    assert numbers("kind__exact=credit_note") == ["NEUVE-1"]
    assert numbers("periode=2024") == ["ATTENTE-1"]
    assert numbers("periode=2024-01") == ["ATTENTE-1"]
    assert numbers("periode=2024-02") == []
    assert numbers("periode=2025-06") == ["LUE-1", "NEUVE-1"]
    assert numbers("periode=2025-13") == numbers("periode=0000") == numbers("") == ["ATTENTE-1", "LUE-1", "NEUVE-1"]
    assert numbers(f"client={waiting.customer_id}") == ["ATTENTE-1"]
    assert numbers("client=absurde") == []
    assert numbers("q=neuve") == ["NEUVE-1"]


@time_machine.travel("2026-03-15")
def test_the_list_offers_the_years_that_there_are_and_the_months_of_the_one_that_is_chosen(
    staff_client: Client,
) -> None:
    make_invoice(issue_date=date(2024, 1, 5))
    make_invoice(issue_date=date(2026, 2, 28))

    def offered(query: str) -> list[str]:
        return re.findall(r"periode=([0-9-]+)", staff_client.get(f"{LIST}?{query}").content.decode())

    assert offered("") == ["2026-03", "2026-02", "2026", "2025", "2024"]
    assert {f"2025-{month:02}" for month in range(1, 13)} <= set(offered("periode=2025-04"))
    assert "2024-04" not in offered("periode=2025-04")
    assert "avril 2025" in words(staff_client.get(f"{LIST}?periode=2025"))


def test_the_list_reads_every_invoice_for_nothing_but_its_search(staff_client: Client) -> None:
    make_invoice()
    with CaptureQueriesContext(connection) as captured:
        staff_client.get(LIST)
    # No list of the months or of the companies of all invoices: what grows with them has an end or an index.
    assert not [query["sql"] for query in captured if "DISTINCT" in query["sql"]]


def test_the_list_costs_the_same_queries_at_2_and_22_invoices(staff_client: Client) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert staff_client.get(LIST).status_code == 200
        return len(captured)

    for _number in range(2):
        make_invoice()
    export()
    queries()
    few = queries()
    for _number in range(20):
        make_published_invoice()

    assert queries() == few


def test_the_pdfs_of_what_is_chosen_come_as_one_file_with_their_fingerprints(staff_client: Client) -> None:
    first = make_customer(code="000001", email="a@client.example", invoice_copies="D")
    second = make_customer(code="000002", name="=Formule SARL", email="b@client.example", invoice_copies="D")
    for number, customer in (("F-1", first), ("F-2", first), ("F-3", second)):
        make_invoice(number=number, customer=customer, total_without_vat="1000.00")
    export()
    make_invoice(number="F-4", customer=first)
    on_page = Invoice.objects.values_list("pk", flat=True)[:1]

    answer = staff_client.post(
        LIST, {"action": "download_pdfs", "select_across": "1", "_selected_action": list(on_page)}
    )

    assert isinstance(answer, StreamingHttpResponse)
    assert re.search(r"Factures-\d{4}-\d\d-\d\d\.zip", answer["Content-Disposition"])
    with zipfile.ZipFile(io.BytesIO(b"".join(answer))) as archive:
        index = list(csv.reader(io.StringIO(archive.read("Index.csv").decode("utf-8-sig")), delimiter=";"))
        rows = [dict(zip(index[0], row, strict=True)) for row in index[1:]]
        assert sorted(archive.namelist()) == sorted(["Index.csv", *(row["Fichier"] for row in rows)])
        assert {row["Facture"] for row in rows} == {"F-1", "F-2", "F-3"}
        for row in rows:
            assert row["Fichier"].startswith(row["Code client"] + "/")
            assert hashlib.sha256(archive.read(row["Fichier"])).hexdigest() == row["Empreinte SHA-256"]
            assert (row["Montant TTC"], row["Devise"], row["Version"]) == ("1200,00", "EUR", "1")
        assert {row["Client"] for row in rows if row["Facture"] == "F-3"} == {"'=Formule SARL"}
    assert not Consultation.objects.exists()


def test_what_is_not_published_has_no_pdf_to_download(staff_client: Client) -> None:
    invoice = make_invoice(number="F-1")

    answer = staff_client.post(LIST, {"action": "download_pdfs", "_selected_action": [str(invoice.pk)]}, follow=True)

    assert "Aucune de ces factures n’est publiée." in words(answer)


# ─── One invoice ─────────────────────────────────────────────────────────────────────────────────────────────────────
def test_the_page_shows_the_whole_story_of_an_invoice(staff_client: Client) -> None:
    invoice = make_invoice(number="F-1", total_without_vat="1000.00", customer=make_customer(email="a@client.example"))
    export(invoice)
    reader = Account.objects.get(login="a@client.example")
    record_consultations(invoice_ids=[invoice.pk], account=reader, channel=Consultation.Channel.PDF)
    document = Document.objects.get()

    response = staff_client.get(page_url(invoice))
    page = words(response)

    assert "Facture N° F-1" in page
    assert "1 200,00 €" in page
    assert document.sha256 in page
    assert "Prestation de service" in page
    assert "20 %" in page
    assert "1 000,00 € 200,00 €" in page
    assert "Bordereau d’export n° 1" in page
    assert "a@client.example en file" in page
    assert re.search(r"consultée le \d\d/\d\d/\d{4} \d\d:\d\d par a@client.example", page)
    assert "PDF v1" in page
    assert "Factur-X EN 16931" in page
    assert f'<iframe class="preview__pdf" src="{page_url(invoice).replace("change/", "")}document/' in (
        response.content.decode()
    )
    assert reverse("admin:export_web_bordereau", args=[1]) in response.content.decode()


def test_what_waits_has_no_document_yet(staff_client: Client) -> None:
    page = words(staff_client.get(page_url(make_invoice())))

    assert "en attente d’export" in page
    assert "Le PDF est figé au moment de l’export." in page
    assert "Renvoyer" not in page


def test_findings_of_the_e_invoice_and_statuses_are_shown_where_there_are(staff_client: Client) -> None:
    check = ContentCheck.objects.create(
        xml_sha256="a" * 64,
        rules_version="factur-x 7.8 / 9f16a3945922 fr professional due",
        is_valid=False,
        findings=[
            {"code": "BR-FR-10", "severity": "error", "business_term": "BT-30", "message_fr": "Le SIREN manque."},
            {"code": "OWN-1", "severity": "warning", "business_term": "", "message_fr": "Pas d’IBAN."},
        ],
    )
    invoice = make_invoice(check_state=Invoice.CheckState.INVALID, content_check=check, checked_at=timezone.now())
    LifecycleStatus.objects.create(invoice=invoice, code="207", reason="Prix contesté", source="plateforme")

    page = words(staff_client.get(page_url(invoice)))

    assert "erreur Le SIREN manque. BR-FR-10 · BT-30" in page
    assert "avertissement Pas d’IBAN. OWN-1" in page
    assert "règles factur-x 7.8 / 9f16a3945922 " in page
    assert "professional" not in page
    assert "207 En litige" in page
    assert "Prix contesté" in page


def test_the_page_costs_a_bounded_number_of_queries(staff_client: Client) -> None:
    invoice = make_invoice()
    export(invoice)

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            staff_client.get(page_url(invoice))
        return len(captured)

    queries()
    few = queries()
    account = Account.objects.get(login=invoice.customer.email)
    for sending in range(1, 8):
        resend_invoice(invoice=invoice, accounts=[account], sending=sending, attach_pdf=True)
        record_consultations(invoice_ids=[invoice.pk], account=account, channel=Consultation.Channel.PAGE)

    assert queries() == few


def test_staff_who_open_the_document_never_count_as_consulted(staff_client: Client) -> None:
    invoice = make_published_invoice(content=b"%PDF-1.7 des octets")
    document = invoice.documents.get()
    url = reverse("admin:invoices_invoice_document", args=[invoice.pk, document.pk])

    shown, taken = staff_client.get(url), staff_client.get(f"{url}?telecharger")

    assert shown.content == taken.content == b"%PDF-1.7 des octets"
    assert shown["Content-Disposition"].startswith("inline")
    assert taken["Content-Disposition"] == f'attachment; filename="Facture-{invoice.number}.pdf"'
    assert {"private", "no-store"} <= set(shown["Cache-Control"].split(", "))
    invoice.refresh_from_db()
    assert invoice.first_consulted_at is None
    assert not Consultation.objects.exists()


def test_both_versions_of_a_document_stay_readable(staff_client: Client) -> None:
    invoice = make_published_invoice(content=b"%PDF-1.7 un")
    freeze(invoice, b"%PDF-1.7 deux")

    page = words(staff_client.get(page_url(invoice)))
    first = invoice.documents.get(version=1)
    url = reverse("admin:invoices_invoice_document", args=[invoice.pk, first.pk])

    assert "PDF v2 en vigueur" in page
    assert "PDF v1" in page
    assert staff_client.get(url).content == b"%PDF-1.7 un"


def test_bytes_that_are_no_longer_those_that_were_frozen_are_not_shown(staff_client: Client) -> None:
    invoice = make_published_invoice()
    document = invoice.documents.get()
    file = Path(settings.DOCUMENTS_ROOT) / document.storage_name
    url = reverse("admin:invoices_invoice_document", args=[invoice.pk, document.pk])

    file.write_bytes(b"%PDF-1.7 autre chose")
    assert staff_client.get(url).status_code == 409
    file.unlink()
    assert staff_client.get(url).status_code == 404
    other = make_invoice()
    assert staff_client.get(reverse("admin:invoices_invoice_document", args=[other.pk, document.pk])).status_code == 404


# ─── Renvoyer ────────────────────────────────────────────────────────────────────────────────────────────────────────
def resend_url(invoice: Invoice) -> str:
    return reverse("admin:invoices_invoice_resend", args=[invoice.pk])


def test_an_invoice_is_sent_again_once_however_often_the_button_is_pressed(staff_client: Client) -> None:
    invoice = make_invoice(customer=make_customer(email="a@client.example"))
    export(invoice)
    account = Account.objects.get(login="a@client.example")
    form = staff_client.get(resend_url(invoice))
    assert 'name="sending" value="1"' in form.content.decode()
    typed = {"accounts": [str(account.pk)], "attach_pdf": "on", "sending": "1"}

    first = staff_client.post(resend_url(invoice), typed, follow=True)
    second = staff_client.post(resend_url(invoice), typed, follow=True)

    assert "1 mail mis en file : a@client.example." in words(first)
    assert "Cet envoi vient d’être fait" in words(second)
    assert sorted(Delivery.objects.values_list("sending", flat=True)) == [0, 1]
    mail = Message.objects.get(deliveries__sending=1)
    assert mail.attachments.get().sha256 == Document.objects.get().sha256
    assert "Renvoyée à a@client.example." in LogEntry.objects.values_list("change_message", flat=True)
    assert "renvoi 1" in words(staff_client.get(page_url(invoice)))


def test_no_recipient_chosen_is_reported_beside_the_choices(staff_client: Client) -> None:
    invoice = make_invoice()
    export(invoice)

    response = staff_client.post(resend_url(invoice), {"sending": "1"})

    assert response.status_code == 422
    assert "Cochez au moins un destinataire." in words(response)
    assert Message.objects.count() == 1


def test_an_address_in_error_is_said_and_not_ticked(staff_client: Client) -> None:
    invoice = make_invoice(customer=make_customer(email="perdu@client.example"))
    export(invoice)
    mark_address_failed("perdu@client.example", "550", None, timezone.now())

    response = staff_client.get(resend_url(invoice))

    assert "perdu@client.example (adresse en erreur)" in words(response)
    assert not re.search(r'name="accounts"[^>]*checked', response.content.decode())


def test_what_was_not_exported_is_not_sent_again(staff_client: Client) -> None:
    invoice = make_invoice()

    assert "Cette facture n’a pas encore été exportée" in words(staff_client.get(resend_url(invoice), follow=True))
    with pytest.raises(NothingToDoError):
        plan_resending(invoice)


def test_an_account_of_another_customer_never_receives(staff_client: Client) -> None:
    invoice = make_invoice()
    export(invoice)
    stranger = make_account(make_customer())

    with pytest.raises(NothingToDoError, match="Aucun compte actif"):
        resend_invoice(invoice=invoice, accounts=[stranger], sending=1, attach_pdf=True)
    response = staff_client.post(resend_url(invoice), {"accounts": [str(stranger.pk)], "sending": "1"})

    assert response.status_code == 422
    assert Message.objects.count() == 1


def test_a_customer_without_an_active_account_is_sent_nothing(staff_client: Client) -> None:
    invoice = make_invoice()
    export(invoice)
    Account.objects.of_customers().update(is_active=False)

    assert "Ce client n’a aucun compte actif" in words(staff_client.get(resend_url(invoice)))
