"""E-invoices and PDF files of an ERP: issuer and buyer recognised, the content stored, the file kept byte for byte."""

import hashlib
import json
from pathlib import Path
from typing import Any, Final

from django.db import transaction

from customers.models import Customer
from invoices.content.to_rows import NotStorableError, columns_of
from invoices.en16931.model import InvoiceContent, Party, to_json
from invoices.formats.reading import Reading
from invoices.formats.reading_child import read_in_child
from invoices.formats.refusals import NoEmbeddedInvoice, UnreadableEInvoice
from invoices.importing.companies import KnownCompanies
from invoices.importing.parties import AmbiguousCustomerError, issuer_facts, matching_customer, new_customer
from invoices.importing.received import ReceivedFiles
from invoices.importing.report import ImportReport, Rejection, identity
from invoices.importing.tables.clashes import MENDED_BY_REPLACING, clash_sentence, published_sentence
from invoices.importing.tables.invoice_rows import PRO_FORMA, currency_text, type_code
from invoices.importing.values import BadValue, shown
from invoices.models import Company, Document, Invoice, InvoiceLine

_ORIGINS: Final = {"CII": Invoice.Origin.CII, "UBL": Invoice.Origin.UBL}


type TakenInvoices = dict[tuple[str, str, str], tuple[str, str]]
"""The invoices that an import has taken, by issuer (name, SIREN) and number: the file, and the hash of its content."""


class _Undo(Exception):  # noqa: N818 - not an error: the way out of a transaction
    """Leave the transaction and keep nothing."""


def import_einvoice(
    path: Path,
    name: str,
    companies: KnownCompanies,
    taken: TakenInvoices,
    *,
    replace: frozenset[str] = frozenset(),
    dry_run: bool,
) -> ImportReport:
    """The e-invoice in the file at ``path``, which the user knows as ``name``. Returns its story.

    What this import took before is in ``taken``: the same invoice with another content is refused, since nothing says
    which of the two is meant. ``replace``: unpublished invoices that one of their number may take the place of.
    """
    report = ImportReport()
    try:
        reading = read_in_child(path)
    except NoEmbeddedInvoice:
        reason = (
            "Ce PDF ne contient pas de facture électronique : nommez-le dans la colonne « pdf » de factures.csv "
            "pour l’importer avec sa ligne."
        )
        report.refuse_file(name, reason)
        return report
    except UnreadableEInvoice as refusal:
        report.refuse_file(name, refusal.reason)
        return report
    if dry_run:
        storing = _Storing(reading, path, name, companies, report, taken, replace, write=False)
        storing.run()
        storing.note_taken()
    else:
        received = ReceivedFiles()
        _store(_Storing(reading, path, name, companies, report, taken, replace, write=True, received=received))
    return report


def _store(storing: "_Storing") -> None:
    """Write the invoice and its files, or, where something is refused or fails, none of them."""
    try:
        with transaction.atomic():
            storing.run()
            if not storing.report.is_clean:
                raise _Undo
        storing.note_taken()
    except _Undo:
        storing.report.forget_counts()
        storing.forget_files()
    except BaseException:
        storing.forget_files()
        raise


class _Storing:
    """One e-invoice on its way into the database."""

    def __init__(
        self,
        reading: Reading,
        path: Path,
        name: str,
        companies: KnownCompanies,
        report: ImportReport,
        taken: TakenInvoices,
        replace: frozenset[str],
        *,
        write: bool,
        received: ReceivedFiles | None = None,
    ) -> None:
        self.reading = reading
        self.content: InvoiceContent = reading.content
        self.path = path
        self.name = name
        self.companies = companies
        self.report = report
        self.taken = taken
        self.replace = replace
        self.identity: tuple[str, str, str] | None = None
        self.content_hash = ""
        self.write = write
        self.received = received or ReceivedFiles()

    def forget_files(self) -> None:
        """After a transaction that is undone: delete the files kept in it, and read the companies again."""
        self.received.forget()
        self.companies.reload()

    def run(self) -> None:
        """Match, compare with what is there, and write unless something is refused."""
        content = self.content
        try:
            columns, lines = columns_of(content)
        except NotStorableError as problem:
            self.report.refuse_file(self.name, str(problem))
            return
        company = self._issuer(content.seller)
        if company is None:
            return
        found = (
            Invoice.objects.filter(company=company, number=content.number).select_for_update().first()
            if self.write
            else Invoice.objects.filter(company_id=company.pk, number=content.number).first()
        )
        columns["content_hash"] = fingerprint(content)
        columns["origin"] = self._origin()
        columns["warnings"] = list(self.reading.warnings)
        if self._is_taken(company, columns["content_hash"]):
            return
        self.report.note_day(columns["issue_date"])
        if found is None:
            self._create(company, columns, lines)
        else:
            self._compare(found, columns, lines)

    def _is_taken(self, company: Company, content_hash: str) -> bool:
        """True where another file of this import says otherwise of this invoice; refuses this one."""
        number = self.content.number
        self.identity, self.content_hash = (company.name, company.siren, number), content_hash
        first, its_hash = self.taken.get(self.identity, ("", content_hash))
        if its_hash == content_hash:
            return False
        reason = (
            f"La facture {shown(number)} est aussi dans « {first} » de cet import, avec un autre contenu : donnez un "
            "seul des deux fichiers."
        )
        self.report.refuse(Rejection(self.name, None, "numero", shown(number), reason))
        return True

    def note_taken(self) -> None:
        """Remember, where nothing was refused, that this import has this invoice."""
        if self.report.is_clean and self.identity is not None:
            self.taken.setdefault(self.identity, (self.name, self.content_hash))

    def _origin(self) -> str:
        return Invoice.Origin.FACTURX if self.reading.container == "pdf" else _ORIGINS[self.reading.syntax]

    def _issuer(self, seller: Party) -> Company | None:
        facts = issuer_facts(seller)
        company = self.companies.matching(
            **{name: facts[name] for name in ("siren", "siret", "vat_identifier", "name")}
        )
        if company is not None:
            return company
        if self.companies.may_create and facts["name"]:
            return self.companies.add(Company(**facts))
        if not facts["name"] and not facts["siren"] and not facts["vat_identifier"]:
            self.report.refuse_file(self.name, "Cette facture ne nomme pas son émetteur (BT-27).")
            return None
        identity = ", ".join(
            f"{label} {value}"
            for label, value in (("SIREN", facts["siren"]), ("n° de TVA", facts["vat_identifier"]))
            if value
        )
        reason = f"Émetteur inconnu « {shown(seller.name)} »{f' ({identity})' if identity else ''}"
        self.report.refuse(
            Rejection(
                self.name,
                None,
                "émetteur",
                shown(seller.name),
                f"{reason} : ajoutez-le dans Paramétrage société, ou relancez avec --create-companies.",
            )
        )
        return None

    def _buyer(self) -> Customer | None:
        """The buyer's card, made where there is none (not saved yet); None where the invoice is refused."""
        try:
            match = matching_customer(self.content.buyer)
        except AmbiguousCustomerError as problem:
            self.report.refuse(Rejection(self.name, None, "client", shown(self.content.buyer.name), str(problem)))
            return None
        if match is None:
            return new_customer(self.content)
        self.report.notices.append(
            f"{self.name} : facture {shown(self.content.number)} rattachée à la fiche « {match.customer.name} » "
            f"({match.customer.code}) par : {match.key}."
        )
        return match.customer

    def _is_none(self) -> bool:
        """True for a pro forma invoice, and for one in no money of ISO 4217; refuses it."""
        kind, currency = self.content.type_code, self.content.currency
        kind = kind if kind == PRO_FORMA else ""  # e-invoices have more types than tables
        for column, value, check in (("type", kind, type_code), ("devise", currency, currency_text)):
            try:
                check(value)
            except BadValue as problem:
                self.report.refuse(Rejection(self.name, None, column, shown(value), str(problem)))
                return True
        return False

    def _keep_buyer(self, customer: Customer) -> None:
        is_new = customer._state.adding
        self.report.count("created" if is_new else "unchanged", "customers")
        if is_new and self.write:
            customer.save()

    def _create(self, company: Company, columns: dict[str, Any], lines: list[dict[str, Any]]) -> None:
        customer = None if self._is_none() else self._buyer()
        if customer is None:
            return
        self._keep_buyer(customer)
        self.report.count("created", "invoices")
        self._note_in_journal(company)
        self.report.count("created", "lines", len(lines))
        if self.write:
            invoice = Invoice(company=company, customer=customer, corrects=self._corrected(company), **columns)
            invoice.save(force_insert=True)
            InvoiceLine.objects.bulk_create(InvoiceLine(invoice=invoice, **line) for line in lines)
            self._keep_file(invoice)

    def _compare(self, found: Invoice, columns: dict[str, Any], lines: list[dict[str, Any]]) -> None:
        is_same = found.content_hash == columns["content_hash"] and found.origin == columns["origin"]
        has_file = self._has_this_file(found)
        if (is_same and has_file) or (found.is_published and (is_same or has_file)):
            # Once published the frozen file stays, however often the ERP writes the same invoice again, and however
            # much more of the same file this version of the portal reads.
            self.report.count("unchanged", "customers")
            self.report.count("unchanged", "invoices")
            self.report.count("unchanged", "lines", len(lines))
            return
        if found.is_published:
            number = self.content.number
            self.report.refuse(Rejection(self.name, None, "numero", shown(number), published_sentence(number)))
            return
        customer = None if self._is_none() else self._buyer()
        if customer is None:
            return
        replaced = identity(found.company_id, found.number)
        clash = replaced not in self.replace and clash_sentence(
            self.content.number,
            (found.customer_id, found.customer.name, found.issue_date.year),
            (customer.pk, customer.name, columns["issue_date"].year),
        )
        if clash:
            number = shown(self.content.number)
            self.report.refuse(Rejection(self.name, None, "numero", number, clash, MENDED_BY_REPLACING, replaced))
            return
        self._keep_buyer(customer)
        kept = min(len(lines), found.lines.count())
        self.report.count("updated", "invoices")
        self._note_in_journal(found.company)
        self.report.count("updated", "lines", kept)
        self.report.count("created", "lines", len(lines) - kept)
        if self.write:
            for name, value in columns.items():
                setattr(found, name, value)
            found.customer, found.corrects, found.document = customer, self._corrected(found.company), None
            found.version += 1
            found.check_state, found.content_check = Invoice.CheckState.UNCHECKED, None
            found.save()
            found.lines.all().delete()
            InvoiceLine.objects.bulk_create(InvoiceLine(invoice=found, **line) for line in lines)
            self._keep_file(found)

    def _note_in_journal(self, company: Company) -> None:
        """Add what the invoice states by rate of VAT (BG-23); a credit note counts below zero."""
        content, journal = self.content, self.report.journal
        if content.issue_date is None:
            return
        journal.note(company.pk, content.number, content.issue_date.isoformat())
        sign = -1 if content.is_credit_note else 1
        for each in content.vat_breakdown:
            rate = "" if each.rate is None else f"{each.rate:.2f}"
            net, vat = (int(sign * amount.scaleb(2)) for amount in (each.taxable_amount, each.tax_amount))
            journal.add_amounts(content.currency, rate, net, vat)

    def _corrected(self, company: Company) -> Invoice | None:
        for reference in self.content.preceding_invoices[:1]:
            if reference.number != self.content.number:
                return Invoice.objects.filter(company=company, number=reference.number).first()
        return None

    def _role(self) -> Document.Role:
        return Document.Role.PDF if self.reading.container == "pdf" else Document.Role.XML

    def _has_this_file(self, invoice: Invoice) -> bool:
        digest = hashlib.sha256(self.path.read_bytes()).hexdigest()
        latest = invoice.documents.filter(role=self._role()).order_by("-version").first()
        return latest is not None and latest.sha256 == digest

    def _keep_file(self, invoice: Invoice) -> None:
        self.received.keep(
            invoice,
            self.path.read_bytes(),
            self._role(),
            profile=self.reading.profile[:100],
            xml_sha256=hashlib.sha256(self.reading.xml).hexdigest(),
        )


def fingerprint(content: InvoiceContent) -> str:
    """SHA-256 of all that an e-invoice states."""
    canonical = json.dumps(to_json(content), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()
