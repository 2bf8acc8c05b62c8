"""Coming in and going out: by password, by a link in a mail, and when the password is forgotten."""

import logging
import time
from typing import Any

from django.conf import settings
from django.contrib.auth import login
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView, LogoutView
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from customers.links import Purpose, account_of_token
from customers.logins import canonical_login
from customers.models import Account
from customers.services import PasswordReplacedError, send_link, use_password_link, use_sign_in_link
from mailing.trail.actions import Action
from mailing.trail.recording import record
from portal.sessions import close_sessions
from portal.space.acting import actor_of
from portal.space.forms import LinkForm, LoginForm, NewPasswordForm
from portal.space.limits import Limit
from portal.space.requests import client_address, client_network, login_tried, wanted_page
from portal.space.views.errors import too_many_tries

logger = logging.getLogger(__name__)

BACKEND = "customers.authentication.AccountBackend"
# A visitor's sign-ins are counted before a password is hashed, which is what they cost (Argon2: memory and time).
SIGN_INS_FROM_NETWORK = Limit("sign-ins-from", most=60, minutes=5)
# Tries at one login from everywhere: past the first limit they are slowed down, so that its owner still comes in.
SIGN_INS_TO_LOGIN = Limit("sign-ins-to", most=30, minutes=15)
SLOW_SIGN_INS_TO_LOGIN = Limit("slow-sign-ins-to", most=6, minutes=1)
LINKS_FROM_ADDRESS = Limit("links-from", most=10, minutes=15)
# A stranger who asks for links to a login must not silence its owner: the first limit is each network's own.
LINKS_TO_LOGIN_FROM_NETWORK = Limit("links-to-from", most=3, minutes=15)
LINKS_TO_LOGIN = Limit("links-to", most=12, minutes=60)
# Longer than a mail takes to be written: an answer takes as long whether the login exists or not.
ANSWER_AFTER = 0.25


class SignIn(LoginView):
    """Identifiant, Mot de passe, *Se connecter*; somebody signed in already goes home."""

    template_name = "space/login.html"
    authentication_form = LoginForm
    redirect_authenticated_user = True

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Refuse a flood from one network, and slow down many tries at one login, before a password is hashed."""
        if not SIGN_INS_FROM_NETWORK.allow(client_network(request)):
            return too_many_tries(request, minutes=SIGN_INS_FROM_NETWORK.minutes)
        tried = login_tried(request)
        if not SIGN_INS_TO_LOGIN.allow(tried) and not SLOW_SIGN_INS_TO_LOGIN.allow(tried):
            return too_many_tries(request, minutes=SLOW_SIGN_INS_TO_LOGIN.minutes)
        return super().post(request, *args, **kwargs)

    def get_redirect_url(self, request: HttpRequest | None = None) -> str:
        """The page that was asked for; never the way out."""
        return wanted_page(request or self.request)

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        """Open a session that ends with the browser, unless «rester connecté» is ticked."""
        with transaction.atomic():
            answer = super().form_valid(form)
            record(Action.SIGNED_IN, details={"with": "password"}, by=actor_of(self.request))
        self.request.session.set_expiry(settings.SESSION_REMEMBERED_FOR if form.cleaned_data["remember"] else None)
        return answer

    def form_invalid(self, form: AuthenticationForm) -> HttpResponse:
        """Note the refusal in the log, for whoever bans addresses there; no login, which is personal data."""
        record(Action.SIGN_IN_REFUSED, personal={"login": login_tried(self.request)})
        logger.warning("sign-in refused from %s", client_address(self.request))
        return super().form_invalid(form)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """The page's own title, and the issuer of identities: first where somebody goes to the back-office."""
        is_for_staff = self.get_redirect_url().startswith(reverse("admin:index"))
        more = {"issuer": settings.OIDC, "is_for_staff": is_for_staff}
        return super().get_context_data(title=_("Connexion"), **more, **kwargs)


@method_decorator(login_not_required, name="dispatch")
class SignOut(LogoutView):
    """*Se déconnecter*: the browser forgets what it kept of the pages."""

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Close the session, and have cookies, caches and storage of this site cleared."""
        if request.user.is_authenticated:
            record(Action.SIGNED_OUT)
        answer = super().post(request, *args, **kwargs)
        answer["Clear-Site-Data"] = '"cache", "storage"'
        return answer


@login_not_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def ask_sign_in_link(request: HttpRequest) -> HttpResponse:
    """«Recevoir un lien de connexion»."""
    texts = {
        "title": _("Recevoir un lien de connexion"),
        "lead": _("Nous vous envoyons par mail un lien qui ouvre votre espace sans mot de passe, une seule fois."),
        "button": _("Recevoir le lien"),
    }
    return _ask_link(request, Purpose.SIGN_IN, texts)


@login_not_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def ask_password_link(request: HttpRequest) -> HttpResponse:
    """«Mot de passe oublié», or a provisional one that has run out."""
    texts = {
        "title": _("Mot de passe oublié"),
        "lead": _(
            "Mot de passe oublié, ou provisoire et expiré : nous vous envoyons par mail un lien pour en choisir un "
            "nouveau."
        ),
        "button": _("Recevoir le lien"),
    }
    return _ask_link(request, Purpose.PASSWORD, texts)


def _ask_link(request: HttpRequest, purpose: Purpose, texts: dict[str, str]) -> HttpResponse:
    form = LinkForm(request.POST or None)
    target = wanted_page(request)
    if request.method != "POST" or not form.is_valid():
        return render(request, "space/ask_link.html", {"form": form, "next": target, **texts})
    started = time.monotonic()
    network, wanted = client_network(request), canonical_login(form.cleaned_data["login"])
    if not LINKS_FROM_ADDRESS.allow(network):
        return too_many_tries(request, minutes=LINKS_FROM_ADDRESS.minutes)
    if LINKS_TO_LOGIN_FROM_NETWORK.allow(f"{wanted} {network}") and LINKS_TO_LOGIN.allow(wanted):
        send_link(login=form.cleaned_data["login"], purpose=purpose, target=target)
    time.sleep(max(0.0, ANSWER_AFTER - (time.monotonic() - started)))
    context = {"login": form.cleaned_data["login"], "next": target, **texts}
    return render(request, "space/link_asked.html", context)


@login_not_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def sign_in_by_link(request: HttpRequest, token: str) -> HttpResponse:
    """The page behind a link of sign-in: looking at it uses nothing up, its button signs in."""
    if request.method == "POST":
        account = use_sign_in_link(token=token)
        if account is not None:
            _open_session(request, account)
            return redirect(wanted_page(request) or "home")
    elif account_of_token(token, Purpose.SIGN_IN) is not None:
        context = {"title": _("Connexion"), "next": wanted_page(request)}
        return render(request, "space/sign_in_by_link.html", context)
    return _stale_link(request)


@login_not_required
@never_cache
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def password_by_link(request: HttpRequest, token: str) -> HttpResponse:
    """The page behind a link of «mot de passe oublié»: choose a new password, and be signed in."""
    account = account_of_token(token, Purpose.PASSWORD)
    if account is None:
        return _stale_link(request)
    form = NewPasswordForm(account, request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            account = use_password_link(token=token, password=form.cleaned_data["new_password"])
        except ValidationError as error:
            form.add_error("new_password", error)
        except PasswordReplacedError:  # the link is bound to the password before
            return _stale_link(request)
        else:
            if account is None:
                return _stale_link(request)
            close_sessions(account)
            _open_session(request, account)
            return redirect(wanted_page(request) or "home")
    context = {
        "form": form,
        "title": _("Choisir un nouveau mot de passe"),
        "login": account.login if account else "",
        "next": wanted_page(request),
    }
    return render(request, "space/password_by_link.html", context)


@transaction.atomic
def _open_session(request: HttpRequest, account: Account) -> None:
    login(request, account, backend=BACKEND)
    record(Action.SIGNED_IN, details={"with": "link"}, by=actor_of(request))
    request.session.set_expiry(None)  # what a form sent too late has shortened


def _stale_link(request: HttpRequest) -> HttpResponse:
    return render(request, "space/stale_link.html", {"title": _("Ce lien ne sert plus")}, status=410)
