"""Before secrets and exports of data: who is there is asked once more, some time after the sign-in."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, cast
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse

from customers.issuer import Issuer
from customers.models import Account
from portal.sessions import is_proved_lately

type View[**P] = Callable[Concatenate[HttpRequest, P], HttpResponseBase]


def proved_lately[**P](view: View[P]) -> View[P]:
    """Lead to «Confirmez que c’est vous» where the sign-in is too long ago, and back to the page that asked."""

    @wraps(view)
    def asked(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if is_proved_lately(request):
            return view(request, *args, **kwargs)
        return ask_for_proof(request)

    return cast("View[P]", asked)


def signs_in_by_issuer_only(account: Account) -> bool:
    """True where ``account`` is of staff and the settings leave it no password (OIDC_ONLY)."""
    issuer: Issuer | None = settings.OIDC
    return issuer is not None and issuer.is_only_way and account.is_staff and account.login != issuer.emergency_login


def issuer_name() -> str:
    """What the issuer of identities is called; empty where there is none."""
    return settings.OIDC.name if settings.OIDC is not None else ""


def proves_by_issuer(account: Account) -> bool:
    """True where ``account`` has no password to give once more, and the issuer asks for it instead."""
    return settings.OIDC is not None and (signs_in_by_issuer_only(account) or not account.has_usable_password())


def ask_for_proof(request: HttpRequest) -> HttpResponseBase:
    """To the page that asks who is there; what was posted is not done, and its page is shown again afterwards."""
    came_from = urlsplit(request.headers.get("Referer", ""))
    target = request.get_full_path()
    if request.method not in ("GET", "HEAD"):
        target = came_from.path if came_from.netloc == request.get_host() else reverse("home")
    return redirect(f"{reverse('prove')}?{urlencode({'next': target})}")
