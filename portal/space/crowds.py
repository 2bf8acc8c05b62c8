"""Too many sign-ins or archives at once: a page that says so, at once, instead of a machine that answers no one."""

import threading
import weakref
from collections.abc import Callable

from django.conf import settings
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
        return _say(request, _("Beaucoup de personnes se connectent en même temps."))


class ArchivesMiddleware:
    """Has a process make ``ARCHIVES_AT_ONCE`` ZIPs at the same time at most, so that its other threads answer pages."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        self.places = threading.BoundedSemaphore(settings.ARCHIVES_AT_ONCE)

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer 503 where all places are taken; one is free again when its archive was sent, or no one reads it."""
        if not request.path.endswith(".zip"):
            return self.get_response(request)
        if not self.places.acquire(blocking=False):
            refused = _say(request, _("Beaucoup d’archives se préparent en même temps."))
            if request.method == "GET":  # the browser asks again by itself
                refused["Refresh"] = str(RETRY_AFTER_SECONDS)
            return refused
        try:
            response = self.get_response(request)
        except BaseException:
            self.places.release()
            raise
        leave = weakref.finalize(response, self.places.release)  # once, whoever calls it first
        if response.streaming:
            response._resource_closers.append(leave)  # type: ignore[attr-defined]
        else:
            leave()
        return response


def _say(request: HttpRequest, sentence: str) -> HttpResponse:
    response = private(render(request, "503.html", {"sentence": sentence}, status=503))
    response["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return response
