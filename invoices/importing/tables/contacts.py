"""Contacts of ``contacts.csv``: matched by address, then by name, with those of their customer."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from itertools import batched
from typing import Final

from django.db import transaction

from customers.models import Contact
from customers.searching import search_key
from invoices.importing.report import ImportReport, Rejection, SkippedRow
from invoices.importing.tables.cells import Cells
from invoices.importing.tables.columns import RecognisedTable
from invoices.importing.tables.customers import KnownCustomers, email_text, in_a_refused_file, refused_card
from invoices.importing.tables.identities import MENDED_BY_THE_CARD
from invoices.importing.tables.rows import readable_rows
from invoices.importing.tables.staging import PackedRow, StagingDatabase
from invoices.importing.values import BadValue, addresses_in, parse_flag, shown
from invoices.importing.words import kept_text, same

_CUSTOMERS_AT_ONCE: Final = 500
_FIELDS: Final = ("name", "function", "email", "is_main")

type _Rows = list[tuple[int, PackedRow]]


class _Undo(Exception):  # noqa: N818 - not an error: the way out of a transaction
    """Leave the transaction and keep nothing."""


def import_contacts(
    table: RecognisedTable, known: KnownCustomers, *, dry_run: bool, strict: bool = False
) -> ImportReport:
    """Create and update the contacts of ``table``, but for those that are refused. Returns the report.

    Contacts that the file does not name stay; a new main contact takes over from the former one. ``strict``: all of
    them or, where anything is refused, none.
    """
    report = ImportReport()
    cells = Cells(table)
    broken: set[int] = set()
    with StagingDatabase() as spool:
        for row in readable_rows(table, report, 0, broken):
            cells.take(row)
            code = cells.needed("code_client", 50)
            addresses = [address for _, address in addresses_in(cells.text("email"))] or [""]
            name, function = kept_text(cells.needed("nom", 200)), kept_text(cells.text("fonction", 200))
            is_main = "1" if cells.parsed("interlocuteur_principal", parse_flag, empty=False) else ""
            for place, address in enumerate(addresses):
                try:
                    addresses[place] = email_text(address)
                except BadValue as problem:
                    cells.refuse("email", address, str(problem))
            if cells.rejections:
                report.refuse(*cells.rejections)
                continue
            for address in dict.fromkeys(addresses):  # a contact of two addresses is two
                spool.add_part(code, 0, [(row.line, (name, function, address, is_main))])
                is_main = ""
        spool.finish()
        try:
            with nullcontext() if dry_run else transaction.atomic():
                for group in batched(spool.by_key() if not broken else (), _CUSTOMERS_AT_ONCE):
                    _Batch(table, known, report).take(dict(group), dry_run=dry_run)
                if strict and not report.is_clean:
                    raise _Undo
        except _Undo:
            report.forget_counts()
    report.rejected.sort(key=lambda each: each.line or 0)
    return report


class _Batch:
    """The contacts of some hundred customers."""

    def __init__(self, table: RecognisedTable, known: KnownCustomers, report: ImportReport) -> None:
        self._file = table.name
        self._has: Callable[[str], bool] = Cells(table).has
        self._known = known
        self._report = report
        self._created: list[Contact] = []
        self._updated: list[Contact] = []
        self._with_new_main: set[int] = set()

    def take(self, groups: dict[str, _Rows], *, dry_run: bool) -> None:
        """Compare the rows of each customer's code with what is there, and write what is not refused."""
        keys = self._known.keys_of(set(groups))
        existing: dict[int, list[Contact]] = defaultdict(list)
        for contact in Contact.objects.filter(customer_id__in=[key for key in keys.values() if key is not None]):
            existing[contact.customer_id].append(contact)
        for code, rows in groups.items():
            if code not in keys:
                self._refuse_unknown(code, rows)
            else:
                key = keys[code]
                self._one_customer(key, rows, existing[key] if key is not None else [])
        if not dry_run:
            # The former main contact steps back first: the database allows one at a time.
            Contact.objects.filter(customer_id__in=self._with_new_main, is_main=True).update(is_main=False)
            if self._updated:
                Contact.objects.bulk_update(self._updated, [*_FIELDS, "function_key"])
            Contact.objects.bulk_create(self._created)

    def _refuse_unknown(self, code: str, rows: _Rows) -> None:
        refused = self._known.refused.get(code)
        if refused is not None and refused[1] is None:
            # Said once: what is to be corrected is the other file.
            reason = in_a_refused_file(refused[0])
            if all(each.reason != reason for each in self._report.rejected):
                self._report.refuse_file(self._file, reason)
            return
        reason = f"Le client « {shown(code)} » n’existe pas." if refused is None else refused_card(code, *refused)
        for _, (line, _values) in rows:
            self._report.refuse(Rejection(self._file, line, "code_client", shown(code), reason))

    def _one_customer(self, key: int | None, rows: _Rows, existing: list[Contact]) -> None:
        rows = list(self._good(rows))
        by_address = {contact.email.lower(): contact for contact in existing if contact.email}
        matches = self._matches(rows, existing, by_address)
        for (_, (line, values)), contact in zip(rows, matches, strict=True):
            name, function, email, is_main = values
            self._one_row(key, (name, function, email, bool(is_main)), contact, line)

    def _good(self, rows: _Rows) -> Iterator[tuple[int, PackedRow]]:
        """The rows of a customer without those that contradict one before them."""
        addresses: dict[str, tuple[int, tuple[str, ...]]] = {}
        main_line = 0
        for place, (line, values) in rows:
            _name, _function, email, is_main = values
            first, its_values = addresses.setdefault(email.lower(), (line, values)) if email else (line, values)
            if first != line:
                reason = f"Ce client a déjà un contact à l’adresse « {shown(email)} », ligne {first}."
                if its_values == values:
                    self._report.skip(SkippedRow(self._file, line, reason))
                else:
                    self._report.refuse(Rejection(self._file, line, "email", shown(email), reason))
                continue
            if is_main and main_line:
                reason = f"Ce client a déjà un interlocuteur principal, ligne {main_line}."
                self._report.refuse(Rejection(self._file, line, "interlocuteur_principal", "O", reason))
                continue
            main_line = main_line or (line if is_main else 0)
            yield place, (line, values)

    def _matches(self, rows: _Rows, existing: list[Contact], by_address: dict[str, Contact]) -> list[Contact | None]:
        """For each row the contact that it means: the one of its address, else an unmatched one of its name."""
        matches = [by_address.get(values[2].lower()) if values[2] else None for _, (_, values) in rows]
        taken = {contact.pk for contact in matches if contact is not None}
        by_name: dict[str, list[Contact]] = defaultdict(list)
        for contact in existing:
            if contact.pk not in taken:
                by_name[search_key(contact.name)].append(contact)
        for index, (_, (_, values)) in enumerate(rows):
            same_name = by_name.get(search_key(values[0]))
            if matches[index] is None and same_name:
                matches[index] = same_name.pop(0)
        return matches

    def _one_row(self, key: int | None, values: tuple[str, str, str, bool], contact: Contact | None, line: int) -> None:
        stated = dict(zip(_FIELDS, values, strict=True))
        columns = {"function": "fonction", "email": "email", "is_main": "interlocuteur_principal"}
        stated = {name: value for name, value in stated.items() if name == "name" or self._has(columns[name])}
        if contact is not None and all(same(getattr(contact, name), value) for name, value in stated.items()):
            self._report.count("unchanged", "contacts")
            return
        if reason := self._known.contested.reason(key):
            name = shown(values[0])
            self._report.refuse(Rejection(self._file, line, "code_client", name, reason, MENDED_BY_THE_CARD))
            return
        if contact is None:
            if key is not None:
                created = Contact(customer_id=key, **stated)
                created.function_key = search_key(created.function)
                self._created.append(created)
            self._report.count("created", "contacts")
        else:
            for name, value in stated.items():
                setattr(contact, name, value)
            contact.function_key = search_key(contact.function)
            self._updated.append(contact)
            self._report.count("updated", "contacts")
        if stated.get("is_main") and key is not None:
            self._with_new_main.add(key)
