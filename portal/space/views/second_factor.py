"""«Double authentification»: the code at sign-in, turning it on and off; and «Confirmez que c’est vous»."""

from urllib.parse import quote

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from customers.credentials import decrypt_secret, encrypt_secret
from customers.second_factor import (
    address_of_key,
    count_recovery_codes,
    draw_key,
    renew_recovery_codes,
    take_code,
    turn_off,
    turn_on,
)
from customers.typed_passwords import opens
from invoices.models import Company
from invoices.printing.transfer_code import transfer_code
from mailing.trail.actions import Action
from mailing.trail.recording import record
from portal.middleware import CODE, ENROLMENT, open_before
from portal.proof import proved_lately, proves_by_issuer
from portal.sessions import (
    SECOND_FACTOR,
    close_sessions,
    needs_code,
    needs_enrolment,
    note_proof,
    note_second_factor,
)
from portal.space.limits import Limit
from portal.space.requests import signed_in_account, wanted_page
from portal.space.responses import private
from portal.space.transfers import QUIET_ZONE
from portal.space.views.account import PRESENT_PASSWORDS
from portal.space.views.errors import too_many_tries

# A code of six digits that is guessed six times in five minutes is found in years.
CODES = Limit("second-factor", most=6, minutes=5)
# The key of an application that is being set up: only the session that shows it knows it.
NEW_KEY = "new_second_factor"


class CodeForm(forms.Form):
    """The six digits that the application shows, or a recovery code."""

    code = forms.CharField(
        label=gettext_lazy("Code"),
        max_length=40,
        widget=forms.TextInput(
            attrs={"autocomplete": "one-time-code", "inputmode": "numeric", "spellcheck": "false", "autofocus": True}
        ),
    )
    use_required_attribute = False


class ProofForm(forms.Form):
    """The present password."""

    password = forms.CharField(
        label=gettext_lazy("Mot de passe"),
        strip=False,
        max_length=512,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password", "autofocus": True}),
    )
    use_required_attribute = False


@open_before(CODE)
@never_cache
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def give_code(request: HttpRequest) -> HttpResponse:
    """The second step of the sign-in."""
    owner, target = signed_in_account(request), wanted_page(request)
    if not needs_code(request):
        return redirect(target or "home")
    form = CodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        if not CODES.allow(str(owner.pk)):
            return too_many_tries(request, minutes=CODES.minutes)
        if take_code(account=owner, code=form.cleaned_data["code"]):
            note_second_factor(request)
            return redirect(target or "home")
        record(Action.SIGN_IN_REFUSED, owner, details={"with": "code"})
        form.add_error("code", _("Ce code n’est pas le bon, ou il a déjà servi : attendez le suivant."))
    context = {"title": _("Double authentification"), "form": form, "next": target}
    return private(render(request, "space/second_factor.html", context))


@never_cache
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def prove(request: HttpRequest) -> HttpResponse:
    """«Confirmez que c’est vous»: a code where there is a second factor, else the password."""
    owner, target = signed_in_account(request), wanted_page(request)
    has_factor = owner.second_factor_at is not None
    form: forms.Form = (CodeForm if has_factor else ProofForm)(request.POST or None)
    if request.method == "POST" and form.is_valid():
        limit = CODES if has_factor else PRESENT_PASSWORDS
        if not limit.allow(str(owner.pk)):
            return too_many_tries(request, minutes=limit.minutes)
        if has_factor and take_code(account=owner, code=form.cleaned_data["code"]):
            note_proof(request)
            return redirect(target or "home")
        if not has_factor and not proves_by_issuer(owner) and opens(form.cleaned_data["password"], owner.password):
            note_proof(request)
            return redirect(target or "home")
        name = "code" if has_factor else "password"
        form.add_error(name, _("Ce code n’est pas le bon.") if has_factor else _("Ce n’est pas votre mot de passe."))
    context = {
        "title": _("Confirmez que c’est vous"),
        "form": form,
        "next": target,
        "has_factor": has_factor,
        "issuer": settings.OIDC if not has_factor and proves_by_issuer(owner) else None,
    }
    return private(render(request, "space/prove.html", context))


@open_before(ENROLMENT)
@never_cache
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
@proved_lately
def enrol(request: HttpRequest) -> HttpResponse:
    """Turn it on: read the QR code, type what the application shows, keep the recovery codes."""
    owner, target = signed_in_account(request), wanted_page(request)
    context: dict[str, object] = {
        "title": _("Double authentification"),
        "section": "account",
        "is_required": needs_enrolment(request),
        "next": target,
    }
    if owner.second_factor_at is not None and request.GET.get("changer") != "1" and request.method != "POST":
        context["codes_left"] = count_recovery_codes(owner)
        return private(render(request, "space/second_factor_on.html", context))
    form = CodeForm(request.POST or None)
    key = decrypt_secret(request.session.get(NEW_KEY, "")) or draw_key()
    if request.method == "POST" and form.is_valid():
        if not CODES.allow(str(owner.pk)):
            return too_many_tries(request, minutes=CODES.minutes)
        codes = turn_on(account=owner, key=key, code=form.cleaned_data["code"])
        if codes is not None:
            request.session.pop(NEW_KEY, None)
            note_second_factor(request)
            close_sessions(owner, keep=request.session.session_key)
            return _show_codes(request, codes, target=target)
        form.add_error(
            "code", _("Ce code n’est pas celui de l’application : attendez le suivant, et vérifiez l’heure.")
        )
    request.session[NEW_KEY] = encrypt_secret(key)
    company = Company.objects.filter(is_default=True).first()
    address = address_of_key(owner, key, issuer=company.name if company else request.get_host())
    context |= {
        "form": form,
        "picture": f"data:image/svg+xml,{quote(transfer_code(address).as_svg(margin=QUIET_ZONE))}",
        "key": " ".join(key[start : start + 4] for start in range(0, len(key), 4)),
    }
    return private(render(request, "space/enrol_second_factor.html", context))


@never_cache
@require_POST
@proved_lately
def renew_codes(request: HttpRequest) -> HttpResponse:
    """New recovery codes, shown once."""
    owner = signed_in_account(request)
    if owner.second_factor_at is None:
        return redirect("enrol_second_factor")
    return _show_codes(request, renew_recovery_codes(account=owner), target="")


@never_cache
@require_POST
@proved_lately
def remove(request: HttpRequest) -> HttpResponse:
    """Turn it off; staff who must have one set up another at once."""
    owner = signed_in_account(request)
    if turn_off(account=owner):
        request.session.pop(SECOND_FACTOR, None)
        messages.success(request, _("La double authentification est retirée."))
    return redirect("account")


def _show_codes(request: HttpRequest, codes: list[str], *, target: str) -> HttpResponse:
    context = {"title": _("Codes de secours"), "section": "account", "codes": codes, "next": target}
    return private(render(request, "space/recovery_codes.html", context))
