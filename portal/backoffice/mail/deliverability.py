"""Délivrabilité: whether the world can tell that our mails are ours, and the records to publish."""

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from mailing.addresses import InvalidAddressError
from mailing.alignment import note_check
from mailing.deliverability import NoMailServerError, Verdict, check_deliverability, current_setting
from mailing.dns_lookups import Lookups
from portal.backoffice.ui.pages import render_page

CAN_VIEW = "mailing.view_message"
# The state of the palette whose colour fits each way a check can go.
COLOURS = {"ok": "ready", "warning": "deferred", "wrong": "rejected", "unknown": "queued"}


@require_safe
def deliverability(request: HttpRequest) -> HttpResponse:
    """What the DNS says at this moment: some seconds where it is slow."""
    if not request.user.has_perm(CAN_VIEW):
        raise PermissionDenied
    verdict: Verdict | None = None
    problem = ""
    try:
        verdict = check_deliverability(current_setting(), Lookups())
        note_check(verdict, timezone.now())
    except (NoMailServerError, InvalidAddressError) as error:
        problem = str(error)
    rows = [(one, COLOURS[one.state]) for one in verdict.findings] if verdict else []
    context = {"title": _("Délivrabilité"), "verdict": verdict, "rows": rows, "problem": problem}
    return render_page(request, "backoffice/mail/deliverability.html", context)
