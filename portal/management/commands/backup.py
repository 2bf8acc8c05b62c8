"""``manage.py backup``: the database and exactly the documents that it names, into a folder."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import connection
from django.utils.translation import gettext as _

from mailing.trail.actions import Action
from mailing.trail.models import Entry
from mailing.trail.recording import record
from portal.backups.manifest import BackupError
from portal.backups.writing import BackupReport, back_up

PROBLEMS = {"missing": "manquant", "altered": "altéré", "unreadable": "illisible"}


class Command(BaseCommand):
    """Back up this installation; exports go on."""

    help = (
        "Sauvegarde dans un dossier la base et exactement les documents qu’elle nomme, exports en cours compris ; les "
        "documents déjà dans le dossier n’y sont pas recopiés. SECRET_KEY se garde ailleurs."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Where to."""
        parser.add_argument("folder", type=Path, metavar="DOSSIER", help="dossier de la sauvegarde, créé s’il manque")
        parser.add_argument("--json", action="store_true", help="un objet JSON sur la sortie standard")

    def handle(self, *args: Any, **options: Any) -> None:
        """Exit code 1 where nothing was backed up, a document is missing or altered, or the trail was cut."""
        try:
            report = back_up(options["folder"])
        except BackupError as error:
            raise CommandError(_("Sauvegarde : %(error)s") % {"error": error}) from None
        # An older schema may be backed up before it is migrated.
        if Entry._meta.db_table in connection.introspection.table_names():
            record(Action.BACKED_UP, details={"documents": report.documents, "damaged": len(report.damaged)})
        if options["json"]:
            self.stdout.write(json.dumps(report.as_json(), ensure_ascii=False))
        else:
            write_report(self, report)
        if report.damaged or report.trail:
            sys.exit(1)


def write_report(command: BaseCommand, report: BackupReport) -> None:
    """Write on ``command``'s output what was backed up, and the name of each document that could not be."""
    for item in report.damaged:
        command.stdout.write(f"{PROBLEMS[item['problem']]} : {item['file']}")
    if report.trail:
        command.stdout.write(_("Piste d’audit : %(problem)s") % {"problem": report.trail})
    command.stdout.write(
        _(
            "%(folder)s : base %(database)s, documents : %(count)s (copiés : %(copied)s, déjà là : %(reused)s), "
            "en défaut : %(damaged)s."
        )
        % {
            "folder": report.folder,
            "database": report.database,
            "count": report.documents,
            "copied": report.copied,
            "reused": report.reused,
            "damaged": len(report.damaged),
        }
    )
