"""Between the request and the view: signs of life of sessions, and the password to choose first."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth import logout
from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import redirect
from django.urls import reverse

from customers.models import Account
from portal.resuming import keep_sent_form
from portal.sessions import is_over, note_sign_of_life

Answer = Callable[[HttpRequest], HttpResponseBase]


def before_password_choice[View: Callable[..., Any]](view: View) -> View:
    """Mark a view as open to somebody who has not yet replaced the provisional password."""
    view.before_password_choice = True  # type: ignore[attr-defined]
    return view


class SignInMiddleware(LoginRequiredMiddleware):
    """Leads to the sign-in; what was sent meanwhile is neither lost silently nor taken for another page."""

    def handle_no_permission(self, request: HttpRequest, view_func: Callable[..., Any]) -> HttpResponseRedirect:
        """After the sign-in goes on to the page that was asked for, or offers to send once more what was sent."""
        if request.method in ("GET", "HEAD"):
            return super().handle_no_permission(request, view_func)
        keep_sent_form(request)
        return redirect(f"{reverse('login')}?{urlencode({'next': reverse('resume')})}")


class SpaceMiddleware:
    """Notes that a session is in use, and leads to the choice of a password as long as it is provisional."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Note the session, or close that of staff whose working day is over; then go on."""
        if request.user.is_authenticated:
            if is_over(request):
                logout(request)
            else:
                note_sign_of_life(request)
        response = self.get_response(request)
        response.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        return response

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> HttpResponse | None:
        """Lead to the choice of a password first, except from the public pages and the way out."""
        account = request.user
        if not isinstance(account, Account) or not account.must_change_password:
            return None
        if not getattr(view, "login_required", True) or getattr(view, "before_password_choice", False):
            return None
        query = urlencode({"next": request.get_full_path()}) if request.method == "GET" else ""
        return redirect(f"{reverse('choose_password')}?{query}" if query else "choose_password")
