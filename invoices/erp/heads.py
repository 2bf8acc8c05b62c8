"""Rows of ``factures.csv`` as canonical text, checked one by one."""

import functools
import re
from decimal import Decimal
from typing import Final, NamedTuple

from invoices.erp.cells import Cells, amount_text
from invoices.erp.headers import RecognisedTable, header_key
from invoices.field_values import BadValue, parse_date, shown
from invoices.money import write_decimal
from invoices.semantics import CREDIT_NOTE_TYPE_CODES

_TYPE_CODES: Final = {
    "facture": "380",
    "f": "380",
    "fa": "380",
    "fac": "380",
    "invoice": "380",
    "avoir": "381",
    "a": "381",
    "av": "381",
    "note_de_credit": "381",
    "credit": "381",
    "facture_rectificative": "384",
    "rectificative": "384",
    "facture_d_acompte": "386",
    "facture_acompte": "386",
    "acompte": "386",
    "avoir_d_acompte": "503",
}
_BUSINESS_PROCESSES: Final = {
    "biens": "B",
    "bien": "B",
    "livraison_de_biens": "B",
    "livraisons_de_biens": "B",
    "b": "B",
    "services": "S",
    "service": "S",
    "prestation_de_services": "S",
    "prestations_de_services": "S",
    "s": "S",
    "mixte": "M",
    "biens_et_services": "M",
    "les_deux": "M",
    "m": "M",
}
_FRENCH_PROCESS: Final = re.compile(r"[BSM][1-9]")
_TYPE_CODE: Final = re.compile(r"[0-9]{2,3}")


class ParsedHead(NamedTuple):
    """The head of an invoice, each value in its canonical writing; empty where the file says nothing."""

    number: str
    company: str
    customer_code: str
    issue_date: str
    due_date: str
    currency: str
    reference: str
    total_without_vat: str
    total_vat: str
    total_with_vat: str
    prepaid_amount: str
    type_code: str
    corrected_number: str
    corrected_date: str
    business_process: str
    delivery_date: str
    vat_in_euros: str
    note: str
    pdf: str


class HeadParser:
    """Reads the rows of one table of invoices."""

    def __init__(self, table: RecognisedTable) -> None:
        self.cells = Cells(table)

    def parse(self) -> ParsedHead:
        """The row that :attr:`cells` is at; what is wrong is in ``cells.rejections``."""
        cells = self.cells
        without_vat, vat, with_vat = self._totals()
        head = ParsedHead(
            number=cells.needed("numero", 100),
            company=cells.text("societe"),
            customer_code=cells.needed("code_client", 50),
            issue_date=cells.parsed("date", date_text, "") or self._needs("date"),
            due_date=cells.parsed("echeance", date_text, ""),
            currency=cells.parsed("devise", currency_text, "EUR"),
            reference=cells.text("reference", 200),
            total_without_vat=without_vat,
            total_vat=vat,
            total_with_vat=with_vat,
            prepaid_amount=cells.parsed("deja_paye", amount_text, ""),
            type_code=cells.parsed("type", type_code, ""),
            corrected_number=cells.text("facture_corrigee", 100),
            corrected_date=cells.parsed("date_facture_corrigee", date_text, ""),
            business_process=cells.parsed("categorie", business_process, ""),
            delivery_date=cells.parsed("date_livraison", date_text, ""),
            vat_in_euros=cells.parsed("tva_en_euros", amount_text, ""),
            note=cells.text("note"),
            pdf=cells.text("pdf"),
        )
        if head.type_code:
            return head
        # Without a type, the sign says it: an ERP writes its credit notes as negative invoices.
        return head._replace(type_code="381" if with_vat.startswith("-") else "380")

    def _needs(self, column: str) -> str:
        """Refuse an empty obligatory cell; a wrong one was refused already."""
        self.cells.needed(column)
        return ""

    def _totals(self) -> tuple[str, str, str]:
        cells = self.cells
        without_vat = cells.parsed("total_ht", amount_text, "") or self._needs("total_ht")
        vat = cells.parsed("total_tva", amount_text, "") or ("" if cells.text("total_tva") else "0.00")
        with_vat = cells.parsed("total_ttc", amount_text, "") or self._needs("total_ttc")
        if without_vat and vat and with_vat:
            total = Decimal(without_vat) + Decimal(vat)
            if total != Decimal(with_vat):
                written = [write_decimal(Decimal(each)) for each in (without_vat, vat, with_vat)]
                reason = f"Total HT {written[0]} + TVA {written[1]} = {write_decimal(total)}, et non {written[2]}."
                cells.refuse("total_ttc", cells.text("total_ttc"), reason)
        return without_vat, vat, with_vat


@functools.lru_cache(maxsize=4096)
def date_text(text: str) -> str:
    """A date as ``2025-06-07``. Raises :class:`BadValue`."""
    return parse_date(text).isoformat()


@functools.lru_cache(maxsize=64)
def currency_text(text: str) -> str:
    """A currency by its ISO 4217 code. Raises :class:`BadValue`."""
    code = {"€": "EUR", "EURO": "EUR", "EUROS": "EUR", "$": "USD", "£": "GBP"}.get(text.upper(), text.upper())
    if not re.fullmatch(r"[A-Z]{3}", code):
        raise BadValue(f"« {shown(text)} » n’est pas un code de devise à trois lettres (EUR).")
    return code


@functools.lru_cache(maxsize=64)
def type_code(text: str) -> str:
    """The code of UNTDID 1001 for «facture», «avoir», «acompte» or a code. Raises :class:`BadValue`."""
    if _TYPE_CODE.fullmatch(text):
        return text
    code = _TYPE_CODES.get(header_key(text))
    if code is None:
        raise BadValue(f"« {shown(text)} » n’est pas un type de facture (attendu facture, avoir, acompte ou un code).")
    return code


@functools.lru_cache(maxsize=64)
def business_process(text: str) -> str:
    """«biens», «services» or «mixte» as B, S or M; a whole «cadre de facturation» (B1…) as it is."""
    if _FRENCH_PROCESS.fullmatch(text.upper()):
        return text.upper()
    letter = _BUSINESS_PROCESSES.get(header_key(text))
    if letter is None:
        raise BadValue(f"« {shown(text)} » n’est pas une catégorie d’opération (attendu biens, services ou mixte).")
    return letter


def is_credit_note(head: ParsedHead) -> bool:
    """True for the types that take money back."""
    return head.type_code in CREDIT_NOTE_TYPE_CODES
