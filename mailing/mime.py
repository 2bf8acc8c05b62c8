"""A message of the outbox as the mail that goes on the wire: headers, parts, return path and signature."""

import datetime
import email.message
import email.policy
from collections.abc import Sequence
from dataclasses import dataclass
from email.headerregistry import Address, HeaderRegistry, UniqueUnstructuredHeader
from html import escape
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.utils.encoding import iri_to_uri
from django.utils.translation import gettext as _

from mailing.addresses import Mailbox, parse_address
from mailing.placeholders import SECRET_MASK
from mailing.signatures import sign

if TYPE_CHECKING:
    from mailing.models import Message


class _UnfoldedHeader(UniqueUnstructuredHeader):
    """A header of one long word, which Python would write in pieces, as encoded words that no mail client reads."""

    def fold(self, *, policy: email.policy.Policy) -> str:
        return f"List-Unsubscribe: {self}{policy.linesep}"


_header_factory = HeaderRegistry()
_header_factory.map_to_type("list-unsubscribe", _UnfoldedHeader)  # type: ignore[arg-type]
# Bodies in 7 bits: they pass through any server unchanged, so that a signature stays valid.
_POLICY = email.policy.SMTP.clone(cte_type="7bit", header_factory=_header_factory)
_POLICY_UTF8 = _POLICY.clone(utf8=True)


@dataclass(frozen=True)
class LoadedFile:
    """An attachment in memory."""

    filename: str
    content_type: str
    content: bytes


class OutgoingMail(EmailMultiAlternatives):
    """A mail of Django's own kind, that knows its return path and how it is written on the wire."""

    envelope_sender: str
    envelope_recipient: Mailbox
    needs_smtputf8: bool

    def message(self, *, policy: email.policy.Policy | None = None) -> Any:
        """The mail as Python's email package holds it; by default with the line ends and headers of the wire."""
        return super().message(policy=policy or (_POLICY_UTF8 if self.needs_smtputf8 else _POLICY))

    def as_wire(self) -> bytes:
        """The bytes of the DATA command, signed where signing is set up (the dots not yet doubled)."""
        return sign(self.message().as_bytes())


def return_path(message: "Message") -> str:
    """The address to which servers return ``message``: one of its own (VERP), or its sender where none is set up."""
    if not settings.BOUNCE_ADDRESS:
        return str(parse_address(message.sender))
    mailbox = parse_address(settings.BOUNCE_ADDRESS)
    return f"{mailbox.local}+{message.return_token}@{mailbox.domain}"


def build_mail(
    message: "Message", files: Sequence[LoadedFile], secret: str | None, now: datetime.datetime
) -> OutgoingMail:
    """``message`` ready to leave at ``now``; ``secret``, where there is one, takes the place of the mask.

    Raises InvalidAddressError for an address that is none.
    """
    recipient, sender = parse_address(message.diverted_to or message.recipient), parse_address(message.sender)
    reply_to = parse_address(message.reply_to) if message.reply_to else None
    text, html = message.text, message.html
    if secret is not None:
        text, html = text.replace(SECRET_MASK, secret), html.replace(SECRET_MASK, escape(secret))
    headers: dict[str, Any] = {
        "Message-ID": message.message_id,
        "Date": now,
    }
    if message.in_reply_to:
        headers["In-Reply-To"] = headers["References"] = message.in_reply_to  # written by a person
    else:
        headers["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office reply, please
    if message.unsubscribe_url:
        headers["List-Unsubscribe"] = f"<{iri_to_uri(message.unsubscribe_url)}>"
    mail = OutgoingMail(
        subject=_subject(message),
        body=text,
        from_email=_header_address(message.sender_name, sender),
        to=[_header_address(message.recipient_name, recipient)],
        reply_to=[str(reply_to)] if reply_to else [],
        headers=headers,
    )
    if html:
        mail.attach_alternative(html, "text/html")
    for file in files:
        mail.attach(file.filename, file.content, file.content_type)
    mail.envelope_sender = return_path(message)
    mail.envelope_recipient = recipient
    mail.needs_smtputf8 = any(box is not None and box.needs_smtputf8 for box in (recipient, sender, reply_to))
    return mail


def _subject(message: "Message") -> str:
    """The subject; in a rehearsal it says so first, and for whom the mail would have been."""
    if not message.diverted_to:
        return message.subject
    return _("[Recette, pour %(recipient)s] %(subject)s") % {
        "recipient": message.recipient,
        "subject": message.subject,
    }


def _header_address(name: str, mailbox: Mailbox) -> str:
    return str(Address(display_name=name, username=mailbox.local, domain=mailbox.domain))
