"""Tables change while the program of before still serves: no long lock, and nothing that its statements stumble over.

django-migration-linter reads the statements that PostgreSQL would get. Migrations up to ``CHECKED_FROM`` were released
before this rule: where one adds an obligatory column without a default of the database, ``upgrade`` asks for the
processes to be stopped.
"""

from pathlib import Path

import pytest
from django.apps import AppConfig, apps
from django_migration_linter import MigrationLinter

pytestmark = [pytest.mark.postgresql, pytest.mark.django_db]

# The last migration of each application that was released before the rule.
CHECKED_FROM = {"customers": 9, "invoices": 22, "mailing": 12, "portal": 8, "quarantine": 0, "trail": 2}
# What is allowed all the same, and why.
ALLOWED = {("invoices", "0024_company_hosts"): "a constraint on companies, a table of a few rows"}


def is_ours(application: AppConfig) -> bool:
    """Whether ``application`` is one of the rooms, or is in one, and has tables."""
    return (
        application.name.partition(".")[0] in ("customers", "invoices", "mailing", "portal")
        and (Path(application.path) / "migrations").is_dir()
    )


@pytest.fixture
def linter() -> MigrationLinter:
    return MigrationLinter(".", no_cache=True)


def test_a_new_migration_runs_beside_the_program_of_before(
    linter: MigrationLinter, capsys: pytest.CaptureFixture[str]
) -> None:
    assert {application.label for application in apps.get_app_configs() if is_ours(application)} == set(CHECKED_FROM)
    for application, name in sorted(linter.migration_loader.disk_migrations):
        is_released = application not in CHECKED_FROM or int(name[:4]) <= CHECKED_FROM[application]
        if not is_released and (application, name) not in ALLOWED:
            linter.lint_all_migrations(application, name)
    assert not linter.has_errors, capsys.readouterr().out


def test_an_obligatory_column_without_a_default_would_be_named(
    linter: MigrationLinter, capsys: pytest.CaptureFixture[str]
) -> None:
    linter.lint_all_migrations("invoices", "0021")
    assert linter.has_errors
    assert "NOT NULL constraint" in capsys.readouterr().out
