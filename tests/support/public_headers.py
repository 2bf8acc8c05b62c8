# ruff: noqa: E501 - the cards are a table
"""Header rows that public code writes (``tests/data/headers/public.txt``), with rows made up for each."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from customers.searching import search_key

FILE: Final = Path(__file__).resolve().parents[1] / "data" / "headers" / "public.txt"


class PublicHeader(NamedTuple):
    """The columns of a table, and for each ours that may be proposed (``-``: none)."""

    name: str
    is_french: bool
    columns: tuple[str, ...]
    fields: tuple[frozenset[str], ...]

    def table(self) -> str:
        """The table with three invoices, the first of two lines where the columns are about lines."""
        mark = ";" if self.is_french else ","
        return "".join(mark.join(row) + "\n" for row in (self.columns, *_rows(self)))


def public_headers() -> Iterator[PublicHeader]:
    """All of the file."""
    for text in FILE.read_text(encoding="utf-8").splitlines():
        if not text or text.startswith("#"):
            continue
        name, _, rest = text.partition(": ")
        cells = [cell.strip().rpartition("=") for cell in rest.split(" | ")]
        yield PublicHeader(
            name,
            name.endswith(" fr"),
            tuple(column for column, _, _ in cells),
            tuple(frozenset(fields.split("/")) for _, _, fields in cells),
        )


_CUSTOMERS: Final = (
    {"code": "C1001", "raison_sociale": "Dupont SARL", "email": "compta@dupont.example", "ville": "Paris", "siren": "732829320"},
    {"code": "C1002", "raison_sociale": "Garage Martin", "email": "info@martin.example", "ville": "Lyon", "siren": "552100554"},
    {"code": "C1003", "raison_sociale": "Durand et Fils SA", "email": "a@durand.example", "ville": "Nantes", "siren": "542065479"},
)  # fmt: skip
# invoice, article, designation, quantity, price, rate
_LINES: Final = (
    (0, "VIS", "Vis inox", 2, 50, 20),
    (0, "CLOU", "Clous", 1, 10, 20),
    (1, "POSE", "Pose de cuisine", 4, 75, 10),
    (2, "VIS", "Vis inox", 3, 50, 20),
)


def _rows(header: PublicHeader) -> Iterator[list[str]]:
    has_lines = any(field.startswith("ligne.") for fields in header.fields for field in fields if "-" not in fields)
    for place, line in enumerate(_LINES):
        if not has_lines and place == 1:
            continue
        yield [
            _cell(header, column, fields, line) for column, fields in zip(header.columns, header.fields, strict=True)
        ]


def _cell(header: PublicHeader, column: str, fields: frozenset[str], line: tuple[int, str, str, int, int, int]) -> str:
    invoice, article, designation, quantity, price, rate = line
    field = min(fields, key=lambda each: (each == "-", each))
    net = sum(each[3] * each[4] for each in _LINES if each[0] == invoice)
    customer = {**_CUSTOMERS[invoice], "adresse": f"{invoice + 1} rue du Port", "complement": "", "pays": "FR",
                "code_postal": ("75001", "69001", "44000")[invoice], "telephone": f"010203040{invoice}"}  # fmt: skip
    own = quantity * price
    values: dict[str, str | float] = {
        "numero": f"FA2025-000{invoice + 1}",
        "date": _day(header, 15 + invoice, 1),
        "echeance": _day(header, 15 + invoice, 2),
        "code_client": customer["code"],
        "total_ht": float(net),
        "total_tva": net * rate / 100,
        "total_ttc": net * (100 + rate) / 100,
        "deja_paye": 0.0 if invoice else net * (100 + rate) / 100,
        "type": "Facture" if header.is_french else "Invoice",
        "devise": "EUR",
        "reference": f"CMD{invoice + 7}",
        "note": "",
        "pdf": f"FA{invoice}.pdf",
        "facture_corrigee": "",
        "ligne.article": article,
        "ligne.designation": designation,
        "ligne.quantite": str(quantity),
        "ligne.prix_unitaire_ht": float(price),
        "ligne.remise": "0",
        "ligne.taux_tva": f"{rate},00" if header.is_french else str(rate),
        "ligne.total_ht": float(own),
        "ligne.total_tva": own * rate / 100,
        "ligne.total_ttc": own * (100 + rate) / 100,
        "ligne.date_livraison": _day(header, 10 + invoice, 1),
    }
    if field.startswith("client."):
        return customer[field.removeprefix("client.")]
    if field == "-":
        return _other(header, column, line, net)
    value = values.get(field, "")
    return _amount(header, value) if isinstance(value, float) else value


def _other(header: PublicHeader, column: str, line: tuple[int, str, str, int, int, int], net: int) -> str:
    """What may be in a column that is none of ours."""
    invoice, _, _, _, _, rate = line
    name = search_key(column)
    vat = net * rate / 100
    for words, value in (
        ("tva 20%", _amount(header, vat if rate == 20 else 0.0)),
        ("tva 10%", _amount(header, vat if rate == 10 else 0.0)),
        ("tva 5.5%", _amount(header, 0.0)),
        ("cgst sgst", _amount(header, vat / 2)),
        ("igst cess shipping reste restant solde balance amountdue refunded avoirs discount", _amount(header, 0.0)),
        ("statut status", "Payée" if header.is_french else "Paid"),
        ("paiement paye paid encaissement planned start shipment date retry cree", _day(header, 20 + invoice, 2)),
        ("tax 1 type", "VAT"),
        ("mode type canal", "Virement" if header.is_french else "Card"),
        ("first name", ("Anna", "Bruno", "Chloé")[invoice]),
        ("last name", ("Dupont", "Martin", "Durand")[invoice]),
        ("compte account", "706000"),
        ("journal", "VE"),
        ("n° ligne ligne nb de ligne", str(_LINES.index(line) % 2 + 1)),
        ("tax 2 amount", _amount(header, 0.0)),
        ("tax code", "20.0% S"),
    ):
        if any(
            word in name for word in ([words] if words[:3] in ("tva", "tax", "fir", "las", "n° ") else words.split())
        ):
            return value
    return f"x{invoice}" if len(name) > 2 else ""


def _amount(header: PublicHeader, value: float) -> str:
    return f"{value:.2f}".replace(".", "," if header.is_french else ".")


def _day(header: PublicHeader, day: int, month: int) -> str:
    return f"{day:02}/{month:02}/2025" if header.is_french else f"2025-{month:02}-{day:02}"
