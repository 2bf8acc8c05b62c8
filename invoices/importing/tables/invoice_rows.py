"""Rows of ``factures.csv`` as canonical text, checked one by one."""

import datetime
import functools
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Final, NamedTuple

from django.utils import timezone

from invoices.en16931.currencies import currency_called, currency_name, is_currency, last_day
from invoices.en16931.model import CREDIT_NOTE_TYPE_CODES
from invoices.importing.payment_terms import term_of
from invoices.importing.tables.cells import (
    Cells,
    amount_text,
    country_text,
    date_text,
    needed,
    needed_text,
    optional_date_text,
    plain_text,
    text_of_at_most,
    whole_postcode,
)
from invoices.importing.tables.columns import RecognisedTable, header_key
from invoices.importing.tables.statuses import NO_INVOICE, find_status
from invoices.importing.values import (
    SCIENTIFIC,
    BadValue,
    are_ambiguous,
    bare_code,
    currency_of_amounts,
    customer_code,
    not_an_error,
    shown,
)
from invoices.importing.words import currency_in_header, currency_named, says_nothing
from invoices.money import whole_cents, write_decimal

_WORDS_OF_TYPES: Final = {
    "380": "facture f fa fac fc fv fact factures facture_client facture_de_vente facture_definitive facture_simple "
    "facture_de_solde facture_finale solde facture_de_situation situation facture_standard facture_normale invoice "
    "vt ve customer_invoice sales_invoice vente ventes tax_invoice inv standard out_invoice accrec facture_de_doit "
    "note_d_honoraires honoraires rechnung factura fattura fatura factuur",
    "381": "avoir a av avc avr avo avoirs facture_d_avoir facture_avoir avoir_client avoir_clients avoir_de_vente "
    "avoir_financier avoir_commercial avoir_partiel avoir_total credit_note creditnote customer_credit_note "
    "note_de_credit credit retour_avoir remboursement refund credit_memo out_refund accreccredit cn fav facture_retour "
    "facture_de_retour facture_de_remboursement gutschrift",
    "384": "facture_rectificative rectificative facture_corrigee facture_rectifiee facture_corrective "
    "facture_de_correction facture_de_remplacement",
    "386": "facture_d_acompte facture_acompte acompte acomptes facture_de_acompte demande_d_acompte down_payment "
    "deposit deposit_invoice prepayment prepayment_invoice down_payment_invoice",
    "389": "auto_facture autofacture autofacturation auto_facturation facture_autofacturee self_billed_invoice",
    "503": "avoir_d_acompte avoir_acompte avoir_sur_acompte",
}
_TYPE_CODES: Final = {word: code for code, words in _WORDS_OF_TYPES.items() for word in words.split()}
_NO_INVOICES: Final = re.compile(
    r"pro_?forma|devis|quote|estimate|commande|bon_de|bl$|bc$|order|livraison|delivery|brouillon|draft|achat|fournisseur"
    r"|ticket|contrat|reglement|payment|ecriture|annul|cancel|void|relance|in_invoice|in_refund|accpay|bill$|purchase"
)
# Before other words: «Avoir de retour», «Facture récurrente»; «Facture d'acompte n° 2» is none of the shorter ones.
_FIRST_WORDS: Final = (
    (re.compile(r"(?:facture_d_|facture_)?acompte(?:_|$)|deposit_|prepayment_"), "386"),
    (re.compile(r"avoir_(?:d_|sur_)?acompte"), "503"),
    (re.compile(r"(?:facture_d_)?avoir_|note_de_credit_|credit_note_|refund_|creditnote_"), "381"),
    (
        re.compile(
            r"(?:facture|invoice|standard)_(?:standard|invoice|situation|intermediaire|recurrente|periodique|d_abonnement|comptoir|directe"
            r"|commerciale|simple|normale|classique|client|de_situation|complementaire|de_vente|de_prestation|de_service|no?)"
            r"(?:_|$)"
        ),
        "380",
    ),
)
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
PRO_FORMA: Final = "325"
_TYPE_CODE: Final = re.compile(r"[0-9]{2,3}")


# Types of UNTDID 1001 that EN 16931 takes for an invoice or a credit note (BT-3).
_INVOICE_TYPES: Final = frozenset(
    (
        *("71", "80", "81", "82", "83", "84", "102", "130", "202", "203", "204", "211", "218", "219"),
        *("261", "262", "295", "296", "308", "326", "331", "380", "381", "382", "383", "384", "385", "386"),
        *("387", "388", "389", "390", "393", "394", "395", "396", "420", "456", "457", "458", "471", "472"),
        *("473", "500", "501", "502", "503", "527", "532", "553", "575", "623", "633", "751", "780", "817"),
        *("870", "875", "876", "877", "935"),
    )
)
_TOTALS: Final = ("total_ht", "total_tva", "total_ttc")
_AMOUNTS: Final = (*_TOTALS, "deja_paye")
_NOT_BARE: Final = re.compile(r"[^0-9\s.,'()+\-]")
_MOST_DAYS_AHEAD: Final = 366


class InvoiceRow(NamedTuple):
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
    delivery_name: str
    delivery_address: str
    delivery_complement: str
    delivery_postcode: str
    delivery_city: str
    delivery_country: str
    cells: str = ""
    """The row as it stood (:func:`.columns.cells_text`)."""
    terms: str = ""
    """What columns with a term state (:func:`.columns.terms_text`)."""


@functools.lru_cache(maxsize=64)
def currency_text(text: str) -> str:
    """A currency by its ISO 4217 code; euros where nothing is said. Raises :class:`BadValue`."""
    if not text:
        return "EUR"
    code = text.upper()
    if not re.fullmatch(r"[A-Z]{3}", code):
        words = {word for word in re.split(r"[\s()\-/]+", code) if word}
        found = set(map(currency_named, words))
        # «EUR - Euro», «€»: each word says the same; «Dollar américain», «Livre sterling»: all of them together.
        one = found.pop() if len(found) == 1 else ""
        code = one or currency_called(text) or currency_named(code.replace(" ", "")) or code
    if not re.fullmatch(r"[A-Z]{3}", code):
        raise BadValue(f"« {shown(text)} » n’est pas un code de devise à trois lettres (EUR).")
    if not is_currency(code):
        raise BadValue(f"« {shown(text)} » n’est le code d’aucune devise (ISO 4217 : EUR, USD, CHF…).")
    return code


@functools.lru_cache(maxsize=64)
def type_code(text: str) -> str:
    """The code of UNTDID 1001 for «facture», «avoir», «acompte» or a code. Raises :class:`BadValue`."""
    if text == PRO_FORMA:
        raise BadValue("« 325 » est le type d’une facture pro forma : ce n’est pas une facture.")
    if text in _INVOICE_TYPES or not text:
        return text
    if _TYPE_CODE.fullmatch(text):
        raise BadValue(f"« {shown(text)} » n’est pas le code d’une facture ou d’un avoir (UNTDID 1001 : 380, 381…).")
    key = header_key(text)
    words = key.split("_")
    code = _TYPE_CODES.get(key) or next((each for each in (words[0], words[-1]) if each in _INVOICE_TYPES), None)
    is_none = _NO_INVOICES.search(key) is not None
    if code is None and not is_none:
        code = next((each for form, each in _FIRST_WORDS if form.match(key)), None)
    if code is None and is_none:
        raise BadValue(f"« {shown(text)} » n’est pas une facture : cette pièce ne s’importe pas.")
    if code is None:
        raise BadValue(f"« {shown(text)} » n’est pas un type de facture (attendu facture, avoir, acompte ou un code).")
    return code


@functools.lru_cache(maxsize=64)
def business_process(text: str) -> str:
    """«biens», «services» or «mixte» as B, S or M; a whole «cadre de facturation» (B1…) as it is."""
    if not text or _FRENCH_PROCESS.fullmatch(text.upper()):
        return text.upper()
    letter = _BUSINESS_PROCESSES.get(header_key(text))
    if letter is None:
        raise BadValue(f"« {shown(text)} » n’est pas une catégorie d’opération (attendu biens, services ou mixte).")
    return letter


_DRAFT_NUMBER: Final = re.compile(
    r"\(?prov[0-9]*\)?|\(?(?:facture |avoir |invoice |credit note )?(?:brouillon|draft).*|\*.*|/", re.IGNORECASE
)
_needed_number: Final = needed_text(100)
_needed_code: Final = needed_text(50)


def number_text(text: str) -> str:
    """The number of an invoice (BT-1). Raises :class:`BadValue` for one that a spreadsheet has rounded."""
    if SCIENTIFIC.fullmatch(text):
        raise BadValue(
            f"« {shown(text)} » n’est pas un numéro de facture : un tableur l’a arrondi. Format texte conseillé."
        )
    if _DRAFT_NUMBER.fullmatch(text):
        raise BadValue(f"« {shown(text)} » est le numéro d’un brouillon : cette pièce n’est pas une facture émise.")
    number = not_an_error(_needed_number(text))
    if says_nothing(number):
        raise BadValue(f"« {shown(text)} » n’est pas un numéro de facture.")
    return number


@functools.lru_cache(maxsize=4096)  # a customer has many invoices
def customer_code_text(text: str) -> str:
    """The code of a customer, as on his card. Raises :class:`BadValue`."""
    return customer_code(_needed_code(bare_code(text)))


@functools.lru_cache(maxsize=4096)  # what is no year ahead today is none tomorrow
def issue_date_text(text: str) -> str:
    """The date of an invoice (BT-2), at most a year ahead. Raises :class:`BadValue`."""
    written = date_text(text)
    if written <= datetime.date.today().isoformat():  # noqa: DTZ011 - nearly always: a day more or less is no year
        return written
    latest = timezone.localdate() + datetime.timedelta(days=_MOST_DAYS_AHEAD)
    if written > latest.isoformat():
        raise BadValue(f"« {shown(text)} » est à plus d’un an d’ici : vérifiez l’année.")
    return written


_TERM: Final = "\x1f"
"""Before a term of payment that waits for the date of its invoice."""


def due_date_text(text: str) -> str:
    """A due date (BT-9), or a term of payment behind :data:`_TERM`. Raises :class:`BadValue` where it is neither."""
    try:
        return optional_date_text(text)
    except BadValue:
        if term_of(text) is None:
            raise
        return _TERM + text


def _counted(term: str, issue_date: str) -> str:
    """The due date that ``term`` gives for an invoice of ``issue_date``, where that was read."""
    found = term_of(term.removeprefix(_TERM))
    if found is None or not issue_date:
        return ""
    return found.due(datetime.date.fromisoformat(issue_date)).isoformat()


# In the order of InvoiceRow; columns with a term have none.
PARSERS: Final[dict[str, Callable[[str], str]]] = {
    "numero": number_text,
    "societe": plain_text,
    "code_client": customer_code_text,
    "date": needed(issue_date_text),
    "echeance": due_date_text,
    "devise": currency_text,
    "reference": text_of_at_most(200),
    "total_ht": needed(amount_text),
    "total_tva": amount_text,
    "total_ttc": needed(amount_text),
    "deja_paye": amount_text,
    "type": type_code,
    "facture_corrigee": text_of_at_most(100),
    "date_facture_corrigee": optional_date_text,
    "categorie": business_process,
    "date_livraison": optional_date_text,
    "tva_en_euros": amount_text,
    "note": plain_text,
    "pdf": plain_text,
    "nom_livraison": text_of_at_most(200),
    "adresse_livraison": text_of_at_most(300),
    "complement_livraison": text_of_at_most(300),
    "code_postal_livraison": text_of_at_most(20),
    "ville_livraison": text_of_at_most(100),
    "pays_livraison": country_text,
}


_TYPE: Final = InvoiceRow._fields.index("type_code")
_GROSS: Final = InvoiceRow._fields.index("total_with_vat")


class HeadParser:
    """Reads the rows of one table of invoices."""

    def __init__(self, table: RecognisedTable) -> None:
        self.cells = Cells(table)
        self._read = self.cells.reader(PARSERS)
        self._stated = self.cells.stated()
        self._terms = self.cells.reader_of_terms()
        self._amounts_of = self.cells.picker(*_AMOUNTS)
        self._statuses_at = table.statuses_at
        self._numbers_are_bare = table.table.has_typed_cells
        self._header_currencies = [
            sign for column in _TOTALS if (sign := currency_in_header(table.header_name(column))) != ""
        ]

    def parse(self) -> InvoiceRow:
        """The row that :attr:`cells` is at; what is wrong is in ``cells.rejections``."""
        values = [*self._read(), self._stated(), self._terms()]
        if not values[_TYPE]:
            # Without a type, the sign says it: an ERP writes its credit notes as negative invoices.
            values[_TYPE] = "381" if values[_GROSS].startswith("-") else "380"
        head = InvoiceRow._make(values)
        if head.due_date.startswith(_TERM):
            head = head._replace(due_date=_counted(head.due_date, head.issue_date))
        if self._numbers_are_bare and head.delivery_postcode:
            head = head._replace(
                delivery_postcode=whole_postcode(head.delivery_postcode, head.delivery_country or "FR")
            )
        if not self.cells.rejections:
            if not head.total_vat:
                head = head._replace(total_vat="0.00")
            head = self._with_currency(head)
            self._check_currency(head)
            self._check_total(head)
        if self._statuses_at and (status := find_status(self.cells.at, self._statuses_at)):
            self.cells.refuse("statut", status, NO_INVOICE % {"status": shown(status)})
        return head

    def _with_currency(self, head: InvoiceRow) -> InvoiceRow:
        """``head`` in the currency that is beside its amounts, where no cell of its own says one."""
        amounts = self._amounts_of(self.cells.current())
        if not self._header_currencies and not _NOT_BARE.search("".join(amounts)):
            return head
        stated = head.currency if self.cells.text("devise") else ""
        try:
            return head._replace(
                currency=currency_of_amounts(stated, (*amounts, *self._header_currencies)) or head.currency
            )
        except BadValue as problem:
            self.cells.refuse("devise", self.cells.text("devise"), str(problem))
            return head

    def _check_currency(self, head: InvoiceRow) -> None:
        if head.currency == "EUR" or is_currency(head.currency, datetime.date.fromisoformat(head.issue_date)):
            return
        last = last_day(head.currency)
        reason = (
            f"« {head.currency} » ({currency_name(head.currency)}) n’est plus une devise depuis le {last:%d/%m/%Y}."
        )
        self.cells.refuse("devise", self.cells.text("devise"), reason)

    def _check_total(self, head: InvoiceRow) -> None:
        amounts = self._amounts_of(self.cells.current())
        if are_ambiguous(amounts):
            column, text = next(each for each in zip(_AMOUNTS, amounts, strict=True) if are_ambiguous([each[1]]))
            thousands, units = re.sub("[.,]", "", text), re.split("[.,]", text)[0]
            self.cells.refuse(column, text, f"Ambigu : {thousands} ou {units} ? Donnez deux décimales.")
            return
        cents = whole_cents(head.total_without_vat) + whole_cents(head.total_vat)
        if cents != whole_cents(head.total_with_vat):
            total = Decimal(cents).scaleb(-2)
            written = [
                write_decimal(Decimal(each)) for each in (head.total_without_vat, head.total_vat, head.total_with_vat)
            ]
            reason = f"Total HT {written[0]} + TVA {written[1]} = {write_decimal(total)}, et non {written[2]}."
            self.cells.refuse("total_ttc", self.cells.text("total_ttc"), reason)


def is_credit_note(head: InvoiceRow) -> bool:
    """True for the types that take money back."""
    return head.type_code in CREDIT_NOTE_TYPE_CODES


# «AV-2025-001», «AVO0012», «CN 7», «RINV/2025/00003» (Odoo), «RFAC/…»: series in which programs number credit notes.
# Only the first letters count: in «FA-AVR25-12» it is April, in «FA-NC-3» a place.
_NUMBER_OF_CREDIT_NOTE: Final = re.compile(
    r"[\W\d_]*(?:av|avo|avr|avc|avf|avoirs?|fav|f?nc|cn|crn|cdn|rinv|rfac|refund|credit)(?![^\W\d_])",
    re.IGNORECASE,
)


def may_be_credit_note(head: InvoiceRow) -> bool:
    """True for an invoice above zero whose number is of a series of credit notes, or that corrects another one."""
    return (
        not is_credit_note(head)
        and head.total_with_vat.strip("0.") != ""
        and (head.corrected_number != "" or _NUMBER_OF_CREDIT_NOTE.match(head.number) is not None)
    )
