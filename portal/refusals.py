"""Pages that say no: in the back-office with its frame, its menus and a way on, elsewhere the same for everybody."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.cache import add_never_cache_headers
from django.utils.translation import gettext as _
from django.views import defaults

from portal.sessions import needs_code


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Page 400 (``handler400``)."""
    return _framed(request, "400.html", {"title": _("Demande incomprise")}, 400) or defaults.bad_request(
        request, exception
    )


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Page 403 (``handler403``), with the sentence of ``exception`` where it has one."""
    page = _framed(request, "403.html", {"title": _("Accès refusé"), "exception": str(exception)}, 403)
    return page or defaults.permission_denied(request, exception)


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Page 404 (``handler404``)."""
    context = {
        "title": _("Page introuvable"),
        "sentence": _("Cette adresse ne mène à rien : ce qui était là a peut-être été supprimé."),
    }
    return _framed(request, "404.html", context, 404) or defaults.page_not_found(request, exception)


def render_refusal(request: HttpRequest, template: str, context: dict[str, Any], *, status: int) -> HttpResponse:
    """The page ``template``, which extends ``refusal``, in the frame of where it was asked for."""
    return _framed(request, template, context, status) or render(request, template, context, status=status)


def _framed(request: HttpRequest, template: str, context: dict[str, Any], status: int) -> HttpResponse | None:
    """The page in the frame of the back-office; None for whoever is not in it."""
    user = getattr(request, "user", None)  # what is refused before the session is read has none
    is_inside = user is not None and request.path.startswith(reverse("admin:index"))
    if not is_inside or not admin.site.has_permission(request) or needs_code(request):
        return None
    frame = {**admin.site.each_context(request), "refusal": "backoffice/ui/refusal.html", **context}
    response = TemplateResponse(request, template, frame, status=status)
    add_never_cache_headers(response)
    return response.render()
