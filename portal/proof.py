"""Before secrets and exports of data: who is there is asked once more, some time after the sign-in."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, cast
from urllib.parse import urlencode, urlsplit

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse

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


def ask_for_proof(request: HttpRequest) -> HttpResponseBase:
    """To the page that asks who is there; what was posted is not done, and its page is shown again afterwards."""
    came_from = urlsplit(request.headers.get("Referer", ""))
    target = request.get_full_path()
    if request.method not in ("GET", "HEAD"):
        target = came_from.path if came_from.netloc == request.get_host() else reverse("home")
    return redirect(f"{reverse('prove')}?{urlencode({'next': target})}")
