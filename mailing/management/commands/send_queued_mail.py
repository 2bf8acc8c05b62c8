"""``manage.py send_queued_mail``: send what waits in the outbox."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError
from django.utils.translation import gettext as _

from mailing import outbox
from mailing.breaker import current_rest
from mailing.sending import Sender, Tally
from mailing.watching import watch_from_mailer


class Command(BaseCommand):
    """Parses, sends, reports."""

    help = "Envoie les mails de la boîte d’envoi qui sont dus. Code de sortie 1 si certains n’ont pas pu partir."

    def add_arguments(self, parser: CommandParser) -> None:
        """The choices of the command line."""
        parser.add_argument("--loop", action="store_true", help="reste en marche et envoie au fur et à mesure")
        parser.add_argument("--limit", type=int, metavar="N", help="s’arrête après N mails")

    def handle(self, *, loop: bool, limit: int | None, **options: Any) -> None:
        """Run the worker and say what became of the mails."""
        if limit is not None and limit < 1:
            raise CommandError(_("--limit attend un nombre d’au moins 1."), returncode=2)
        sender = Sender(forever=loop, limit=limit, on_beat=watch_from_mailer)
        try:
            with stopping_on_signals(sender):
                tally = sender.run()
        except DatabaseError as error:
            raise CommandError(_("La base de données ne répond pas : %s") % error) from error
        self.stdout.write(describe(tally))
        if outbox.is_paused():
            self.stdout.write(_("La boîte d’envoi est suspendue : rien ne part."))
        rest = current_rest()
        if rest is not None:
            self.stdout.write(
                _("La boîte d’envoi est au repos. %(reason)s %(remedy)s Un mail est essayé de temps en temps.")
                % {"reason": f"{rest}.", "remedy": rest.remedy}
            )
        if tally.failed and not loop:
            for reason, count in sorted(tally.reasons.items(), key=lambda item: -item[1])[:10]:
                self.stderr.write(f"  {count} × {reason}")
            raise CommandError(
                _("Des mails n’ont pas pu partir ; les différés seront présentés de nouveau."), returncode=1
            )


@contextmanager
def stopping_on_signals(sender: Sender) -> Iterator[None]:
    """The first SIGTERM or Ctrl-C lets ``sender`` end after the mails in hand; the second does what it always does."""
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread hears signals
        return
    previous = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}

    def stop(number: int, _frame: object) -> None:
        sender.stop.set()
        signal.signal(number, previous[signal.Signals(number)])

    for number in previous:
        signal.signal(number, stop)
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def describe(tally: Tally) -> str:
    """«412 mails envoyés, 1 différé, 0 rejeté»; without a mail server «412 mails écrits dans des fichiers, …»."""
    sent = _count(tally.accepted, _("mail envoyé"), _("mails envoyés"))
    if tally.written:
        sent = _count(tally.accepted, _("mail écrit dans un fichier"), _("mails écrits dans des fichiers"))
    return _("%(sent)s, %(deferred)s, %(rejected)s") % {
        "sent": sent,
        "deferred": _count(tally.deferred, _("différé"), _("différés")),
        "rejected": _count(tally.rejected, _("rejeté"), _("rejetés")),
    }


def _count(number: int, one: str, several: str) -> str:
    """In French the plural begins at two."""
    return f"{number} {several if number >= 2 else one}"
