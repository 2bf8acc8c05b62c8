"""``manage.py upgrade``: from the files of a new version to an installation that runs it, step by step."""

import argparse
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, SystemCheckError
from django.db import Error as DatabaseError
from django.db import connection
from django.utils.translation import gettext as _

from customers.tasks import wake_stalled_bulk_actions
from invoices.einvoices.tasks import wake_checks
from invoices.exporting.run.tasks import wake_stalled_exports
from invoices.importing.batches import wake_stalled_batches
from invoices.platforms.tasks import wake_submissions
from portal.backups.manifest import BackupError
from portal.backups.writing import back_up
from portal.environment import explain_database_error
from portal.management.commands.backup import write_report
from portal.start import UnfitDatabaseError, check_database, check_not_newer, find_missing_migrations
from portal.templatetags.formatting import plural

# Of the advisory locks of the database, that of the upgrade.
_LOCK: Final = 7_041_890
_PAUSE: Final = 1.0  # seconds
_WAKING = (wake_stalled_exports, wake_checks, wake_stalled_bulk_actions, wake_stalled_batches, wake_submissions)


class Command(BaseCommand):
    """Check, back up, migrate, collect the static files, wake the workers up; stop at the first failure."""

    help = (
        "Met l’installation à la version des fichiers en place : contrôle, sauvegarde (--backup), tables, fichiers "
        "statiques, réveil des travaux. S’arrête à la première étape qui échoue ; se relance sans danger."
    )
    requires_system_checks = ()  # the first step, with its own sentence

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Where the backup goes."""
        parser.add_argument(
            "--backup", type=Path, metavar="DOSSIER", help="sauvegarder d’abord dans ce dossier (manage.py backup)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Exit code 1 where a step fails, 2 where a setting or the key is wrong."""
        self._step(_("Contrôle"), self._check)
        with self._alone():
            self._upgrade(options["backup"])

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Wait for another upgrade of this database: of two that migrate at once one fails half-way (PostgreSQL)."""
        if connection.vendor != "postgresql":
            yield
            return
        is_first_try = True
        while not self._takes_lock():
            if is_first_try:
                self.stdout.write(_("Une autre mise à jour de cette base est en cours : attente de sa fin…"))
                self.stdout.flush()
            is_first_try = False
            time.sleep(_PAUSE)
        try:
            yield
        finally:
            with suppress(DatabaseError), connection.cursor() as cursor:  # a lost connection has let go of it
                cursor.execute("SELECT pg_advisory_unlock(%s)", [_LOCK])

    def _takes_lock(self) -> bool:
        """Asked again and again: a statement that waits is what an index made CONCURRENTLY waits for itself."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_lock(%s)", [_LOCK])
            return bool(cursor.fetchone()[0])

    def _upgrade(self, folder: Path | None) -> None:
        missing = find_missing_migrations()
        if not connection.introspection.table_names():
            self.stdout.write(_("Sauvegarde : passée, la base est vide."))
        elif folder is None:
            self.stdout.write(_("Sauvegarde : passée, aucun dossier donné (--backup DOSSIER)."))
        else:
            self._step(_("Sauvegarde"), lambda: self._back_up(folder))
        self._step(
            _("Tables : %(count)s à faire") % {"count": plural(len(missing), "migration,migrations")},
            lambda: call_command("migrate", interactive=False, verbosity=0),
        )
        self._step(_("Fichiers statiques"), lambda: call_command("collectstatic", interactive=False, verbosity=0))
        self._step(_("Clé et tables"), check_database)
        self._step(_("Réveil des travaux en attente"), _wake)
        self.stdout.write(_("À jour. Redémarrez le site, run_worker et send_queued_mail."))

    def _step(self, name: str, do: Callable[[], object]) -> None:
        """Do one step; what it raises becomes one sentence that names it."""
        self.stdout.write(f"{name}…")
        self.stdout.flush()
        try:
            do()
        except SystemCheckError as error:
            raise CommandError(_("%(step)s : %(error)s") % {"step": name, "error": error}, returncode=2) from None
        except UnfitDatabaseError as error:
            raise CommandError(f"{name} : {error}", returncode=error.code) from None
        except DatabaseError as error:
            raise CommandError(f"{name} : {explain_database_error(error)}") from None
        except (BackupError, CommandError, OSError) as error:
            raise CommandError(
                _("%(step)s : %(error)s Rien de ce qui suit n’a été fait.") % {"step": name, "error": error}
            ) from None

    def _check(self) -> None:
        call_command("check", deploy=True, databases=["default"], stdout=self.stdout, stderr=self.stderr)
        check_not_newer()

    def _back_up(self, folder: Path) -> None:
        report = back_up(folder)
        write_report(self, report)
        if report.damaged:
            raise BackupError(_("des documents manquent ou sont altérés ; « manage.py verify_documents » les nomme."))


def _wake() -> None:
    for wake in _WAKING:
        try:
            wake()
        except DatabaseError:
            raise
        except Exception as error:  # a queue on Redis has errors of its own
            raise CommandError(
                _("la file d’attente ne répond pas ({kind}) : vérifiez TASKS_BACKEND.").format(
                    kind=type(error).__name__
                )
            ) from None
