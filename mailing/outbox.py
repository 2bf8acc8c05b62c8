"""The outbox, as the other rooms see it: plain values in, plain values out.

Nothing else of this room needs to be known to write a mail, follow it, hold it back or send it again. Its
neighbours say when it will be empty (``forecasts``), where not to write (``failed_addresses``), what runs
(``heartbeats``).
"""

import datetime
import secrets
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from itertools import batched
from typing import Any

from django.db import transaction
from django.db.models import Count, Min, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from mailing import breaker
from mailing.addresses import InvalidAddressError, parse_address
from mailing.estimates import estimate_rows
from mailing.identity import default_identity
from mailing.leases import database_now
from mailing.models import Message, MessageAttachment, OutboxControl
from mailing.plain_text import ERASED_TEXT, one_line

# Rows or values per statement: well below what both databases take.
BATCH = 1000


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
    in_reply_to: str = ""  # the Message-ID of the mail that a person answers with this one
    attachments: tuple[Attachment, ...] = ()


@dataclass(frozen=True)
class MessageState:
    """The state of a mail. ``state`` is one of Message.State's values, ``label`` its French word."""

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


@transaction.atomic(savepoint=False)
def write_messages(drafts: Iterable[Draft]) -> list[uuid.UUID]:
    """Write mails in the outbox, inside the caller's transaction; their ids, in the order of ``drafts``.

    A key that was written before writes nothing and gives the id of the mail it named. Three statements per thousand.
    """
    now, due = timezone.now(), database_now()
    diverted_to = default_identity().rehearsal_address
    ids: list[uuid.UUID] = []
    for chunk in batched(drafts, BATCH):
        rows = {
            draft.key: _row(draft, now, due, diverted_to) for draft in reversed(chunk)
        }  # the first of equal keys wins
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


@lru_cache(maxsize=100)
def _domain_of(sender: str) -> str:
    """The domain that the Message-IDs of a sender's mails end with."""
    try:
        return parse_address(sender).domain
    except InvalidAddressError:
        return "localhost"  # the mail will be rejected at sending, with a reason that can be read and mended


def _row(draft: Draft, now: datetime.datetime, due: datetime.datetime, diverted_to: str) -> Message:
    identifier = uuid.uuid4()
    return Message(
        pk=identifier,
        key=draft.key,
        kind=draft.kind,
        # Its time first, so that names made of it sort by date; made once, so that a mail sent again is the same mail.
        message_id=f"<{now.astimezone(datetime.UTC):%Y%m%d%H%M%S}.{identifier.hex}@{_domain_of(draft.sender)}>",
        # Mail servers may change the case of a return path: lower-case digits only.
        return_token=secrets.token_hex(12),
        recipient=draft.recipient.strip(),
        recipient_name=one_line(draft.recipient_name),
        diverted_to=diverted_to,
        sender=draft.sender.strip(),
        sender_name=one_line(draft.sender_name),
        reply_to=draft.reply_to.strip(),
        subject=one_line(draft.subject),
        text=draft.text,
        html=draft.html,
        secret_reference=draft.secret_reference,
        unsubscribe_url=draft.unsubscribe_url,
        in_reply_to=draft.in_reply_to,
        created_at=now,
        next_attempt_at=due,
    )


# ─── What became of mails ────────────────────────────────────────────────────────────────────────────────────────────
def states_of(ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, MessageState]:
    """The state of each mail of ``ids``; ids that are none are left out."""
    return {
        row.pk: MessageState(
            state=row.state,
            label=str(Message.State(row.state).label),
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


def has_sent() -> bool:
    """True where a mail has left, were it for a file."""
    return Message.objects.filter(state__in=(Message.State.ACCEPTED, Message.State.WRITTEN)).exists()


def has_message_with_key(beginning: str) -> bool:
    """True where a mail was written whose key begins so."""
    return Message.objects.filter(key__startswith=beginning).exists()


def latest_key(beginning: str) -> str:
    """The key, among those that begin so, of the mail that was written last; empty where there is none."""
    found = Message.objects.filter(key__startswith=beginning).order_by("-created_at").values_list("key", flat=True)
    return found.first() or ""


def find_latest(kind: str, recipient: str) -> MessageState | None:
    """The state of the latest mail of ``kind`` to ``recipient``; None where there is none."""
    latest = Message.objects.filter(kind=kind, recipient=recipient).order_by("-created_at")
    return next(iter(states_of(latest.values_list("pk", flat=True)[:1]).values()), None)


def messages_to(addresses: Iterable[str], limit: int = 200) -> list[StoredMessage]:
    """The last ``limit`` mails to ``addresses`` (as written or in small letters), newest first. Two statements."""
    return _stored(Message.objects.filter(recipient__in=_forms(addresses)), limit)


def mails_with_secret(reference: str, addresses: Iterable[str], limit: int = 20) -> list[StoredMessage]:
    """The last ``limit`` mails to ``addresses`` that contain the secret of ``reference``, newest first."""
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
            label=str(Message.State(row.state).label),
            attachments=tuple(attachment.filename for attachment in row.attachments.all()),
            created_at=row.created_at,
            accepted_at=row.accepted_at,
        )
        for row in rows.prefetch_related("attachments")[:limit]
    ]


def count_states(ids: Iterable[Any], total: int | None = None) -> dict[str, tuple[str, int]]:
    """Of the mails ``ids``, how many are in each state: state → (its French word, count), in the order of a life.

    A query of ids (``values_list("message")``) is counted by one statement whatever its length. Where their ``total``
    is known, those that were sent are what the others leave of it: the others are few, and found by their state.
    """
    counts: dict[str, int] = {}
    mails = Message.objects.order_by()
    if total is not None:
        mails = mails.filter(state__in=[state for state in Message.State.values if state != Message.State.ACCEPTED])
    for chunk in [ids] if isinstance(ids, QuerySet) else batched(ids, BATCH):
        for state, count in mails.filter(pk__in=chunk).values_list("state").annotate(Count("pk")):
            counts[state] = counts.get(state, 0) + count
    if total is not None and (sent := total - sum(counts.values())) > 0:
        counts[Message.State.ACCEPTED] = sent
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
    """Mails per state, every state named, and ``due``: how many of them a worker could take at ``now``.

    Where :func:`is_estimated`, ``accepted`` is about how many were sent: counting a million takes longer than a page.
    """
    counts = dict.fromkeys(Message.State.values, 0)
    total = estimate_rows(Message)
    rows = Message.objects.order_by()
    if total is not None:
        rows = rows.filter(state__in=[state for state in counts if state != Message.State.ACCEPTED])
    counts.update(rows.values_list("state").annotate(Count("pk")))
    if total is not None:
        counts[Message.State.ACCEPTED] = max(total - sum(counts.values()), 0)
    counts["due"] = Message.objects.due(now).count()
    return counts


def is_estimated() -> bool:
    """True where there are so many mails that :func:`summary` estimates those that were sent."""
    return estimate_rows(Message) is not None


def oldest_due(now: datetime.datetime) -> datetime.datetime | None:
    """Since when the mail that waits longest at ``now`` could have left; None where none is due or sending rests."""
    if is_paused():
        return None
    found: datetime.datetime | None = Message.objects.due(now).aggregate(oldest=Min("next_attempt_at"))["oldest"]
    return found


def _restart_values(reason: str) -> dict[str, Any]:
    return {
        "state": Message.State.QUEUED,
        "reason": reason,
        "answer": "",
        "reply_code": None,
        "attempts": 0,
        "first_attempt_at": None,
        "next_attempt_at": database_now(),
        "ended_at": None,
        "bounced_at": None,
        "bounce_kind": "",
    }


def retry(ids: Iterable[uuid.UUID], by: str) -> int:
    """Queue again mails that did not arrive, or were written in a file; how many were. ``by`` is a person's name.

    Accepted mails and mails in hand are left alone: the same mail is never sent twice by pressing a button.
    """
    values = _restart_values(_("Remise en file par %(name)s.") % {"name": by})
    if rehearsal_address := default_identity().rehearsal_address:
        values["diverted_to"] = rehearsal_address
    return sum(
        Message.objects.filter(pk__in=chunk, state__in=Message.RETRYABLE_STATES)
        .exclude(text=ERASED_TEXT)
        .update(accepted_at=None, **values)
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


def divert_pending(address: str) -> int:
    """Send the mails that still wait to ``address`` instead of their recipients; returns how many.

    A mail that was diverted stays so, whatever becomes of the rehearsal: what was a trial never reaches a customer.
    """
    waiting = (Message.State.QUEUED, Message.State.DEFERRED)
    return Message.objects.filter(diverted_to="", state__in=waiting).update(diverted_to=address)


# ─── Pause ───────────────────────────────────────────────────────────────────────────────────────────────────────────
def pause(by: str) -> None:
    """Let no further mail leave; those on the wire end. Pausing twice keeps the first name and time."""
    OutboxControl.objects.get_or_create(pk=1)
    OutboxControl.objects.filter(pk=1, paused_at__isnull=True).update(paused_at=timezone.now(), paused_by=by)


def resume() -> None:
    """Let mails leave again, whoever held them back."""
    breaker.end_rest(database_now())
    OutboxControl.objects.filter(pk=1).update(paused_at=None, paused_by="")


def is_paused() -> bool:
    """True while no mail leaves."""
    return OutboxControl.objects.filter(pk=1, paused_at__isnull=False).exists()


def paused_since() -> tuple[datetime.datetime, str] | None:
    """Since when no mail leaves, and who said so; None while mails leave."""
    return why_nothing_leaves()[0]


def why_nothing_leaves() -> tuple[tuple[datetime.datetime, str] | None, breaker.Rest | None]:
    """Since when somebody holds mails back, and who; and the rest of the outbox. None for what is not so. One query."""
    row = OutboxControl.objects.filter(pk=1).first()
    paused = (row.paused_at, row.paused_by) if row and row.paused_at else None
    return paused, breaker.rest_of(row)
