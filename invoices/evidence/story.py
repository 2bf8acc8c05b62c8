"""*Piste d'audit fiable* (CGI art. 289 VII 1°): from the order to the payment, what is there and what is missing."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime

from django.utils.translation import gettext as _

from invoices.exporting.items import ItemOutcome
from invoices.exporting.report import exports_of
from invoices.models import Invoice
from invoices.money import show_amount

CONSULTATIONS_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that happened: when (a day, or a moment), in words, and what proves it."""

    at: datetime | date | None
    sentence: str
    proof: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """A link of the chain, with its facts; ``missing`` says what one would look for in vain."""

    name: str
    facts: list[Fact] = field(default_factory=list)
    missing: str = ""


def list_story_steps(invoice: Invoice) -> list[Step]:
    """The five links of the chain of ``invoice``, in a bounded number of queries."""
    exports = exports_of(invoice)
    steps = (
        (_("Commande"), _order(invoice), _("La facture ne cite aucune commande.")),
        (_("Facture"), _invoice(invoice), _("Le PDF est figé au moment de l’export.")),
        (_("Mail"), _mails(exports), _("Aucun mail n’a annoncé cette facture.")),
        (_("Consultation"), _readings(invoice), _("Le client n’a pas ouvert la facture dans son espace.")),
        (_("Paiement"), _payments(invoice), _("Aucun encaissement n’est noté.")),
    )
    listed = [(name, list(facts), missing) for name, facts, missing in steps]
    return [Step(name, facts, "" if facts else missing) for name, facts, missing in listed]


def _order(invoice: Invoice) -> Iterator[Fact]:
    if invoice.purchase_order_reference:
        reference = {"reference": invoice.purchase_order_reference}
        yield Fact(None, _("Commande %(reference)s, citée par la facture.") % reference)


def _invoice(invoice: Invoice) -> Iterator[Fact]:
    origin = {"origin": invoice.get_origin_display()}
    yield Fact(invoice.imported_at, _("Importée de l’ERP (%(origin)s).") % origin)
    for document in invoice.documents.order_by("created_at"):
        said = {"what": document.get_role_display(), "version": document.version}
        yield Fact(document.created_at, _("%(what)s figé, version %(version)s.") % said, document.sha256)
    if invoice.published_at:
        yield Fact(invoice.published_at, _("Publiée dans l’espace du client."))
    for status in invoice.statuses.order_by("at"):
        yield Fact(status.at, _("Statut %(status)s.") % {"status": status.get_code_display()}, status.source)


def _mails(exports: list[ItemOutcome]) -> Iterator[Fact]:
    for line in reversed(exports):
        for mail in line.mails:
            state = mail.state
            said = {"address": mail.address, "state": state.label if state else _("inconnu")}
            at = (state.accepted_at or state.created_at) if state else None
            yield Fact(at, _("%(address)s : %(state)s.") % said, state.reason if state else "")


def _readings(invoice: Invoice) -> Iterator[Fact]:
    for reading in invoice.consultations.order_by("at")[:CONSULTATIONS_SHOWN]:
        said = {"login": reading.login, "channel": reading.get_channel_display()}
        yield Fact(reading.at, _("Ouverte par %(login)s (%(channel)s).") % said)
    if invoice.first_consulted_at and not invoice.consultations.exists():
        yield Fact(invoice.first_consulted_at, _("Première consultation (le détail est effacé)."))


def _payments(invoice: Invoice) -> Iterator[Fact]:
    if invoice.prepaid_amount:
        amount = {"amount": show_amount(invoice.prepaid_amount, invoice.currency)}
        yield Fact(None, _("%(amount)s déjà payés, selon la facture.") % amount)
    for payment in invoice.payments.order_by("date"):
        amount = {"amount": show_amount(payment.amount, invoice.currency)}
        yield Fact(payment.date, _("Encaissement de %(amount)s.") % amount, payment.source)
