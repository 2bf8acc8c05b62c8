"""Mails to whoever looks after the server: our own mail server is refused and the outbox rests, a page failed."""

import datetime
import hashlib

from django.conf import settings
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from mailing.breaker import current_rest
from mailing.identity import default_identity
from mailing.outbox import Draft, write_messages

# Mails of this kind are tried first while the outbox rests.
ALERT = "alert"


def write_alert(now: datetime.datetime) -> None:
    """Write the mail about a rest that began at ``now``; nothing where no one is named (TECHNICAL_EMAIL).

    It leaves by the same server: where that takes no mail at all, it arrives with the first one it takes.
    """
    rest = current_rest()
    if rest is None or rest.since != now or not settings.TECHNICAL_EMAIL:
        return
    text = _(
        "L’envoi des mails est au repos depuis le %(since)s.\n\n%(rest)s\n\nQue faire : %(remedy)s\n\n"
        "Un mail est essayé de temps en temps ; l’envoi reprendra de lui-même dès qu’un serveur l’accepte. Rien n’est "
        "perdu, aucune adresse de client n’est mise en erreur.\n\nBoîte d’envoi : %(url)s\n"
    ) % {
        "since": date_format(timezone.localtime(rest.since), "d/m/Y H:i"),
        "rest": rest,
        "remedy": rest.remedy,
        "url": f"{settings.PORTAL_URL}/gestion/mailing/message/",
    }
    subject = _("Envoi des mails au repos : %(reason)s") % {"reason": rest.reason.words}
    write_messages([draft_alert(f"alert:{rest.since.isoformat()}", subject, text)])


def write_fault(kind: str, *, subject: str, text: str, now: datetime.datetime) -> None:
    """Write the mail about a fault of ours, at most one of its ``kind`` an hour; nothing where no one is named.

    Raises django.db's errors where the outbox cannot be written.
    """
    if not settings.TECHNICAL_EMAIL:
        return
    name = hashlib.sha256(kind.encode()).hexdigest()[:16]
    key = f"fault:{name}:{now.astimezone(datetime.UTC):%Y-%m-%dT%H}"
    write_messages([draft_alert(key, subject, text)])


def draft_alert(key: str, subject: str, text: str) -> Draft:
    """A mail to whoever looks after the server (TECHNICAL_EMAIL, which must be set)."""
    identity = default_identity()
    return Draft(
        key=key,
        kind=ALERT,
        recipient=settings.TECHNICAL_EMAIL,
        sender=identity.address or settings.DEFAULT_FROM_EMAIL,
        sender_name=identity.name,
        subject=subject,
        text=text,
    )
