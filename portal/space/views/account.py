"""«Mon compte»: password, preferences, mails, sessions, all one's data."""

import json

from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import override
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from customers.services import PasswordReplacedError, choose_password
from invoices.models import Invoice
from mailing.outbox import messages_to
from portal.devices import device_in_words
from portal.languages import offered_languages
from portal.middleware import PASSWORD, open_before
from portal.persons import data_of
from portal.proof import issuer_name, proved_lately, proves_by_issuer
from portal.sessions import close_session, close_sessions, open_sessions, public_number
from portal.space.forms import ChangePasswordForm, NewPasswordForm, PreferencesForm
from portal.space.invoice_list import customers_of
from portal.space.limits import Limit
from portal.space.requests import signed_in_account, wanted_page
from portal.space.responses import private
from portal.space.views.errors import too_many_tries
from portal.space.views.invoices import archive_of

OWN_DATA = "Mes-donnees.zip"
# The present password is asked for whoever found a session open: it may not be guessed there either.
PRESENT_PASSWORDS = Limit("present-password", most=10, minutes=15)


@require_http_methods(["GET", "HEAD", "POST"])
def account(request: HttpRequest) -> HttpResponse:
    """The account at a glance; its preferences are saved here."""
    owner = signed_in_account(request)
    form = PreferencesForm(request.POST or None, instance=owner, languages=offered_languages())
    if request.method == "POST" and form.is_valid():
        form.save()
        with override(owner.language):  # of the page that comes next
            messages.success(request, _("Vos préférences sont enregistrées."))
        return redirect("account")
    own_key = request.session.session_key
    context = {
        "title": _("Mon compte"),
        "section": "account",
        "form": form,
        "customers": customers_of(owner),
        "sessions": [
            {
                "session": each,
                "device": device_in_words(each.device),
                "number": public_number(each),
                "is_this": each.session_key == own_key,
            }
            for each in open_sessions(owner)
        ],
    }
    return private(render(request, "space/account.html", context))


@open_before(PASSWORD)
@never_cache
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def change_password(request: HttpRequest) -> HttpResponse:
    """Choose one's password: at once with a provisional one, after the present one otherwise."""
    owner = signed_in_account(request)
    is_first = owner.must_change_password
    if proves_by_issuer(owner) and not is_first:
        messages.info(request, _("Votre mot de passe est celui de %s : il se change là-bas.") % issuer_name())
        return redirect("account")
    form_class = NewPasswordForm if is_first else ChangePasswordForm
    form = form_class(owner, request.POST or None)
    target = wanted_page(request)
    if request.method == "POST" and not is_first and not PRESENT_PASSWORDS.allow(str(owner.pk)):
        return too_many_tries(request, minutes=PRESENT_PASSWORDS.minutes)
    if request.method == "POST" and form.is_valid():
        try:
            choose_password(account=owner, password=form.cleaned_data["new_password"])
        except PasswordReplacedError:
            form.add_error(
                "new_password", _("Votre mot de passe vient d’être changé ailleurs : reconnectez-vous avec le nouveau.")
            )
        else:
            update_session_auth_hash(request, owner)
            close_sessions(owner, keep=request.session.session_key)
            messages.success(request, _("Votre mot de passe est enregistré. Vos autres sessions sont fermées."))
            return redirect(target or ("home" if is_first else "account"))
    context = {
        "title": _("Choisir votre mot de passe") if is_first else _("Changer de mot de passe"),
        "section": "account",
        "form": form,
        "is_first": is_first,
        "next": target,
    }
    return private(render(request, "space/change_password.html", context))


@require_safe
def mails(request: HttpRequest) -> HttpResponse:
    """The mails sent to the account, their secrets masked."""
    owner = signed_in_account(request)
    context = {"title": _("Mails reçus"), "section": "account", "mails": messages_to([owner.login])}
    return private(render(request, "space/mails.html", context))


@require_POST
def close(request: HttpRequest) -> HttpResponse:
    """Close one of one's own sessions (``session``), or all others."""
    owner = signed_in_account(request)
    if "others" in request.POST:
        close_sessions(owner, keep=request.session.session_key)
        messages.success(request, _("Vos autres sessions sont fermées."))
    elif close_session(owner, request.POST.get("session", "")):
        messages.success(request, _("La session est fermée."))
    else:
        raise Http404
    return redirect("account")


@require_safe
@proved_lately
def own_data(request: HttpRequest) -> HttpResponseBase:
    """All one's data in a ZIP: what is known of the account, as JSON, and every invoice."""
    owner = signed_in_account(request)
    response = StreamingHttpResponse(content_type="application/zip")
    if request.method == "GET":
        known = json.dumps(data_of(owner), ensure_ascii=False, indent=2, default=str).encode()
        response.streaming_content = archive_of(
            request,
            owner,
            Invoice.objects.visible_to(owner),
            OWN_DATA,
            by_customer=True,
            extra=(("donnees.json", known),),
        )
    response["Content-Disposition"] = f'attachment; filename="{OWN_DATA}"'
    return private(response)
