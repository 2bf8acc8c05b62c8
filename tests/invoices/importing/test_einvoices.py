"""E-invoices of an ERP: what is stored agrees with the samples' expected values, and who may issue and receive."""

import csv
import hashlib
import io
import zipfile
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import default_storage

from customers.models import Customer
from invoices.content.from_rows import content_of
from invoices.content.to_rows import NotStorableError, columns_of
from invoices.einvoices.einvoice import einvoice_of
from invoices.files.archives import GivenFile
from invoices.formats.cii.writer import write_cii
from invoices.formats.reading import read_einvoice
from invoices.importing.run import import_erp
from invoices.models import Company, Document, Invoice, InvoiceLine
from tests.support.factories import freeze, make_company, make_customer, make_invoice

pytestmark = pytest.mark.django_db

SAMPLES = Path(__file__).parents[2] / "data" / "einvoices"
FACTURX = SAMPLES / "akretion-factur-x" / "invoice_EN16931.pdf"
BASIC = SAMPLES / "akretion-factur-x" / "factur-x-basic.xml"
CII = SAMPLES / "akretion-factur-x" / "factur-x-en16931.xml"
EINFACH = (SAMPLES / "zugferd-corpus" / "EN16931_Einfach.cii.xml").read_bytes()


def expected() -> list[dict[str, str]]:
    with (SAMPLES / "expected.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


IMPORTED = [row for row in expected() if row["outcome"] == "import"]
REFUSED = [row for row in expected() if row["outcome"] != "import"]


def sample(row: dict[str, str]) -> Path:
    return SAMPLES / row["source"] / row["file"]


def name_of(row: dict[str, str]) -> str:
    return row["file"]


def only_reason(path: Path | GivenFile, **options: Any) -> str:
    (rejection,) = import_erp([path], **options).as_json()["rejected"]
    return str(rejection["reason"])


@pytest.mark.parametrize("row", IMPORTED, ids=name_of)
def test_what_is_stored_agrees_with_the_sample(row: dict[str, str]) -> None:
    report = import_erp([sample(row)], create_companies=True).as_json()
    lines = int(row["lines"])
    assert report["rejected"] == []
    assert report["created"] == {"customers": 1, "contacts": 0, "invoices": 1, "lines": lines}
    invoice = Invoice.objects.get()
    stored = (invoice.number, invoice.type_code, str(invoice.issue_date), str(invoice.due_date or ""), invoice.currency)
    assert stored == (row["number"], row["type_code"], row["issue_date"], row["due_date"], row["currency"])
    assert (invoice.company.name, invoice.customer.name) == (row["seller"], row["buyer"])
    assert invoice.lines.count() == lines
    for column in ("total_without_vat", "total_vat", "total_with_vat", "amount_due"):
        if row[column]:
            assert getattr(invoice, column) == Decimal(row[column])
    # A sum that does not hold is reported and not mended.
    assert row["sums_ok"] != "no" or invoice.warnings


@pytest.mark.parametrize("row", IMPORTED, ids=name_of)
def test_the_content_comes_back_exactly_as_it_was_stated(row: dict[str, str]) -> None:
    import_erp([sample(row)], create_companies=True)
    stated = read_einvoice(sample(row).read_bytes()).content
    # The files inside of the XML stay there: that file is kept byte for byte.
    documents = tuple(replace(each, content="") for each in stated.supporting_documents)
    assert content_of(Invoice.objects.get()) == replace(stated, supporting_documents=documents)


def test_a_file_attached_inside_of_the_xml_weighs_nothing_in_the_database_and_is_written_on() -> None:
    import_erp([SAMPLES / "cen-en16931" / "ubl-tc434-example5.xml"], create_companies=True)
    invoice = Invoice.objects.get()
    assert "VGVzdGluZyBCYXNlNjQgZW5jb2Rpbmc=" not in str(invoice.details)
    einvoice = einvoice_of(invoice)
    assert einvoice.xml is not None
    (slip,) = (each for each in read_einvoice(einvoice.xml).content.supporting_documents if each.filename == "EHF.pdf")
    assert (slip.reference, slip.content) == ("sales slip", "VGVzdGluZyBCYXNlNjQgZW5jb2Rpbmc=")


def test_an_issuer_without_a_name_and_a_number_is_refused_as_such() -> None:
    text = CII.read_text(encoding="utf-8")
    seller = text[text.index("<ram:SellerTradeParty>") : text.index("</ram:SellerTradeParty>")]
    nameless = text.replace(seller, "<ram:SellerTradeParty>")
    reason = only_reason(GivenFile("x.xml", nameless.encode()), create_companies=True)
    assert reason == "Cette facture ne nomme pas son émetteur (BT-27)."


@pytest.mark.parametrize("row", REFUSED, ids=name_of)
def test_what_is_no_invoice_of_ours_is_refused_with_a_sentence(row: dict[str, str]) -> None:
    reason = only_reason(sample(row), create_companies=True)
    assert reason.endswith(".")
    assert not Invoice.objects.exists()
    assert not Company.objects.exists()


def test_the_same_file_twice_changes_nothing() -> None:
    import_erp([FACTURX], create_companies=True)
    again = import_erp([FACTURX], create_companies=True)
    assert again.unchanged == {"customers": 1, "contacts": 0, "invoices": 1, "lines": 3}
    assert again.created["invoices"] == again.updated["invoices"] == 0
    assert Document.objects.count() == 1


def test_a_dry_run_says_the_same_and_writes_nothing() -> None:
    checked = import_erp([FACTURX], create_companies=True, dry_run=True)
    assert not Company.objects.exists()
    assert not Customer.objects.exists()
    assert checked.as_json() == import_erp([FACTURX], create_companies=True).as_json()


def test_a_received_pdf_is_kept_byte_for_byte() -> None:
    import_erp([FACTURX], create_companies=True)
    invoice = Invoice.objects.get()
    document = invoice.documents.get()
    data = FACTURX.read_bytes()
    assert (invoice.origin, document.role, document.source) == ("facturx", "pdf", "received")
    assert document.sha256 == hashlib.sha256(data).hexdigest()
    assert document.profile == "urn:cen.eu:en16931:2017"
    with default_storage.open(document.storage_name) as file:
        assert file.read() == data
    assert "invoice" not in document.storage_name


def test_an_xml_alone_is_kept_and_has_no_pdf() -> None:
    import_erp([CII], create_companies=True)
    document = Invoice.objects.get().documents.get()
    assert (document.role, document.source, document.size) == ("xml", "received", CII.stat().st_size)


def test_an_unknown_issuer_is_refused_by_its_name() -> None:
    make_company()
    reason = only_reason(FACTURX)
    assert reason.startswith("Émetteur inconnu « LE FOURNISSEUR »")
    assert "--create-companies" in reason
    assert not Invoice.objects.exists()


@pytest.mark.parametrize(
    "facts",
    [
        {"name": "Autre nom", "siren": "123456782"},
        {"name": "Autre nom", "siret": "12345678200077", "siren": ""},
        {"name": "Autre nom", "siren": "", "vat_identifier": "FR11123456782"},
        {"name": "le fournisseur", "siren": ""},
    ],
)
def test_the_issuer_is_known_by_siren_siret_vat_number_then_name(facts: dict[str, str]) -> None:
    make_company()
    company = Company.objects.create(**facts)
    assert import_erp([FACTURX]).is_clean
    assert Invoice.objects.get().company == company


def test_a_name_is_no_proof_against_another_siren() -> None:
    Company.objects.create(name="LE FOURNISSEUR", siren="732829320")
    assert only_reason(FACTURX).startswith("Émetteur inconnu")


@pytest.mark.parametrize(
    "facts",
    [
        {"siren": "987654321"},
        {"vat_identifier": "FR05987654321"},
        {"email": "BUYER@buyer.com"},
        {"name": "Le Client", "postcode": "06000"},
    ],
)
def test_the_buyer_is_known_by_siren_vat_number_address_then_name_and_postcode(facts: dict[str, str]) -> None:
    make_customer(name="Un autre")
    customer = make_customer(**{"name": "Quelqu’un", **facts})
    assert import_erp([FACTURX], create_companies=True).created["customers"] == 0
    assert Invoice.objects.get().customer == customer


def test_the_erp_s_code_comes_before_everything_else() -> None:
    """Our own e-invoice, read back by another installation with the same customers."""
    customer = make_customer(code="000042", siren="", email="")
    invoice = make_invoice(customer=customer, number="Z1")
    data = write_cii(content_of(invoice))
    invoice.lines.all().delete()
    invoice.delete()
    make_customer(name=customer.name, postcode=customer.postcode, code="000041")
    assert import_erp([GivenFile("Z1.xml", data)]).is_clean
    assert Invoice.objects.get(number="Z1").customer == customer


def test_a_new_buyer_gets_a_card_on_paper() -> None:
    import_erp([FACTURX], create_companies=True)
    customer = Customer.objects.get()
    assert (customer.name, customer.siren, customer.invoice_copies) == ("LE CLIENT", "987654321", "1")
    assert customer.is_professional
    assert customer.vat_identifier == "FR05987654321"


def test_another_content_is_a_new_version_before_publication() -> None:
    import_erp([CII], create_companies=True)
    changed = CII.read_bytes().replace(b"<ram:Name>LE CLIENT</ram:Name>", b"<ram:Name>LE CLIENT SA</ram:Name>")
    assert changed != CII.read_bytes()
    report = import_erp([GivenFile("changed.xml", changed)])
    assert report.updated == {"customers": 0, "contacts": 0, "invoices": 1, "lines": 3}
    invoice = Invoice.objects.get()
    assert invoice.version == 2
    assert content_of(invoice).buyer.name == "LE CLIENT SA"
    assert sorted(invoice.documents.values_list("version", flat=True)) == [1, 2]


def test_another_content_is_refused_after_publication() -> None:
    import_erp([CII], create_companies=True)
    invoice = Invoice.objects.get()
    freeze(invoice)
    invoice.published_at = invoice.imported_at
    invoice.save()
    assert import_erp([CII]).unchanged["invoices"] == 1
    # An earlier version of the portal read less of the same file.
    Invoice.objects.update(content_hash="0" * 64)
    assert import_erp([CII]).unchanged["invoices"] == 1
    changed = CII.read_bytes().replace(b">LE CLIENT<", b">UN AUTRE<")
    (rejection,) = import_erp([GivenFile("x.xml", changed)]).as_json()["rejected"]
    assert rejection["value"] == "F20260023"
    assert rejection["reason"].startswith("La facture F20260023 est déjà publiée")
    assert content_of(Invoice.objects.get()).buyer.name == "LE CLIENT"


def test_two_files_of_the_same_name_are_two_files(tmp_path: Path) -> None:
    paths = []
    for number in ("A-1", "A-2"):
        path = tmp_path / number / "facture.xml"
        path.parent.mkdir()
        path.write_bytes(EINFACH.replace(b"471102", number.encode()))
        paths.append(path)

    report = import_erp(paths, create_companies=True)

    assert report.is_clean
    assert set(Invoice.objects.values_list("number", flat=True)) == {"A-1", "A-2"}


@pytest.mark.parametrize("dry_run", [True, False])
def test_two_contents_of_one_invoice_in_one_import_are_not_both_taken(dry_run: bool) -> None:
    another = EINFACH.replace(b"Kunden AG Mitte", b"Kunden AG Ost")
    assert another != EINFACH
    given = [GivenFile("a.xml", EINFACH), GivenFile("b.xml", another), GivenFile("c.xml", EINFACH)]

    report = import_erp(given, create_companies=True, dry_run=dry_run)

    (rejection,) = report.rejected
    assert rejection.file == "b.xml"
    assert "est aussi dans « a.xml » de cet import, avec un autre contenu" in rejection.reason
    if not dry_run:
        assert content_of(Invoice.objects.get()).buyer.name == "Kunden AG Mitte"
        assert Invoice.objects.get().version == 1


def test_a_zip_of_everything_takes_what_is_good_and_refuses_the_rest() -> None:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.write(FACTURX, "janvier/facture.dat")
        file.write(SAMPLES / "akretion-factur-x" / "order-x-basic.xml", "janvier/commande.xml")
        file.writestr("janvier/plan.png", b"\x89PNG\r\n\x1a\n....")
        file.writestr("janvier/nu.pdf", b"%PDF-1.7\n%%EOF\n")
    report = import_erp([GivenFile("lot.zip", archive.getvalue())], create_companies=True)
    assert report.created["invoices"] == 1
    assert {each["file"] for each in report.as_json()["rejected"]} == {
        "lot.zip/janvier/commande.xml",
        "lot.zip/janvier/nu.pdf",
    }


def test_a_hostile_file_is_a_refusal() -> None:
    bomb = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa">]><Invoice>&a;</Invoice>'
    assert "DOCTYPE" in only_reason(GivenFile("bomb.xml", bomb))


@pytest.mark.parametrize("content", [b"", b" \r\n", b"\xef\xbb\xbf\n"])
def test_a_file_with_nothing_in_it_is_said_to_be_empty(content: bytes) -> None:
    assert only_reason(GivenFile("facture.xml", content)) == "Ce fichier est vide."


def test_an_absurd_amount_is_a_refusal_and_leaves_no_company() -> None:
    data = CII.read_bytes().replace(b">104.90<", b">1" + b"0" * 16 + b"<")
    assert data != CII.read_bytes()
    assert "BT-112" in only_reason(GivenFile("x.xml", data), create_companies=True)
    assert not Company.objects.exists()


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"total_with_vat": Decimal(10) ** 16}, "montant trop grand"),
        ({"issue_date": None}, "n’a pas de date"),
        ({"currency": "euros"}, "n’a pas de devise"),
        ({"number": ""}, "n’a pas de numéro"),
        ({"number": "1" * 101}, "dépasse 100 caractères"),
    ],
)
def test_what_identity_and_listing_need_is_demanded(change: dict[str, Any], sentence: str) -> None:
    content = read_einvoice(CII.read_bytes()).content
    with pytest.raises(NotStorableError, match=sentence):
        columns_of(replace(content, **change))


def test_what_a_column_cannot_hold_is_kept_beside_it() -> None:
    content = read_einvoice(CII.read_bytes()).content
    odd_line = replace(
        content.lines[0],
        quantity=Decimal("1.1234567891"),
        vat_rate=Decimal("1000"),
        unit="UNE UNITÉ TRÈS LONGUE",
        identifier="1" * 60,
        net_amount=Decimal("10.005"),
    )
    odd = replace(content, lines=(odd_line,), total_vat=None, prepaid_amount=None, purchase_order_reference="x" * 300)
    columns, lines = columns_of(odd)
    invoice = Invoice(company=make_company(), customer=make_customer(), origin="cii", content_hash="0", **columns)
    invoice.save(force_insert=True)
    InvoiceLine.objects.bulk_create(InvoiceLine(invoice=invoice, **line) for line in lines)
    assert content_of(Invoice.objects.get()) == odd
    assert columns["total_vat"] == columns["total_with_vat"] - columns["total_without_vat"]
