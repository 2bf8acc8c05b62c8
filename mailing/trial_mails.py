"""A trial mail to a mailbox of our own, read back: what the server that took it found of SPF, DKIM and DMARC."""

import re
import secrets
import time
import uuid
from dataclasses import dataclass

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from mailing.identity import default_identity
from mailing.letters import read_letter
from mailing.mailboxes import open_imap
from mailing.mime import build_mail
from mailing.models import Message
from mailing.transports import ServerHealth, Verdict, make_transport, uses_smtp

METHODS = ("spf", "dkim", "dmarc")
PAUSE = 1.0  # seconds between two looks into the mailbox
_RESULT = re.compile(r"(?:^|[;\s])(spf|dkim|dmarc)\s*=\s*([a-z]+)", re.IGNORECASE)


class TrialError(Exception):
    """The trial mail could not be sent or found again; the message is French."""


@dataclass(frozen=True)
class TrialResult:
    """What the receiving server wrote (RFC 8601): «pass», «fail», «none»… per method; "" where it says nothing."""

    server: str
    results: dict[str, str]

    @property
    def is_right(self) -> bool:
        """True where DMARC passes, or SPF or DKIM where nothing is said of it; and where nothing at all is said."""
        if not any(self.results.values()):
            return True
        if self.results["dmarc"]:
            return self.results["dmarc"] == "pass"
        return "pass" in (self.results["spf"], self.results["dkim"])

    def __str__(self) -> str:
        """«mx.exemple.fr : SPF pass, DKIM pass, DMARC pass»."""
        verdicts = ", ".join(f"{name.upper()} {self.results[name] or _('non dit')}" for name in METHODS)
        if not any(self.results.values()):
            return _("Le mail d’essai est arrivé, mais son serveur n’écrit pas d’« Authentication-Results ».")
        return f"{self.server} : {verdicts}" if self.server else verdicts


def send_trial_mail(address: str) -> str:
    """Send a trial mail to ``address`` at once; its Message-ID. Raises TrialError where no server takes it."""
    if not uses_smtp():
        raise TrialError(_("Aucun serveur de messagerie n’est réglé (EMAIL_URL) : rien ne part."))
    now, identifier = timezone.now(), uuid.uuid4()
    sender = default_identity().address or settings.DEFAULT_FROM_EMAIL
    message = Message(
        pk=identifier,
        message_id=f"<{now:%Y%m%d%H%M%S}.{identifier.hex}@{sender.rpartition('@')[2]}>",
        return_token=secrets.token_hex(12),
        recipient=address,
        sender=sender,
        subject=_("Essai de délivrabilité"),
        text=_("Ce mail vérifie que nos envois sont reconnus. Il est relu et rangé de lui-même."),
    )
    transport = make_transport(ServerHealth())
    try:
        outcome = transport.send(build_mail(message, [], None, now))
    finally:
        transport.close()
    if outcome.verdict is not Verdict.ACCEPTED:
        raise TrialError(_("Le mail d’essai n’est pas parti. %(reason)s") % {"reason": outcome.reason})
    return message.message_id


def wait_for_trial_mail(message_id: str, seconds: float) -> TrialResult:
    """What is in the trial mail, looked for in the mailbox of IMAP_URL; it is then put aside.

    Raises TrialError where it has not come after ``seconds``, and mailing.mailboxes.MailboxError.
    """
    deadline = time.monotonic() + seconds
    with open_imap(settings.IMAP_URL) as box:
        while True:
            found = box.find(message_id)
            if found is not None:
                key, raw = found
                box.settle(key, needs_a_person=False)
                return read_trial_mail(raw)
            if time.monotonic() >= deadline:
                raise TrialError(
                    _("Le mail d’essai est parti, mais n’est pas arrivé en %(seconds)d secondes.")
                    % {"seconds": seconds}
                )
            time.sleep(PAUSE)


def read_trial_mail(raw: bytes) -> TrialResult:
    """What the last server wrote; headers below the first that another server wrote are whoever's (RFC 8601 § 5)."""
    headers = read_letter(raw).all("Authentication-Results")
    server = _server(headers[0]) if headers else ""
    results = dict.fromkeys(METHODS, "")
    for header in headers:
        if _server(header) != server:
            break
        for method, result in _RESULT.findall(header):
            name, value = method.lower(), result.lower()
            # One passing signature is enough (RFC 6376 § 6.1).
            if not results[name] or value == "pass":
                results[name] = value
    return TrialResult(server, results)


def _server(header: str) -> str:
    """The name before the first semicolon; "" where results come at once, as Exchange writes them."""
    name = header.partition(";")[0].strip().partition(" ")[0]
    return "" if "=" in name else name
