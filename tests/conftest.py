"""What every test may use: a folder of its own for documents and mails, a cache of its own, and the fixed cast."""

import gc
import importlib
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hypothesis
import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.test import Client

    from customers.models import Account

# The same cases at each run, and no limit of time: a busy machine is no defect.
hypothesis.settings.register_profile(
    "house", deadline=None, derandomize=True, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("house")

# A test that has none of these touches no database.
DATABASE_MARKERS = ("django_db", "postgresql")
DATABASE_FIXTURES = {"db", "transactional_db", "django_db_setup"}
TRANSACTION_FIXTURES = {"transactional_db", "live_server", "django_db_reset_sequences"}


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark what touches no database, to run once; leave what is about PostgreSQL (its plans, its locks) to it."""
    from django.db import connection

    for item in items:
        has_marker = any(item.get_closest_marker(name) for name in DATABASE_MARKERS)
        if not has_marker and DATABASE_FIXTURES.isdisjoint(getattr(item, "fixturenames", ())):
            item.add_marker("without_database")
    if connection.vendor == "postgresql":
        return
    elsewhere = [item for item in items if item.get_closest_marker("postgresql")]
    if elsewhere:
        config.hook.pytest_deselected(items=elsewhere)
        items[:] = [item for item in items if item not in elsewhere]


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """Look no more for garbage among modules and collected tests: a tenth of the time of rendering went there."""
    gc.collect()
    gc.freeze()


class _AsMigrated:
    """The rows that migrations write, put back after a test that empties all tables, for those that count on them.

    Tests that need real transactions end with a flush. Where tests are shared out among processes, any may follow.
    """

    rows = ""
    blocker: Any = None
    is_flushed = False

    def put_back(self) -> None:
        """Load the rows as they were when the database was made."""
        from django.contrib.contenttypes.models import ContentType
        from django.core.management import call_command
        from django.db import connection

        from tests.support.trail import empty_the_trail

        with self.blocker.unblock():
            call_command("flush", interactive=False, inhibit_post_migrate=True, verbosity=0)
            empty_the_trail()
            connection.creation.deserialize_db_from_string(self.rows)
            ContentType.objects.clear_cache()
        self.is_flushed = False


_as_migrated = _AsMigrated()


_while_it_is_made = ExitStack()


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings: None) -> None:
    """The test database begins as a copy of a migrated one, until :func:`django_db_setup` has it."""
    from tests.support.migrated import copied_into_the_test_database

    _while_it_is_made.enter_context(copied_into_the_test_database())


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """The first process leaves no migrated database on the server, the others may still copy it."""
    from django.db import connection

    from tests.support.migrated import drop_template

    if connection.vendor == "postgresql" and not hasattr(session.config, "workerinput"):
        drop_template()


@pytest.fixture(scope="session")
def django_db_setup(request: pytest.FixtureRequest, django_db_setup: None, django_db_blocker: Any) -> None:
    """The database of pytest-django, whose first rows are remembered; there is none where no test has its tables."""
    from django.db import connection

    with django_db_blocker.unblock():
        _while_it_is_made.close()
    if not any(map(_has_tables, request.session.items)):
        return
    with django_db_blocker.unblock():
        _as_migrated.rows = connection.creation.serialize_db_to_string()
    _as_migrated.blocker = django_db_blocker


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Before a test that is rolled back, the tables are as migrations left them."""
    if item.get_closest_marker("without_database"):
        return
    if _empties_tables(item):
        _as_migrated.is_flushed = True
    elif _as_migrated.is_flushed:
        _as_migrated.put_back()


def _has_tables(item: pytest.Item) -> bool:
    names = {"db", *TRANSACTION_FIXTURES}
    return bool(item.get_closest_marker("django_db")) or not names.isdisjoint(getattr(item, "fixturenames", ()))


def _empties_tables(item: pytest.Item) -> bool:
    marker = item.get_closest_marker("django_db")
    is_marked = marker is not None and bool(marker.kwargs.get("transaction"))
    return is_marked or not TRANSACTION_FIXTURES.isdisjoint(getattr(item, "fixturenames", ()))


@pytest.fixture(autouse=True)
def own_folders(request: pytest.FixtureRequest, settings: Any, tmp_path: Path) -> None:
    """Documents and mails of a test are written below its own temporary folder."""
    from tests.support.shared_rows import settings_below

    for name, value in settings_below(tmp_path).items():
        setattr(settings, name, value)
    if "shared_rows" in request.fixturenames:
        # The documents that the shared rows name are where they were written.
        settings.DOCUMENTS_ROOT = request.getfixturevalue("shared_rows") / "documents"


@pytest.fixture(scope="module")
def shared_rows(
    django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory
) -> "Iterator[Path]":
    """A transaction around those of the tests of a module, for rows that a fixture of the module writes once.

    Each test still leaves no trace. Returns the folder of its documents. Not for modules with tests that commit.
    """
    from tests.support.shared_rows import around_a_module

    with django_db_blocker.unblock(), around_a_module(folder := tmp_path_factory.mktemp("shared")):
        yield folder


@pytest.fixture
def predefined_messages() -> None:
    """What a migration wrote and the end of another test emptied."""
    from django.apps import apps

    from mailing.models import MessageTemplate

    if not MessageTemplate.objects.exists():
        importlib.import_module("mailing.migrations.0002_predefined_messages").create_messages(apps, None)


@pytest.fixture
def staff() -> "Account":
    """A member of the accounts department, with all rights."""
    from tests.support.factories import make_staff

    return make_staff(name="Nathalie Blanc")


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> "Iterator[tuple[str, Path]]":
    """A time-stamping authority: its address, and the file of its root certificate."""
    from tests.support.timestamp_authority import make_authority, serving

    folder = tmp_path_factory.mktemp("authority")
    root = make_authority(folder)
    with serving(folder) as address:
        yield address, root


@pytest.fixture
def at_the_beginning_of_a_span(time_machine: Any) -> None:
    """Tries are counted by spans of the clock: a test that began at the end of one would count in two."""
    time_machine.move_to("2026-03-02T10:00:00Z")


@pytest.fixture
def staff_client(client: "Client", staff: "Account") -> "Client":
    """The back-office as that member sees it."""
    from tests.support.back_office import BACKEND

    client.force_login(staff, backend=BACKEND)
    return client
