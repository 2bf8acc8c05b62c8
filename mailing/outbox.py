"""The outbox, as the other rooms see it: plain values in, plain values out.

Nothing else of this room needs to be known to write a mail, follow it, hold it back or send it again.
"""

import datetime
import math
import secrets
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import batched
from typing import Any

from django.db import transaction
from django.db.models import Count, F, Min, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from mailing import breaker
from mailing.addresses import InvalidAddressError, normalise_address, parse_address
from mailing.models import FailedAddress, Message, MessageAttachment, OutboxControl, WorkerPulse
from mailing.pace import time_to_send
from mailing.plain_text import one_line

# Rows or values per statement: well below what both databases take.
BATCH = 1000
# How far back the speed is measured where no limit is set.
SPEED_WINDOW = datetime.timedelta(minutes=10)
PULSE_LIFETIME = datetime.timedelta(days=1)


@dataclass(frozen=True)
class Attachment:
    """A stored file that goes with a mail: the very bytes named by ``storage_name``, ``size`` in bytes."""

    storage_name: str
    filename: str
    content_type: str
    size: int
    sha256: str


@dataclass(frozen=True)
class Draft:
    """A mail to write. ``key`` says what is written once only; ``secret_reference`` goes to the secret provider."""

    key: str
    kind: str
    recipient: str
    sender: str
    subject: str
    text: str
    html: str = ""
    recipient_name: str = ""
    sender_name: str = ""
    reply_to: str = ""
    secret_reference: str = ""
    unsubscribe_url: str = ""
    attachments: tuple[Attachment, ...] = ()


@dataclass(frozen=True)
class MessageState:
    """Where a mail stands. ``state`` is one of Message.State's values, ``label`` its French word."""

    state: str
    label: str
    reason: str
    recipient: str
    attempts: int
    created_at: datetime.datetime
    next_attempt_at: datetime.datetime | None
    accepted_at: datetime.datetime | None
    bounced_at: datetime.datetime | None


@dataclass(frozen=True)
class StoredMessage:
    """A mail as it is kept: its secret masked. ``label`` is the French word of its state."""

    pk: uuid.UUID
    recipient: str
    subject: str
    text: str
    state: str
    label: str
    attachments: tuple[str, ...]
    created_at: datetime.datetime
    accepted_at: datetime.datetime | None


@dataclass(frozen=True)
class Forecast:
    """When the outbox will be empty: ``pending`` mails, at ``per_minute``; no end (None) where nothing leaves.

    ``per_minute`` is the limit that counts, or the speed of the last minutes, or None.
    """

    pending: int
    per_minute: int | None
    end_at: datetime.datetime | None

    def __str__(self) -> str:
        """«1 000 mails à 120 par minute : fin vers 14 h 08», in local time."""
        count = f"{self.pending:,}".replace(",", "\u202f")
        words = (_("%(count)s mail") if self.pending < 2 else _("%(count)s mails")) % {"count": count}
        if self.per_minute is not None:
            words = _("%(mails)s à %(speed)s par minute") % {"mails": words, "speed": self.per_minute}
        if self.end_at is None or not self.pending:
            return words
        end = timezone.localtime(self.end_at)
        if timezone.localdate(self.end_at) == timezone.localdate():
            return _("%(mails)s : fin vers %(time)s") % {"mails": words, "time": f"{end:%-H\u00a0h\u00a0%M}"}
        return _("%(mails)s : fin le %(date)s vers %(time)s") % {
            "mails": words,
            "date": f"{end:%d/%m/%Y}",
            "time": f"{end:%-H\u00a0h\u00a0%M}",
        }


@dataclass(frozen=True)
class Pulse:
    """The last sign of life of a process."""

    name: str
    role: str
    seen_at: datetime.datetime


@transaction.atomic
def write_messages(drafts: Iterable[Draft]) -> list[uuid.UUID]:
    """Write mails in the outbox, inside the caller's transaction; their ids, in the order of ``drafts``.

    A key that was written before writes nothing and gives the id of the mail it named. Three statements per thousand.
    """
    now = timezone.now()
    ids: list[uuid.UUID] = []
    for chunk in batched(drafts, BATCH):
        rows = {draft.key: _row(draft, now) for draft in reversed(chunk)}  # the first of equal keys wins
        # An insert that waits for another transaction's equal key, then yields to it, is what makes this exactly once.
        Message.objects.bulk_create(rows.values(), ignore_conflicts=True)
        written = dict(Message.objects.filter(key__in=rows).values_list("key", "pk"))
        first_drafts = {draft.key: draft for draft in reversed(chunk)}
        MessageAttachment.objects.bulk_create(
            MessageAttachment(
                message_id=row.pk,
                storage_name=attachment.storage_name,
                filename=one_line(attachment.filename),
                content_type=attachment.content_type,
                size=attachment.size,
                sha256=attachment.sha256,
            )
            for key, row in rows.items()
            if written[key] == row.pk
            for attachment in first_drafts[key].attachments
        )
        ids.extend(written[draft.key] for draft in chunk)
    return ids


def _row(draft: Draft, now: datetime.datetime) -> Message:
    identifier = uuid.uuid4()
    try:
        domain = parse_address(draft.sender).domain
    except InvalidAddressError:
        domain = "localhost"  # the mail will be rejected at sending, with a reason that can be read and mended
    return Message(
        pk=identifier,
        key=draft.key,
        kind=draft.kind,
        # Its time first, so that names made of it sort by date; made once, so that a mail sent again is the same mail.
        message_id=f"<{now.astimezone(datetime.UTC):%Y%m%d%H%M%S}.{identifier.hex}@{domain}>",
        # Mail servers may change the case of a return path: lower-case digits only.
        return_token=secrets.token_hex(12),
        recipient=draft.recipient.strip(),
        recipient_name=one_line(draft.recipient_name),
        sender=draft.sender.strip(),
        sender_name=one_line(draft.sender_name),
        reply_to=draft.reply_to.strip(),
        subject=one_line(draft.subject),
        text=draft.text,
        html=draft.html,
        secret_reference=draft.secret_reference,
        unsubscribe_url=draft.unsubscribe_url,
        created_at=now,
        next_attempt_at=now,
    )


# ─── What became of mails ────────────────────────────────────────────────────────────────────────────────────────────
def states_of(ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, MessageState]:
    """Where each mail of ``ids`` stands; ids that are none are left out."""
    return {
        row.pk: MessageState(
            state=row.state,
            label=str(row.get_state_display()),
            reason=row.reason,
            recipient=row.recipient,
            attempts=row.attempts,
            created_at=row.created_at,
            next_attempt_at=row.next_attempt_at,
            accepted_at=row.accepted_at,
            bounced_at=row.bounced_at,
        )
        for chunk in batched(ids, BATCH)
        for row in Message.objects.filter(pk__in=chunk).defer("text", "html")
    }


def messages_to(addresses: Iterable[str], limit: int = 200) -> list[StoredMessage]:
    """The last ``limit`` mails to ``addresses`` (as written or in small letters), newest first. Two statements."""
    return _stored(Message.objects.filter(recipient__in=_forms(addresses)), limit)


def mails_with_secret(reference: str, addresses: Iterable[str], limit: int = 20) -> list[StoredMessage]:
    """The last ``limit`` mails to ``addresses`` that tell the secret of ``reference``, newest first."""
    found = Message.objects.filter(recipient__in=_forms(addresses), secret_reference=reference)
    return _stored(found, limit)


def _forms(addresses: Iterable[str]) -> set[str]:
    return {form for address in addresses for form in (address, address.lower())}


def _stored(messages: QuerySet[Message], limit: int) -> list[StoredMessage]:
    rows = messages.order_by("-created_at").defer("html")
    return [
        StoredMessage(
            pk=row.pk,
            recipient=row.recipient,
            subject=row.subject,
            text=row.text,
            state=row.state,
            label=str(row.get_state_display()),
            attachments=tuple(attachment.filename for attachment in row.attachments.all()),
            created_at=row.created_at,
            accepted_at=row.accepted_at,
        )
        for row in rows.prefetch_related("attachments")[:limit]
    ]


def count_states(ids: Iterable[Any]) -> dict[str, tuple[str, int]]:
    """Of the mails ``ids``, how many are in each state: state → (its French word, count), in the order of a life.

    A query of ids (``values_list("message")``) is counted by one statement whatever its length.
    """
    counts: dict[str, int] = {}
    for chunk in [ids] if isinstance(ids, QuerySet) else batched(ids, BATCH):
        rows = Message.objects.filter(pk__in=chunk).order_by().values_list("state").annotate(Count("pk"))
        for state, count in rows:
            counts[state] = counts.get(state, 0) + count
    return {state.value: (str(state.label), counts[state]) for state in Message.State if state in counts}


def failed_among(ids: Iterable[Any]) -> list[uuid.UUID]:
    """Of the mails ``ids`` (or a query of ids), those that did not arrive: deferred, rejected or bounced."""
    states = (Message.State.DEFERRED, Message.State.REJECTED, Message.State.BOUNCED)
    return [
        pk
        for chunk in ([ids] if isinstance(ids, QuerySet) else batched(ids, BATCH))
        for pk in Message.objects.filter(pk__in=chunk, state__in=states).values_list("pk", flat=True)
    ]


def summary(now: datetime.datetime) -> dict[str, int]:
    """Mails per state, every state named, and ``due``: how many of them a worker could take at ``now``."""
    counts = dict.fromkeys(Message.State.values, 0)
    counts.update(Message.objects.order_by().values_list("state").annotate(Count("pk")))
    counts["due"] = Message.objects.due(now).count()
    return counts


def oldest_due(now: datetime.datetime) -> datetime.datetime | None:
    """Since when the mail that waits longest at ``now`` could have left; None where none is due or sending rests."""
    if is_paused():
        return None
    found: datetime.datetime | None = Message.objects.due(now).aggregate(oldest=Min("next_attempt_at"))["oldest"]
    return found


def forecast(now: datetime.datetime) -> Forecast:
    """When the mails that wait at ``now`` will have left."""
    pending = Message.objects.pending().count()
    paused = is_paused() or breaker.current_rest() is not None
    limited = time_to_send(pending)
    if limited is not None:
        duration, per_minute = limited
    else:
        recent = Message.objects.filter(accepted_at__gt=now - SPEED_WINDOW, accepted_at__lte=now).aggregate(
            count=Count("pk"), first=Min("accepted_at")
        )
        if not recent["count"]:
            return Forecast(pending, None, None)
        minutes = max((now - recent["first"]).total_seconds() / 60, 1)
        per_minute = max(round(recent["count"] / minutes), 1)
        duration = datetime.timedelta(minutes=pending / per_minute)
    return Forecast(pending, per_minute, None if paused else now + duration)


def describe_sending_time(mails: int) -> str:
    """«envoi en 2 h 05 à 120 par minute» for so many mails; empty without mails, or where no pace is set."""
    found = time_to_send(mails) if mails else None
    if found is None:
        return ""
    minutes = max(math.ceil(found[0].total_seconds() / 60), 1)
    hours, rest = divmod(minutes, 60)
    duration = f"{hours}\u00a0h\u00a0{rest:02}" if hours else f"{minutes}\u00a0min"
    return _("envoi en %(duration)s à %(speed)s par minute") % {"duration": duration, "speed": found[1]}


def _restart_values(reason: str) -> dict[str, Any]:
    return {
        "state": Message.State.QUEUED,
        "reason": reason,
        "answer": "",
        "reply_code": None,
        "attempts": 0,
        "first_attempt_at": None,
        "next_attempt_at": timezone.now(),
        "ended_at": None,
        "bounced_at": None,
        "bounce_kind": "",
    }


def retry(ids: Iterable[uuid.UUID], by: str) -> int:
    """Queue again mails that are deferred, rejected, bounced or cancelled; how many were. ``by`` is a person's name.

    Accepted mails and mails in hand are left alone: the same mail is never sent twice by pressing a button.
    """
    states = (Message.State.DEFERRED, Message.State.REJECTED, Message.State.BOUNCED, Message.State.CANCELLED)
    values = _restart_values(_("Relancée par %(name)s.") % {"name": by})
    return sum(
        Message.objects.filter(pk__in=chunk, state__in=states).update(accepted_at=None, **values)
        for chunk in batched(ids, BATCH)
    )


def cancel(ids: Iterable[uuid.UUID], by: str) -> int:
    """Give up mails that wait (queued or deferred); how many were. A mail on the wire cannot be called back."""
    return sum(
        Message.objects.filter(pk__in=chunk, state__in=(Message.State.QUEUED, Message.State.DEFERRED)).update(
            state=Message.State.CANCELLED,
            reason=_("Abandonnée par %(name)s.") % {"name": by},
            next_attempt_at=None,
            ended_at=timezone.now(),
        )
        for chunk in batched(ids, BATCH)
    )


# ─── Pause ───────────────────────────────────────────────────────────────────────────────────────────────────────────
def pause(by: str) -> None:
    """Let no further mail leave; those on the wire end. Pausing twice keeps the first name and time."""
    OutboxControl.objects.get_or_create(pk=1)
    OutboxControl.objects.filter(pk=1, paused_at__isnull=True).update(paused_at=timezone.now(), paused_by=by)


def resume() -> None:
    """Let mails leave again, whoever held them back."""
    breaker.end_rest(timezone.now())
    OutboxControl.objects.filter(pk=1).update(paused_at=None, paused_by="")


def is_paused() -> bool:
    """True while no mail leaves."""
    return OutboxControl.objects.filter(pk=1, paused_at__isnull=False).exists()


def paused_since() -> tuple[datetime.datetime, str] | None:
    """Since when no mail leaves, and who said so; None while mails leave."""
    row = OutboxControl.objects.filter(pk=1, paused_at__isnull=False).first()
    return (row.paused_at, row.paused_by) if row and row.paused_at else None


# ─── Addresses that mail servers refuse ──────────────────────────────────────────────────────────────────────────────
def known_bad(addresses: Iterable[str]) -> dict[str, str]:
    """Of ``addresses``, as they are written, those refused for good and not corrected since → the reason."""
    by_form: dict[str, list[str]] = {}
    for address in addresses:
        by_form.setdefault(normalise_address(address), []).append(address)
    return {
        written: reason
        for chunk in batched(by_form, BATCH)
        for form, reason in FailedAddress.objects.filter(address__in=chunk, resolved_at__isnull=True).values_list(
            "address", "reason"
        )
        for written in by_form[form]
    }


def mark_address_failed(address: str, reason: str, message: uuid.UUID | None, now: datetime.datetime) -> None:
    """Remember that a mail server refused ``address`` for good; one row per address, its failures counted."""
    row, created = FailedAddress.objects.get_or_create(
        address=normalise_address(address),
        defaults={"reason": reason, "message_id": message, "first_failed_at": now, "last_failed_at": now},
    )
    if not created:
        FailedAddress.objects.filter(pk=row.pk).update(
            reason=reason, message_id=message, failures=F("failures") + 1, last_failed_at=now, resolved_at=None
        )


def resolve_address(address: str) -> bool:
    """Mark ``address`` as corrected; True where it was in error."""
    return bool(
        FailedAddress.objects.filter(address=normalise_address(address), resolved_at__isnull=True).update(
            resolved_at=timezone.now()
        )
    )


def failed_addresses(start: int = 0, stop: int | None = None) -> Iterator[tuple[str, str, datetime.datetime]]:
    """Addresses in error, the latest first, ``start`` to ``stop``: address, reason, time of the last failure."""
    found = FailedAddress.objects.filter(resolved_at__isnull=True).order_by("-last_failed_at", "pk")
    yield from found.values_list("address", "reason", "last_failed_at")[start:stop]


def count_failed_addresses() -> int:
    """How many addresses are in error now."""
    return FailedAddress.objects.filter(resolved_at__isnull=True).count()


# ─── Signs of life ───────────────────────────────────────────────────────────────────────────────────────────────────
def beat(name: str, role: str) -> None:
    """Say that the process ``name`` (machine and number) lives and does ``role``; call it every few seconds."""
    now = timezone.now()
    WorkerPulse.objects.update_or_create(name=name, defaults={"role": role, "seen_at": now})
    WorkerPulse.objects.filter(seen_at__lt=now - PULSE_LIFETIME).delete()


def fall_silent(name: str) -> None:
    """Forget the process ``name``, which ends in good order."""
    WorkerPulse.objects.filter(name=name).delete()


def last_pulse(role: str = "") -> Pulse | None:
    """The latest sign of life, of any process or of those doing ``role``; None where there was none."""
    row = WorkerPulse.objects.filter(Q(role=role) if role else Q()).first()
    return Pulse(row.name, row.role, row.seen_at) if row else None
