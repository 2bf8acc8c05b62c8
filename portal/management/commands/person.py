"""``manage.py person``: all that is known of a person as one ZIP, or its erasure, with what the law has kept."""

import argparse
import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from customers.logins import canonical_login
from customers.models import Account
from invoices.documents.zip_archive import stream_archive
from invoices.models import Invoice
from mailing.trail.actions import Action
from mailing.trail.recording import record
from portal.faults import report_missing_documents
from portal.persons import ARTICLE, KEPT, data_of, erase_person

# What was erased, by its key in the report.
_WORDS = {
    "consultations": gettext_lazy("consultations"),
    "mails": gettext_lazy("mails"),
    "history": gettext_lazy("historique"),
    "sessions": gettext_lazy("sessions"),
    "sign-ins": gettext_lazy("connexions"),
}


class Command(BaseCommand):
    """Answer somebody who asks for his data, or for their erasure."""

    help = (
        "Données d’une personne (RGPD art. 15, 17 et 20) : tout dans un ZIP (JSON et PDF), ou l’effacement de ce que "
        "la loi n’impose pas de garder."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Who, and what."""
        parser.add_argument("login", metavar="IDENTIFIANT", help="identifiant du compte client")
        parser.add_argument("--export", type=Path, metavar="FICHIER.zip", help="écrire toutes ses données")
        parser.add_argument("--erase", action="store_true", help="effacer la personne ; les factures restent")
        parser.add_argument("--json", action="store_true", help="un objet JSON sur la sortie standard")

    def handle(self, *args: Any, **options: Any) -> None:
        """Raises CommandError: exit code 1 where no customer has the account, 2 where nothing is asked."""
        if not (options["export"] or options["erase"]):
            raise CommandError(_("Indiquer --export FICHIER.zip, --erase, ou les deux."), returncode=2)
        account = Account.objects.filter(login=canonical_login(options["login"])).first()
        if account is None:
            raise CommandError(_("Aucun compte n’a l’identifiant %(login)s.") % {"login": options["login"]})
        if account.is_staff:
            raise CommandError(_("%(login)s est un compte du personnel.") % {"login": options["login"]})
        output: dict[str, Any] = {}
        if options["export"]:
            output["export"] = self._export(account, options["export"])
        if options["erase"]:
            output["erasure"] = erase_person(account).as_json()
        if options["json"]:
            self.stdout.write(json.dumps(output, ensure_ascii=False))
            return
        if options["export"]:
            self.stdout.write(_("%(file)s : toutes les données de la personne.") % {"file": options["export"]})
        if options["erase"]:
            counts = ", ".join(f"{_WORDS[kind]} : {count}" for kind, count in output["erasure"]["erased"].items())
            self.stdout.write(
                _("Personne effacée, compte n° %(number)s (%(counts)s).") % {"number": account.pk, "counts": counts}
            )
            self.stdout.write(str(ARTICLE))
            for what, ground in KEPT:
                self.stdout.write(_("Restent %(what)s : %(ground)s.") % {"what": what, "ground": ground})

    def _export(self, account: Account, path: Path) -> str:
        known = json.dumps(data_of(account), ensure_ascii=False, indent=2, default=str).encode()
        visible = Invoice.objects.visible_to(account)
        chunks = stream_archive(
            identifiers=list(visible.order_by("-issue_date", "-number").values_list("pk", flat=True)),
            visible=lambda: Invoice.objects.visible_to(account),
            by_customer=True,
            consulted=lambda _identifiers: None,
            extra=(("donnees.json", known),),
            with_index=True,
            unavailable=report_missing_documents,
            remedy=_("Réessayez plus tard, ou demandez-nous ces documents."),
        )
        try:
            with path.open("xb") as file:
                for chunk in chunks:
                    file.write(chunk)
        except OSError as error:
            raise CommandError(
                _("%(file)s ne peut être écrit (%(reason)s).") % {"file": path, "reason": error.strerror or error}
            ) from None
        record(Action.PERSON_EXPORTED, account)
        return str(path)
