"""The answer of the public directory's site to a list of SIREN: a table, one address a row."""

import unicodedata
from collections import defaultdict
from pathlib import Path
from typing import Any, Final

from customers.models import Customer
from invoices.files.tables import UnreadableTable, tables_in
from invoices.platforms.directory import keep

_NAMES: Final = {
    "siren": ("siren", "numero_siren"),
    "address": ("adresse", "adresse_electronique", "identifiant_d_adressage", "identifiant_adressage", "adressage"),
    "siret": ("siret", "numero_siret"),
    "routing_code": ("code_routage", "code_de_routage", "identifiant_routage"),
    "name": ("libelle", "nom", "raison_sociale"),
    "status": ("statut", "etat", "statut_ligne"),
}
_CLOSED: Final = ("ferme", "inactif", "desactive", "disabled", "cesse", "c")


def read_directory_file(source: Path | bytes, name: str) -> tuple[int, list[str]]:
    """Keep what the file says of our customers; how many were looked up, and what is wrong, in French.

    A customer whose SIREN is in a row without address is not in the directory. Those whose SIREN the file does not
    hold are left as they were.
    """
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    try:
        for table in tables_in(source, name):
            rows = iter(table.rows())
            head = next(rows, None)
            columns = _columns([] if head is None else head.cells)
            if "siren" not in columns:
                return 0, [f"{table.name} : il manque la colonne siren."]
            for row in rows:
                cells = {
                    key: row.cells[place].strip() if place < len(row.cells) else "" for key, place in columns.items()
                }
                siren = "".join(cells["siren"].split())
                if siren:
                    found[siren] += [_line(cells)] if cells.get("address") else []
    except UnreadableTable as problem:
        return 0, [str(problem)]
    customers = Customer.objects.filter(siren__in=list(found), kind=Customer.Kind.PROFESSIONAL)
    for customer in customers:
        keep(customer, found[customer.siren], source=name)
    return len(customers), []


def _columns(head: list[str]) -> dict[str, int]:
    columns: dict[str, int] = {}
    for position, title in enumerate(head):
        plain = unicodedata.normalize("NFKD", title.casefold()).encode("ascii", "ignore").decode()
        key = "_".join("".join(char if char.isalnum() else " " for char in plain).split())
        for name, synonyms in _NAMES.items():
            if key in synonyms:
                columns.setdefault(name, position)
    return columns


def _line(cells: dict[str, str]) -> dict[str, Any]:
    plain = unicodedata.normalize("NFKD", cells.get("status", "").casefold()).encode("ascii", "ignore").decode()
    return {
        "address": cells["address"][:100],
        "siret": "".join(cells.get("siret", "").split()),
        "routing_code": cells.get("routing_code", ""),
        "name": cells.get("name", ""),
        "is_open": not plain.startswith(_CLOSED[:-1]) and plain != _CLOSED[-1],
    }
