"""Premiers pas: the list of steps, the way to each, what skips it, and the page of mails, which has none elsewhere."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from django import forms
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from invoices.exporting.trials import KIND, send_trial_message
from invoices.models import Company
from mailing.addresses import InvalidAddressError, parse_address
from mailing.outbox import find_latest
from portal.backoffice.first_steps.steps import (
    RIGHTS,
    STEPS_BY_KEY,
    Guide,
    StepState,
    read_guide,
    resume_step,
    skip_step,
)
from portal.backoffice.ui.mail_addresses import check_email
from portal.backoffice.ui.meanwhile import MeanwhileMixin
from portal.backoffice.ui.pages import acting_account, add_message, allowed, log_change, render_page, staff_name
from portal.backoffice.ui.worker import MAILER, find_silence

# In the session: the step that somebody has gone to, so that its pages show the way back and on.
SESSION_KEY = "first_step"


@dataclass(frozen=True, slots=True)
class Strip:
    """What the pages of a step say of the guide: the step gone to, and the one that follows."""

    guide: Guide
    state: StepState

    @property
    def next(self) -> StepState | None:
        """The step to go on with once this one is done."""
        return self.guide.next


def read_strip(request: HttpRequest) -> Strip | None:
    """What to say of the step that the signed-in person has gone to; None, without a query, where he is in none."""
    session = getattr(request, "session", None)
    key = session.get(SESSION_KEY) if session is not None else None
    if not key or (guide := read_guide(request.user)) is None:
        return None
    state = guide.find(key)
    return Strip(guide, state) if state is not None else None


def leave_step(request: HttpRequest) -> None:
    """Show the way no longer: the person is back at the list of steps."""
    request.session.pop(SESSION_KEY, None)


@allowed(*RIGHTS)
@require_GET
def first_steps(request: HttpRequest) -> HttpResponseBase:
    """The list of steps, those that are done too."""
    leave_step(request)
    context = {"title": _("Premiers pas"), "guide": read_guide(request.user)}
    return render_page(request, "backoffice/first_steps/page.html", context)


def _permitted(request: HttpRequest, key: str) -> Any:
    """The step ``key``. Raises Http404 where there is none, PermissionDenied where it is not the person's."""
    if (step := STEPS_BY_KEY.get(key)) is None:
        raise Http404
    if not request.user.has_perm(step.permission):
        raise PermissionDenied
    return step


@allowed(*RIGHTS)
@require_GET
def go_to_step(request: HttpRequest, key: str) -> HttpResponseBase:
    """Lead to the page of a step; from here on its pages show the way back and on."""
    step = _permitted(request, key)
    request.session[SESSION_KEY] = key
    return redirect(step.find_page())


@allowed(*RIGHTS)
@require_POST
def skip(request: HttpRequest, key: str) -> HttpResponseBase:
    """Set a step aside, or (``reprendre=oui``) ask for it again."""
    step = _permitted(request, key)
    if request.POST.get("reprendre") == "oui":
        resume_step(key=step.key)
    else:
        skip_step(key=step.key, by=staff_name(request))
    return redirect("admin:first_steps")


class SenderForm(MeanwhileMixin, forms.ModelForm[Company]):
    """In whose name mails leave."""

    class Meta:
        model = Company
        fields = ("sender_name", "sender_email", "reply_to")
        help_texts = {
            "sender_name": gettext_lazy("Vide : le nom de la société."),
            "reply_to": gettext_lazy("Vide : l’e-mail de la société."),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        hint = _("Vide : %(address)s, l’adresse de l’installation.") % {"address": settings.DEFAULT_FROM_EMAIL}
        self.fields["sender_email"].help_text = hint

    def clean_sender_email(self) -> str:
        """One address, accents allowed."""
        return check_email(self.cleaned_data["sender_email"])


@allowed("invoices.change_company")
@require_http_methods(["GET", "HEAD", "POST"])
def mails(request: HttpRequest) -> HttpResponseBase:
    """The server, the sender and a trial mail, on one page."""
    company = Company.objects.first()
    form = SenderForm(request.POST or None, instance=company, label_suffix="") if company is not None else None
    reader = acting_account(request)
    if request.method == "POST":
        if form is None or company is None:
            add_message(request, _("Renseignez d’abord l’identité de la société."), level=messages.WARNING)
            return redirect("admin:first_steps_mails")
        if form.is_valid():
            if form.changed_data:
                form.save()
                log_change(request, company, _("Expéditeur des mails modifié."))
                add_message(request, _("Expéditeur enregistré."))
            if request.POST.get("essai") == "oui":
                _send_trial(request, company)
            return redirect("admin:first_steps_mails")
    context = {
        "title": _("Expéditeur et mail d’essai"),
        "form": form,
        "server": urlsplit(settings.EMAIL_URL).hostname or "",
        "reader": reader,
        "trial": (trial := find_latest(KIND, reader.login)),
        "is_mailer_silent": trial is not None and find_silence(MAILER, timezone.now()) is not None,
        "company_page": reverse("admin:first_step", args=["identite"]),
    }
    status = 422 if form is not None and form.errors else 200
    return render_page(request, "backoffice/first_steps/mails.html", context, status=status)


def _send_trial(request: HttpRequest, company: Company) -> None:
    reader = acting_account(request)
    try:
        parse_address(reader.login)
    except InvalidAddressError as problem:
        sentence = _("L’essai part à votre identifiant : %(problem)s") % {"problem": problem}
        add_message(request, sentence, level=messages.ERROR)
        return
    send_trial_message(company=company, reader=reader)
    add_message(request, _("Essai écrit dans la boîte d’envoi, pour %(address)s.") % {"address": reader.login})
