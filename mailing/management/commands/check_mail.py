"""``manage.py check_mail``: whether receivers can verify that our mails are ours."""

import ipaddress
import json
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from django.utils.translation import gettext as _

from mailing.addresses import InvalidAddressError
from mailing.alignment import note_check
from mailing.deliverability import NoMailServerError, check_deliverability, current_setting
from mailing.dns_lookups import Lookups
from mailing.mailboxes import MailboxError
from mailing.trial_mails import TrialError, TrialResult, send_trial_mail, wait_for_trial_mail


class Command(BaseCommand):
    """Parses, checks, reports."""

    help = (
        "Vérifie ce qui fait accepter nos mails : retours, SPF, DKIM, DMARC, noms du serveur, TLS. Code de sortie 1 si "
        "quelque chose est à corriger, 2 si rien ne peut être vérifié."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """The choices of the command line."""
        parser.add_argument("--ip", default="", metavar="ADRESSE", help="adresse IP publique de notre propre serveur")
        parser.add_argument(
            "--trial",
            nargs="?",
            const="",
            metavar="ADRESSE",
            help="envoie un mail d’essai à la boîte d’IMAP_URL (par défaut BOUNCE_ADDRESS) et relit ce que son serveur "
            "a trouvé (Authentication-Results)",
        )
        parser.add_argument("--wait", type=int, default=60, metavar="SECONDES", help="attente du mail d’essai")
        parser.add_argument("--json", action="store_true", help="résultat en JSON")

    def handle(self, *, ip: str, trial: str | None = None, wait: int = 60, **options: Any) -> None:
        """One line per check; under a red one, the record to publish; then what the trial mail met."""
        try:
            address = str(ipaddress.ip_address(ip)) if ip else ""
        except ValueError:
            raise CommandError(_("--ip attend une adresse IP : « %s » n’en est pas une.") % ip, returncode=2) from None
        try:
            verdict = check_deliverability(current_setting(address), Lookups())
        except (NoMailServerError, InvalidAddressError) as problem:
            raise CommandError(str(problem), returncode=2) from problem
        note_check(verdict, timezone.now())
        tried = self._try(trial or settings.BOUNCE_ADDRESS, wait) if trial is not None else None
        if options["json"]:
            output = {
                "sender": verdict.setting.sender,
                "relay": verdict.setting.relay,
                "aligned": verdict.is_aligned,
                "checks": [
                    {"name": one.name, "state": one.state, "sentence": one.sentence, "record": one.record}
                    for one in verdict.findings
                ],
            }
            if tried is not None:
                output["trial"] = {"server": tried.server, **tried.results}
            self.stdout.write(json.dumps(output, ensure_ascii=False, indent=2))
        else:
            for one in verdict.findings:
                self.stdout.write(f"{one.name} – {one.word} : {one.sentence}")
                if one.record:
                    self.stdout.write(_("    À publier : %s") % one.record)
            if tried is not None:
                self.stdout.write(_("Mail d’essai – %s") % tried)
        if not verdict.is_right or not (tried is None or tried.is_right):
            raise CommandError(_("Des points sont à corriger."), returncode=1)

    @staticmethod
    def _try(address: str, wait: int) -> TrialResult:
        if not settings.IMAP_URL or not address:
            raise CommandError(_("--trial demande IMAP_URL, et une adresse ou BOUNCE_ADDRESS."), returncode=2)
        try:
            return wait_for_trial_mail(send_trial_mail(address), wait)
        except (TrialError, MailboxError, InvalidAddressError) as problem:
            raise CommandError(str(problem), returncode=1) from problem
