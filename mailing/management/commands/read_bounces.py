"""``manage.py read_bounces``: read the mailbox to which undelivered mails come back."""

import socket
from collections import Counter
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from django.utils.translation import gettext as _

from mailing.bounces import Effect, take_in
from mailing.heartbeats import RETURNS, record_heartbeat
from mailing.mailboxes import MailboxError, open_imap, open_maildir
from mailing.quarantine.tries import MOST_TRIES, Loop, count_try, forget


class Command(BaseCommand):
    """Parses, reads, reports."""

    help = "Lit la boîte des retours (IMAP_URL, ou un dossier maildir) et note les mails qui sont revenus."

    def add_arguments(self, parser: CommandParser) -> None:
        """The choices of the command line."""
        parser.add_argument("--maildir", type=Path, metavar="DOSSIER", help="lit ce maildir au lieu d’IMAP_URL")

    def handle(self, *, maildir: Path | None, **options: Any) -> None:
        """Take in each mail, then put it aside; a run that breaks off is finished by the next."""
        if maildir is None and not settings.IMAP_URL:
            raise CommandError(_("Indiquer IMAP_URL dans les réglages, ou --maildir DOSSIER."), returncode=2)
        effects: Counter[Effect] = Counter()
        try:
            with open_maildir(maildir) if maildir is not None else open_imap(settings.IMAP_URL) as box:
                for key, raw in box.letters(_may_be_read):
                    effect = take_in(raw, timezone.now())
                    box.settle(key, needs_a_person=effect.needs_a_person)
                    forget(Loop.RETURNS, box.name_of(key))
                    effects[effect] += 1
        except MailboxError as error:
            raise CommandError(str(error)) from error
        record_heartbeat(f"{socket.gethostname()}:{RETURNS}", RETURNS)
        self.stdout.write(describe(effects))


def _may_be_read(name: str) -> bool:
    """Count the try before it is made: a mail that ended three runs is left to a person, and the others are read."""
    label = _("Mail %(name)s de la boîte des retours") % {"name": name}
    reason = _("La lecture s’est interrompue avec ce mail. Il est marqué dans la boîte, pour qu’une personne le lise.")
    return not count_try(Loop.RETURNS, name, label, reason, most=MOST_TRIES + 1)


def describe(effects: Counter[Effect]) -> str:
    """«3 mails lus : 1 adresse refusée, 2 réponses automatiques»."""
    words = {
        Effect.HARD: (_("adresse refusée"), _("adresses refusées")),
        Effect.FULL: (_("boîte pleine"), _("boîtes pleines")),
        Effect.POLICY: (_("mail non voulu"), _("mails non voulus")),
        Effect.SOFT: (_("mail non remis"), _("mails non remis")),
        Effect.DELAYED: (_("mail en attente"), _("mails en attente")),
        Effect.KNOWN: (_("retour déjà noté"), _("retours déjà notés")),
        Effect.DELIVERED: (_("avis de remise"), _("avis de remise")),
        Effect.AUTO_REPLY: (_("réponse automatique"), _("réponses automatiques")),
        Effect.FOREIGN: (_("retour d’un mail inconnu"), _("retours de mails inconnus")),
        Effect.CHALLENGE: (_("demande de confirmation"), _("demandes de confirmation")),
        Effect.OTHER: (_("mail à lire par une personne"), _("mails à lire par une personne")),
    }
    total = effects.total()
    counted = [
        f"{effects[effect]} {several if effects[effect] >= 2 else one}"
        for effect, (one, several) in words.items()
        if effects[effect]
    ]
    read = f"{total} {_('mails lus') if total >= 2 else _('mail lu')}"
    return f"{read} : {', '.join(counted)}" if counted else read
