"""Small ERP exports for the tests of the import: a sound one, to be changed where a test wants."""

# ruff: noqa: E501 - a row of a table is one line

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from invoices.files.archives import GivenFile
from invoices.importing.report import ImportReport
from invoices.importing.run import import_erp

type Rows = list[dict[str, Any]]

CUSTOMERS: Rows = [
    {"code": "C1", "raison_sociale": "Société Générale de Bois", "type": "professionnel", "email": "a@bois.example",
     "adresse": "1 rue du Port", "code_postal": "01000", "ville": "Bourg", "pays": "FR", "nb_factures": "D"},
    {"code": "C2", "raison_sociale": "Élodie Müller", "type": "particulier", "email": "élodie@müller.example",
     "adresse": "2 rue du Lac", "code_postal": "74000", "ville": "Annecy", "pays": "FR", "nb_factures": "2"},
]  # fmt: skip
CONTACTS: Rows = [
    {"code_client": "C1", "nom": "Anne", "fonction": "Comptabilité", "email": "anne@bois.example", "interlocuteur_principal": "O"},
    {"code_client": "C1", "nom": "Bruno", "fonction": "Achats", "email": "bruno@bois.example", "interlocuteur_principal": "N"},
]  # fmt: skip
INVOICES: Rows = [
    {"numero": "F1", "date": "31/01/2025", "code_client": "C1", "reference": "BC 7", "echeance": "28/02/2025", "devise": "EUR",
     "total_ht": "1 034,50", "total_tva": "205,45", "total_ttc": "1 239,95"},
    {"numero": "F2", "date": "01/02/2025", "code_client": "C2", "reference": "", "echeance": "", "devise": "EUR",
     "total_ht": "10,00", "total_tva": "2,00", "total_ttc": "12,00"},
]  # fmt: skip
LINES: Rows = [
    {"numero": "F1", "article": "A1", "designation": "Chêne", "quantite": "10", "unite": "m2", "prix_unitaire_ht": "100,00",
     "remise": "", "taux_tva": "20,00", "total_ht": "1 000,00"},
    {"numero": "F1", "article": "A2", "designation": "Livraison", "quantite": "1", "unite": "", "prix_unitaire_ht": "20,00",
     "remise": "", "taux_tva": "20,00", "total_ht": "20,00"},
    {"numero": "F1", "article": "A3", "designation": "Plants", "quantite": "5", "unite": "", "prix_unitaire_ht": "3,00",
     "remise": "3,3333", "taux_tva": "10,00", "total_ht": "14,50"},
    {"numero": "F2", "article": "A2", "designation": "Livraison", "quantite": "1", "unite": "", "prix_unitaire_ht": "10,00",
     "remise": "", "taux_tva": "20,00", "total_ht": "10,00"},
]  # fmt: skip
TABLES: dict[str, Rows] = {"clients": CUSTOMERS, "contacts": CONTACTS, "factures": INVOICES, "lignes": LINES}

EVERYTHING = {"customers": 2, "contacts": 2, "invoices": 2, "lines": 4}
"""How many of each the sound tables hold."""


def changed(rows: Rows, index: int, **values: Any) -> Rows:
    """``rows`` with some cells of one row changed."""
    return [{**row, **values} if position == index else dict(row) for position, row in enumerate(rows)]


def with_column(rows: Rows, name: str, *values: Any) -> Rows:
    """``rows`` with one more column."""
    return [{**row, name: value} for row, value in zip(rows, values, strict=True)]


def as_csv(rows: Iterable[dict[str, Any]], *, delimiter: str = ";") -> str:
    """``rows`` as text, every cell in quotes; the header is the first row's names."""
    rows = list(rows)
    table = [list(rows[0]), *(list(row.values()) for row in rows)]
    return "".join(delimiter.join('"' + str(cell).replace('"', '""') + '"' for cell in row) + "\r\n" for row in table)


def write_export(folder: Path, *, encoding: str = "utf-8-sig", delimiter: str = ";", **tables: Rows) -> Path:
    """An ERP's folder: the sound tables, or those given instead (``factures=changed(INVOICES, 0, …)``); None: no file."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in {**TABLES, **tables}.items():
        if rows:
            (folder / f"{name}.csv").write_bytes(as_csv(rows, delimiter=delimiter).encode(encoding))
    return folder


def import_tables(**tables: Rows) -> ImportReport:
    """Import the sound tables, or those given instead."""
    return import_erp(_given(tables))


def import_tables_strictly(**tables: Rows) -> ImportReport:
    """The same with ``--strict``."""
    return import_erp(_given(tables), strict=True)


def _given(tables: dict[str, Rows]) -> list[GivenFile]:
    return [GivenFile(f"{name}.csv", as_csv(rows).encode()) for name, rows in {**TABLES, **tables}.items() if rows]


def only_rejection(report: ImportReport) -> dict[str, Any]:
    """The refusal of a report that has no other."""
    (rejection,) = report.as_json()["rejected"]
    return dict(rejection)
