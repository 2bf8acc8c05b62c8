"""``manage.py restore``: an empty installation becomes what a backup holds."""

import argparse
import datetime
import json
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from portal.backups.manifest import BackupError
from portal.backups.restoring import restore
from portal.management.commands.backup import PROBLEMS
from portal.start import UnfitDatabaseError, check_database


class Command(BaseCommand):
    """Put a backup back."""

    help = (
        "Restaure la sauvegarde d’un dossier dans une installation vide : vérifie chaque empreinte, remet les "
        "documents puis la base, et suspend l’envoi des mails. Arrêter d’abord les processus du portail."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Where from, and what may be overwritten."""
        parser.add_argument("folder", type=Path, metavar="DOSSIER", help="dossier écrit par manage.py backup")
        parser.add_argument("--force", action="store_true", help="remplacer ce que l’installation contient")
        parser.add_argument(
            "--accept-damaged", action="store_true", help="laisser de côté les documents abîmés de la sauvegarde"
        )
        parser.add_argument("--json", action="store_true", help="un objet JSON sur la sortie standard")

    def handle(self, *args: Any, **options: Any) -> None:
        """Exit code 1 where nothing could be restored, or a document is missing; 2 where the key is another."""
        try:
            report = restore(options["folder"], force=options["force"], accept_damaged=options["accept_damaged"])
        except BackupError as error:
            raise CommandError(_("Restauration : %(error)s") % {"error": error}) from None
        if options["json"]:
            self.stdout.write(json.dumps(report.as_json(), ensure_ascii=False))
        else:
            for item in report.damaged:
                self.stdout.write(f"{PROBLEMS[item['problem']]} : {item['file']}")
            self.stdout.write(
                _(
                    "Restaurée, la sauvegarde du %(date)s : documents : %(count)s (copiés : %(copied)s, déjà là : "
                    "%(reused)s), en défaut : %(damaged)s. L’envoi des mails est suspendu : regardez la boîte d’envoi "
                    "(Courrier), puis reprenez-le."
                )
                % {
                    "date": date_format(localtime(datetime.datetime.fromisoformat(report.created_at)), "d/m/Y H:i"),
                    "count": report.documents,
                    "copied": report.copied,
                    "reused": report.reused,
                    "damaged": len(report.damaged),
                }
            )
        if report.missing_migrations:
            self.stderr.write(_("La sauvegarde est d’une version plus ancienne : lancez « manage.py upgrade »."))
        else:
            try:
                check_database()
            except UnfitDatabaseError as error:
                raise CommandError(str(error), returncode=error.code) from None
        if report.damaged:
            sys.exit(1)
