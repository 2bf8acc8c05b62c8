"""*Vérifier*: authentic or not, and nothing else."""

import re
from datetime import date
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from invoices.models import Export, ExportItem, Invoice
from tests.support.factories import freeze, make_customer, make_invoice, make_published_invoice

pytestmark = pytest.mark.django_db

PDF = b"%PDF-1.7\n% an invoice of ours\n%%EOF\n"


@pytest.fixture
def invoice() -> Invoice:
    customer = make_customer(name="Client Secret", code="SECRET-8")
    return make_published_invoice(PDF, customer=customer, number="18000135", issue_date=date(2022, 6, 7))


def drop(client: Client, content: bytes) -> Any:
    return client.post("/verification/", {"pdf": SimpleUploadedFile("f.pdf", content)})


def typed(client: Client, number: str, fingerprint: str) -> Any:
    return client.post("/verification/", {"number": number, "fingerprint": fingerprint})


def test_our_own_pdf_is_authentic_and_no_person_is_named(client: Client, invoice: Invoice) -> None:
    page = drop(client, PDF).content.decode()

    assert "authentique, et la facture a été émise le 07/06/2022 par Aquila Test SAS" in page
    for secret in ("Client Secret", "SECRET-8", "120,00"):
        assert secret not in page


@pytest.mark.parametrize("content", [PDF.replace(b"ours", b"OURS"), PDF + b" ", b"x", b""])
def test_a_changed_pdf_is_not(client: Client, invoice: Invoice, content: bytes) -> None:
    page = drop(client, content).content.decode()

    assert "émise le" not in page
    assert "Non conforme" in page


def test_number_and_fingerprint_do_too_with_spaces_and_capitals(client: Client, invoice: Invoice) -> None:
    assert invoice.document
    whole = invoice.document.sha256
    spoken = " ".join(re.findall("....", whole[:16].upper()))

    for fingerprint in (whole, spoken):
        assert (
            "authentique, et la facture a été émise le 07/06/2022"
            in typed(client, " 18000135 ", fingerprint).content.decode()
        )


def test_a_right_number_with_a_wrong_fingerprint_answers_as_a_wrong_number(client: Client, invoice: Invoice) -> None:
    assert invoice.document

    def answer(number: str, fingerprint: str) -> str:
        page = typed(client, number, fingerprint).content.decode()
        return re.sub(r'csrfmiddlewaretoken" value="[^"]*"', "", page)

    wrong_fingerprint = answer("18000135", "0" * 64)
    wrong_number = answer("99999999", invoice.document.sha256)

    assert "Non conforme" in wrong_fingerprint
    assert wrong_fingerprint == wrong_number


def test_a_waiting_invoice_is_not_yet_authentic(client: Client) -> None:
    freeze(make_invoice(), PDF)

    assert "Non conforme" in drop(client, PDF).content.decode()


def test_a_version_that_was_replaced_says_so(client: Client, invoice: Invoice) -> None:
    freeze(invoice, b"%PDF corrected")

    assert "Une version corrigée l’a remplacé" in drop(client, PDF).content.decode()
    assert "remplacé" not in drop(client, b"%PDF corrected").content.decode()


def test_a_file_that_was_replaced_before_its_export_was_never_ours(client: Client, invoice: Invoice) -> None:
    published = freeze(invoice, b"%PDF published")
    export = Export.objects.create(number=1)
    ExportItem.objects.create(export=export, invoice=invoice, document=published, state=ExportItem.State.PUBLISHED)

    assert "Non conforme" in drop(client, PDF).content.decode()
    assert "Authentique" in drop(client, b"%PDF published").content.decode()


@pytest.mark.parametrize(
    ("sent", "sentence"),
    [
        ({}, "Choisissez le PDF, ou saisissez le numéro et l’empreinte."),
        ({"number": "18000135"}, "Saisissez aussi l’empreinte."),
        ({"fingerprint": "0" * 16}, "Saisissez aussi le numéro de la facture."),
        ({"number": "1", "fingerprint": "abc"}, "Une empreinte compte 16 à 64 caractères"),
        ({"number": "1", "fingerprint": "z" * 64}, "Une empreinte compte 16 à 64 caractères"),
    ],
)
def test_an_incomplete_demand_is_reported_beside_its_field(client: Client, sent: dict[str, str], sentence: str) -> None:
    page = client.post("/verification/", sent).content.decode()

    assert sentence in page.replace("&#x27;", "’").replace("n'est", "n’est")


def test_a_file_that_is_too_large_is_refused_before_it_is_read(client: Client, settings: Any) -> None:
    settings.VERIFICATION_UPLOAD_LIMIT = 1_000_000

    answer = drop(client, bytes(1_100_000))

    assert answer.status_code == 413
    assert "Ce fichier est trop grand\xa0: 1 Mo au plus." in answer.content.decode()


def test_a_form_without_its_token_is_refused(invoice: Invoice) -> None:
    careful = Client(enforce_csrf_checks=True)

    assert careful.post("/verification/", {"number": "1", "fingerprint": "0" * 64}).status_code == 403


@pytest.mark.usefixtures("at_the_beginning_of_a_span")
def test_tries_are_limited_for_each_address(client: Client, invoice: Invoice) -> None:
    answers = [typed(client, "1", f"{number:064x}").status_code for number in range(21)]

    assert answers == [200] * 20 + [429]
    refused = typed(client, "1", "0" * 64)
    assert refused["Retry-After"] == "600"
    assert "Réessayez dans 10\u00a0minutes." in refused.content.decode()
    elsewhere = Client(REMOTE_ADDR="192.0.2.7")
    assert typed(elsewhere, "1", "0" * 64).status_code == 200


def test_the_number_of_ones_invoice_is_filled_in(client: Client) -> None:
    assert 'value="18000135"' in client.get("/verification/?numero=18000135").content.decode()


@pytest.mark.parametrize(
    ("number", "is_it"),
    [
        ("FAC-2026-7", True),
        ("fac-2026-7", True),
        ("Facture N° FAC-2026-7", True),
        ("Rechnung Nr. FAC–2026–7", True),
        ("n°FAC‑2026‑7\u200b\u00a0", True),
        ("1FAC-2026-7", False),
        ("X-FAC-2026-7", False),
        ("FAC-2026-77", False),
        ("FAC-2026", False),
    ],
)
def test_a_number_and_a_fingerprint_are_taken_as_they_are_copied(client: Client, number: str, is_it: bool) -> None:
    invoice = make_published_invoice(PDF, number="FAC-2026-7")
    assert invoice.document
    groups = re.findall("....", invoice.document.sha256)
    for fingerprint in (f"Empreinte SHA-256 : {' '.join(groups)}", "\u00a0".join(groups), "-".join(groups[:4])):
        page = typed(client, number, fingerprint).content.decode()
        assert ("authentique, et la facture" in page, "Non conforme" in page) == (is_it, not is_it)
