"""What a mail that came back says: which of our mails, which recipient, and whether for good (RFC 3464, and the rest).

Pure reading: bytes in, a :class:`Report` out, whatever the bytes. Servers that write no RFC 3464 report are read by
flufl.bounce and, where that finds no address, by their words.
"""

import email
import logging
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from flufl.bounce import all_failures

from mailing.answers import classify, is_for_now
from mailing.letters import Letter, harmless, read_letter
from mailing.reasons import Reason
from mailing.replies import is_auto_reply, is_challenge, is_read_receipt

logger = logging.getLogger(__name__)
# Its detectors trip over malformed mails, one by one, each with its traceback; the others go on.
logging.getLogger("flufl.bounce").setLevel(logging.CRITICAL)


class Nature(Enum):
    """What kind of mail is in the mailbox of returns."""

    REPORT = "report"
    AUTO_REPLY = "auto-reply"
    CHALLENGE = "challenge"  # a robot that asks for a person
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

    addresses: tuple[str, ...]  # the original and the final one, as far as they are stated
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
_RETURNED = ("message/rfc822", "message/global", "text/rfc822-headers", "message/global-headers")
_STATUS = ("message/delivery-status", "message/global-delivery-status")
_DAEMONS = re.compile(
    r"^(mailer[-_]?daemon|postmaster|mail-daemon|maildaemon|mdaemon|mmdf|root|microsoftexchange[0-9a-f]*)$",
    re.IGNORECASE,
)
# How servers entitle what they return, in the languages of their owners.
_RETURN_SUBJECT = re.compile(
    r"^\W*(undeliver|non remis|non[- ]?d[eé]livr|[eé]chec (?:de|d’|d')|notification (?:d['’][eé]tat|de non)"
    r"|(?:mail )?delivery (?:status|fail|problem|incomplete|has failed)|mail delivery|returned mail|failure notice"
    r"|message (?:non (?:remis|distribu)|undeliver)|unzustellbar|nicht zugestellt|zustellung|fehlgeschlagen"
    r"|no se (?:puede|ha podido) entregar|no entregado|mancat[ao] (?:consegna|recapito)|non recapitabile"
    r"|warning: message)",
    re.IGNORECASE,
)
_DELAY = re.compile(
    r"delay(?:ed)?\b|warning: message|will (?:continue|keep) (?:to )?try|retard[eé]|verz[oö]gert"
    r"|not (?:yet )?been delivered to one|has not yet been|(?:attempts will|will be) (?:continue|retried)|warning only"
    r"|tentatives de remise (?:vont )?continuer|pas encore [eé]t[eé] (?:remis|distribu)|noch nicht zugestellt",
    re.IGNORECASE,
)
# Titles that say that the server has given up, whatever the code of its last try.
_FINAL_SUBJECT = re.compile(
    r"undeliver|non remis|[eé]chec|fail(?:ed|ure)|returned mail|returned to sender|unzustellbar|nicht zugestellt"
    r"|fehlgeschlagen|no se (?:puede|ha podido) entregar|mancat[ao]|non recapitabile",
    re.IGNORECASE,
)
_DIAGNOSTIC_LINE = re.compile(r"^.*(?<![\d.])[45]\d\d[ -].*$|^.*\b[45]\.\d{1,3}\.\d{1,3}\b.*$", re.MULTILINE)
# The lines of one reply (RFC 5321 § 4.2.1): «550-No such user here» may be about the sender, as the last line says.
_CONTINUED = re.compile(r"^[ \t]*([45]\d\d)-.*(?:\n[ \t]*\1-.*)*\n[ \t]*\1[ -].*$", re.MULTILINE)
_COPY_BEGINS = re.compile(
    r"^-{2,}[^\n]{0,80}(?:copy|original|below|message|copie)[^\n]*$"
    r"|^(?:Original message headers|Return-Path|Received):",
    re.IGNORECASE | re.MULTILINE,
)
_ADDRESS = re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,10}")
_NOT_A_RECIPIENT = re.compile(r"^(?:postmaster|mailer-daemon|abuse|support|helpdesk|noreply|no-reply)@", re.IGNORECASE)


def read_report(raw: bytes) -> Report:
    """What the mail ``raw`` says; never raises: an unreadable mail is ``OTHER``, for a person."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of codecs and parsers that dislike what a stranger wrote
            return _read(raw)
    except Exception:
        logger.exception("a mail of %d bytes could not be read", len(raw))
        tokens = tuple(dict.fromkeys(token.lower() for token in _TOKEN.findall(raw.decode("latin-1"))))
        return Report(Nature.OTHER, tokens)


def _read(raw: bytes) -> Report:
    letter = read_letter(raw)
    tokens, message_ids = _tokens(letter), _message_ids(letter, raw)
    recipients = tuple(_rfc3464_recipients(letter))
    if not recipients and is_return(letter):
        # A relay that wraps the report of another in one of its own.
        wrapped = [part.text for part in letter.parts if part.content_type == "message/rfc822"]
        recipients = tuple(
            found for text in wrapped for found in _rfc3464_recipients(read_letter(text.encode("utf-8", "replace")))
        )
    if recipients:
        return Report(Nature.REPORT, tokens, message_ids, recipients)
    if is_complaint(letter):
        return Report(Nature.OTHER, tokens, message_ids)
    if is_read_receipt(letter):
        return Report(Nature.AUTO_REPLY, tokens, message_ids)
    if is_return(letter):
        recipients = tuple(_other_recipients(letter, raw))
        if recipients:
            return Report(Nature.REPORT, tokens, message_ids, recipients)
    elif is_challenge(letter):
        return Report(Nature.CHALLENGE, tokens, message_ids)
    elif is_auto_reply(letter):
        return Report(Nature.AUTO_REPLY, tokens, message_ids)
    return Report(Nature.OTHER, tokens, message_ids)


def _tokens(letter: Letter) -> tuple[str, ...]:
    """The return tokens in the addresses of the mail; else, as none can be guessed, anywhere in its texts."""
    found = [token for value in letter.all(*_ADDRESSED_BY) for token in _TOKEN.findall(value)]
    found = found or [token for part in letter.parts for token in _TOKEN.findall(part.text)]
    return tuple(dict.fromkeys(token.lower() for token in found))


def _message_ids(letter: Letter, raw: bytes) -> tuple[str, ...]:
    """Our Message-IDs in the returned part, else in the headers that answer, else anywhere in the text."""
    returned = [
        found
        for part in letter.parts
        if part.content_type in _RETURNED
        for found in _MESSAGE_ID.findall(part.text.partition("\n\n")[0])
    ]
    answered = _MESSAGE_ID.findall(letter.header("In-Reply-To") + letter.header("References"))
    in_parts = [found for part in letter.parts for found in _MESSAGE_ID.findall(part.text)]
    return tuple(dict.fromkeys(returned or answered or in_parts or _MESSAGE_ID.findall(raw.decode("latin-1"))))


# ─── RFC 3464 ────────────────────────────────────────────────────────────────────────────────────────────────────────
def _rfc3464_recipients(letter: Letter) -> Iterator[RecipientReport]:
    explanation = _explanation(letter)
    statuses = [part.text for part in letter.parts if part.content_type in _STATUS]
    if not statuses and is_return(letter):
        statuses = [letter.text]  # the fields in the text of a mail without MIME, or with a broken one
    for text in statuses:
        for fields in _field_groups(text):
            names = ("original-recipient", "final-recipient", "x-actual-recipient")
            addresses = tuple(dict.fromkeys(filter(None, (_typed_value(fields.get(name, "")) for name in names))))
            status = re.match(r"[245]\.\d{1,3}\.\d{1,3}", fields.get("status", ""))
            action = fields.get("action", "").lower().partition(" ")[0]
            if not action and status:  # RFC 3464 asks for it; those who leave it out say it with the status
                action = {"5": "failed", "4": "delayed", "2": "delivered"}[status[0][0]]
            if not action or not addresses:
                continue
            diagnostic = _typed_value(fields.get("diagnostic-code", "") or fields.get("x-supplementary-info", ""))
            if not diagnostic and (not status or status[0].endswith((".0.0", ".5.0"))):
                diagnostic = _diagnostic(explanation)  # some say it only in their words
            yield RecipientReport(
                addresses,
                "failed" if action.startswith(("fail", "error")) else action,
                status[0] if status else "",
                diagnostic,
            )


def _field_groups(text: str) -> Iterator[dict[str, str]]:
    """The groups of fields of a delivery status, parted by blank lines; names in small letters, values unfolded."""
    for group in re.split(r"\n[ \t]*\n", text):
        fields: dict[str, str] = {}
        for line in re.sub(r"\n[ \t]+", " ", group).split("\n"):
            name, colon, value = line.partition(":")
            if colon:
                fields.setdefault(name.strip().lower(), " ".join(value.split()))
        yield fields


def _typed_value(value: str) -> str:
    """«rfc822; <a@b.fr>» as «a@b.fr»; letters beyond ASCII written as in RFC 6533 § 3 are put back."""
    kind, semicolon, rest = value.partition(";")
    text = (rest if semicolon else kind).strip()
    text = harmless(re.sub(r"\\x\{([0-9A-Fa-f]{1,6})\}", _character, text))
    return text[1:-1] if text.startswith("<") and text.endswith(">") else text


def _character(found: re.Match[str]) -> str:
    number = int(found[1], 16)
    return chr(number) if number <= 0x10FFFF else found[0]


# ─── Servers of their own manner ─────────────────────────────────────────────────────────────────────────────────────
def is_return(letter: Letter) -> bool:
    """True for a mail that a server wrote: its sender, its headers, or its title together with an empty return path."""
    name, address = letter.sender
    local = address.partition("@")[0] or name  # «MAILER-DAEMON <>»
    if _DAEMONS.match(local) or letter.all("X-Failed-Recipients"):
        return True
    if not _RETURN_SUBJECT.match(letter.header("Subject")):
        return False
    is_empty = letter.header("Return-Path") == "<>"
    return is_empty or letter.content_type == "multipart/report" or bool(letter.all("X-MS-Exchange-Message-Is-Ndr"))


def is_complaint(letter: Letter) -> bool:
    """True for a feedback report (RFC 5965): somebody took our mail for spam."""
    return any(part.content_type == "message/feedback-report" for part in letter.parts)


def _explanation(letter: Letter) -> str:
    """What the server says in its own words: the text before the copy of our mail."""
    text = letter.text
    copy = _COPY_BEGINS.search(text)
    text = text[: copy.start()] if copy else text
    own = _MESSAGE_ID.search(text)
    return text[: text.rfind("\n\n", 0, own.start()) + 1] if own else text


def _diagnostic(explanation: str) -> str:
    """The line that states the reason: the first with a code of which something can be said; else all of the words."""
    whole_replies = _CONTINUED.sub(lambda found: " ".join(found[0].split("\n")), explanation[:20_000])
    lines = [" ".join(line.split()) for line in _DIAGNOSTIC_LINE.findall(whole_replies)[:50]]
    classified = [line for line in lines if classify(line) not in (Reason.OTHER, Reason.POLICY)]
    whole = " ".join(explanation.split())
    if not classified and classify(whole) not in (Reason.OTHER, Reason.TEMPORARY):
        return (f"{lines[0]} {whole}" if lines else whole)[:500]
    return next(iter(classified or lines), whole)[:500]


def _other_recipients(letter: Letter, raw: bytes) -> Iterator[RecipientReport]:
    try:
        temporary, permanent = all_failures(email.message_from_bytes(raw))
    except Exception:  # a detector that trips over a malformed mail has found nothing
        temporary, permanent = frozenset(), frozenset()
    failed = {address.decode("ascii", "replace") for address in permanent}
    failed |= {
        address.strip()
        for value in letter.all("X-Failed-Recipients")
        for address in value.split(",")
        if address.strip()
    }
    delayed = {address.decode("ascii", "replace") for address in temporary} - failed
    explanation = _explanation(letter)
    diagnostic = _diagnostic(explanation)
    code = re.search(r"\b([45]\.\d{1,3}\.\d{1,3})\b", diagnostic)
    status = code[1] if code else ""
    is_delay = bool(_DELAY.search(f"{letter.header('Subject')}\n{explanation}"))
    if not failed and not delayed:
        reason = classify(diagnostic)
        if (
            reason is Reason.OTHER
            and not is_delay
            and not re.search(r"(?<![\d.])5\d\d[ -]|\b5\.\d{1,3}\.\d{1,3}\b", diagnostic)
        ):
            return  # nothing that speaks of a failure
        named = tuple(address for address in _ADDRESS.findall(explanation) if not _NOT_A_RECIPIENT.match(address))
        own = tuple(address for address in named if not _TOKEN.search(address))
        is_delay = is_delay or (is_for_now(diagnostic, status) and not _FINAL_SUBJECT.search(letter.header("Subject")))
        yield RecipientReport(own, "delayed" if is_delay else "failed", status, diagnostic)
        return
    for address in sorted(failed):
        yield RecipientReport((address,), "delayed" if is_delay else "failed", status, diagnostic)
    for address in sorted(delayed):
        yield RecipientReport((address,), "delayed", status, diagnostic)
