#!/usr/bin/env python3
"""Django's command line for this project."""

import os
import sys


def main() -> None:
    """Run the command that the arguments name."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    try:
        from django.core.management import execute_from_command_line
    except ModuleNotFoundError as error:
        raise SystemExit("Django n’est pas installé dans cet environnement : lancez « make setup ».") from error
    from django.conf import settings
    from django.core.exceptions import ImproperlyConfigured

    try:
        bool(settings.DEBUG)  # reads the environment: a wrong value is a sentence, not a traceback
    except ImproperlyConfigured as error:
        print(error, file=sys.stderr)
        raise SystemExit(2) from None
    from django.db import OperationalError, ProgrammingError

    try:
        if len(sys.argv) > 1 and not sys.argv[1].startswith("-"):
            _check_start(sys.argv)
        execute_from_command_line(sys.argv)
    except (OperationalError, ProgrammingError) as error:
        from portal.environment import explain_database_error

        print(explain_database_error(error), file=sys.stderr)
        raise SystemExit(1) from None


def _check_start(arguments: list[str]) -> None:
    """End here, with a sentence, where the command would work on a database that is not this program's."""
    import django

    django.setup()
    from django.db import connection

    from portal.start import UnfitDatabaseError, check_database, needs_fit_database

    try:
        if needs_fit_database(arguments):
            check_database()
            connection.close()  # processes that are forked later open their own
    except UnfitDatabaseError as error:
        print(error, file=sys.stderr)
        raise SystemExit(error.code) from None


if __name__ == "__main__":
    main()
