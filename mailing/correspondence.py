"""What people write to the return address: a work list, from the mail that came to the answer that leaves.

A mail that was read twice is kept once. Automatic replies are kept apart: they need no answer.
"""

import datetime
import hashlib
import uuid
from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from mailing.addresses import parse_address
from mailing.identity import default_identity
from mailing.letters import Letter, read_letter
from mailing.models import Message, Reply
from mailing.outbox import Draft, write_messages
from mailing.plain_text import one_line
from mailing.reports import Nature, is_complaint, is_return

# What is kept of a text: a letter, not the thread of a year.
MOST_TEXT = 20_000
QUOTED_TEXT = 5_000


class TooLateError(Exception):
    """Somebody dealt with the reply meanwhile; the message is French."""


# ─── What comes ──────────────────────────────────────────────────────────────────────────────────────────────────────
def keep_reply(raw: bytes, nature: Nature, message: Message | None, now: datetime.datetime) -> None:
    """Keep the mail ``raw``, which came in answer to ``message`` (None: to none that we know); once only."""
    letter = read_letter(raw)
    kind = {Nature.AUTO_REPLY: Reply.Kind.AUTOMATIC, Nature.CHALLENGE: Reply.Kind.CHALLENGE}.get(nature)
    if kind is None:
        kind = Reply.Kind.UNREAD if is_return(letter) or is_complaint(letter) else Reply.Kind.PERSON
    name, address = letter.sender
    Reply.objects.get_or_create(
        key=hashlib.sha256(raw).hexdigest(),
        defaults={
            "kind": kind,
            "state": Reply.State.DONE if kind is Reply.Kind.AUTOMATIC else Reply.State.OPEN,
            "sender": letter.answer_address or one_line(address)[:254],
            "sender_name": one_line(name)[:200],
            "subject": one_line(letter.header("Subject"))[:400],
            "text": _text(letter, with_links=kind is Reply.Kind.CHALLENGE),
            "mail_id": _mail_id(letter),
            "message": message,
            "received_at": now,
        },
    )


def keep_unreadable(raw: bytes, now: datetime.datetime) -> None:
    """Keep a mail of which nothing is known, so that somebody looks for it in the mailbox."""
    text = _("Ce mail n’a pas pu être lu. Il est resté dans la boîte des retours, marqué.")
    Reply.objects.get_or_create(
        key=hashlib.sha256(raw).hexdigest(), defaults={"kind": Reply.Kind.UNREAD, "text": text, "received_at": now}
    )


def _text(letter: Letter, *, with_links: bool) -> str:
    text = letter.text.replace("\r\n", "\n").strip()
    if with_links and letter.links:
        text = f"{text}\n\n{'\n'.join(letter.links)}"
    return text[:MOST_TEXT]


def _mail_id(letter: Letter) -> str:
    """The Message-ID, for an answer to name; "" where it could not be in a header."""
    value = letter.header("Message-ID").strip()
    is_plain = value.isascii() and value.isprintable() and " " not in value and len(value) <= 255
    return value if is_plain and value.startswith("<") and value.endswith(">") else ""


# ─── The work list ───────────────────────────────────────────────────────────────────────────────────────────────────
@dataclass(frozen=True)
class OpenReplies:
    """How many replies wait for an answer: all of them, and those handed to the one who asks."""

    total: int
    mine: int


def count_open(account_id: int) -> OpenReplies:
    """What waits in the work list, and of it what was handed to the account ``account_id``."""
    waiting = Reply.objects.filter(state__in=Reply.OPEN_STATES)
    return OpenReplies(waiting.count(), waiting.filter(handed_to=account_id).count())


def mark_done(reply_id: int, by: str) -> None:
    """Somebody dealt with the reply, in whatever way. Raises TooLateError."""
    _change(reply_id, state=Reply.State.DONE, closed_at=timezone.now(), closed_by=by[:200])


def reopen(reply_id: int) -> None:
    """Put a reply back in the work list."""
    values = {"state": Reply.State.OPEN, "closed_at": None, "closed_by": "", "handed_to": None}
    Reply.objects.filter(pk=reply_id).exclude(state__in=Reply.OPEN_STATES).update(**values)


def hand_over(reply_id: int, account_id: int) -> None:
    """Give the reply to a member of staff. Raises TooLateError."""
    _change(reply_id, state=Reply.State.HANDED, handed_to=account_id)


@transaction.atomic
def answer_by_mail(reply_id: int, text: str, by: str) -> uuid.UUID:
    """Write ``text`` to the one who wrote, above his own words; the id of the mail.

    Raises TooLateError, and mailing.addresses.InvalidAddressError where there is no address to write to.
    """
    reply = Reply.objects.select_for_update().get(pk=reply_id)
    parse_address(reply.sender)
    identity = default_identity()
    draft = Draft(
        key=f"answer:{reply.pk}:{uuid.uuid4().hex}",
        kind="answer",
        recipient=reply.sender,
        recipient_name=reply.sender_name,
        sender=identity.address,
        sender_name=identity.name,
        reply_to=identity.reply_to,
        subject=_answer_subject(reply.subject),
        text=f"{text.strip()}\n\n{quote(reply)}\n",
        in_reply_to=reply.mail_id,
    )
    [pk] = write_messages([draft])
    closed = {"closed_at": timezone.now(), "closed_by": by[:200]}
    _change(reply_id, state=Reply.State.ANSWERED, answer_id=pk, **closed)
    return pk


def quote(reply: Reply) -> str:
    """What the sender wrote, as an answer quotes it."""
    when = date_format(timezone.localtime(reply.received_at), "d/m/Y")
    head = _("Le %(date)s, %(name)s a écrit :") % {"date": when, "name": reply.sender_name or reply.sender}
    return "\n".join([head, *(f"> {line}".rstrip() for line in reply.text[:QUOTED_TEXT].splitlines())])


def _answer_subject(subject: str) -> str:
    return subject if subject.lower().startswith("re:") else f"Re: {subject}"[:400]


def _change(reply_id: int, **values: object) -> None:
    if not Reply.objects.filter(pk=reply_id, state__in=Reply.OPEN_STATES).update(**values):
        raise TooLateError(_("Cette réponse a été traitée entre-temps : rien n’a été fait."))
