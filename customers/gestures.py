"""Gestures on hundreds of customers or accounts at once: kept in the database, done in small steps, told afterwards.

Each step does its rows and notes how far it came in one transaction; a gesture whose worker died goes on from there.
"""

import datetime
import logging
from collections.abc import Callable, Iterable, Sequence

from django import db
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from customers.history import write_history
from customers.models import DEMATERIALISED, Account, Customer, CustomerAccount, Gesture
from customers.recipients import ContactRules, find_addressees
from customers.services import draw_credentials, generate_credentials, save_credentials, send_credentials, set_active

logger = logging.getLogger(__name__)

Kind = Gesture.Kind
LEASE = datetime.timedelta(seconds=60)
# Rows of one step: one where a hash is made for each, so that the progress shows and the writer's place is short.
STEP = {Kind.CREATE: 1, Kind.RELAUNCH: 1, Kind.SEND: 25}
LONG_STEP = 200
# What a row costs in milliseconds on a slow machine; a request does what ends within its budget, a worker the rest.
COST = {Kind.CREATE: 150, Kind.RELAUNCH: 150, Kind.SEND: 15}
SMALL_COST = 2
REQUEST_BUDGET = 2000


def ask_gesture(
    *, kind: Gesture.Kind, targets: Iterable[int], author: Account | None, also_sends: bool = False
) -> Gesture:
    """Keep a gesture that a person has confirmed; ``targets`` are primary keys of customers or accounts."""
    return Gesture.objects.create(
        kind=kind,
        targets=list(targets),
        author=author,
        author_name=author.get_full_name() if author else "",
        also_sends=also_sends,
    )


def fits_a_request(gesture: Gesture) -> bool:
    """True where the gesture ends so fast that nobody needs a worker for it."""
    return gesture.total * COST.get(Kind(gesture.kind), SMALL_COST) <= REQUEST_BUDGET


def is_relaunchable(account: Account) -> bool:
    """True where a new provisional password takes nothing away: the owner has not made the account his own."""
    return account.must_change_password or account.last_login is None


def carry_out(gesture: Gesture, *, should_stop: Callable[[], bool] = lambda: False) -> Gesture:
    """Do the gesture from where it stands to its end, unless somebody else has it in hand. Returns it as it then is."""
    now = timezone.now()
    claimed = (
        Gesture.objects.claimable(now)
        .filter(pk=gesture.pk)
        .update(state=Gesture.State.RUNNING, lease_until=now + LEASE)
    )
    gesture.refresh_from_db()
    if not claimed:
        return gesture
    size = STEP.get(Kind(gesture.kind), LONG_STEP)
    while gesture.position < gesture.total and not should_stop():
        keys = gesture.targets[gesture.position : gesture.position + size]
        try:
            _STEPS[Kind(gesture.kind)](gesture, keys)
        except db.Error:
            raise  # the database is away: somebody takes the gesture over once the lease has ended
        except Exception:
            # One row that nobody foresaw must not keep hundreds of others waiting for ever.
            logger.exception("Gesture %s failed on %s", gesture.pk, keys)
            gesture.refresh_from_db()
            gesture.skipped += [[f"#{key}", _("erreur inattendue, notée dans le journal")] for key in keys]
            _advance(gesture, len(keys))
    if gesture.position >= gesture.total:
        gesture.state, gesture.finished_at, gesture.lease_until = Gesture.State.DONE, timezone.now(), None
        gesture.save(update_fields=["state", "finished_at", "lease_until"])
    return gesture


def _advance(gesture: Gesture, handled: int) -> None:
    """Note how far the gesture has come, within the step's transaction."""
    gesture.position += handled
    gesture.lease_until = timezone.now() + LEASE
    gesture.save(update_fields=["position", "changed", "mails", "skipped", "lease_until"])


def _log(gesture: Gesture, rows: Sequence[Customer | Account], message: str) -> None:
    """Write the change into the history of each row, in the name of who asked for it."""
    if gesture.author_id is not None and rows:
        write_history(gesture.author_id, rows, message)


def _accounts(keys: Sequence[int]) -> QuerySet[Account]:
    # By their own name in the back-office, so that the history finds its way back.
    return CustomerAccount.objects.filter(pk__in=keys, is_staff=False).order_by("pk")


def _dematerialise(gesture: Gesture, keys: Sequence[int]) -> None:
    with transaction.atomic():
        rows = list(Customer.objects.filter(pk__in=keys).exclude(invoice_copies=DEMATERIALISED).order_by("pk"))
        Customer.objects.filter(pk__in=[row.pk for row in rows]).update(
            invoice_copies=DEMATERIALISED, updated_at=timezone.now()
        )
        gesture.changed += len(rows)
        _log(gesture, rows, _("Passé en D (démat)."))
        _advance(gesture, len(keys))


def _create(gesture: Gesture, keys: Sequence[int]) -> None:
    """The customer's own address gets the account; where there is none, its contacts' (the main one first)."""
    customer = Customer.objects.filter(pk=keys[0]).first()
    if customer is None:
        _skip(gesture, f"#{keys[0]}", _("supprimé entre-temps"))
        return
    recipients = find_addressees([customer], ContactRules(use_contacts=not customer.email.strip()))[customer.pk]
    if not recipients.recipients:
        _skip(gesture, str(customer), _("aucune adresse e-mail"))
        return
    recipient = recipients.recipients[0]
    if recipient.account is not None and not recipient.account.has_expired_provisional:
        _skip(gesture, str(customer), _("a déjà des identifiants (%(login)s)") % {"login": recipient.account.login})
        return
    # Its hash is made before its own transaction; done twice it makes nothing twice.
    try:
        generated = generate_credentials(customer=customer, address=recipient.address, name=recipient.name)
    except ValueError:
        _skip(
            gesture,
            str(customer),
            _("l’adresse %(address)s est celle d’un membre du personnel") % {"address": recipient.address},
        )
        return
    with transaction.atomic():
        gesture.changed += 1
        if gesture.also_sends:
            gesture.mails += send_credentials(accounts=[generated.account])
        _log(gesture, [customer], _("Identifiants créés : %(login)s.") % {"login": generated.account.login})
        _advance(gesture, 1)


def _skip(gesture: Gesture, name: str, reason: str) -> None:
    gesture.skipped.append([name, reason])
    _advance(gesture, 1)


def _send(gesture: Gesture, keys: Sequence[int]) -> None:
    with transaction.atomic():
        rows = list(_accounts(keys))
        active = [row for row in rows if row.is_active]
        gesture.skipped += [[row.login, _("compte désactivé")] for row in rows if not row.is_active]
        gesture.changed += len(active)
        gesture.mails += send_credentials(accounts=active)
        _log(gesture, active, _("Identifiants envoyés."))
        _advance(gesture, len(keys))


def _relaunch(gesture: Gesture, keys: Sequence[int]) -> None:
    account = _accounts(keys).first()
    if account is None:
        _skip(gesture, f"#{keys[0]}", _("supprimé entre-temps"))
        return
    if not account.is_active:
        _skip(gesture, account.login, _("compte désactivé"))
        return
    if not is_relaunchable(account):
        _skip(gesture, account.login, _("a choisi son mot de passe"))
        return
    draw_credentials(account)
    with transaction.atomic():
        save_credentials(account=account)
        gesture.changed += 1
        gesture.mails += send_credentials(accounts=[account])
        _log(gesture, [account], _("Relancé : nouveau mot de passe provisoire, envoyé."))
        _advance(gesture, 1)


def _activate(gesture: Gesture, keys: Sequence[int]) -> None:
    _set_active(gesture, keys, is_active=True, message=_("Compte activé."))


def _deactivate(gesture: Gesture, keys: Sequence[int]) -> None:
    _set_active(gesture, keys, is_active=False, message=_("Compte désactivé."))


def _set_active(gesture: Gesture, keys: Sequence[int], *, is_active: bool, message: str) -> None:
    with transaction.atomic():
        rows = list(_accounts(keys).exclude(is_active=is_active))
        gesture.changed += set_active(accounts=rows, is_active=is_active)
        _log(gesture, rows, message)
        _advance(gesture, len(keys))


_STEPS: dict[Gesture.Kind, Callable[[Gesture, Sequence[int]], None]] = {
    Kind.DEMATERIALISE: _dematerialise,
    Kind.CREATE: _create,
    Kind.SEND: _send,
    Kind.RELAUNCH: _relaunch,
    Kind.ACTIVATE: _activate,
    Kind.DEACTIVATE: _deactivate,
}
