"""Predefined messages and the outbox. Only this room opens them; the others call :mod:`mailing.outbox`."""

import datetime
import uuid
from typing import ClassVar, Self

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower, Upper
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from mailing import leases
from mailing.placeholders import check_template_texts


class MessageTemplate(models.Model):
    """A predefined message that accounting staff adapt."""

    class Key(models.TextChoices):
        CREDENTIALS = "credentials", _("Envoi des identifiants")
        INVOICE = "invoice", _("Facture disponible")
        INVOICES = "invoices", _("Plusieurs factures disponibles")

    key = models.CharField(_("usage"), max_length=20, choices=Key, unique=True)
    name = models.CharField(_("nom"), max_length=100)
    subject = models.CharField(_("objet"), max_length=200)
    body = models.TextField(_("texte"))
    translations = models.JSONField(default=dict, blank=True, editable=False)  # subject and text by language
    version = models.PositiveIntegerField(_("version"), default=1, editable=False)
    updated_at = models.DateTimeField(_("modifié le"), auto_now=True)

    class Meta:
        verbose_name = _("message prédéfini")
        verbose_name_plural = _("messages prédéfinis")
        ordering = ("pk",)

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Refuse unknown placeholders, with the nearest known one suggested, and line breaks in the subject."""
        errors = check_template_texts(self.key, self.subject, self.body)
        if errors:
            raise ValidationError(errors)


class MessageTemplateVersion(models.Model):
    """What a template said before and says now: one row per saved text."""

    template = models.ForeignKey(
        MessageTemplate, on_delete=models.CASCADE, related_name="versions", verbose_name=_("message")
    )
    number = models.PositiveIntegerField(_("version"))
    subject = models.CharField(_("objet"), max_length=200)
    body = models.TextField(_("texte"))
    author = models.CharField(_("auteur"), max_length=200, blank=True)
    created_at = models.DateTimeField(_("enregistrée le"), default=timezone.now)

    class Meta:
        verbose_name = _("version de message")
        verbose_name_plural = _("versions de message")
        ordering = ("-number",)
        constraints: ClassVar = [
            models.UniqueConstraint(fields=("template", "number"), name="one_text_per_template_version"),
        ]

    def __str__(self) -> str:
        return f"{self.template} v{self.number}"


class MessageQuerySet(models.QuerySet["Message"]):
    """Questions about the outbox."""

    def due(self, now: datetime.datetime) -> Self:
        """Messages to send at ``now``: waiting and due, or in the hands of a worker whose lease has ended."""
        return self.filter(
            Q(next_attempt_at__lte=now)  # set while queued or deferred only, and so for the lease: see the constraints
            | leases.has_ended(now)
        )

    def pending(self) -> Self:
        """Messages that have not reached an end."""
        return self.filter(state__in=Message.PENDING_STATES)


class Message(models.Model):
    """One mail to one recipient, from its writing to its end. A secret is never in it, only the way to it."""

    class State(models.TextChoices):
        QUEUED = "queued", _("en file")
        SENDING = "sending", _("en cours d’envoi")
        ACCEPTED = "accepted", _("envoyée")
        WRITTEN = "written", _("écrite dans un fichier")  # no mail server is set: it has not left
        DEFERRED = "deferred", _("différée")
        REJECTED = "rejected", _("rejetée")
        BOUNCED = "bounced", _("revenue")
        CANCELLED = "cancelled", _("abandonnée")

    PENDING_STATES: ClassVar = (State.QUEUED, State.SENDING, State.DEFERRED)
    # What may be sent by hand: anything that neither waits nor left. A mail in a file has not left.
    RETRYABLE_STATES: ClassVar = (State.DEFERRED, State.REJECTED, State.BOUNCED, State.CANCELLED, State.WRITTEN)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    key = models.CharField(
        _("clé"), max_length=200, unique=True, editable=False, help_text=_("Ce qui n’est écrit qu’une fois.")
    )
    kind = models.CharField(_("nature"), max_length=20, default="other")
    message_id = models.CharField(_("Message-ID"), max_length=255, unique=True, editable=False)
    recipient = models.CharField(_("destinataire"), max_length=254)
    recipient_name = models.CharField(_("nom du destinataire"), max_length=200, blank=True)
    # Where it goes instead of its recipient: written during a rehearsal, and a rehearsal for good.
    diverted_to = models.CharField(_("recette : remise à"), max_length=254, blank=True, default="", db_default="")
    sender = models.CharField(_("expéditeur"), max_length=254)
    sender_name = models.CharField(_("nom de l’expéditeur"), max_length=200, blank=True)
    reply_to = models.CharField(_("répondre à"), max_length=254, blank=True)
    subject = models.CharField(_("objet"), max_length=400)
    text = models.TextField(_("texte"))
    html = models.TextField(_("HTML"), blank=True)
    secret_reference = models.CharField(_("référence du secret"), max_length=100, blank=True, editable=False)
    in_reply_to = models.CharField(_("répond à"), max_length=255, blank=True, editable=False)
    unsubscribe_url = models.CharField(_("page des préférences"), max_length=400, blank=True)

    state = models.CharField(_("état"), max_length=10, choices=State, default=State.QUEUED)
    reason = models.TextField(_("motif"), blank=True)
    answer = models.CharField(
        _("sens de la réponse"), max_length=20, blank=True, editable=False, help_text=_("Une valeur de Reason.")
    )
    reply_code = models.PositiveSmallIntegerField(_("code du serveur"), null=True, blank=True)
    attempts = models.PositiveIntegerField(_("essais"), default=0)
    first_attempt_at = models.DateTimeField(_("premier essai"), null=True, blank=True, editable=False)
    created_at = models.DateTimeField(_("écrite le"), default=timezone.now)
    next_attempt_at = models.DateTimeField(_("prochain essai"), null=True, blank=True, default=timezone.now)
    lease_until = models.DateTimeField(_("réservée jusqu’à"), null=True, blank=True, editable=False)
    leased_by = models.CharField(_("réservée par"), max_length=100, blank=True, editable=False)
    accepted_at = models.DateTimeField(_("envoyée le"), null=True, blank=True)
    ended_at = models.DateTimeField(_("fin le"), null=True, blank=True)
    return_token = models.CharField(_("jeton de retour"), max_length=40, unique=True, editable=False)
    bounced_at = models.DateTimeField(_("revenue le"), null=True, blank=True)
    bounce_kind = models.CharField(_("nature du retour"), max_length=10, blank=True)

    objects = MessageQuerySet.as_manager()

    class Meta:
        verbose_name = _("message")
        verbose_name_plural = _("messages")
        ordering = ("-created_at",)
        indexes: ClassVar = [
            models.Index(fields=("next_attempt_at",), name="outbox_due", condition=Q(next_attempt_at__isnull=False)),
            models.Index(fields=("lease_until",), name="outbox_leased", condition=Q(lease_until__isnull=False)),
            models.Index(fields=("-created_at",), name="outbox_by_date"),
            models.Index(fields=("state", "-created_at"), name="outbox_by_state"),
            models.Index(fields=("recipient",), name="outbox_by_recipient"),
            models.Index(Upper("recipient"), name="outbox_by_any_recipient"),
            models.Index(fields=("kind", "-created_at"), name="outbox_by_kind"),
            models.Index(fields=("accepted_at",), name="outbox_accepted", condition=Q(accepted_at__isnull=False)),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=~Q(state="accepted") | Q(accepted_at__isnull=False),
                name="accepted_message_says_when",
                violation_error_message=_("Un message envoyé porte la date de son acceptation."),
            ),
            # SQLite and PostgreSQL use the two partial indexes only because these two hold.
            models.CheckConstraint(
                condition=Q(state__in=("queued", "deferred"), next_attempt_at__isnull=False)
                | (~Q(state__in=("queued", "deferred")) & Q(next_attempt_at__isnull=True)),
                name="waiting_message_says_when_it_leaves",
                violation_error_message=_("Un message en attente, et lui seul, porte la date de son prochain essai."),
            ),
            models.CheckConstraint(
                condition=Q(state="sending", lease_until__isnull=False)
                | (~Q(state="sending") & Q(lease_until__isnull=True)),
                name="leased_message_is_being_sent",
                violation_error_message=_("Un message en cours d’envoi, et lui seul, est réservé par un processus."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.subject} → {self.recipient}"


class MessageAttachment(models.Model):
    """A stored file that goes with a message: the very bytes of the document, by their storage name."""

    message = models.ForeignKey(
        Message, on_delete=models.CASCADE, related_name="attachments", verbose_name=_("message")
    )
    storage_name = models.CharField(_("fichier"), max_length=200)
    filename = models.CharField(_("nom"), max_length=200)
    content_type = models.CharField(_("type"), max_length=100, default="application/pdf")
    size = models.PositiveBigIntegerField(_("taille (octets)"))
    sha256 = models.CharField(_("empreinte SHA-256"), max_length=64)

    class Meta:
        verbose_name = _("pièce jointe")
        verbose_name_plural = _("pièces jointes")
        ordering = ("pk",)

    def __str__(self) -> str:
        return self.filename


class FailedAddress(models.Model):
    """An address that a mail server refused for good, until somebody corrects it. Kept in lower case."""

    address = models.CharField(_("adresse"), max_length=254, unique=True)
    reason = models.TextField(_("motif"))
    message = models.ForeignKey(
        Message,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="failed_addresses",
        verbose_name=_("dernier message"),
    )
    failures = models.PositiveIntegerField(_("échecs"), default=1)
    first_failed_at = models.DateTimeField(_("premier échec"), default=timezone.now)
    last_failed_at = models.DateTimeField(_("dernier échec"), default=timezone.now)
    resolved_at = models.DateTimeField(_("corrigée le"), null=True, blank=True)

    class Meta:
        verbose_name = _("adresse en erreur")
        verbose_name_plural = _("adresses en erreur")
        ordering = ("-last_failed_at",)
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(address=Lower("address")),
                name="failed_address_in_lower_case",
                violation_error_message=_("L’adresse s’écrit en minuscules."),
            ),
        ]

    def __str__(self) -> str:
        return self.address


class Reply(models.Model):
    """A mail that came to the return address and reports no failure: what a person wrote, or a machine for him."""

    class Kind(models.TextChoices):
        PERSON = "person", _("écrite par une personne")
        CHALLENGE = "challenge", _("demande de confirmation")
        UNREAD = "unread", _("avis à lire")  # a server's report of which no failure is known, or an unreadable mail
        AUTOMATIC = "automatic", _("réponse automatique")

    class State(models.TextChoices):
        OPEN = "open", _("à traiter")
        HANDED = "handed", _("confiée")
        ANSWERED = "answered", _("répondue")
        DONE = "done", _("traitée")

    OPEN_STATES: ClassVar = (State.OPEN, State.HANDED)

    key = models.CharField(_("empreinte du mail reçu"), max_length=64, unique=True, editable=False)
    kind = models.CharField(_("nature"), max_length=10, choices=Kind)
    state = models.CharField(_("état"), max_length=10, choices=State, default=State.OPEN)
    sender = models.CharField(_("adresse"), max_length=254, blank=True)
    sender_name = models.CharField(_("nom"), max_length=200, blank=True)
    subject = models.CharField(_("objet"), max_length=400, blank=True)
    text = models.TextField(_("texte"), blank=True)
    mail_id = models.CharField(_("Message-ID"), max_length=255, blank=True, editable=False)
    message = models.ForeignKey(
        Message,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="replies",
        verbose_name=_("mail auquel elle répond"),
    )
    received_at = models.DateTimeField(_("reçue le"), default=timezone.now)
    handed_to = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("confiée à"),
    )
    answer = models.ForeignKey(
        Message, on_delete=models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("notre réponse")
    )
    closed_at = models.DateTimeField(_("traitée le"), null=True, blank=True)
    closed_by = models.CharField(_("traitée par"), max_length=200, blank=True)

    class Meta:
        verbose_name = _("réponse de client")
        verbose_name_plural = _("réponses de clients")
        ordering = ("-received_at", "-pk")
        indexes: ClassVar = [models.Index(fields=("state", "kind", "-received_at"), name="replies_by_state")]

    def __str__(self) -> str:
        return self.subject or self.sender or str(_("sans objet"))

    @property
    def is_open(self) -> bool:
        """True until somebody dealt with it."""
        return self.state in self.OPEN_STATES


class OutboxControl(models.Model):
    """One row: whether mails leave, and since when not, because somebody or because :mod:`mailing.breaker` says so."""

    paused_at = models.DateTimeField(_("suspendue le"), null=True, blank=True)
    paused_by = models.CharField(_("suspendue par"), max_length=200, blank=True)
    proven_at = models.DateTimeField(_("un serveur a pris un mail le"), null=True, blank=True, editable=False)
    faults = models.PositiveIntegerField(_("refus de notre serveur, de suite"), default=0, editable=False)
    fault = models.CharField(_("motif du refus"), max_length=20, blank=True, editable=False)
    fault_reply = models.TextField(_("réponse du serveur"), blank=True, editable=False)
    rests_since = models.DateTimeField(_("au repos depuis le"), null=True, blank=True, editable=False)
    trial_at = models.DateTimeField(_("prochain mail d’essai"), null=True, blank=True, editable=False)
    trials = models.PositiveIntegerField(_("mails d’essai"), default=0, editable=False)
    alignment = models.JSONField(_("dernier contrôle de délivrabilité"), default=dict, editable=False)

    class Meta:
        verbose_name = _("commande de la boîte d’envoi")
        verbose_name_plural = _("commandes de la boîte d’envoi")
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(pk=1), name="one_outbox_control"),
        ]

    def __str__(self) -> str:
        return str(_("en pause") if self.paused_at else _("en marche"))


class MailSignIn(models.Model):
    """One row: the tokens that open the company's mail (OAuth 2.0), encrypted, and why the last one was refused."""

    settings_digest = models.CharField(_("réglages"), max_length=64, editable=False)
    access_token = models.TextField(_("jeton d’accès (chiffré)"), blank=True, editable=False)
    refresh_token = models.TextField(_("jeton de renouvellement (chiffré)"), blank=True, editable=False)
    expires_at = models.DateTimeField(_("valable jusqu’à"), null=True, blank=True)
    renewed_at = models.DateTimeField(_("renouvelé le"), null=True, blank=True)
    renewing_until = models.DateTimeField(_("en renouvellement jusqu’à"), null=True, blank=True, editable=False)
    failure = models.TextField(_("refus"), blank=True)
    failed_at = models.DateTimeField(_("refusé le"), null=True, blank=True)

    class Meta:
        verbose_name = _("connexion à la messagerie")
        verbose_name_plural = _("connexions à la messagerie")
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(pk=1), name="one_mail_sign_in"),
        ]

    def __str__(self) -> str:
        return self.failure or str(_("connectée"))


class SendingSlot(models.Model):
    """A place taken in the sliding minute and hour: the pace holds across workers because they share these rows.

    While the mail is in hand, ``taken_at`` is the latest moment at which it may leave; then, the moment it left.
    """

    taken_at = models.DateTimeField(_("pris le"), db_index=True)

    class Meta:
        verbose_name = _("créneau d’envoi")
        verbose_name_plural = _("créneaux d’envoi")

    def __str__(self) -> str:
        return self.taken_at.isoformat()


class DestinationPace(models.Model):
    """The pace of a destination that asked for fewer mails (:mod:`mailing.slowdowns`); "" represents all of them."""

    destination = models.CharField(_("destination"), max_length=255, unique=True, blank=True)
    seconds = models.FloatField(_("secondes entre deux mails"))
    told_seconds = models.FloatField(_("secondes demandées par le serveur"), default=0)
    slowed_at = models.DateTimeField(_("ralentie le"))
    next_at = models.DateTimeField(_("prochain mail le"))
    reply = models.TextField(_("réponse du serveur"), blank=True)

    def __str__(self) -> str:
        return self.destination


class WorkerPulse(models.Model):
    """A living process that sends mail or exports: its name and when it was last seen."""

    name = models.CharField(_("processus"), max_length=100, unique=True)
    role = models.CharField(_("rôle"), max_length=20)
    seen_at = models.DateTimeField(_("vu le"), default=timezone.now)
    clock_offset = models.FloatField(_("avance de son horloge sur celle de la base (secondes)"), null=True)
    time_zone = models.CharField(_("fuseau horaire"), max_length=60, blank=True, default="", db_default="")

    class Meta:
        verbose_name = verbose_name_plural = _("processus en marche")
        ordering = ("-seen_at",)

    def __str__(self) -> str:
        return self.name
