"""The addresses that mail servers refuse, with the customers they belong to and the invoices that did not arrive."""

import datetime
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from django.db import transaction
from django.db.models.functions import Lower
from django.utils.translation import gettext as _

from customers.address_changes import correct_address
from customers.address_owners import find_owners
from customers.models import Account, Customer
from customers.services import send_credentials
from invoices.exporting.criteria import Criteria
from invoices.exporting.exports import NothingToDoError
from invoices.exporting.resending import next_sending, resend_invoice
from invoices.models import Delivery, ExportItem, Invoice
from mailing.failed_addresses import failed_addresses, known_bad

# Mails that did not arrive, by the outbox's own words.
LOST = ("rejected", "bounced")
# Invoices looked at for one page of addresses: enough to name the latest of each.
MOST_INVOICES = 2000


@dataclass(slots=True)
class WrongAddress:
    """A line of the work list: an address in error at a customer's (None: no one's any more)."""

    address: str
    reason: str
    failed_at: datetime.datetime
    customer: Customer | None
    invoices: list[Invoice] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Corrected:
    """What a correction did: on how many cards and contacts, how many mails were written again, and what to know."""

    changed: int
    mails: int
    notice: str = ""


def list_wrong_addresses(start: int = 0, stop: int | None = None) -> list[WrongAddress]:
    """The work list from ``start`` to ``stop`` (counted in addresses), the latest first. Five queries."""
    failed = list(failed_addresses(start, stop))
    keys = [address for address, _reason, _at in failed]
    owners = find_owners(keys)
    lost = _lost_invoices(keys)
    rows = []
    for address, reason, failed_at in failed:
        for customer in owners.get(address, {}).values() or [None]:
            found = lost.get((address, customer.pk), []) if customer else []
            rows.append(WrongAddress(address, reason, failed_at, customer, found))
    return rows


def _lost_invoices(addresses: Iterable[str]) -> dict[tuple[str, int], list[Invoice]]:
    """The invoices whose mail to an address did not arrive, by address and customer, the latest first. Two queries."""
    accounts = Account.objects.annotate(lower=Lower("login")).filter(lower__in=list(addresses))
    logins = dict(accounts.values_list("pk", "lower"))
    deliveries = (
        Delivery.objects.filter(account__in=logins, message__state__in=LOST)
        .select_related("item__invoice")
        .order_by("-item__invoice__issue_date", "-pk")[:MOST_INVOICES]
    )
    lost: dict[tuple[str, int], list[Invoice]] = defaultdict(list)
    for delivery in deliveries:
        if delivery.account_id is None:
            continue
        invoice = delivery.item.invoice
        found = lost[logins[delivery.account_id], invoice.customer_id]
        if invoice not in found:
            found.append(invoice)
    return lost


@transaction.atomic
def correct_and_resend(*, customer: Customer, old: str, new: str, moves_login: bool = True) -> Corrected:
    """Put ``new`` in the place of ``old`` and write again the mails that did not arrive: invoices, and credentials.

    ``moves_login``: see :func:`customers.address_changes.correct_address`. Raises
    mailing.addresses.InvalidAddressError, in French, where ``new`` is no address, and NothingToDoError where it
    is in error itself.
    """
    if new.strip().lower() != old.strip().lower() and known_bad([new]):
        raise NothingToDoError(_("« %(address)s » est elle-même en erreur.") % {"address": new.strip()})
    invoices = _lost_invoices([old.lower()]).get((old.lower(), customer.pk), [])
    changed = correct_address(customer=customer, old=old, new=new, moves_login=moves_login)
    account = (
        Account.objects.of_customers().filter(login=new.strip(), accesses__customer=customer, is_active=True).first()
    )
    if account is None and not moves_login and _has_account(old, customer):
        return Corrected(
            changed,
            0,
            _(
                "L’identifiant de connexion reste %(login)s et rien n’est renvoyé : qui gère les comptes peut le "
                "changer."
            )
            % {"login": old.strip()},
        )
    if account is None:
        return Corrected(
            changed, 0, _("Aucun compte actif à cette adresse : rien n’est renvoyé. Créez d’abord ses identifiants.")
        )
    mails = 0
    for invoice in invoices:
        mails += _resend(invoice, account)
    if account.must_change_password and not invoices:
        mails += send_credentials(accounts=[account])
    return Corrected(changed, mails)


def _has_account(login: str, customer: Customer) -> bool:
    return Account.objects.of_customers().filter(login=login, accesses__customer=customer).exists()


def _resend(invoice: Invoice, account: Account) -> int:
    item = ExportItem.objects.select_related("export").filter(invoice=invoice, state=ExportItem.State.PUBLISHED).first()
    if item is None:
        return 0
    # As it was sent the first time.
    attach_pdf = Criteria.from_json(item.export.criteria).attach_pdf
    sending = next_sending(invoice)
    return resend_invoice(invoice=invoice, accounts=[account], sending=sending, attach_pdf=attach_pdf)
