"""Bulk actions on many customers or accounts at once."""

import uuid
from typing import Any, ClassVar, Final, NamedTuple, Self

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as translate
from django.utils.translation import gettext_lazy as _

from customers.models.account import Account
from mailing import leases


class OtherKind(NamedTuple):
    """How a report names a kind of a higher room, and what it has done («facture renvoyée,factures renvoyées»)."""

    label: Promise
    changed_words: Promise


# Kinds that higher rooms have registered (customers.bulk_actions): what they are about is not known here.
OTHER_KINDS: Final[dict[str, OtherKind]] = {}


class BulkActionQuerySet(models.QuerySet["BulkAction"]):
    """Questions about bulk actions on many rows."""

    def claimable(self, now: Any) -> Self:
        """Bulk actions that a worker may take: waiting, or in the hands of one whose lease has ended."""
        return self.filter(
            Q(state=BulkAction.State.WAITING) | Q(leases.has_ended(now), state=BulkAction.State.RUNNING),
        )


class BulkAction(models.Model):
    """A bulk action on many customers or accounts: confirmed by a person, done by a worker, described in a report."""

    class Kind(models.TextChoices):
        DEMATERIALISE = "dematerialise", _("Passer en D (démat)")
        CREATE = "create", _("Créer les identifiants")
        SEND = "send", _("Envoyer les identifiants")
        RELAUNCH = "relaunch", _("Renvoyer les identifiants : nouveau mot de passe provisoire")
        ACTIVATE = "activate", _("Activer les comptes")
        DEACTIVATE = "deactivate", _("Désactiver les comptes")
        ADDRESS = "address", _("Saisir les adresses e-mail")

    class State(models.TextChoices):
        WAITING = "waiting", _("en attente")
        RUNNING = "running", _("en cours")
        DONE = "done", _("terminée")

    ON_CUSTOMERS: ClassVar = (Kind.DEMATERIALISE, Kind.CREATE, Kind.ADDRESS)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(_("action"), max_length=20, choices=Kind)
    state = models.CharField(_("état"), max_length=7, choices=State, default=State.WAITING)
    author = models.ForeignKey(
        Account, on_delete=models.SET_NULL, null=True, blank=True, related_name="bulk_actions", verbose_name=_("auteur")
    )
    author_name = models.CharField(_("auteur"), max_length=254, blank=True)
    # Primary keys of customers (ON_CUSTOMERS), of accounts or of what a higher room's kind is about, in the order in
    # which they are done.
    targets = models.JSONField(_("cibles"), default=list)
    # Of CREATE only: the mails of the new accounts are written too.
    also_sends = models.BooleanField(_("avec envoi"), default=False)
    # From where it was asked for, in the words of a higher room («export:5»); empty from the lists of this one.
    origin = models.CharField(max_length=40, blank=True, default="", db_default="", editable=False)
    # Of CREATE, which addresses of a customer get an account (fields of ContactRules); of ADDRESS, the address of each;
    # of a higher room's kind, what was chosen with it.
    contacts = models.JSONField(default=dict, editable=False)
    given = models.JSONField(default=dict, editable=False)
    # What puts back what was changed, row by row, as the kind reads it (customers.bulk_undo).
    previous = models.JSONField(default=list, editable=False)
    undone_at = models.DateTimeField(_("annulée le"), null=True, blank=True, editable=False)
    position = models.PositiveIntegerField(_("faites"), default=0)
    changed = models.PositiveIntegerField(_("changées"), default=0)
    mails = models.PositiveIntegerField(_("mails écrits"), default=0)
    # What was left as it is: [name, why], both for people.
    skipped = models.JSONField(_("laissées"), default=list)
    created_at = models.DateTimeField(_("demandée le"), default=timezone.now, editable=False)
    lease_until = models.DateTimeField(_("réservée jusqu’à"), null=True, blank=True)
    finished_at = models.DateTimeField(_("terminée le"), null=True, blank=True)

    objects = BulkActionQuerySet.as_manager()

    class Meta:
        db_table = "customers_gesture"  # its name of before: no table is renamed under running workers
        verbose_name = _("action groupée")
        verbose_name_plural = _("actions groupées")
        ordering = ("-created_at",)
        indexes: ClassVar = [
            models.Index(fields=("state",), name="gestures_to_do", condition=~Q(state="done")),
            models.Index(fields=("-created_at",), name="gestures_by_date"),
        ]

    def __str__(self) -> str:
        return self.kind_name

    @property
    def kind_name(self) -> str:
        """What is done, as the button says it."""
        other = OTHER_KINDS.get(self.kind)
        return str(other.label if other else self.get_kind_display())

    @property
    def changed_words(self) -> str:
        """What becomes of one row and of several: two words, for the filter ``plural``."""
        if self.kind in OTHER_KINDS:
            return str(OTHER_KINDS[self.kind].changed_words)
        return (
            translate("client modifié,clients modifiés")
            if self.is_on_customers
            else translate("compte traité,comptes traités")
        )

    @property
    def is_on_customers(self) -> bool:
        """True where the targets are customers, False where they are accounts."""
        return self.kind in self.ON_CUSTOMERS

    @property
    def total(self) -> int:
        """How many rows it is about."""
        return len(self.targets)

    @property
    def is_done(self) -> bool:
        """True once every row was looked at."""
        return self.state == self.State.DONE
