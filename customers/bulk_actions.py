"""Bulk actions on customers or accounts: kept in the database, done in small steps, reported afterwards.

Each step does its rows and notes how far it came in one transaction; a bulk action whose worker died
goes on from there.
"""

import datetime
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any
from uuid import UUID, uuid4

from django import db
from django.db import transaction
from django.db.models import Model, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from customers.card_trail import acts_of_card
from customers.history import write_history
from customers.models import DEMATERIALISED, Access, Account, BulkAction, Customer, CustomerAccount
from customers.models.bulk_action import OTHER_KINDS, OtherKind
from customers.recipients import ContactRules, find_recipients_of
from customers.services import (
    GeneratedCredentials,
    draw_credentials,
    generate_credentials,
    save_credentials,
    send_credentials,
    set_active,
)
from mailing import leases
from mailing.leases import database_now
from mailing.quarantine import tries
from mailing.trail.recording import Act, record_all

logger = logging.getLogger(__name__)

Kind = BulkAction.Kind
LEASE = datetime.timedelta(seconds=60)
# Workers are also stopped for reasons that no row is to blame for: several in a row at one step make a culprit.
MOST_INTERRUPTIONS = 5
# Rows of one step: one where a hash is made for each, so that the progress shows and the writer's place is short.
STEP: dict[str, int] = {Kind.CREATE: 1, Kind.RELAUNCH: 1, Kind.SEND: 25}
LONG_STEP = 200
# What a row costs in milliseconds on a slow machine; a request does what ends within its budget, a worker the rest.
COST: dict[str, int] = {Kind.CREATE: 150, Kind.RELAUNCH: 150, Kind.SEND: 15}
SMALL_COST = 2
REQUEST_BUDGET = 1000
# Of the advisory locks of the database, that of whoever asks for a bulk action.
_ASKING = 4_711_003


# Does some of the targets of a bulk action, and notes how far it came (:func:`advance`) in the same transaction.
Step = Callable[[BulkAction, Sequence[Any]], None]


def register_kind(kind: str, names: OtherKind, step: Step, *, size: int, cost: int) -> None:
    """Let bulk actions of ``kind``, of a higher room, be done by ``step``, ``size`` targets at once.

    ``cost`` is what a target costs in milliseconds on a slow machine.
    """
    OTHER_KINDS[kind], _STEPS[kind], STEP[kind], COST[kind] = names, step, size, cost


# Called within the transaction of a step with the customers it has changed: what follows from it in higher rooms.
StepListener = Callable[[BulkAction, Sequence[int]], None]
_listeners: list[StepListener] = []


def register_step_listener(listener: StepListener) -> None:
    """Have ``listener`` called with the bulk action and the keys of the customers of a step; each one once."""
    if listener not in _listeners:
        _listeners.append(listener)


def notify_step(bulk_action: BulkAction, customers: Sequence[int]) -> None:
    """Call all that registered."""
    for listener in _listeners:
        listener(bulk_action, customers)


def create_bulk_action(
    *,
    kind: str,
    targets: Iterable[Any],
    author: Account | None,
    also_sends: bool = False,
    origin: str = "",
    contacts: ContactRules | None = None,
    given: Mapping[Any, str] | None = None,
    key: UUID | None = None,
) -> BulkAction:
    """Keep a bulk action that a person has confirmed; ``targets`` are primary keys of what its kind is about.

    With ``contacts``, CREATE makes an account for each recipient of these rules; ``given`` are the addresses of ADDRESS
    by customer, or what was chosen with a higher room's kind. ``key`` is that of the page where it was confirmed:
    pressed twice there, it is one bulk action. Targets that a bulk action of ``kind`` has in hand are left to it; where
    it has them all, it is returned.
    """
    values: dict[str, Any] = {
        "kind": kind,
        "author": author,
        "author_name": author.get_full_name() if author else "",
        "also_sends": also_sends,
        "origin": origin,
        "contacts": asdict(contacts) if contacts is not None else {},
        "given": {str(name): value for name, value in (given or {}).items()},
    }
    with transaction.atomic():
        # Two persons may ask at the same moment: the second waits here, and finds the bulk action of the first.
        leases.wait_for_turn(_ASKING)
        known = BulkAction.objects.filter(pk=key).first() if key is not None else None
        if known is not None:
            return known
        asked, running = list(targets), bulk_actions_under_way(kind)
        free = without_those_of(running, asked)
        if asked and not free:
            return next(action for action in running if asked[0] in action.targets)
        return BulkAction.objects.create(pk=key or uuid4(), targets=free, **values)


def bulk_actions_under_way(kind: str) -> list[BulkAction]:
    """The bulk actions of ``kind`` that have not ended, newest first."""
    return list(BulkAction.objects.filter(kind=kind).exclude(state=BulkAction.State.DONE))


def without_those_of[Key](running: Iterable[BulkAction], asked: Iterable[Key]) -> list[Key]:
    """The keys of ``asked`` that none of ``running`` has in hand, in their order."""
    taken = {target for action in running for target in action.targets}
    return [key for key in asked if key not in taken]


def fits_a_request(bulk_action: BulkAction) -> bool:
    """True where the bulk action ends so fast that it needs no worker."""
    return bulk_action.total * COST.get(bulk_action.kind, SMALL_COST) <= REQUEST_BUDGET


def is_relaunchable(account: Account) -> bool:
    """True where a new provisional password takes nothing away: the owner has not made the account his own."""
    return account.must_change_password or account.last_login is None


def run_bulk_action(bulk_action: BulkAction, *, should_stop: Callable[[], bool] = lambda: False) -> BulkAction:
    """Run the action from its position to its end, unless another worker holds its lease. Returns it as it then is."""
    now = database_now()
    waiting = BulkAction.objects.claimable(now).filter(pk=bulk_action.pk)
    is_taken_over = bulk_action.state == BulkAction.State.RUNNING
    claimed = leases.take(waiting, now=now, length=LEASE, state=BulkAction.State.RUNNING)
    bulk_action.refresh_from_db()
    if not claimed:
        return bulk_action
    size = STEP.get(bulk_action.kind, LONG_STEP)
    if is_taken_over:
        _count_interruption(bulk_action, size)
    while bulk_action.position < bulk_action.total and not should_stop():
        keys = bulk_action.targets[bulk_action.position : bulk_action.position + size]
        try:
            _STEPS[bulk_action.kind](bulk_action, keys)
        except (db.OperationalError, db.InterfaceError):
            raise  # the database is away: somebody takes the bulk action over once the lease has ended
        except Exception:
            # One row with an unforeseen fault must not keep hundreds of others waiting for ever.
            logger.exception("Bulk action %s failed on %s", bulk_action.pk, keys)
            bulk_action.refresh_from_db()
            bulk_action.skipped += [[f"#{key}", _("erreur inattendue, notée dans le journal")] for key in keys]
            advance(bulk_action, len(keys))
    if bulk_action.position >= bulk_action.total:
        leases.release(
            BulkAction.objects.filter(pk=bulk_action.pk), state=BulkAction.State.DONE, finished_at=timezone.now()
        )
        bulk_action.refresh_from_db()
    return bulk_action


def _count_interruption(bulk_action: BulkAction, size: int) -> None:
    """A worker ended with the next step in hand: rows with which several did are left as they are, with the reason."""
    keys = bulk_action.targets[bulk_action.position : bulk_action.position + size]
    step = f"{bulk_action.pk}:{bulk_action.position}"
    label = f"{bulk_action}, {', '.join(f'#{key}' for key in keys[:5])}"
    if keys and tries.count_death(tries.Loop.BULK_ACTION, step, label, most=MOST_INTERRUPTIONS):
        reason = _("interrompue %(count)d fois de suite") % {"count": MOST_INTERRUPTIONS}
        bulk_action.skipped += [[f"#{key}", reason] for key in keys]
        advance(bulk_action, len(keys))
        tries.forget(tries.Loop.BULK_ACTION, step)  # its report names them


def advance(bulk_action: BulkAction, handled: int) -> None:
    """Note how far the bulk action has come, within the step's transaction."""
    bulk_action.position += handled
    done = {name: getattr(bulk_action, name) for name in ("position", "changed", "mails", "skipped", "previous")}
    leases.renew(BulkAction.objects.filter(pk=bulk_action.pk), now=database_now(), length=LEASE, **done)


def log_step(bulk_action: BulkAction, rows: Sequence[Model], message: str) -> None:
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
        acts: list[Act] = []
        for row in rows:
            former, row.invoice_copies = row.invoice_copies, DEMATERIALISED
            bulk_action.previous.append([row.pk, former])
            acts += acts_of_card(row, {"invoice_copies": former})
        record_all(acts)
        bulk_action.changed += len(rows)
        log_step(bulk_action, rows, _("Passé en D (démat)."))
        notify_step(bulk_action, [row.pk for row in rows])
        advance(bulk_action, len(keys))


def _create(bulk_action: BulkAction, keys: Sequence[int]) -> None:
    """The customer's own address gets the account; where there is none, its contacts' (the main one first)."""
    customer = Customer.objects.filter(pk=keys[0]).first()
    if customer is None:
        skip(bulk_action, f"#{keys[0]}", _("supprimé entre-temps"))
        return
    if bulk_action.contacts:
        _create_by_rules(bulk_action, customer, ContactRules(**bulk_action.contacts))
        return
    recipients = find_recipients_of([customer], ContactRules(use_contacts=not customer.email.strip()))[customer.pk]
    if not recipients.recipients:
        skip(bulk_action, str(customer), _("aucune adresse e-mail"))
        return
    recipient = recipients.recipients[0]
    if recipient.account is not None and not recipient.account.has_expired_provisional:
        skip(bulk_action, str(customer), _("a déjà des identifiants (%(login)s)") % {"login": recipient.account.login})
        return
    # Its hash is made before its own transaction; done twice it makes nothing twice.
    try:
        generated = generate_credentials(customer=customer, address=recipient.address, name=recipient.name)
    except ValueError:
        skip(bulk_action, str(customer), _of_staff(recipient.address))
        return
    with transaction.atomic():
        bulk_action.changed += 1
        if recipient.account is None:
            bulk_action.previous.append([customer.pk, generated.account.pk, generated.is_new])
        if bulk_action.also_sends:
            bulk_action.mails += send_credentials(accounts=[generated.account])
        log_step(bulk_action, [customer], _("Identifiants créés : %(login)s.") % {"login": generated.account.login})
        notify_step(bulk_action, [customer.pk])
        advance(bulk_action, 1)


def _create_by_rules(bulk_action: BulkAction, customer: Customer, rules: ContactRules) -> None:
    """Every recipient of ``rules`` who has no account gets one."""
    made: list[GeneratedCredentials] = []
    for recipient in find_recipients_of([customer], rules)[customer.pk].recipients:
        if recipient.account is not None:
            continue
        try:
            made.append(generate_credentials(customer=customer, address=recipient.address, name=recipient.name))
        except ValueError:
            bulk_action.skipped.append([str(customer), _of_staff(recipient.address)])
    with transaction.atomic():
        bulk_action.changed += bool(made)
        bulk_action.previous += [[customer.pk, one.account.pk, one.is_new] for one in made]
        if made:
            logins = ", ".join(one.account.login for one in made)
            log_step(bulk_action, [customer], _("Identifiants créés : %(login)s.") % {"login": logins})
        notify_step(bulk_action, [customer.pk])
        advance(bulk_action, 1)


def _of_staff(address: str) -> str:
    return _("l’adresse %(address)s est celle d’un membre du personnel") % {"address": address}


def _address(bulk_action: BulkAction, keys: Sequence[int]) -> None:
    """Customers without an address get the one that was given for each."""
    with transaction.atomic():
        rows = list(Customer.objects.filter(pk__in=keys).order_by("pk").select_for_update())
        changing = [row for row in rows if not row.email.strip()]
        bulk_action.skipped += [[str(row), _("a déjà une adresse")] for row in rows if row.email.strip()]
        acts: list[Act] = []
        for row in changing:
            row.email, row.updated_at = bulk_action.given[str(row.pk)], timezone.now()
            acts += acts_of_card(row, {"email": ""})
            sentence = _("Adresse e-mail saisie : %(address)s.") % {"address": row.email}
            log_step(bulk_action, [row], sentence)
        record_all(acts)
        Customer.objects.bulk_update(changing, ["email", "updated_at"])
        bulk_action.changed += len(changing)
        bulk_action.previous += [[row.pk, row.email] for row in changing]
        notify_step(bulk_action, [row.pk for row in changing])
        advance(bulk_action, len(keys))


def skip(bulk_action: BulkAction, name: str, reason: str) -> None:
    """Leave the one target of the step as it is, and say why."""
    bulk_action.skipped.append([name, reason])
    advance(bulk_action, 1)


def _send(bulk_action: BulkAction, keys: Sequence[int]) -> None:
    with transaction.atomic():
        rows = list(_accounts(keys))
        active = [row for row in rows if row.is_active]
        bulk_action.skipped += [[row.login, _("compte désactivé")] for row in rows if not row.is_active]
        bulk_action.changed += len(active)
        bulk_action.mails += send_credentials(accounts=active)
        log_step(bulk_action, active, _("Identifiants envoyés."))
        advance(bulk_action, len(keys))


def _relaunch(bulk_action: BulkAction, keys: Sequence[int]) -> None:
    account = _accounts(keys).first()
    if account is None:
        skip(bulk_action, f"#{keys[0]}", _("supprimé entre-temps"))
        return
    if not account.is_active:
        skip(bulk_action, account.login, _("compte désactivé"))
        return
    if not is_relaunchable(account):
        skip(bulk_action, account.login, _("a choisi son mot de passe"))
        return
    draw_credentials(account)
    with transaction.atomic():
        save_credentials(account=account)
        bulk_action.changed += 1
        bulk_action.mails += send_credentials(accounts=[account])
        log_step(bulk_action, [account], _("Identifiants renvoyés, avec un nouveau mot de passe provisoire."))
        advance(bulk_action, 1)


def _activate(bulk_action: BulkAction, keys: Sequence[int]) -> None:
    _set_active(bulk_action, keys, is_active=True, message=_("Compte activé."))


def _deactivate(bulk_action: BulkAction, keys: Sequence[int]) -> None:
    _set_active(bulk_action, keys, is_active=False, message=_("Compte désactivé."))


def _set_active(bulk_action: BulkAction, keys: Sequence[int], *, is_active: bool, message: str) -> None:
    with transaction.atomic():
        rows = list(_accounts(keys).exclude(is_active=is_active))
        bulk_action.changed += set_active(accounts=rows, is_active=is_active)
        bulk_action.previous += [[row.pk, not is_active] for row in rows]
        log_step(bulk_action, rows, message)
        seen = Access.objects.filter(account__in=[row.pk for row in rows]).values_list("customer", flat=True)
        notify_step(bulk_action, list(seen.order_by("customer").distinct()))
        advance(bulk_action, len(keys))


_STEPS: dict[str, Step] = {
    Kind.DEMATERIALISE: _dematerialise,
    Kind.CREATE: _create,
    Kind.SEND: _send,
    Kind.RELAUNCH: _relaunch,
    Kind.ACTIVATE: _activate,
    Kind.DEACTIVATE: _deactivate,
    Kind.ADDRESS: _address,
}
