"""What a mail that came back says: which of our mails, which recipient, and whether for good (RFC 3464, and the rest).

Pure reading: bytes in, a :class:`Report` out. Servers that write no RFC 3464 report are read by flufl.bounce.
"""

import email
import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.header import decode_header, make_header
from email.message import Message as Mail
from email.utils import parseaddr
from enum import Enum

from flufl.bounce import all_failures

from mailing.answers import classify, is_for_now
from mailing.reasons import Reason


class Nature(Enum):
    """What kind of mail stands in the mailbox of returns."""

    REPORT = "report"
    AUTO_REPLY = "auto-reply"
    OTHER = "other"


class Failure(Enum):
    """Why a mail was not delivered; ``value`` is what the database keeps."""

    HARD = "hard"  # the address does not exist or takes no mail: another mail will fare the same
    FULL = "full"  # the mailbox is full
    SOFT = "soft"  # the server was away or busy, for now or until it gave up
    POLICY = "policy"  # our mail or our server is not wanted (5.7.x), or the mail is too big or malformed


@dataclass(frozen=True)
class RecipientReport:
    """What a report says of one recipient. ``action`` is RFC 3464's: failed, delayed, delivered, relayed, expanded."""

    addresses: tuple[str, ...]  # the original and the final one, as far as they are told
    action: str
    status: str
    diagnostic: str

    @property
    def is_final(self) -> bool:
        """True where the server has given up."""
        return self.action == "failed"

    @property
    def failure(self) -> Failure:
        """What it means for the mail and its recipient."""
        reason = self.reason
        if reason is Reason.FULL:
            return Failure.FULL
        if not self.is_final or reason.passes or is_for_now(self.diagnostic, self.status):
            return Failure.SOFT
        return Failure.HARD if reason.blames_address else Failure.POLICY

    @property
    def reason(self) -> Reason:
        """Why, by the server's own words and, where they say little, by the enhanced status code (RFC 3463)."""
        return classify(self.diagnostic, self.status)


@dataclass(frozen=True)
class Report:
    """A mail of the mailbox of returns: which of our mails it may be about, and what it says of them."""

    nature: Nature
    tokens: tuple[str, ...] = ()
    message_ids: tuple[str, ...] = ()
    recipients: tuple[RecipientReport, ...] = ()


_TOKEN = re.compile(r"\+([0-9a-f]{24})@", re.IGNORECASE)
# The form of our own Message-IDs; others in the same text are none of our business.
_MESSAGE_ID = re.compile(r"<\d{14}\.[0-9a-f]{32}@[^>\s]+>")
_ADDRESSED_BY = ("To", "Cc", "Delivered-To", "X-Original-To", "Envelope-To", "X-Envelope-To", "X-Rcpt-To", "Resent-To")
_DAEMONS = re.compile(
    r"^(mailer-daemon|postmaster|mail-daemon|maildaemon|mdaemon|mmdf|root|microsoftexchange[0-9a-f]*)$", re.IGNORECASE
)
_AWAY_SUBJECT = re.compile(
    r"^\s*((re|tr|aw)\s*:\s*)*(auto(matic)?[ -]?(reply|response|répon\w*)|out of (the )?office|réponse automatique"
    r"|absent|absence|message d[’']absence|je suis absent|automatische antwort|abwesenheit)",
    re.IGNORECASE,
)
_DIAGNOSTIC_LINE = re.compile(r"^.*(?<![\d.])[45]\d\d[ -].*$|^.*\b[45]\.\d{1,3}\.\d{1,3}\b.*$", re.MULTILINE)


def read_report(raw: bytes) -> Report:
    """What the mail ``raw`` says; never raises for a malformed mail, which is then ``OTHER``."""
    mail = email.message_from_bytes(raw)
    tokens, message_ids = _tokens(mail), _message_ids(mail, raw)
    recipients = tuple(_rfc3464_recipients(mail))
    if recipients:
        return Report(Nature.REPORT, tokens, message_ids, recipients)
    if mail.get_content_type() == "multipart/report":
        # A read receipt (RFC 8098) or a complaint (RFC 5965): no failure of delivery.
        return Report(Nature.OTHER, tokens, message_ids)
    from_daemon = _is_from_daemon(mail)
    if not from_daemon and _is_auto_reply(mail):
        return Report(Nature.AUTO_REPLY, tokens, message_ids)
    if from_daemon:
        recipients = tuple(_other_recipients(mail))
        if recipients:
            return Report(Nature.REPORT, tokens, message_ids, recipients)
    return Report(Nature.OTHER, tokens, message_ids)


def _header(mail: Mail, name: str) -> str:
    """A header as text, unfolded; "" where it is absent."""
    return " ".join(str(mail.get(name, "")).split())


def _tokens(mail: Mail) -> tuple[str, ...]:
    values = (str(value) for name in _ADDRESSED_BY for value in mail.get_all(name, []))
    return tuple(dict.fromkeys(token.lower() for value in values for token in _TOKEN.findall(value)))


def _message_ids(mail: Mail, raw: bytes) -> tuple[str, ...]:
    """Our Message-IDs in the returned part, else in the headers that answer, else anywhere in the text."""
    returned = [
        found
        for part in mail.walk()
        if part.get_content_type() in ("message/rfc822", "message/global", "text/rfc822-headers")
        for found in _MESSAGE_ID.findall(_text_of(part))
    ]
    answered = _MESSAGE_ID.findall(_header(mail, "In-Reply-To") + _header(mail, "References"))
    anywhere = _MESSAGE_ID.findall(raw.decode("utf-8", "replace"))
    return tuple(dict.fromkeys(returned or answered or anywhere))


def _text_of(part: Mail) -> str:
    """The text of a part, whatever its encoding; of a returned message, its headers."""
    payload = part.get_payload()
    if isinstance(payload, list):
        inner_mails = [inner for inner in payload if isinstance(inner, Mail)]
        return "\n".join(f"{name}: {value}" for inner in inner_mails for name, value in inner.items())
    content = part.get_payload(decode=True)
    return content.decode("utf-8", "replace") if isinstance(content, bytes) else ""


# ─── RFC 3464 ────────────────────────────────────────────────────────────────────────────────────────────────────────
def _rfc3464_recipients(mail: Mail) -> Iterator[RecipientReport]:
    for part in mail.walk():
        if part.get_content_type() in ("message/delivery-status", "message/global-delivery-status"):
            for block in _status_blocks(part):
                action = _header(block, "Action").lower().partition(" ")[0]
                addresses = tuple(
                    dict.fromkeys(
                        address
                        for name in ("Original-Recipient", "Final-Recipient", "X-Actual-Recipient")
                        if (address := _typed_value(_header(block, name)))
                    )
                )
                if not action or not addresses:
                    continue
                status = re.match(r"[245]\.\d{1,3}\.\d{1,3}", _header(block, "Status"))
                yield RecipientReport(
                    addresses,
                    "failed" if action.startswith(("fail", "error")) else action,
                    status[0] if status else "",
                    _typed_value(_header(block, "Diagnostic-Code")),
                )


def _status_blocks(part: Mail) -> list[Mail]:
    """The groups of fields of a delivery status, which Python takes apart for the older of its two types only."""
    payload = part.get_payload()
    if part.get_content_type() == "message/delivery-status" and isinstance(payload, list):
        return [block for block in payload if isinstance(block, Mail)]
    text = part.as_string().partition("\n\n")[2]
    return [email.message_from_string(group) for group in re.split(r"\n[ \t]*\n", text)]


def _typed_value(value: str) -> str:
    """«rfc822; <a@b.fr>» as «a@b.fr»; letters beyond ASCII written as in RFC 6533 § 3 are put back."""
    kind, semicolon, rest = value.partition(";")
    text = (rest if semicolon else kind).strip()
    text = re.sub(r"\\x\{([0-9A-Fa-f]{1,6})\}", lambda found: chr(int(found[1], 16)), text)
    return text[1:-1] if text.startswith("<") and text.endswith(">") else text


# ─── Servers of their own manner ─────────────────────────────────────────────────────────────────────────────────────
def _is_from_daemon(mail: Mail) -> bool:
    local = parseaddr(_header(mail, "From"))[1].partition("@")[0]
    return bool(_DAEMONS.match(local) or mail.get("X-Failed-Recipients"))


def _is_auto_reply(mail: Mail) -> bool:
    """RFC 3834, and what was there before it."""
    submitted = _header(mail, "Auto-Submitted").lower()
    return (
        submitted.startswith("auto-")
        or any(name in mail for name in ("X-Autoreply", "X-Autorespond", "X-Autogenerated"))
        or _header(mail, "Precedence").lower() in ("auto_reply", "auto-reply")
        or _AWAY_SUBJECT.match(_subject(mail)) is not None
    )


def _subject(mail: Mail) -> str:
    subject = _header(mail, "Subject")
    try:
        return str(make_header(decode_header(subject)))
    except (UnicodeError, LookupError, ValueError):  # an encoding that does not exist, or does not fit
        return subject


def _other_recipients(mail: Mail) -> Iterator[RecipientReport]:
    try:
        temporary, permanent = all_failures(mail)
    except Exception:  # a detector that trips over a malformed mail has found nothing
        temporary, permanent = frozenset(), frozenset()
    failed = {address.decode("ascii", "replace") for address in permanent}
    failed |= {address.strip() for address in _header(mail, "X-Failed-Recipients").split(",") if address.strip()}
    texts = [_text_of(part) for part in mail.walk() if part.get_content_type() == "text/plain"]
    lines = [line.strip() for text in texts for line in _DIAGNOSTIC_LINE.findall(text)]
    diagnostic = " ".join(lines[0].split())[:500] if lines else ""
    code = re.search(r"\b([45]\.\d{1,3}\.\d{1,3})\b", diagnostic)
    delayed = {address.decode("ascii", "replace") for address in temporary} - failed
    if not failed and not delayed and re.search(r"(?<![\d.])5\d\d[ -]|\b5\.\d{1,3}\.\d{1,3}\b", diagnostic):
        yield RecipientReport((), "failed", code[1] if code else "", diagnostic)  # of whom, the matching will tell
    for address in sorted(failed):
        yield RecipientReport((address,), "failed", code[1] if code else "", diagnostic)
    for address in sorted(delayed):
        yield RecipientReport((address,), "delayed", code[1] if code else "", diagnostic)
