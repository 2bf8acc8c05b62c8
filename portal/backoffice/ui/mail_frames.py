"""A mail shown in a frame of the back-office: it may be styled and nothing else."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.template.loader import render_to_string
from django.utils.csp import CSP
from django.views.decorators.csp import csp_override

# A mail carries its styles within itself. No script, no form, no address is loaded; the sandbox takes its origin away.
MAIL_POLICY: dict[str, Any] = {
    "default-src": [CSP.NONE],
    "style-src": [CSP.SELF, CSP.UNSAFE_INLINE],
    "img-src": ["data:"],
    "frame-ancestors": [CSP.SELF],
    "base-uri": [CSP.NONE],
    "form-action": [CSP.NONE],
    "sandbox": ["allow-popups"],
}


def framed[**P, R: HttpResponseBase](view: Callable[P, R]) -> Callable[P, R]:
    """Give a view that answers with a mail the policy of such a frame."""
    guarded: Callable[P, R] = csp_override(MAIL_POLICY)(view)
    return guarded


def show_mail(request: HttpRequest, *, subject: str, text: str, html: str, note: str = "") -> HttpResponse:
    """A page for a frame: subject, HTML part (in a frame of its own) and text part. Passwords are masked already."""
    context = {"subject": subject, "text": text, "html": html, "note": note}
    return HttpResponse(render_to_string("backoffice/ui/mail_frame.html", context, request))


def show_problems(request: HttpRequest, problems: list[str]) -> HttpResponse:
    """A page for a frame that says, in French, why there is no mail to show."""
    return HttpResponse(render_to_string("backoffice/ui/mail_frame.html", {"problems": problems}, request))
