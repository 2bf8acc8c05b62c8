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
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
