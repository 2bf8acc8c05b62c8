"""Délivrabilité: whether receivers can verify that our mails are ours, and the records to publish."""

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from mailing.addresses import InvalidAddressError
from mailing.alignment import note_check
from mailing.deliverability import NoMailServerError, Verdict, check_deliverability, current_setting
from mailing.dns_lookups import Lookups
from mailing.mailboxes import MailboxError
from mailing.trial_mails import TrialError, send_trial_mail, wait_for_trial_mail
from portal.backoffice.ui.pages import add_message, render_page

CAN_VIEW = "mailing.view_message"
CAN_TRY = "mailing.change_message"
# Seconds that a page waits for the trial mail; the command waits longer.
PATIENCE = 15
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
    context = {
        "title": _("Délivrabilité"),
        "verdict": verdict,
        "rows": rows,
        "problem": problem,
        "own_mailbox": settings.BOUNCE_ADDRESS if settings.IMAP_URL and request.user.has_perm(CAN_TRY) else "",
    }
    return render_page(request, "backoffice/mail/deliverability.html", context)


@require_POST
def trial(request: HttpRequest) -> HttpResponse:
    """Send a trial mail to our own mailbox, and show what its server found."""
    if not request.user.has_perm(CAN_TRY):
        raise PermissionDenied
    if not settings.IMAP_URL or not settings.BOUNCE_ADDRESS:
        add_message(request, _("Il faut BOUNCE_ADDRESS et IMAP_URL pour relire un mail."), level=messages.WARNING)
        return redirect("admin:deliverability")
    try:
        found = wait_for_trial_mail(send_trial_mail(settings.BOUNCE_ADDRESS), PATIENCE)
    except (TrialError, MailboxError, InvalidAddressError) as error:
        add_message(request, str(error), level=messages.ERROR)
    else:
        level = messages.SUCCESS if found.is_right else messages.WARNING
        add_message(request, _("Mail d’essai – %s") % found, level=level)
    return redirect("admin:deliverability")
