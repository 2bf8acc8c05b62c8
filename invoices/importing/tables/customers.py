"""Customers of ``clients.csv``: read, compared with the cards that are there, written in batches."""

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from itertools import batched
from typing import Any, Final

from django.db import transaction
from django.utils import timezone

from customers.card_trail import TRAILED, acts_of_card
from customers.models import Contact, Customer
from invoices.importing.report import ImportReport, Rejection, SkippedRow
from invoices.importing.tables.cells import Cells, country_text, text_of_at_most, whole_postcode
from invoices.importing.tables.codes import code_key, near_codes
from invoices.importing.tables.columns import RecognisedTable
from invoices.importing.tables.customer_words import (
    copies_text,
    customer_kind,
    siren_or_siret_text,
    siret_text,
    vat_number_text,
)
from invoices.importing.tables.identities import ContestedCards
from invoices.importing.tables.rows import readable_rows
from invoices.importing.tables.staging import SpooledHead, StagingDatabase
from invoices.importing.values import (
    LOOK_ALIKES,
    BadValue,
    addresses_in,
    bare_address,
    bare_code,
    customer_code,
    mixes_alphabets,
    parse_flag,
    shown,
)
from invoices.importing.words import kept_text, same
from mailing.addresses import InvalidAddressError, parse_address
from mailing.trail.recording import Act, record_all

BATCH: Final = 900

_OTHER_ADDRESSES: Final = "other_addresses"


@dataclass
class KnownCustomers:
    """What the files of one run have said of customers so far.

    ``to_be_created`` are the codes that a dry run would have created; ``refused`` the codes whose cards are refused:
    file and line, None where the file is refused as a whole. ``contested``: cards whose code is another company's.
    """

    to_be_created: set[str] = field(default_factory=set)
    refused: dict[str, tuple[str, int | None]] = field(default_factory=dict)
    contested: ContestedCards = field(default_factory=ContestedCards)

    def keys_of(self, codes: set[str]) -> dict[str, int | None]:
        """The primary keys of the customers of ``codes``; None for those that a dry run would have created."""
        if not codes:
            return {}
        found: dict[str, int | None] = dict(Customer.objects.filter(code__in=codes).values_list("code", "pk"))
        for code in codes & self.to_be_created:
            found.setdefault(code, None)
        if missing := codes - found.keys():
            found |= {code: key for code, (_, key) in near_codes(missing).items()}
            unwritten = {code_key(code) for code in self.to_be_created} if self.to_be_created else set()
            found |= {code: None for code in missing - found.keys() if code_key(code) in unwritten}
        return found


def refused_card(code: str, file: str, line: int | None) -> str:
    """Why what belongs to the new card ``code``, refused at that place, is refused with it."""
    return f"La fiche du client « {shown(code)} » est refusée ({file}, ligne {line})."


def in_a_refused_file(file: str) -> str:
    """The same of all rows of a table whose customers are in ``file``, refused as a whole."""
    return f"Des clients de cette table sont dans {file}, qui est refusé."


class _Undo(Exception):  # noqa: N818 - not an error: the way out of a transaction
    """Leave the transaction and keep nothing."""


def import_customers(
    tables: Sequence[RecognisedTable],
    known: KnownCustomers,
    *,
    dry_run: bool,
    strict: bool = False,
    replace: Collection[str] = (),
) -> ImportReport:
    """Create and update the customers of ``tables``, but for the cards that are refused. Returns the report.

    ``strict``: all of them or, where anything is refused, none. ``replace``: the cards that may become those of another
    company, by :func:`~invoices.importing.report.card_identity`.
    """
    report = ImportReport()
    # What is beside invoices says less of a customer than a table of customers.
    tables = sorted(tables, key=lambda each: each.table.is_derived)
    with StagingDatabase() as staged:
        broken = _stage(tables, staged, known, report)
        try:
            with nullcontext() if dry_run else transaction.atomic():
                for batch in batched(staged.heads(), BATCH):
                    heads = [head for head in batch if head.file not in broken]
                    cards = _existing_cards({dict(head.values)["code"] for head in heads})
                    good = _uncontested(heads, cards, tables, known, report, replace)
                    _write(good, cards, report, known, write=not dry_run)
                if strict and not report.is_clean:
                    raise _Undo
        except _Undo:
            report.forget_counts()
            known.to_be_created.clear()
            for head in staged.heads():
                known.refused.setdefault(dict(head.values)["code"], (tables[head.file].name, None))
    if not dry_run:
        known.contested.write()
    report.rejected.sort(key=lambda each: (each.file, each.line or 0))
    return report


def _stage(
    tables: Sequence[RecognisedTable], staged: StagingDatabase, known: KnownCustomers, report: ImportReport
) -> set[int]:
    """All rows into ``staged``; what is wrong with them into ``report``. Returns the tables that are refused whole."""
    broken: set[int] = set()
    for place, table in enumerate(tables):
        for line, values in _parsed(table, place, known, report, broken):
            staged.add_head(values["code"], place, line, tuple(map(_plain, values.items())))
    staged.finish_heads()
    for double in staged.doubles:
        if tables[double.file].table.is_derived:
            continue
        file, first_file = tables[double.file].name, tables[double.first_file].name
        where = f"ligne {double.first_line}" if file == first_file else f"ligne {double.first_line} de {first_file}"
        reason = f"Le client « {shown(double.key)} » figure déjà {where}."
        if double.is_same:
            report.skip(SkippedRow(file, double.line, reason))
            continue
        report.refuse(Rejection(file, double.line, "code", shown(double.key), reason))
        if double.key not in known.refused:
            reason = f"Le client « {shown(double.key)} » figure aussi, avec un autre contenu, ligne {double.line}"
            reason += "." if file == first_file else f" de {file}."
            report.refuse(Rejection(first_file, double.first_line, "code", shown(double.key), reason))
            known.refused[double.key] = first_file, double.first_line
    for head in staged.heads() if broken else ():
        if head.file in broken:
            known.refused[dict(head.values)["code"]] = tables[head.file].name, None
    return broken


def _plain(item: tuple[str, Any]) -> tuple[str, Any]:
    """A value of a model's choices as the bare text that it is."""
    name, value = item
    return name, str(value) if isinstance(value, str) else value


def _uncontested(
    heads: Sequence[SpooledHead],
    cards: dict[str, Customer],
    tables: Sequence[RecognisedTable],
    known: KnownCustomers,
    report: ImportReport,
    replace: Collection[str],
) -> Iterator[dict[str, Any]]:
    """The cards to be written, in the order of their rows; those of another company than the one there are refused."""
    for head in heads:
        values = dict(head.values)
        card, table = cards.get(values["code"]), tables[head.file]
        is_refused = values["code"] in known.refused
        if card is not None and not table.table.is_derived:
            rejection = known.contested.rejection(card, values, (table.name, head.line), replace)
            if rejection is not None:
                report.refuse(rejection)
                is_refused = True
        if not is_refused:
            yield values


def _parsed(
    table: RecognisedTable, place: int, known: KnownCustomers, report: ImportReport, broken: set[int]
) -> Iterator[tuple[int, dict[str, Any]]]:
    """The rows that have a code: line, and fields of :class:`Customer`, of the columns that the table has."""
    cells = Cells(table)
    for row in readable_rows(table, report, place, broken):
        cells.take(row)
        values = _values(cells, numbers_are_bare=table.table.has_typed_cells)
        refused = [each for each in cells.rejections if each.column != "email"]
        if refused:
            report.refuse(*cells.rejections)
            known.refused.setdefault(values["code"], (table.name, row.line))
        elif cells.rejections:
            # Whoever is owed an invoice keeps his card, without the unusable address.
            if not values.get("email"):
                values.pop("email", None)
            report.warn(*cells.rejections)
        if values["code"]:
            yield row.line, values


type _Reader = Callable[[Cells, str], Any]


def _text(longest: int) -> _Reader:
    parse = text_of_at_most(longest)
    return _parsed_by(lambda text: parse(kept_text(text)), "")


def _needed(longest: int) -> _Reader:
    read = _text(longest)
    return lambda cells, column: cells.needed(column) and read(cells, column)


def _parsed_by(parse: Callable[[str], Any], empty: Any) -> _Reader:
    return lambda cells, column: cells.parsed(column, parse, empty)


def _checked_by(check: Callable[[str], tuple[str, str]]) -> _Reader:
    return lambda cells, column: cells.checked(column, check)


def _code(cells: Cells, column: str) -> str:
    code = kept_text(bare_code(cells.needed(column, 50)))
    try:
        return customer_code(code)
    except BadValue as problem:
        cells.refuse(column, code, str(problem))
        return code


_EMAIL: Final = "email"
_HAS_TOP_LEVEL: Final = re.compile(r"\.(?:xn--[a-z0-9-]+|[a-z]{2,63})\Z", re.IGNORECASE)
READERS: Final[dict[str, tuple[str, _Reader]]] = {
    "code": ("code", _code),
    "raison_sociale": ("name", _needed(200)),
    "type": ("kind", _parsed_by(customer_kind, Customer.Kind.PROFESSIONAL)),
    "adresse": ("address", _text(300)),
    "complement": ("address_complement", _text(300)),
    "code_postal": ("postcode", _text(20)),
    "ville": ("city", _text(100)),
    "pays": ("country", _parsed_by(country_text, "FR")),
    "telephone": ("phone", _text(50)),
    "siren": ("siren", _checked_by(siren_or_siret_text)),
    "siret": ("siret", _checked_by(siret_text)),
    "tva_intracom": ("vat_identifier", _checked_by(vat_number_text)),
    "nb_factures": ("invoice_copies", _parsed_by(copies_text, "1")),
    "adresse_electronique": ("electronic_address", _text(100)),
    "personne_publique": ("is_public_body", _parsed_by(parse_flag, False)),
}
"""The field of :class:`Customer` that a column goes into, and how it is read; ``email`` may hold several."""


def _values(cells: Cells, *, numbers_are_bare: bool) -> dict[str, Any]:
    values = {name: read(cells, column) for column, (name, read) in READERS.items() if cells.has(column)}
    if cells.has(_EMAIL):
        values |= _addresses(cells)
    _complete_siren(values, cells)
    # A text file too: whoever saved it had looked at it in a spreadsheet. Only a stated country is sure there.
    if "postcode" in values and (numbers_are_bare or values.get("country") == "FR"):
        values["postcode"] = whole_postcode(values["postcode"], values.get("country", "FR"))
    if len(values.get("vat_identifier", "")) > 30:
        cells.refuse("tva_intracom", values["vat_identifier"], "Ce numéro est trop long : 30 caractères au plus.")
    return values


def _complete_siren(values: dict[str, Any], cells: Cells) -> None:
    """A SIRET in the SIREN's column is both; a SIREN is the beginning of its SIRET."""
    siren, siret = values.get("siren", ""), values.get("siret", "")
    if len(siren) == 14:
        values["siren"], values["siret"] = siren[:9], siret or siren
    elif siren and siret and not siret.startswith(siren):
        cells.refuse("siret", siret, f"Le SIRET {siret} n’est pas de l’entreprise {siren}.")
    elif siret and not siren:
        values["siren"] = siret[:9]


def _addresses(cells: Cells) -> dict[str, Any]:
    """The first address of the cell, the card's, and the others with their names, which become contacts."""
    good: dict[str, tuple[str, str]] = {}
    for name, address in addresses_in(cells.text("email")):
        try:
            good.setdefault(address.lower(), (kept_text(name)[:200], email_text(address)))
        except BadValue as problem:
            cells.refuse("email", address, str(problem))
    (_, first), *others = good.values() or [("", "")]
    return {"email": first, _OTHER_ADDRESSES: tuple(others)} if others else {"email": first}


def email_text(text: str) -> str:
    """A mail address, also with letters beyond ASCII before the @. Raises :class:`BadValue`."""
    text = bare_address(text)
    if not text:
        return ""
    try:
        if LOOK_ALIKES.search(text) or mixes_alphabets(text):
            raise BadValue(
                f"« {shown(text)} » contient un faux point, un faux tiret ou une lettre d’un autre alphabet."
            )
        mailbox = parse_address(text)
    except InvalidAddressError:
        mailbox = None
    if mailbox is None or not _HAS_TOP_LEVEL.search(mailbox.domain) or len(text) > 254:
        raise BadValue(f"« {shown(text)} » n’est pas une adresse e-mail.")
    return text


def _write(
    batch: Iterable[dict[str, Any]],
    existing: dict[str, Customer],
    report: ImportReport,
    known: KnownCustomers,
    *,
    write: bool,
) -> None:
    created: list[Customer] = []
    updated: list[Customer] = []
    fields: set[str] = set()
    others: list[tuple[Customer, tuple[str, str]]] = []
    acts: list[Act] = []
    for values in batch:
        addresses = values.pop(_OTHER_ADDRESSES, ())
        customer = existing.get(values["code"])
        if customer is None:
            created.append(Customer(**values))
            others += [(created[-1], each) for each in addresses]
            continue
        others += [(customer, each) for each in addresses]
        changed = {
            name for name, value in values.items() if name != "code" and not same(getattr(customer, name), value)
        }
        if not changed:
            report.count("unchanged", "customers")
            continue
        if "email" in changed and customer.email:
            report.new_addresses.append(_new_address(customer, values["email"]))
        acts += _change(customer, {name: values[name] for name in changed})
        fields |= changed
        updated.append(customer)
    report.count("created", "customers", len(created))
    report.count("updated", "customers", len(updated))
    if write:
        Customer.objects.bulk_create(created)
        if updated:
            Customer.objects.bulk_update(updated, sorted(fields | {"updated_at"}))
        record_all(acts)
    if others:
        _write_contacts(others, report, write=write)
    if not write:
        known.to_be_created.update(customer.code for customer in created)


def _existing_cards(codes: set[str]) -> dict[str, Customer]:
    """The cards with these codes, or with one that differs only as a person types it."""
    existing = {customer.code: customer for customer in Customer.objects.filter(code__in=codes)}
    near = near_codes(codes - existing.keys())
    if near:
        cards = Customer.objects.in_bulk([key for _, key in near.values()])
        existing |= {code: cards[key] for code, (_, key) in near.items() if cards[key].code not in codes}
    return existing


def _new_address(customer: Customer, address: str) -> dict[str, Any]:
    return {
        "customer": customer.pk,
        "code": customer.code,
        "name": customer.name,
        "former": customer.email,
        "now": address,
    }


def _change(customer: Customer, values: dict[str, Any]) -> list[Act]:
    """Set ``values`` on the card, which is not saved; what the trail records of it."""
    before = {name: getattr(customer, name) for name in TRAILED}
    for name, value in values.items():
        setattr(customer, name, value)
    customer.updated_at = timezone.now()
    return list(acts_of_card(customer, before))


def _write_contacts(others: list[tuple[Customer, tuple[str, str]]], report: ImportReport, *, write: bool) -> None:
    """The further addresses of cards as contacts, called by the name around the address or by the address."""
    keys = [customer.pk for customer, _ in others if customer.pk]
    rows = Contact.objects.filter(customer_id__in=keys).values_list("customer_id", "email")
    known = {(key, email.lower()) for key, email in rows}
    fresh = [
        Contact(customer=customer, name=name or address, email=address)
        for customer, (name, address) in others
        if (customer.pk, address.lower()) not in known
    ]
    report.count("created", "contacts", len(fresh))
    report.count("unchanged", "contacts", len(others) - len(fresh))
    if write:
        Contact.objects.bulk_create(fresh)
