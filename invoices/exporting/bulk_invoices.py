"""Bulk actions on invoices: many sent again, many given another version. Done in steps by the engine of customers."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as translate
from django.utils.translation import gettext_lazy as _

from customers.bulk_actions import advance, log_step, register_kind, skip
from customers.models import Access, Account, BulkAction
from customers.models.bulk_action import OtherKind
from invoices.documents.bulk_versions import why_no_version
from invoices.documents.versions import VersionRefusedError, publish_new_version
from invoices.exporting.exports import NothingToDoError
from invoices.exporting.resending import next_sending, resend_invoice
from invoices.models import ExportItem, Invoice
from mailing.failed_addresses import known_bad

RESEND: Final = "resend"
NEW_VERSIONS: Final = "new_versions"
# What was chosen on the page of confirmation, by its name in BulkAction.given.
WITH_PDF: Final = "with_pdf"
REASON: Final = "reason"


def register_invoice_kinds() -> None:
    """Let bulk actions of the two kinds be done. Of rendering, no request does more than one."""
    sent = OtherKind(_("Renvoyer les factures par mail"), _("facture renvoyée,factures renvoyées"))
    register_kind(RESEND, sent, _resend, size=10, cost=40)
    made = OtherKind(_("Publier une nouvelle version"), _("nouvelle version publiée,nouvelles versions publiées"))
    register_kind(NEW_VERSIONS, made, _make_versions, size=1, cost=1500)


@dataclass(slots=True)
class BulkResending:
    """The invoices that can be sent again with the accounts that get them, and the others by what forbids it."""

    able: list[tuple[Invoice, list[Account]]] = field(default_factory=list)
    never_exported: list[Invoice] = field(default_factory=list)
    without_account: list[Invoice] = field(default_factory=list)
    bad_address: list[Invoice] = field(default_factory=list)
    without_mail: list[Invoice] = field(default_factory=list)
    # The accounts that want no mail of invoices, also beside others that get it.
    unwilling: list[tuple[Invoice, list[Account]]] = field(default_factory=list)

    @property
    def mails(self) -> int:
        """How many mails are written: one for each invoice and account."""
        return sum(len(accounts) for _invoice, accounts in self.able)


def plan_bulk_resending(invoices: "QuerySet[Invoice]") -> BulkResending:
    """Who gets each of ``invoices`` again: the open accounts of its customer that the mail of an export would reach."""
    rows = list(invoices.select_related("customer", "company", "document"))
    published = ExportItem.objects.filter(invoice__in=[row.pk for row in rows], state=ExportItem.State.PUBLISHED)
    exported = set(published.order_by().values_list("invoice", flat=True))
    accounts = _open_accounts({row.customer_id for row in rows})
    bad = known_bad({account.login for some in accounts.values() for account in some})
    plan = BulkResending()
    for row in rows:
        known = accounts[row.customer_id]
        willing = [account for account in known if account.notify_by_mail]
        good = [account for account in willing if account.login not in bad]
        if row.pk not in exported or row.document is None:
            plan.never_exported.append(row)
            continue
        if unwilling := [account for account in known if not account.notify_by_mail]:
            plan.unwilling.append((row, unwilling))
        if good:
            plan.able.append((row, good))
        elif willing:
            plan.bad_address.append(row)
        else:
            (plan.without_mail if known else plan.without_account).append(row)
    return plan


def _open_accounts(customers: set[int]) -> dict[int, list[Account]]:
    found = Access.objects.filter(customer__in=customers, account__is_active=True, account__is_staff=False)
    accounts: dict[int, list[Account]] = defaultdict(list)
    for access in found.select_related("account").order_by("account__login"):
        accounts[access.customer_id].append(access.account)
    return accounts


def _resend(bulk_action: BulkAction, keys: Sequence[Any]) -> None:
    """The mails and how far the bulk action came are one transaction: a step that is done again has written nothing."""
    with transaction.atomic():
        plan = plan_bulk_resending(Invoice.objects.filter(pk__in=keys))
        done = []
        for invoice, accounts in plan.able:
            try:
                bulk_action.mails += resend_invoice(
                    invoice=invoice,
                    accounts=accounts,
                    sending=next_sending(invoice),
                    attach_pdf=bulk_action.given.get(WITH_PDF) == "1",
                )
            except (NothingToDoError, ValueError, LookupError) as refusal:  # of this one; its savepoint took it back
                bulk_action.skipped.append([str(invoice), str(refusal)])
            else:
                done.append(invoice)
        for left, reason in (
            (plan.never_exported, translate("pas encore exportée")),
            (plan.without_account, translate("aucun compte actif")),
            (plan.bad_address, translate("adresse en erreur")),
            (plan.without_mail, translate("ne veut pas de mail à chaque facture")),
        ):
            bulk_action.skipped += [[str(invoice), reason] for invoice in left]
        bulk_action.changed += len(done)
        log_step(bulk_action, done, translate("Renvoyée par mail (action groupée)."))
        advance(bulk_action, len(keys))


def _make_versions(bulk_action: BulkAction, keys: Sequence[Any]) -> None:
    """Another version of one invoice, where it says something else than the one that is published."""
    invoice = Invoice.objects.select_related("customer", "company", "document", "content_check").get(pk=keys[0])
    if reason := why_no_version(invoice):
        if _was_made(bulk_action, invoice):  # the process ended between the version and the count
            _count_version(bulk_action, invoice)
        else:
            skip(bulk_action, str(invoice), str(reason))
        return
    try:
        publish_new_version(
            invoice=invoice, reason=bulk_action.given[REASON], author_name=bulk_action.author_name, pdf=None
        )
    except VersionRefusedError as refusal:
        skip(bulk_action, str(invoice), str(refusal))
    else:
        _count_version(bulk_action, invoice)


def _was_made(bulk_action: BulkAction, invoice: Invoice) -> bool:
    made = invoice.document
    return made is not None and made.created_at >= bulk_action.created_at and made.reason == bulk_action.given[REASON]


@transaction.atomic
def _count_version(bulk_action: BulkAction, invoice: Invoice) -> None:
    bulk_action.changed += 1
    number = invoice.document.version if invoice.document is not None else 0
    words = {"number": number, "reason": bulk_action.given[REASON]}
    log_step(bulk_action, [invoice], translate("Version %(number)d publiée : %(reason)s") % words)
    advance(bulk_action, 1)
