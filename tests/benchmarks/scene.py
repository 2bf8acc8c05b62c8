"""Where a measure of pages takes place: a database made for it on PostgreSQL, and the pages in the process itself."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.db import connection
from django.test.utils import setup_test_environment


@contextmanager
def measured_database(*, keep: bool = False) -> Iterator[None]:
    """The database of a measure, dropped at the end unless ``keep``; ends the program where there is no PostgreSQL."""
    if connection.vendor != "postgresql":
        print("La mesure se fait sur PostgreSQL : DATABASE_URL=postgres://…, ou bin/with-postgresql", file=sys.stderr)
        raise SystemExit(2)
    old_name = settings.DATABASES["default"]["NAME"]
    connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False, keepdb=keep)
    try:
        yield
    finally:
        connection.creation.destroy_test_db(old_name, verbosity=0, keepdb=keep)


def answer_here(urlconf: str) -> None:
    """Have ``django.test.Client`` ask the addresses of ``urlconf``, with the static files as they are in the tree."""
    settings.ROOT_URLCONF = urlconf
    settings.WHITENOISE_AUTOREFRESH = settings.WHITENOISE_USE_FINDERS = True
    settings.STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    setup_test_environment(debug=False)
