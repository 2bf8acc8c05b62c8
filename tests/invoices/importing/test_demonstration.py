"""The demonstration's files imported: counts and facts against an independent reading of the same files."""

import csv
import json
import re
from collections import Counter
from decimal import ROUND_HALF_UP, Decimal
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from customers.models import Contact, Customer
from invoices.content.from_rows import content_of, prefetch_for_content
from invoices.models import Invoice, InvoiceLine

pytestmark = pytest.mark.django_db

FOLDER = Path(__file__).parents[3] / "demo" / "chinook"


def rows_of(name: str, folder: Path = FOLDER) -> list[dict[str, str]]:
    with (folder / f"{name}.csv").open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file, delimiter=";"))


def import_json(*arguments: str) -> dict[str, Any]:
    out = StringIO()
    call_command("import_erp", *arguments, "--json", stdout=out)
    result: dict[str, Any] = json.loads(out.getvalue())
    return result


ZEROS = {"customers": 0, "contacts": 0, "invoices": 0, "lines": 0}
ALL = {"customers": 59, "contacts": 20, "invoices": 412, "lines": 2240}


def test_the_files_hold_what_the_tests_expect() -> None:
    assert {"customers": len(rows_of("clients")), "contacts": len(rows_of("contacts"))} == {
        "customers": 59,
        "contacts": 20,
    }
    assert (len(rows_of("factures")), len(rows_of("lignes"))) == (412, 2240)


def test_everything_is_created_once_and_the_second_time_nothing_changes() -> None:
    read_me = {"file": "chinook/NOTICE", "line": None, "reason": "Ce n’est ni une table ni une facture."}
    nothing_else: dict[str, list[Any]] = {
        "rejected": [],
        "warnings": [],
        "ignored": [],
        "skipped": [read_me],
        "new_addresses": [],
    }
    first = import_json(str(FOLDER))
    assert first.pop("journal")["invoices"] == ALL["invoices"]
    assert first == {"created": ALL, "updated": ZEROS, "unchanged": ZEROS, **nothing_else}
    versions = set(Invoice.objects.values_list("pk", "version", "updated_at"))
    again = import_json(str(FOLDER))
    assert again.pop("journal")["invoices"] == 0
    assert again == {"created": ZEROS, "updated": ZEROS, "unchanged": ALL, **nothing_else}
    assert set(Invoice.objects.values_list("pk", "version", "updated_at")) == versions


def test_a_dry_run_says_the_same_and_writes_nothing() -> None:
    checked = import_json(str(FOLDER), "--dry-run")
    assert not Customer.objects.exists()
    assert not Invoice.objects.exists()
    assert checked == import_json(str(FOLDER))
    assert import_json(str(FOLDER), "--dry-run")["unchanged"] == ALL


def test_customers_are_those_of_the_file() -> None:
    import_json(str(FOLDER))
    rows = rows_of("clients")
    assert Customer.objects.filter(kind="professional").count() == 10
    assert Customer.objects.dematerialised().count() == 54 == sum(row["nb_factures"] == "D" for row in rows)
    assert Customer.objects.filter(email="").count() == 4 == sum(row["email"] == "" for row in rows)
    for row in rows:
        customer = Customer.objects.get(code=row["code"])
        assert (customer.name, customer.email, customer.city, customer.country, customer.postcode) == (
            row["raison_sociale"],
            row["email"],
            row["ville"],
            row["pays"],
            row["code_postal"],
        )


def test_contacts_are_those_of_the_file() -> None:
    import_json(str(FOLDER))
    stored = Contact.objects.values_list("customer__code", "name", "function", "email", "is_main")
    assert sorted(stored) == sorted(
        (row["code_client"], row["nom"], row["fonction"], row["email"], row["interlocuteur_principal"] == "O")
        for row in rows_of("contacts")
    )
    accountants = sum(row["fonction"] == "Responsable comptabilité" for row in rows_of("contacts"))
    assert Contact.objects.filter(function_key="responsable comptabilite").count() == accountants > 0


def test_invoices_and_lines_are_those_of_the_files() -> None:
    import_json(str(FOLDER))
    number = {row["numero"]: row for row in rows_of("factures")}
    for invoice in Invoice.objects.select_related("customer"):
        row = number.pop(invoice.number)
        assert f"{invoice.issue_date:%d/%m/%Y}" == row["date"]
        assert invoice.due_date is None
        assert invoice.customer.code == row["code_client"]
        assert invoice.purchase_order_reference == row["reference"]
        assert f"{invoice.total_with_vat}".replace(".", ",") == row["total_ttc"]
        assert invoice.amount_due == invoice.total_with_vat
    assert not number
    expected = sum(Decimal(row["total_ht"].replace(",", ".")) for row in rows_of("lignes"))
    assert sum(InvoiceLine.objects.values_list("net_amount", flat=True)) == expected


def test_lines_keep_the_order_of_the_file() -> None:
    import_json(str(FOLDER))
    lines = [row for row in rows_of("lignes") if row["numero"] == "18000004"]
    stored = InvoiceLine.objects.filter(invoice__number="18000004").order_by("position")
    assert [line.name for line in stored] == [row["designation"] for row in lines]
    assert [line.position for line in stored] == list(range(1, len(lines) + 1))


def test_every_content_holds_together() -> None:
    import_json(str(FOLDER))
    for invoice in prefetch_for_content(Invoice.objects.all()):
        content = content_of(invoice)
        assert sum((each.taxable_amount for each in content.vat_breakdown), Decimal(0)) == content.total_without_vat
        assert sum((each.tax_amount for each in content.vat_breakdown), Decimal(0)) == content.total_vat
        assert all(each.exemption_reason for each in content.vat_breakdown if each.category != "S")


def test_the_merchant_shows_what_the_music_shop_has_not() -> None:
    folder = FOLDER.parent / "negoce"
    customers, invoices, lines = (rows_of(name, folder) for name in ("clients", "factures", "lignes"))
    assert (len(customers), len(invoices)) == (40, 600)
    assert {row["date"][-4:] for row in invoices} == {"2025", "2026"}
    assert all(re.fullmatch(r"(FAC|AVR)-202[56]-\d{6}", row["numero"]) for row in invoices)
    totals = [Decimal(row["total_ttc"].replace(",", ".")) for row in invoices if row["type"] != "avoir"]
    assert 8 <= min(totals) < 10
    assert 480_000 <= max(totals) < 481_000
    per_invoice = Counter(row["numero"] for row in lines)
    assert (min(per_invoice.values()), max(per_invoice.values())) == (1, 60)
    assert {row["taux_tva"] for row in lines} == {"0,00", "5,50", "10,00", "20,00"}
    assert {row["categorie_tva"] for row in lines} == {"", "AE"}
    assert {row["type"] for row in invoices} == {"facture", "acompte", "avoir"}
    deposits = sum(row["type"] == "acompte" for row in invoices)
    assert deposits == sum(row["deja_paye"] != "" for row in invoices) > 10
    sites = Counter(row["siren"] for row in customers)
    assert sorted(count for count in sites.values() if count > 1) == [2, 3]
    assert any(row["personne_publique"] == "oui" for row in customers)


def test_the_merchants_totals_are_those_of_its_lines() -> None:
    folder = FOLDER.parent / "negoce"
    nets: dict[str, dict[str, Decimal]] = {}
    for row in rows_of("lignes", folder):
        rates = nets.setdefault(row["numero"], {})
        rates[row["taux_tva"]] = rates.get(row["taux_tva"], Decimal(0)) + Decimal(row["total_ht"].replace(",", "."))
    for row in rows_of("factures", folder):
        rates = nets[row["numero"]]
        vat = sum(
            (net * Decimal(rate.replace(",", ".")) / 100).quantize(Decimal("0.01"), ROUND_HALF_UP)
            for rate, net in rates.items()
        )
        assert [row["total_ht"], row["total_tva"]] == [
            f"{amount:.2f}".replace(".", ",") for amount in (sum(rates.values()), vat)
        ]
