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
        execute_from_command_line(sys.argv)
    except (OperationalError, ProgrammingError) as error:
        from portal.environment import explain_database_error

        print(explain_database_error(error), file=sys.stderr)
        raise SystemExit(1) from None


if __name__ == "__main__":
    main()
