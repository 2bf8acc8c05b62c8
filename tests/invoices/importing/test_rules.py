"""Rows of an ERP become e-invoices that the schemas and rule sets accept, whatever the kind of sale."""

from decimal import Decimal
from typing import Any

import pytest

from invoices.content.from_rows import content_of, prefetch_for_content
from invoices.files.archives import GivenFile
from invoices.formats.cii.writer import write_cii
from invoices.formats.rules import RuleChecker
from invoices.importing.run import import_erp
from invoices.models import Invoice
from portal.demonstration import create_demo_company
from tests.support.import_files import Rows, as_csv

pytestmark = pytest.mark.django_db

CUSTOMERS: Rows = [
    {"code": code, "raison_sociale": f"Client {code}", "email": f"{code.lower()}@client.example", "adresse": "1 rue",
     "code_postal": "10115", "ville": "Ville", "pays": code, "siren": siren, "tva_intracom": vat}
    for code, siren, vat in (("FR", "732829320", "FR44732829320"), ("DE", "", "DE136695976"), ("US", "", ""))
]  # fmt: skip
# What distinguishes each case: head, line, and the category that is expected.
CASES: list[tuple[dict[str, str], dict[str, str], str]] = [
    ({"code_client": "FR"}, {}, "S"),
    ({"code_client": "DE"}, {"taux_tva": "0"}, "K"),
    ({"code_client": "DE", "categorie": "services"}, {"taux_tva": "0"}, "AE"),
    ({"code_client": "US"}, {"taux_tva": "0"}, "G"),
    ({"code_client": "US", "categorie": "services"}, {"taux_tva": "0"}, "O"),
    ({"code_client": "FR"}, {"taux_tva": "0", "motif_exoneration": "Exonération, article 261-4-4° du CGI"}, "E"),
    ({"type": "avoir", "facture_corrigee": "T0"}, {}, "S"),
    ({"type": "rectificative", "facture_corrigee": "T0"}, {}, "S"),
    ({"type": "acompte"}, {}, "S"),
    ({"deja_paye": "20,00"}, {}, "S"),
    ({"deja_paye": "120,00"}, {}, "S"),
    ({"devise": "USD", "tva_en_euros": "18,00"}, {}, "S"),
    ({}, {"quantite": "2", "remise": "50"}, "S"),
    ({}, {"quantite": "-1", "prix_unitaire_ht": "-100"}, "S"),
]


def tables() -> tuple[Rows, Rows]:
    optional = ("type", "facture_corrigee", "deja_paye", "categorie", "tva_en_euros")
    heads: Rows = []
    lines: Rows = []
    for index, (head, line, _) in enumerate(CASES):
        vat = Decimal(line.get("taux_tva", "20"))
        heads.append(
            {
                "numero": f"T{index}",
                "date": "31/01/2025",
                "code_client": "FR",
                "devise": "EUR",
                "total_ht": "100,00",
                "total_tva": str(vat),
                "total_ttc": str(100 + vat),
                **dict.fromkeys(optional, ""),
                **head,
            }
        )
        row: dict[str, Any] = {"numero": f"T{index}", "designation": "Article", "quantite": "1", "unite": "heure"}
        row |= {"prix_unitaire_ht": "100", "remise": "", "taux_tva": "20", "total_ht": "100", "motif_exoneration": ""}
        lines.append({**row, **line})
    return heads, lines


def test_every_kind_of_sale_gives_an_e_invoice_that_the_rules_accept() -> None:
    create_demo_company()
    heads, lines = tables()
    given = [GivenFile(f"{name}.csv", as_csv(rows).encode()) for name, rows in zip("clf", (CUSTOMERS, lines, heads))]  # noqa: B905
    assert import_erp(given).as_json()["rejected"] == []
    with RuleChecker() as rules:
        for invoice in prefetch_for_content(Invoice.objects.all()):
            content = content_of(invoice)
            category = CASES[int(invoice.number[1:])][2]
            assert [each.category for each in content.vat_breakdown] == [category], invoice.number
            assert rules.check(write_cii(content)) == (), invoice.number
