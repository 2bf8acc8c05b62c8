"""How long each kind of personal data is kept, on what ground, and what is done afterwards: one table.

Invoices, documents, payments and statuses are none of them: nothing here touches what they say (CGI, LPF, Code de
commerce). Tables of the auditor's page (``docs/donnees-personnelles.md``) say the same; a test compares them.
"""

import calendar
import datetime
import logging
from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.contrib.admin.models import LogEntry
from django.db import InterfaceError, OperationalError, models, transaction
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from customers.models import BulkAction
from invoices.retention import erase_consultations, erase_imports, idle_readers
from mailing.quarantine.tries import Loop, Tries
from mailing.retention import erase_bodies, erase_failed_addresses, erase_replies
from mailing.trail.actions import Action
from mailing.trail.erasing import erase_of_acts, erase_of_sign_ins
from mailing.trail.recording import record
from portal.persons import erase_person

logger = logging.getLogger(__name__)

# Forgets what is older than a moment; how many rows. With ``dry_run`` only counts them.
type Erase = Callable[..., int]


@dataclass(frozen=True, slots=True)
class Rule:
    """A kind of data: how many months it is kept, on what ground, and how it is forgotten."""

    kind: str
    label: str | Promise
    months: int
    ground: str | Promise
    erase: Erase


def _erase_rows(fields: dict[type[models.Model], str], before: datetime.datetime, *, dry_run: bool) -> int:
    """Forget rows of some tables whose time, in the field of that name, is before that moment; how many."""
    found = [model._default_manager.filter(**{f"{field}__lt": before}) for model, field in fields.items()]
    return sum(rows.count() if dry_run else rows.delete()[0] for rows in found)


def _erase_sign_ins(before: datetime.datetime, *, dry_run: bool) -> int:
    tries = dict.fromkeys((AccessAttempt, AccessFailureLog, AccessLog), "attempt_time")
    return _erase_rows(tries, before, dry_run=dry_run) + erase_of_sign_ins(before, dry_run=dry_run)


def _erase_bulk_actions(before: datetime.datetime, *, dry_run: bool) -> int:
    old = BulkAction.objects.filter(created_at__lt=before, state=BulkAction.State.DONE)
    return old.count() if dry_run else old.delete()[1].get("customers.BulkAction", 0)


def _erase_idle_accounts(before: datetime.datetime, *, dry_run: bool) -> int:
    idle = idle_readers(before)
    if dry_run:
        return idle.count()
    tries = Tries(Loop.PURGE)
    label = _("Compte n° %(number)s à anonymiser")
    return sum(
        tries.attempt(f"account:{account.pk}", label % {"number": account.pk}, partial(erase_person, account))
        for account in list(idle.exclude(pk__in=_accounts_aside(tries)).order_by("pk"))
    )


def _accounts_aside(tries: Tries) -> list[int]:
    return [int(key.removeprefix("account:")) for key in tries.set_aside_keys() if key.startswith("account:")]


RULES: Final = (
    Rule(
        "mail-bodies",
        _("texte des mails"),
        12,
        _("Intérêt légitime (RGPD art. 6.1 f) : répondre d’un envoi. Restent l’adresse, l’état et les pièces jointes."),
        erase_bodies,
    ),
    Rule(
        "replies",
        _("réponses de clients"),
        36,
        _("Relation commerciale (RGPD art. 6.1 b ; CNIL, gestion commerciale) : trois ans après l’échange."),
        erase_replies,
    ),
    Rule(
        "failed-addresses",
        _("adresses en erreur corrigées"),
        12,
        _("Intérêt légitime (RGPD art. 6.1 f) : ne plus écrire à une adresse morte."),
        erase_failed_addresses,
    ),
    Rule(
        "sign-ins",
        _("connexions et refus"),
        12,
        _("Sécurité (RGPD art. 32 ; CNIL, délibération 2021-122, journalisation : six mois à un an)."),
        _erase_sign_ins,
    ),
    Rule(
        "consultations",
        _("consultations de factures"),
        72,
        _("Preuve de mise à disposition (LPF art. L102 B, six ans). Reste la date de la première."),
        erase_consultations,
    ),
    Rule(
        "trail-persons",
        _("personnes de la piste d’audit"),
        72,
        _("Piste d’audit fiable (CGI art. 289 VII 1° ; LPF art. L102 B, six ans). L’entrée reste."),
        erase_of_acts,
    ),
    Rule(
        "history",
        _("historique du back-office"),
        72,
        _("Contrôle interne (LPF art. L102 B, six ans)."),
        partial(_erase_rows, {LogEntry: "action_time"}),
    ),
    Rule(
        "imports",
        _("imports : fichiers et rapports"),
        12,
        _("Intérêt légitime (RGPD art. 6.1 f) : expliquer un écart avec l’ERP, qui garde les siens."),
        erase_imports,
    ),
    Rule(
        "bulk-actions",
        _("actions groupées : listes de comptes"),
        12,
        _("Intérêt légitime (RGPD art. 6.1 f) : expliquer ce qui a été fait."),
        _erase_bulk_actions,
    ),
    Rule(
        "idle-accounts",
        _("comptes inutilisés"),
        36,
        _("CNIL, gestion commerciale : trois ans après le dernier contact. Compte anonymisé, factures gardées."),
        _erase_idle_accounts,
    ),
)


@dataclass(frozen=True, slots=True)
class Purged:
    """What a purge did, or would do, of one kind: rows before that moment."""

    rule: Rule
    before: datetime.datetime
    count: int
    problem: str = ""  # why this kind was not purged, in French

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "kind": self.rule.kind,
            "label": str(self.rule.label),
            "months": self.rule.months,
            "ground": str(self.rule.ground),
            "before": self.before.isoformat(),
            "count": self.count,
            **({"problem": self.problem} if self.problem else {}),
        }


def purge(now: datetime.datetime, *, dry_run: bool, kinds: Collection[str] = ()) -> list[Purged]:
    """Forget what is older than its rule says at ``now``: all kinds, or ``kinds`` only; the trail notes how much."""
    done = []
    for rule in RULES:
        if kinds and rule.kind not in kinds:
            continue
        before = months_before(now, rule.months)
        done.append(_purge_kind(rule, before, dry_run=dry_run))
    if not dry_run and any(each.count for each in done):
        with transaction.atomic():
            record(Action.PURGED, details={each.rule.kind: each.count for each in done if each.count})
    return done


def _purge_kind(rule: Rule, before: datetime.datetime, *, dry_run: bool) -> Purged:
    """One kind; what is wrong with it stops no other one."""
    try:
        return Purged(rule, before, rule.erase(before, dry_run=dry_run))
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:
        logger.exception("The kind %s cannot be purged", rule.kind)
        problem = _("erreur inattendue (%(kind)s), notée dans le journal") % {"kind": type(error).__name__}
        return Purged(rule, before, 0, problem)


def months_before(moment: datetime.datetime, months: int) -> datetime.datetime:
    """The same day so many months earlier, or the last one of a shorter month."""
    year, month = divmod(moment.year * 12 + moment.month - 1 - months, 12)
    day = min(moment.day, calendar.monthrange(year, month + 1)[1])
    return moment.replace(year=year, month=month + 1, day=day)
