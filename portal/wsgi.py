"""WSGI entry of the project."""

import logging
import os
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.wsgi import get_wsgi_application
from django.db import DatabaseError, connection

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")

try:
    application = get_wsgi_application()
except ImproperlyConfigured as error:
    # A line of a server's log says it; a traceback would hide it. gunicorn ends with a worker that ends with 3,
    # and starts one that ends otherwise again without a pause.
    print(error, file=sys.stderr, flush=True)
    raise SystemExit(3) from None

from portal.environment import explain_database_error
from portal.start import UnfitDatabaseError, check_database

try:
    check_database()
    connection.close()  # a server that forks after this import shares no connection
except UnfitDatabaseError as error:
    print(error, file=sys.stderr, flush=True)
    raise SystemExit(3) from None
except DatabaseError as error:
    # A database that is still starting must not stop the site, which says on /sante/ what is missing.
    logging.getLogger(__name__).error("%s", explain_database_error(error))
