"""``reglements.csv``: what was received, one payment a row (invoice, date, amount)."""

import logging
import unicodedata
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from django.db import InterfaceError, OperationalError

from invoices.files.tables import UnreadableTable, tables_in
from invoices.importing.values import BadValue, parse_amount, parse_date, shown
from invoices.models import Invoice, Payment
from invoices.platforms.payments import PaymentRefusedError, record_payment

logger = logging.getLogger(__name__)

NAMES: Final = {
    "number": ("numero", "facture", "numero_facture", "n_facture", "piece"),
    "date": ("date", "date_encaissement", "date_reglement", "encaisse_le", "regle_le"),
    "amount": ("montant", "montant_encaisse", "montant_regle", "montant_ttc", "reglement"),
    "siren": ("siren", "siren_emetteur", "societe"),
}
"""What a column is called: its own name, then the others."""
_OBLIGATORY: Final = ("number", "date", "amount")


@dataclass(slots=True)
class PaymentReport:
    """What an import of payments did; ``rejected`` holds file, row, number and a French reason."""

    payments: list[Payment] = field(default_factory=list)  # the new ones
    unchanged: int = 0
    rejected: list[dict[str, Any]] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return {"recorded": len(self.payments), "unchanged": self.unchanged, "rejected": self.rejected}


def import_payments(source: Path | bytes, name: str, *, author_name: str = "") -> PaymentReport:
    """Record the payments of a table (CSV or workbook). A row is recorded whole or refused with its reason."""
    report = PaymentReport()
    try:
        for table in tables_in(source, name):
            rows = iter(table.rows())
            head = next(rows, None)
            columns = _columns([] if head is None else head.cells)
            missing = [name for name in _OBLIGATORY if name not in columns]
            if missing:
                words = ", ".join(NAMES[name][0] for name in missing)
                report.rejected.append(_refused(table.name, 1, "", f"Il manque la colonne {words}."))
                continue
            for row in rows:
                _record(report, table.name, row.line, row.cells, columns, author_name)
    except UnreadableTable as problem:
        report.rejected.append(_refused(name, 0, "", str(problem)))
    return report


def _columns(head: list[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for position, title in enumerate(head):
        plain = unicodedata.normalize("NFKD", title.casefold()).encode("ascii", "ignore").decode()
        key = "_".join(plain.replace("°", " ").replace(".", " ").split())
        for name, synonyms in NAMES.items():
            if key in synonyms and name not in found:
                found[name] = position
    return found


def _record(
    report: PaymentReport, file: str, number: int, values: list[str], columns: dict[str, int], author_name: str
) -> None:
    cells = {name: values[place].strip() if place < len(values) else "" for name, place in columns.items()}
    try:
        invoice = _invoice(cells["number"], cells.get("siren", ""))
        payment, is_new = record_payment(
            invoice=invoice,
            date=parse_date(cells["date"]),
            amount=parse_amount(cells["amount"]),
            source=file,
            author_name=author_name,
        )
    except (BadValue, PaymentRefusedError) as problem:
        report.rejected.append(_refused(file, number, cells["number"], str(problem)))
        return
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:  # one row stops none of the next
        logger.exception("Row %s of %s cannot be recorded", number, file)
        reason = f"Erreur inattendue ({type(error).__name__}), notée dans le journal du serveur."
        report.rejected.append(_refused(file, number, cells["number"], reason))
        return
    if is_new:
        report.payments.append(payment)
    else:
        report.unchanged += 1


def _invoice(number: str, siren: str) -> Invoice:
    found = Invoice.objects.filter(number=number)
    if siren:
        found = found.filter(company__siren=siren)
    invoices = list(found[:2])
    if not number or not invoices:
        raise BadValue(f"La facture « {shown(number)} » n’est pas connue.")
    if len(invoices) > 1:
        raise BadValue(f"Plusieurs sociétés ont une facture « {shown(number)} » : ajoutez la colonne siren.")
    return invoices[0]


def _refused(file: str, row: int, number: str, reason: str) -> dict[str, Any]:
    return {"file": file, "row": row, "number": number, "reason": reason}
