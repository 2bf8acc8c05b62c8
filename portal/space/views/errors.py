"""Pages of refusal."""

import logging
import sys
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.db import InterfaceError, OperationalError, ProgrammingError
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseNotAllowed
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.views.defaults import server_error

from invoices.models import Document
from portal.environment import explain_database_error
from portal.faults import report_error, report_missing_document
from portal.refusals import render_refusal
from portal.space.responses import private

logger = logging.getLogger(__name__)

Answer = Callable[[HttpRequest], HttpResponseBase]


def went_wrong(request: HttpRequest) -> HttpResponse:
    """Page 500; or 503 with the reason where the database does not answer, is held, or is of another version."""
    error = sys.exc_info()[1]
    if _lacks_static_files(error):
        return _without_static_files()
    if not isinstance(error, OperationalError | InterfaceError | ProgrammingError):
        if error is not None:
            report_error(request, error)
        return server_error(request)
    context = {"sentence": explain_database_error(error, details=False)}
    response = HttpResponse(render_to_string("503.html", context), status=503)
    response["Retry-After"] = "30"
    return response


def _lacks_static_files(error: BaseException | None) -> bool:
    """True for what whitenoise's storage raises where ``collectstatic`` was not run for this version."""
    return isinstance(error, ValueError) and "staticfiles manifest" in str(error)


def _without_static_files() -> HttpResponse:
    """Page 503 that needs no static file: our other pages would fail as the one that was asked for did."""
    logger.error("The static files of this version are not collected: manage.py collectstatic (or manage.py upgrade)")
    response = HttpResponse(render_to_string("static_files_missing.html"), status=503)
    response["Retry-After"] = "300"
    return response


def document_unavailable(request: HttpRequest, document: Document) -> HttpResponse:
    """Page 404 that says whose fault it is: ``document`` is its reader's, and the store does not give it."""
    report_missing_document(document)
    return private(
        render(request, "space/document_unavailable.html", {"title": _("Document indisponible")}, status=404)
    )


def too_many_tries(request: HttpRequest, *, minutes: int, sentence: str = "") -> HttpResponse:
    """Page 429: what was tried too often, and in how many minutes it may be tried again."""
    context = {"title": _("Trop d’essais"), "sentence": sentence, "minutes": minutes}
    response = private(render(request, "429.html", context, status=429))
    response["Retry-After"] = str(minutes * 60)
    return response


def no_dead_end(get_response: Answer) -> Answer:
    """Middleware: where somebody opens an address that takes forms alone (a bookmark, a reload), a page instead of
    nothing.
    """

    def answer(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        if isinstance(response, HttpResponseNotAllowed) and request.method == "GET":
            response.content = render_refusal(
                request, "404.html", {"title": _("Page introuvable")}, status=response.status_code
            ).content
        return response

    return answer


def locked_out(request: HttpRequest, *_details: Any) -> HttpResponse:
    """What django-axes answers when a login was tried too often from one address, whether the login exists or not."""
    return too_many_tries(
        request,
        minutes=int(settings.AXES_COOLOFF_TIME.total_seconds() // 60),
        sentence=_("Cet identifiant a été essayé trop souvent avec un mot de passe faux."),
    )
