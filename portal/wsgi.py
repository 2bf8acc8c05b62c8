"""WSGI entry of the project."""

import os

from django.core.exceptions import ImproperlyConfigured
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")

try:
    application = get_wsgi_application()
except ImproperlyConfigured as error:
    # Two lines of a server's log say it; a traceback would hide it.
    raise SystemExit(str(error)) from None
