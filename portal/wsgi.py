"""WSGI entry of the project."""

import logging
import os

from django.core.exceptions import ImproperlyConfigured
from django.core.wsgi import get_wsgi_application
from django.db import DatabaseError, connection

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")

try:
    application = get_wsgi_application()
except ImproperlyConfigured as error:
    # Two lines of a server's log say it; a traceback would hide it.
    raise SystemExit(str(error)) from None

from portal.environment import explain_database_error
from portal.start import UnfitDatabaseError, check_database

try:
    check_database()
    connection.close()  # a server that forks after this import shares no connection
except UnfitDatabaseError as error:
    raise SystemExit(str(error)) from None
except DatabaseError as error:
    # A database that is still starting must not stop the site, which says on /sante/ what is missing.
    logging.getLogger(__name__).error("%s", explain_database_error(error))
