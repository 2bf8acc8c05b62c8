"""Whether this program and this database belong together: asked once, before a process serves or works."""

from collections.abc import Iterable

from django.conf import settings
from django.core.management import get_commands
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.utils.crypto import constant_time_compare, salted_hmac

from customers.credentials import opens_stored_secrets
from portal.models import Installation

# Commands of Django and of libraries that serve or work; ours do all, but for those that make a database fit.
SERVING = frozenset({"runserver", "db_worker", "rqworker"})
ROOMS = frozenset({"portal", "invoices", "customers", "mailing"})
# Its one table is for pages that we do not show: the address of a Redis alone changes the queue.
WITHOUT_TABLES = frozenset({"django_rq"})
NEED_NO_START = frozenset({"demo", "migrate", "accept_secret_key", "propose_mapping", "backup", "restore", "upgrade"})


class UnfitDatabaseError(Exception):
    """This program and this database do not belong together; ``str()`` is a French sentence, ``code`` that of exit."""

    def __init__(self, sentence: str, *, code: int) -> None:
        super().__init__(sentence)
        self.code = code


def needs_fit_database(arguments: list[str]) -> bool:
    """True where the command line ``arguments`` (``sys.argv``) asks for work, not for a check, a set-up or help."""
    command = arguments[1] if len(arguments) > 1 else ""
    if command in NEED_NO_START or {"-h", "--help", "--version"} & set(arguments[2:]):
        return False
    return command in SERVING or get_commands().get(command) in ROOMS


def check_database() -> None:
    """Raises :class:`UnfitDatabaseError` where tables or key are not this program's, DatabaseError as it comes."""
    _check_tables()
    _check_key()


def accept_key() -> None:
    """Take the present SECRET_KEY for that of the installation, whatever was noted before."""
    Installation.objects.update_or_create(pk=Installation.ONLY, defaults={"key_fingerprint": fingerprint_of_key()})


def fingerprint_of_key(key: str | None = None) -> str:
    """What the database keeps of ``key`` (the present SECRET_KEY): nothing of the key can be found back from it."""
    return salted_hmac("portal.start", "key", secret=key or settings.SECRET_KEY, algorithm="sha256").hexdigest()


def find_unknown_migrations(applied: Iterable[tuple[str, str]]) -> list[str]:
    """Of the migrations ``applied`` to a database (application, name), those that only a newer program has."""
    loader = MigrationLoader(None)
    replaced = {each for migration in loader.replacements.values() for each in migration.replaces}
    return sorted(
        f"{app}.{name}"
        for app, name in applied
        if app in loader.migrated_apps and (app, name) not in loader.disk_migrations and (app, name) not in replaced
    )


def check_not_newer() -> None:
    """Raises :class:`UnfitDatabaseError` where the tables are those of a newer program."""
    unknown = find_unknown_migrations(MigrationRecorder(connection).applied_migrations())
    if unknown:
        raise UnfitDatabaseError(
            f"La base de données est plus récente que ce programme (elle a reçu {unknown[-1]}) : "
            "installez la version qui l’a migrée, ou restaurez la sauvegarde d’avant.",
            code=1,
        )


def find_missing_migrations() -> list[str]:
    """The migrations of this program that the database has not received, in their order."""
    executor = MigrationExecutor(connection)
    nodes = [node for node in executor.loader.graph.leaf_nodes() if node[0] not in WITHOUT_TABLES]
    return [str(migration) for migration, _backwards in executor.migration_plan(nodes)]


def _check_tables() -> None:
    check_not_newer()
    missing = find_missing_migrations()
    if missing:
        raise UnfitDatabaseError(
            f"La base de données n’a pas les tables de cette version ({len(missing)} migrations manquent, dont "
            f"{missing[0]}) : lancez « manage.py migrate ».",
            code=1,
        )


def _check_key() -> None:
    """Note the key the first time, or the new one that knows the old one; refuse any other."""
    noted = Installation.objects.filter(pk=Installation.ONLY).values_list("key_fingerprint", flat=True).first()
    if noted is None and opens_stored_secrets():
        Installation.objects.get_or_create(pk=Installation.ONLY, defaults={"key_fingerprint": fingerprint_of_key()})
        return
    if noted is not None and constant_time_compare(noted, fingerprint_of_key()):
        return
    if noted in {fingerprint_of_key(key) for key in settings.SECRET_KEY_FALLBACKS if key}:
        accept_key()
        return
    raise UnfitDatabaseError(
        "SECRET_KEY n’est pas la clé avec laquelle cette base de données a été remplie : liens et mots de passe "
        "provisoires y seraient illisibles. Remettez l’ancienne clé (SECRET_KEY, ou le fichier var/secret_key). Pour "
        "en changer : SECRET_KEY=nouvelle et SECRET_KEY_FALLBACKS=ancienne. Si l’ancienne est perdue : "
        "« manage.py accept_secret_key ».",
        code=2,
    )
