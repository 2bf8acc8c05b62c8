"""What was sent when it could not be taken: the session had ended, or another tab had signed in."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import Resolver404, resolve, reverse
from django.utils.translation import gettext as _
from django.views.csrf import csrf_failure
from django.views.decorators.http import require_safe

from portal.resuming import SentForm, is_from_this_site, keep_sent_form, take_sent_form
from portal.space.requests import wanted_page
from portal.space.responses import private


@require_safe
def resume(request: HttpRequest) -> HttpResponse:
    """What was sent before the sign-in, with one button that sends it now."""
    address, form = take_sent_form(request)
    if not address:
        return redirect("home")
    return _offer(request, address, form, _("Votre session avait pris fin"), status=200)


def stale_form(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Answer a form whose token is another session's (``CSRF_FAILURE_VIEW``).

    Only what the browser says to come from a page of this site is offered again; all else gets the page of refusal.
    """
    name = _name_of(request.path)
    if not is_from_this_site(request) or not request.COOKIES:
        return csrf_failure(request, reason=reason)
    is_signed_in, is_sign_in = request.user.is_authenticated, name in ("login", "sign_in_by_link")
    if is_signed_in and is_sign_in:  # the other tab has signed in already
        return redirect(wanted_page(request) or "home")
    if name == "logout" and not is_signed_in:
        return redirect("login")
    if is_sign_in:
        return redirect(f"{request.path}?{request.GET.urlencode()}" if request.GET else request.path)
    if is_signed_in or _is_public(request.path):
        form = SentForm.of(request)
        return _offer(request, request.get_full_path(), form, _("Cette page était restée ouverte"), status=403)
    keep_sent_form(request)
    return redirect(f"{reverse('login')}?next={reverse('resume')}")


def _offer(request: HttpRequest, address: str, form: SentForm | None, title: str, *, status: int) -> HttpResponse:
    context = {"title": title, "address": address, "form": form, "what": _words_for(address, form)}
    return private(render(request, "space/resume.html", context, status=status))


def _name_of(path: str) -> str:
    try:
        return resolve(path).view_name
    except Resolver404:
        return ""


def _is_public(path: str) -> bool:
    """True where ``path`` is a page that is open to everybody: no sign-in leads back to it."""
    try:
        return not getattr(resolve(path).func, "login_required", True)
    except Resolver404:
        return False


def _words_for(address: str, form: SentForm | None) -> str:
    """What the form asks for, in words."""
    name = _name_of(address.partition("?")[0])
    if name == "invoices_archive" and form is not None:
        count = sum(field == "facture" for field, _value in form.fields)
        # Not by ngettext: a catalogue of customers' words has each message by itself.
        if count == 1:
            return _("Télécharger la facture cochée.")
        return _("Télécharger les %(count)d factures cochées.") % {"count": count}
    return {
        "mails": _("Enregistrer vos préférences de mails."),
        "account": _("Enregistrer les réglages de votre compte."),
        "close_session": _("Fermer une session de votre compte."),
        "other_company": _("Voir les factures d’une autre société."),
    }.get(name, _("Envoyer le formulaire que vous aviez rempli."))
