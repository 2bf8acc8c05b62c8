"""``manage.py mail_auth``: sign in to the company's mail with OAuth 2.0, and say whether mail servers let us in."""

import smtplib
from typing import Any

from django.conf import settings
from django.core.mail import mailers
from django.core.mail.backends.smtp import EmailBackend
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from mailing import oauth
from mailing.mailboxes import MailboxError, open_imap
from mailing.transports import open_smtp


class Command(BaseCommand):
    """Parses, asks, reports."""

    help = (
        "Se connecte à la messagerie par OAuth 2.0 (réglages MAIL_OAUTH_…), puis essaie l’envoi (EMAIL_URL) et la "
        "lecture (IMAP_URL). Code de sortie 1 si la connexion est refusée, 2 si les réglages manquent."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """The choices of the command line."""
        parser.add_argument("--status", action="store_true", help="dit seulement où en est la connexion")
        parser.add_argument("--forget", action="store_true", help="oublie les jetons gardés")

    def handle(self, *, status: bool, forget: bool, **options: Any) -> None:
        """Get a token, by a person's consent where the flow asks for it; then try both servers."""
        if not oauth.is_set_up():
            raise CommandError(
                _("Indiquer MAIL_OAUTH_PROVIDER et MAIL_OAUTH_CLIENT_ID dans les réglages (voir .env.example)."),
                returncode=2,
            )
        if forget:
            oauth.forget()
            self.stdout.write(_("Jetons oubliés."))
            return
        if status:
            self._write_status()
            return
        try:
            if settings.MAIL_OAUTH["flow"] == "device":
                self._ask_a_person()
            oauth.access_token()
        except oauth.SignInError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(_("Jeton obtenu."))
        self._try_servers()

    def _write_status(self) -> None:
        failure = oauth.current_failure()
        if failure is not None:
            when = date_format(timezone.localtime(failure[0]), "d/m/Y H:i")
            raise CommandError(_("Depuis le %(when)s : %(failure)s") % {"when": when, "failure": failure[1]})
        end = oauth.token_end()
        if end is None:
            raise CommandError(_("Aucun jeton : lancer « manage.py mail_auth »."))
        when = date_format(timezone.localtime(end), "d/m/Y H:i")
        self.stdout.write(_("Connecté. Le jeton vaut jusqu’au %(when)s et se renouvelle de lui-même.") % {"when": when})

    def _ask_a_person(self) -> None:
        code = oauth.ask_device_code()
        self.stdout.write(
            _("Ouvrez %(url)s, saisissez le code %(code)s et acceptez, avec le compte %(user)s.")
            % {
                "url": code.url,
                "code": code.user_code,
                "user": settings.MAIL_OAUTH["user"] or _("qui envoie les mails"),
            }
        )
        self.stdout.write(_("En attente de votre accord…"))
        self.stdout.flush()
        oauth.wait_for_consent(code)

    def _try_servers(self) -> None:
        problems = []
        backend = mailers.default
        if isinstance(backend, EmailBackend):
            try:
                open_smtp(backend).quit()
                self.stdout.write(_("Envoi : %(host)s nous laisse entrer.") % {"host": backend.host})
            except (OSError, smtplib.SMTPException, ValueError, oauth.SignInError) as error:
                problems.append(_("Envoi (EMAIL_URL) : %(error)s") % {"error": error})
        if settings.IMAP_URL:
            try:
                with open_imap(settings.IMAP_URL):
                    self.stdout.write(_("Lecture des retours : la boîte s’ouvre."))
            except MailboxError as error:
                problems.append(_("Lecture (IMAP_URL) : %(error)s") % {"error": error})
        if problems:
            raise CommandError("\n".join(problems))
