"""Where one arrives, and what every page borrows: the company's colour and logo."""

import mimetypes

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.core.files.storage import default_storage
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.utils.cache import patch_cache_control
from django.utils.csp import CSP
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.csp import csp_override
from django.views.decorators.http import require_POST, require_safe

from invoices.models import Company
from portal.faces import choose_company, face_of
from portal.space.colours import accents
from portal.space.requests import signed_in_account

DEFAULT_COLOUR = "#1f4e79"
YEAR_IN_SECONDS = 31_536_000
FIVE_MINUTES = 300


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Staff go to the back-office, customers to their invoices."""
    return redirect("admin:index" if signed_in_account(request).is_staff else "invoices")


@require_POST
def other_company(request: HttpRequest) -> HttpResponse:
    """Change to the invoices of another of the companies that bill this customer (``company``, its primary key)."""
    asked = request.POST.get("company", "")
    chosen = next((each for each in face_of(request).choices if str(each.pk) == asked), None)
    if chosen is None:
        raise Http404
    choose_company(request, chosen.pk)
    return redirect("invoices")


@login_not_required
@require_safe
def appearance(request: HttpRequest) -> HttpResponse:
    """A stylesheet of a few lines: the accent of both schemes, from the colour of the company whose page asks for it.

    The colour is in the address, so that a changed colour, or another company's, is another address and a kept one
    stays in the browser. A colour that is no company's gets that of the face.
    """
    asked = f"#{request.GET.get('c', '')[:6].lower()}"
    is_known = Company.objects.filter(colour__iexact=asked).exists()
    company = None if is_known else face_of(request).company
    colour = asked if is_known else company.colour if company else DEFAULT_COLOUR
    light, dark = accents(colour)
    response = HttpResponse(
        render_to_string("space/appearance.css", {"light": light, "dark": dark}), content_type="text/css"
    )
    patch_cache_control(response, public=True, max_age=YEAR_IN_SECONDS if is_known else FIVE_MINUTES)
    return response


@login_not_required
@require_safe
@csp_override({"default-src": [CSP.NONE], "sandbox": True})  # type: ignore[dict-item]
def logo(request: HttpRequest) -> HttpResponse | FileResponse:
    """A company's logo (``?societe=``, its primary key); with ``fond=sombre`` the one for dark schemes.

    An SVG opened by itself may run nothing.
    """
    asked = request.GET.get("societe", "")[:10]
    is_named = asked.isascii() and asked.isdigit()
    company = Company.objects.filter(pk=int(asked)).first() if is_named else face_of(request).company
    picture = None if company is None else company.dark_logo if request.GET.get("fond") == "sombre" else company.logo
    name = picture.name if picture else None
    if not name or not default_storage.exists(name):
        raise Http404
    content_type = mimetypes.guess_type(name)[0] or "application/octet-stream"
    response = FileResponse(default_storage.open(name, "rb"), content_type=content_type)
    patch_cache_control(response, public=True, max_age=FIVE_MINUTES)
    return response


@login_not_required
@require_safe
def legal_notice(request: HttpRequest) -> HttpResponse:
    """*Mentions légales*: who publishes this space (LCEN, article 1-1)."""
    return _about(request, "legal_page", title=_("Mentions légales"), template="space/legal_notice.html")


@login_not_required
@require_safe
def accessibility(request: HttpRequest) -> HttpResponse:
    """*Accessibilité*: what was done, and where to report a hindrance."""
    return _about(request, "accessibility_page", title=_("Accessibilité"), template="space/accessibility.html")


@login_not_required
@require_safe
def privacy(request: HttpRequest) -> HttpResponse:
    """*Données personnelles*: what is kept, why, how long, and one's rights (RGPD, article 13)."""
    return _about(request, "privacy_page", title=_("Données personnelles"), template="space/privacy.html")


def _about(request: HttpRequest, page: str, *, title: str, template: str) -> HttpResponse:
    """A page about the space, with what the company wrote itself in the reader's language, else in French."""
    company = face_of(request).company
    own = company.own_text(page, get_language() or settings.LANGUAGE_CODE) if company else None
    return render(request, template, {"title": title, "own": own})
