"""«Se connecter avec …»: staff come in by the company's issuer of identities (OpenID Connect, code flow with PKCE)."""

import datetime
import logging
import secrets
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth import login
from django.contrib.auth.decorators import login_not_required
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from customers.issuer import Issuer, RefusedIdentityError, check_is_recent, has_second_factor, is_earlier_sign_in
from customers.issuer_client import IssuerSilentError, address_to_go, fetch_claims, says_verified
from customers.models import Account
from customers.sign_on import account_of_identity, sign_on
from mailing.trail.actions import Action
from mailing.trail.recording import record
from portal.sessions import REMEMBERED, SECOND_FACTOR, note_proof
from portal.space.acting import actor_of
from portal.space.limits import Limit
from portal.space.requests import client_address, client_network, wanted_page
from portal.space.responses import private
from portal.space.views.entry import BACKEND
from portal.space.views.errors import too_many_tries

logger = logging.getLogger(__name__)

# Nothing can be guessed here; what a flood costs is a question to the issuer.
SIGN_ONS_FROM_NETWORK = Limit("sign-ons-from", most=240, minutes=5)
# Of the session: what was sent to the issuer, by ``state``, until its answer comes or this long.
BEGUN = "sign_ons"
ANSWERED_WITHIN = datetime.timedelta(minutes=10)
MOST_BEGUN = 5  # windows at once


def _issuer() -> Issuer:
    """The issuer of the settings. Raises Http404 where there is none."""
    issuer = settings.OIDC
    if issuer is None:
        raise Http404
    return issuer


@login_not_required
@never_cache
@require_GET
def begin(request: HttpRequest) -> HttpResponseBase:
    """To the issuer, and back; with ``confirmer`` it asks for the password again of the one who is signed in here."""
    issuer, target = _issuer(), wanted_page(request)
    asks_again = "confirmer" in request.GET and request.user.is_authenticated
    if request.user.is_authenticated and not asks_again:
        return redirect(target or "home")
    # The issuer leads back to the one address that it knows: the session must be there already.
    if request.get_host() != urlsplit(settings.PORTAL_URL).netloc and "ici" not in request.GET:
        sign = "&" if request.GET else "?"
        return redirect(f"{settings.PORTAL_URL}{request.get_full_path()}{sign}ici=1")
    if not SIGN_ONS_FROM_NETWORK.allow(client_network(request)):
        return too_many_tries(request, minutes=SIGN_ONS_FROM_NETWORK.minutes)
    state, nonce, verifier = (secrets.token_urlsafe(48) for _ in range(3))
    try:
        address = address_to_go(
            issuer, state=state, nonce=nonce, verifier=verifier, return_to=_return_to(), asks_again=asks_again
        )
    except IssuerSilentError as silence:
        return _silent(request, silence, target)
    begun = {
        "nonce": nonce,
        "verifier": verifier,
        "next": target,
        "at": timezone.now().timestamp(),
        "account": request.user.pk if asks_again else None,
    }
    others = list(request.session.get(BEGUN, {}).items())
    request.session[BEGUN] = dict([*others[-(MOST_BEGUN - 1) :], (state, begun)])
    return redirect(address)


@login_not_required
@never_cache
@require_GET
def finish(request: HttpRequest) -> HttpResponseBase:
    """Back from the issuer: each answer is taken once, by the browser that asked."""
    issuer = _issuer()
    if not SIGN_ONS_FROM_NETWORK.allow(client_network(request)):
        return too_many_tries(request, minutes=SIGN_ONS_FROM_NETWORK.minutes)
    begun = _take_begun(request)
    if begun is None:
        return _refused(request, "stale", _("Cette connexion a déjà servi, ou a attendu trop longtemps."), status=400)
    target = begun["next"]
    try:
        claims = _ask(request, issuer, begun)
        if begun["account"] is not None:
            return _prove(request, issuer, claims, begun)
        account = sign_on(claims, issuer, always_says_verified=says_verified(issuer))
    except IssuerSilentError as silence:
        return _silent(request, silence, target)
    except RefusedIdentityError as refusal:
        return _refused(request, refusal.code, str(refusal), target=target)
    _open_session(request, account, issuer, claims)
    return redirect(target or "home")


def _ask(request: HttpRequest, issuer: Issuer, begun: dict[str, Any]) -> dict[str, Any]:
    """The claims for the code that came back."""
    # The answer names its issuer (RFC 9207), where it does: another's code is not ours.
    if request.GET.get("iss", issuer.address) != issuer.address:
        raise RefusedIdentityError("iss", _("Cette réponse vient d’un autre fournisseur d’identité."))
    code = request.GET.get("code", "")
    if "error" in request.GET or not code:
        raise RefusedIdentityError("error", _("La connexion a été refusée ou abandonnée chez %s.") % issuer.name)
    return fetch_claims(
        issuer,
        code=code,
        nonce=begun["nonce"],
        verifier=begun["verifier"],
        return_to=_return_to(),
        now=timezone.now(),
    )


def _prove(request: HttpRequest, issuer: Issuer, claims: dict[str, Any], begun: dict[str, Any]) -> HttpResponseBase:
    """Note that the one who is signed in proved again who he is."""
    known = account_of_identity(claims, issuer)
    if known is None or not request.user.is_authenticated or not known.pk == request.user.pk == begun["account"]:
        raise RefusedIdentityError("other-person", _("Cette réponse est celle d’une autre personne."))
    check_is_recent(claims, issuer, since=datetime.datetime.fromtimestamp(begun["at"], datetime.UTC))
    note_proof(request)
    return redirect(begun["next"] or "home")


@transaction.atomic
def _open_session(request: HttpRequest, account: Account, issuer: Issuer, claims: dict[str, Any]) -> None:
    login(request, account, backend=BACKEND)
    record(Action.SIGNED_IN, details={"with": "issuer"}, by=actor_of(request))
    request.session.set_expiry(None)
    if has_second_factor(claims, issuer):
        request.session[SECOND_FACTOR] = account.pk
    if is_earlier_sign_in(claims, before=timezone.now() - settings.PROOF_AGE):
        request.session[REMEMBERED] = True


def _take_begun(request: HttpRequest) -> dict[str, Any] | None:
    """What this browser sent to the issuer under the ``state`` that came back; taken, it is there no more."""
    all_begun = dict(request.session.get(BEGUN, {}))
    begun: dict[str, Any] | None = all_begun.pop(request.GET.get("state", ""), None)
    if begun is None:
        return None
    request.session[BEGUN] = all_begun
    return begun if timezone.now().timestamp() - begun["at"] <= ANSWERED_WITHIN.total_seconds() else None


def _return_to() -> str:
    return f"{settings.PORTAL_URL}{reverse('sign_on_return')}"


def _silent(request: HttpRequest, silence: IssuerSilentError, target: str) -> HttpResponse:
    logger.warning("issuer of identities: %s", silence.reason)
    return _page(request, str(silence), target=target, status=503)


def _refused(request: HttpRequest, code: str, sentence: str, *, target: str = "", status: int = 403) -> HttpResponse:
    record(Action.SIGN_IN_REFUSED, details={"with": "issuer", "reason": code})
    logger.warning("sign-in refused from %s", client_address(request))
    return _page(request, sentence, target=target, status=status)


def _page(request: HttpRequest, sentence: str, *, target: str, status: int) -> HttpResponse:
    context = {"title": _("Connexion impossible"), "sentence": sentence, "next": target, "issuer": settings.OIDC}
    return private(render(request, "space/sign_on_refused.html", context, status=status))
