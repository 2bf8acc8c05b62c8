"""Exports of ``tests/data/cases/import``, each imported as a company would on its first day, and what it must give."""

import datetime
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import pytest

from customers.models import Contact, Customer
from invoices.importing.report import ImportReport
from invoices.importing.run import import_erp
from invoices.models import Invoice, InvoiceLine
from tests.support.factories import make_company

pytestmark = pytest.mark.django_db
CASES: Final = Path(__file__).resolve().parents[2] / "data" / "cases" / "import"


@dataclass
class Right:
    """What a case must give. ``reports`` are those of its folders, one after the other."""

    invoices: dict[str, dict[str, Any]] | None = None
    customers: dict[str, dict[str, Any]] | None = None
    lines: list[dict[str, Any]] | None = None
    contacts: set[str] | None = None
    refused: bool = False
    or_refused: bool = False
    says: tuple[str, ...] = ()
    also: Callable[[list[ImportReport]], object] = field(default=lambda reports: None)


def day(text: str) -> datetime.date:
    return datetime.date.fromisoformat(text)


F1: Final[dict[str, dict[str, Any]]] = {"F1": {"total_with_vat": Decimal("120.00")}}
RIGHT: Final[dict[str, Right]] = {
    "03-numero-facture-scientifique": Right(invoices={}, refused=True, says=("2,02501E+11",)),
    "04-egal-guillemets": Right(customers={"000123": {}, "000124": {}}),
    "06-cp-csv-4-chiffres": Right(customers={"C1": {"postcode": "01000"}}),
    "08-code-espace-zero-largeur": Right(invoices={"F1": {"customer__code": "000001"}}),
    "100-email": Right(customers={"C1": {"email": "a@x.fr"}, "C2": {}}, contacts={"b@y.fr"}),
    "102-email": Right(customers={"C1": {"email": "a@x.fr"}, "C2": {}}, contacts=set()),
    "103-email": Right(customers={"C1": {"email": "a@x.fr"}, "C2": {}}),
    "106-email": Right(customers={"C1": {"email": "a@x.fr"}, "C2": {}}),
    "118-email": Right(customers={"C1": {"email": ""}, "C2": {}}),
    "120-email": Right(customers={"C1": {"email": "a@x.fr"}, "C2": {}}, contacts={"b@y.fr"}),
    "122-email": Right(customers={"C1": {"email": ""}, "C2": {"email": "b@b.example"}}),
    "124-email": Right(customers={"C1": {"email": ""}, "C2": {"email": "b@b.example"}}),
    "200-milliers-US-sans-decimales": Right(invoices={}, refused=True, says=("12,000",)),
    "206-euro-latin9": Right(
        invoices={"F1": {"total_without_vat": Decimal("100.00")}}, lines=[{"name": "Fenêtre œil-de-bœuf à 5 €"}]
    ),
    "210-tva-par-ligne": Right(
        invoices={"F1": {"total_vat": Decimal("60.00"), "total_with_vat": Decimal("359.97")}, "F2": {}}
    ),
    "213-taux-excel-pourcent": Right(invoices=F1, lines=[{"vat_rate": Decimal(20)}]),
    "215-autoliquidation-texte": Right(lines=[{"vat_category": "AE"}]),
    "222-ligne-ovh": Right(
        invoices={"F1": {"total_with_vat": Decimal("119.64")}},
        lines=[{"net_amount": Decimal("100.00")}, {"net_amount": Decimal("-0.30")}],
    ),
    "223-ligne-commentaire-vide": Right(
        invoices=F1, lines=[{"name": "Selon votre commande du 3 janvier"}, {"net_amount": Decimal("100.00")}]
    ),
    "226-designation-vide": Right(invoices=F1, lines=[{"name": "VIS01"}]),
    "230-avoir-type-de-document": Right(invoices={"AV1": {"kind": Invoice.Kind.CREDIT_NOTE}}),
    "240-type": Right(invoices={"F1": {"type_code": "381"}}),
    "242-type": Right(invoices={"F1": {"type_code": "381"}}),
    "247-type": Right(invoices={}, refused=True, says=("325",)),
    "251-avoir-deux-origines": Right(
        invoices={"A1": {"details__preceding_invoices": [{"number": "F1"}, {"number": "F2"}]}}
    ),
    "303-date": Right(invoices={"F1": {"issue_date": day("2025-06-07")}}),
    "305-date": Right(invoices={"F1": {"issue_date": day("2025-06-07")}}),
    "312-date": Right(invoices={"F1": {"issue_date": day("2025-06-07")}}),
    "313-date": Right(invoices={"F1": {"issue_date": day("2025-06-07")}}, or_refused=True),
    "318-date": Right(invoices={}, refused=True, says=("07/06/2052",)),
    "330-echeance": Right(invoices={"F1": {"due_date": None}}),
    "332-echeance": Right(invoices={"F1": {"due_date": None}}),
    "335-echeance": Right(invoices={"F1": {"due_date": day("2025-01-15")}}),
    "341-xlsx-1904-general": Right(invoices={"F1": {"issue_date": day("2025-01-15")}}, or_refused=True),
    "351-melange-encodages": Right(
        customers={
            "C1": {"name": "Société Générale", "city": "Évry"},
            "C2": {"name": "Café Noël"},
            "C3": {"name": "Hôtel Bénédicte", "city": "Nîmes"},
        }
    ),
    "357-guillemet-debut": Right(invoices={"F1": {}, "F2": {}}, lines=[{"name": '"Live" album'}, {"name": "Vis"}]),
    "360-ligne-total": Right(invoices=F1, says=("TOTAL",)),
    "361-feuille-notes": Right(customers={"C1": {}}, says=("Notes",)),
    "365-entete-unites": Right(invoices=F1),
    "367-entete-dolibarr": Right(invoices=F1),
    "370-meme-numero-deux-ans": Right(
        invoices={"001": {"customer__code": "000001", "issue_date": day("2024-01-15")}},
        refused=True,
        says=("Dupont SARL", "Martin Paul"),
    ),
    "372-pdf-nfd": Right(invoices={"F1": {"origin": Invoice.Origin.PDF}}),
    "374-pdf-casse": Right(invoices={"F1": {"origin": Invoice.Origin.PDF}}),
    "380-une-mauvaise-facture-sur-100": Right(refused=True, also=lambda reports: _count(Invoice, 99)),
    "4001-pays": Right(customers={"C1": {"country": "GB"}}),
    "4006-pays": Right(customers={"C1": {"country": "NL"}}),
    "4016-pays": Right(customers={"C1": {"country": "KR"}}),
    "4021-pays": Right(customers={"C1": {"country": "LU"}}),
    "4026-pays": Right(customers={"C1": {"country": "VN"}}),
    "4503-siren": Right(customers={"C1": {"siren": ""}}, or_refused=True),
    "4512-nb_factures": Right(customers={"C1": {"invoice_copies": "D"}}),
    "4517-type": Right(customers={"C1": {"kind": Customer.Kind.PROFESSIONAL}}),
    "5029-unite": Right(lines=[{"unit": "C62"}]),
    "5033-unite": Right(lines=[{"unit": "MTR"}]),
}


def _count(model: Any, number: int) -> None:
    assert model.objects.count() == number


def _import(case: str) -> list[ImportReport]:
    folder = CASES / case
    folders = sorted(each for each in folder.iterdir() if each.is_dir()) or [folder]
    return [import_erp([each]) for each in folders]


@pytest.mark.parametrize("case", sorted(RIGHT))
def test_a_case_gives_what_a_user_expects(case: str) -> None:
    make_company()
    right = RIGHT[case]
    reports = _import(case)
    said = "\n".join(
        [each for report in reports for each in report.notices]
        + [f"{each.file} {each.reason}" for report in reports for each in report.skipped]
        + [f"{each.value} {each.reason}" for report in reports for each in report.rejected]
    )
    assert all(word in said for word in right.says), said
    if right.or_refused and not reports[-1].is_clean:
        return
    assert reports[-1].is_clean is not right.refused, said
    if right.invoices is not None:
        assert _rows(Invoice, "number", right.invoices) == right.invoices
    if right.customers is not None:
        assert _rows(Customer, "code", right.customers) == right.customers
    if right.contacts is not None:
        assert set(Contact.objects.values_list("email", flat=True)) == right.contacts
    if right.lines is not None:
        lines = InvoiceLine.objects.order_by("invoice__number", "position")
        assert [
            {name: getattr(line, name) for name in wanted} for line, wanted in zip(lines, right.lines, strict=True)
        ] == right.lines
    right.also(reports)


def _rows(model: Any, key: str, wanted: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The rows of ``model`` by ``key``, each with the fields that ``wanted`` names."""
    found = {}
    for row in model.objects.all():
        names = wanted.get(getattr(row, key), {})
        found[getattr(row, key)] = dict(model.objects.filter(pk=row.pk).values(*names).get()) if names else {}
    return found


def test_every_case_is_judged() -> None:
    assert {each.name for each in CASES.iterdir() if each.is_dir()} == RIGHT.keys()
