"""Too many sign-ins at once: a page that says so, at once, instead of a machine without memory."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _

from customers.hashing import TooManyHashesError
from portal.space.responses import private

RETRY_AFTER_SECONDS = 5


class CrowdMiddleware:
    """Answers 503 for a password that could not be hashed in time."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Go on."""
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """The page, where ``error`` is of a crowd."""
        if not isinstance(error, TooManyHashesError):
            return None
        context = {"sentence": _("Beaucoup de personnes se connectent en même temps.")}
        response = private(render(request, "503.html", context, status=503))
        response["Retry-After"] = str(RETRY_AFTER_SECONDS)
        return response
