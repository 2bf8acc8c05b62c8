"""Mails that came back: each report is matched with the one mail it is about, and changes that mail only."""

import datetime
import logging
import re
from collections.abc import Iterable
from enum import Enum

from django.db import InterfaceError, OperationalError, transaction
from django.utils.translation import gettext as _

from mailing import leases
from mailing.addresses import InvalidAddressError, normalise_address, parse_address
from mailing.correspondence import keep_reply, keep_unreadable
from mailing.failed_addresses import TO_FORMER_ADDRESS, mark_address_failed
from mailing.letters import harmless
from mailing.models import Message
from mailing.reports import Failure, Nature, RecipientReport, Report, read_report

logger = logging.getLogger(__name__)


class Effect(Enum):
    """What reading one mail of the mailbox of returns led to."""

    HARD = "hard"
    FULL = "full"
    SOFT = "soft"
    POLICY = "policy"
    DELAYED = "delayed"
    KNOWN = "known"  # said before
    DELIVERED = "delivered"  # a report of success, or about another recipient
    AUTO_REPLY = "auto-reply"
    FOREIGN = "foreign"  # a report about a mail that is not ours
    CHALLENGE = "challenge"  # a service that wants a person to confirm that he wrote
    OTHER = "other"  # no report at all: somebody wrote, or no one can read it

    @property
    def needs_a_person(self) -> bool:
        """True where somebody should read the mail itself."""
        return self in (Effect.OTHER, Effect.CHALLENGE)


_EFFECTS = {
    Nature.AUTO_REPLY: Effect.AUTO_REPLY,
    Nature.CHALLENGE: Effect.CHALLENGE,
    Nature.OTHER: Effect.OTHER,
}


def take_in(raw: bytes, now: datetime.datetime) -> Effect:
    """Read one mail of the mailbox of returns and record what it says; reading it again changes nothing.

    A mail never stops the reading of the next: whatever goes wrong with it, save a database that is away, leaves it to
    a person.
    """
    try:
        return _take_in(raw, now)
    except (OperationalError, InterfaceError):
        raise
    except Exception:
        logger.exception("a mail of %d bytes could not be taken in", len(raw))
        keep_unreadable(raw, now)
        return Effect.OTHER


def _take_in(raw: bytes, now: datetime.datetime) -> Effect:
    report = read_report(raw)
    if report.nature is Nature.REPORT:
        return apply_report(report, now)
    with transaction.atomic():
        keep_reply(raw, report.nature, _message_of(report), now)
    return _EFFECTS[report.nature]


@transaction.atomic
def apply_report(report: Report, now: datetime.datetime) -> Effect:
    """Record what ``report`` says of the mail it is about."""
    message = _message_of(report)
    if message is None:
        return Effect.FOREIGN
    said = _about(message, report.recipients)
    if said is None:
        return Effect.DELIVERED
    forwarded = _forwarded_to(message, said)
    # Another address failed, to which the customer has his mails forwarded: named, and his own is not to blame.
    failure = Failure.SOFT if forwarded and said.failure is Failure.HARD else said.failure
    values = {"reason": _reason(said, forwarded), "bounce_kind": failure.value}
    left = (Message.State.ACCEPTED, Message.State.WRITTEN)  # a file may have been sent by another program
    if not said.is_final:
        # Its server still tries: the mail stays «envoyée», and says what it waits for.
        changed = Message.objects.filter(pk=message.pk, state__in=left).exclude(**values).update(**values)
        return Effect.DELAYED if changed else Effect.KNOWN
    returned = (*left, Message.State.SENDING, Message.State.DEFERRED)
    changed = leases.release(
        Message.objects.filter(pk=message.pk, state__in=returned),
        state=Message.State.BOUNCED,
        bounced_at=now,
        ended_at=now,
        next_attempt_at=None,
        leased_by="",
        **values,
    )
    if not changed:
        return Effect.KNOWN
    if failure is Failure.HARD and not message.diverted_to and message.kind != TO_FORMER_ADDRESS:
        mark_address_failed(message.recipient, values["reason"], message.pk, now)
    return Effect(failure.value)


def _message_of(report: Report) -> Message | None:
    """The mail that ``report`` is about: by its return token, which no one can guess, else by its Message-ID."""
    rows = Message.objects.select_for_update().defer("text", "html")
    if report.tokens:
        found = rows.filter(return_token__in=report.tokens).first()
        if found is not None:
            return found
    return rows.filter(message_id__in=report.message_ids).first() if report.message_ids else None


def _about(message: Message, recipients: Iterable[RecipientReport]) -> RecipientReport | None:
    """What the report says of the recipient of ``message``, where it says that it was not delivered.

    A report may name several recipients (a list, a forwarding), of whom ours is one; or, after a forwarding, only
    addresses that we do not know: then it is about our mail if all of them failed.
    """
    reports = list(recipients)
    ours = _form(message.recipient)
    named = [said for said in reports if ours in map(_form, said.addresses)]
    failing = [said for said in named or reports if said.action in ("failed", "delayed")]
    if not failing or (not named and len(failing) < len(reports)):
        return None
    return next((said for said in failing if said.is_final), failing[0])


def _form(address: str) -> str:
    """The form under which addresses are compared: lower case, domain in ASCII."""
    try:
        return str(parse_address(normalise_address(address)))
    except InvalidAddressError:
        return normalise_address(address)


def _forwarded_to(message: Message, said: RecipientReport) -> str:
    """The address that failed in the place of the recipient; "" where it is his own, or the report names none.

    Another name for his mailbox at his own domain (an alias) is his own; one elsewhere is not, though his be named too.
    """
    if not said.addresses:
        return ""
    failed, ours = said.addresses[-1], _form(message.recipient)
    if _form(failed) == ours:
        return ""
    if ours in map(_form, said.addresses) and _same_domain(failed, ours):
        return ""
    return failed


def _same_domain(one: str, other: str) -> bool:
    """True for addresses of one domain, or of a domain and one below it."""
    first, second = (f".{_form(address).rpartition('@')[2]}" for address in (one, other))
    return first.endswith(second) or second.endswith(first)


def _reason(said: RecipientReport, forwarded: str) -> str:
    words = said.reason.words if said.is_final else _("Le serveur du destinataire fait attendre le mail")
    if forwarded:
        words = _("Le client fait suivre ses mails à %(address)s. %(words)s") % {"address": forwarded, "words": words}
    server = " ".join(said.diagnostic.split())[:400]
    if said.status and not re.search(rf"\b{re.escape(said.status)}\b", server):
        server = f"{said.status} {server}".strip()
    return harmless(_("%(words)s : %(reply)s") % {"words": words, "reply": server or _("sans explication")})
