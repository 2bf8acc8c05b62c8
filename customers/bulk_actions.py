"""Bulk actions on customers or accounts: kept in the database, done in small steps, reported afterwards.

Each step does its rows and notes how far it came in one transaction; a bulk action whose worker died
goes on from there.
"""

import datetime
import logging
from collections.abc import Callable, Iterable, Sequence

from django import db
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from customers.card_trail import acts_of_card
from customers.history import write_history
from customers.models import DEMATERIALISED, Account, BulkAction, Customer, CustomerAccount
from customers.recipients import ContactRules, find_recipients_of
from customers.services import draw_credentials, generate_credentials, save_credentials, send_credentials, set_active
from mailing import leases
from mailing.leases import database_now
from mailing.trail.recording import record_all

logger = logging.getLogger(__name__)

Kind = BulkAction.Kind
LEASE = datetime.timedelta(seconds=60)
# Rows of one step: one where a hash is made for each, so that the progress shows and the writer's place is short.
STEP = {Kind.CREATE: 1, Kind.RELAUNCH: 1, Kind.SEND: 25}
LONG_STEP = 200
# What a row costs in milliseconds on a slow machine; a request does what ends within its budget, a worker the rest.
COST = {Kind.CREATE: 150, Kind.RELAUNCH: 150, Kind.SEND: 15}
SMALL_COST = 2
REQUEST_BUDGET = 2000


def create_bulk_action(
    *, kind: BulkAction.Kind, targets: Iterable[int], author: Account | None, also_sends: bool = False
) -> BulkAction:
    """Keep a bulk action that a person has confirmed; ``targets`` are primary keys of customers or accounts."""
    return BulkAction.objects.create(
        kind=kind,
        targets=list(targets),
        author=author,
        author_name=author.get_full_name() if author else "",
        also_sends=also_sends,
    )


def fits_a_request(bulk_action: BulkAction) -> bool:
    """True where the bulk action ends so fast that nobody needs a worker for it."""
    return bulk_action.total * COST.get(Kind(bulk_action.kind), SMALL_COST) <= REQUEST_BUDGET


def is_relaunchable(account: Account) -> bool:
    """True where a new provisional password takes nothing away: the owner has not made the account his own."""
    return account.must_change_password or account.last_login is None


def run_bulk_action(bulk_action: BulkAction, *, should_stop: Callable[[], bool] = lambda: False) -> BulkAction:
    """Run the action from its position to its end, unless another worker holds its lease. Returns it as it then is."""
    now = database_now()
    waiting = BulkAction.objects.claimable(now).filter(pk=bulk_action.pk)
    claimed = leases.take(waiting, now=now, length=LEASE, state=BulkAction.State.RUNNING)
    bulk_action.refresh_from_db()
    if not claimed:
        return bulk_action
    size = STEP.get(Kind(bulk_action.kind), LONG_STEP)
    while bulk_action.position < bulk_action.total and not should_stop():
        keys = bulk_action.targets[bulk_action.position : bulk_action.position + size]
        try:
            _STEPS[Kind(bulk_action.kind)](bulk_action, keys)
        except db.Error:
            raise  # the database is away: somebody takes the bulk action over once the lease has ended
        except Exception:
            # One row that nobody foresaw must not keep hundreds of others waiting for ever.
            logger.exception("Bulk action %s failed on %s", bulk_action.pk, keys)
            bulk_action.refresh_from_db()
            bulk_action.skipped += [[f"#{key}", _("erreur inattendue, notée dans le journal")] for key in keys]
            _advance(bulk_action, len(keys))
    if bulk_action.position >= bulk_action.total:
        leases.release(
            BulkAction.objects.filter(pk=bulk_action.pk), state=BulkAction.State.DONE, finished_at=timezone.now()
        )
        bulk_action.refresh_from_db()
    return bulk_action


def _advance(bulk_action: BulkAction, handled: int) -> None:
    """Note how far the bulk action has come, within the step's transaction."""
    bulk_action.position += handled
    done = {name: getattr(bulk_action, name) for name in ("position", "changed", "mails", "skipped")}
    leases.renew(BulkAction.objects.filter(pk=bulk_action.pk), now=database_now(), length=LEASE, **done)


def _log(bulk_action: BulkAction, rows: Sequence[Customer | Account], message: str) -> None:
    """Write the change into the history of each row, in the name of who asked for it."""
    if bulk_action.author_id is not None and rows:
        write_history(bulk_action.author_id, rows, message)


def _accounts(keys: Sequence[int]) -> QuerySet[Account]:
    # By their own name in the back-office, so that the history finds its way back.
    return CustomerAccount.objects.filter(pk__in=keys, is_staff=False).order_by("pk")


def _dematerialise(bulk_action: BulkAction, keys: Sequence[int]) -> None:
    with transaction.atomic():
        rows = list(Customer.objects.filter(pk__in=keys).exclude(invoice_copies=DEMATERIALISED).order_by("pk"))
        Customer.objects.filter(pk__in=[row.pk for row in rows]).update(
            invoice_copies=DEMATERIALISED, updated_at=timezone.now()
        )
        for row in rows:
            former, row.invoice_copies = row.invoice_copies, DEMATERIALISED
            record_all(acts_of_card(row, {"invoice_copies": former}))
        bulk_action.changed += len(rows)
        _log(bulk_action, rows, _("Passé en D (démat)."))
        _advance(bulk_action, len(keys))


def _create(bulk_action: BulkAction, keys: Sequence[int]) -> None:
    """The customer's own address gets the account; where there is none, its contacts' (the main one first)."""
    customer = Customer.objects.filter(pk=keys[0]).first()
    if customer is None:
        _skip(bulk_action, f"#{keys[0]}", _("supprimé entre-temps"))
        return
    recipients = find_recipients_of([customer], ContactRules(use_contacts=not customer.email.strip()))[customer.pk]
    if not recipients.recipients:
        _skip(bulk_action, str(customer), _("aucune adresse e-mail"))
        return
    recipient = recipients.recipients[0]
    if recipient.account is not None and not recipient.account.has_expired_provisional:
        _skip(bulk_action, str(customer), _("a déjà des identifiants (%(login)s)") % {"login": recipient.account.login})
        return
    # Its hash is made before its own transaction; done twice it makes nothing twice.
    try:
        generated = generate_credentials(customer=customer, address=recipient.address, name=recipient.name)
    except ValueError:
        _skip(
            bulk_action,
            str(customer),
            _("l’adresse %(address)s est celle d’un membre du personnel") % {"address": recipient.address},
        )
        return
    with transaction.atomic():
        bulk_action.changed += 1
        if bulk_action.also_sends:
            bulk_action.mails += send_credentials(accounts=[generated.account])
        _log(bulk_action, [customer], _("Identifiants créés : %(login)s.") % {"login": generated.account.login})
        _advance(bulk_action, 1)


def _skip(bulk_action: BulkAction, name: str, reason: str) -> None:
    bulk_action.skipped.append([name, reason])
    _advance(bulk_action, 1)


def _send(bulk_action: BulkAction, keys: Sequence[int]) -> None:
    with transaction.atomic():
        rows = list(_accounts(keys))
        active = [row for row in rows if row.is_active]
        bulk_action.skipped += [[row.login, _("compte désactivé")] for row in rows if not row.is_active]
        bulk_action.changed += len(active)
        bulk_action.mails += send_credentials(accounts=active)
        _log(bulk_action, active, _("Identifiants envoyés."))
        _advance(bulk_action, len(keys))


def _relaunch(bulk_action: BulkAction, keys: Sequence[int]) -> None:
    account = _accounts(keys).first()
    if account is None:
        _skip(bulk_action, f"#{keys[0]}", _("supprimé entre-temps"))
        return
    if not account.is_active:
        _skip(bulk_action, account.login, _("compte désactivé"))
        return
    if not is_relaunchable(account):
        _skip(bulk_action, account.login, _("a choisi son mot de passe"))
        return
    draw_credentials(account)
    with transaction.atomic():
        save_credentials(account=account)
        bulk_action.changed += 1
        bulk_action.mails += send_credentials(accounts=[account])
        _log(bulk_action, [account], _("Relancé : nouveau mot de passe provisoire, envoyé."))
        _advance(bulk_action, 1)


def _activate(bulk_action: BulkAction, keys: Sequence[int]) -> None:
    _set_active(bulk_action, keys, is_active=True, message=_("Compte activé."))


def _deactivate(bulk_action: BulkAction, keys: Sequence[int]) -> None:
    _set_active(bulk_action, keys, is_active=False, message=_("Compte désactivé."))


def _set_active(bulk_action: BulkAction, keys: Sequence[int], *, is_active: bool, message: str) -> None:
    with transaction.atomic():
        rows = list(_accounts(keys).exclude(is_active=is_active))
        bulk_action.changed += set_active(accounts=rows, is_active=is_active)
        _log(bulk_action, rows, message)
        _advance(bulk_action, len(keys))


_STEPS: dict[BulkAction.Kind, Callable[[BulkAction, Sequence[int]], None]] = {
    Kind.DEMATERIALISE: _dematerialise,
    Kind.CREATE: _create,
    Kind.SEND: _send,
    Kind.RELAUNCH: _relaunch,
    Kind.ACTIVATE: _activate,
    Kind.DEACTIVATE: _deactivate,
}
