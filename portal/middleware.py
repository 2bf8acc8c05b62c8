"""Between the request and the view: signs of life of sessions, and what comes first: a code, a password, a factor."""

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
from portal.sessions import is_over, needs_code, needs_enrolment, note_sign_of_life

Answer = Callable[[HttpRequest], HttpResponseBase]


# What somebody who signed in must do before anything else, in this order; each names its page.
CODE, PASSWORD, ENROLMENT = "second_factor", "choose_password", "enrol_second_factor"


def open_before[View: Callable[..., Any]](*steps: str) -> Callable[[View], View]:
    """Mark a view as open to somebody who has not yet done ``steps``."""

    def mark(view: View) -> View:
        view.open_before = steps  # type: ignore[attr-defined]
        return view

    return mark


class SignInMiddleware(LoginRequiredMiddleware):
    """Leads to the sign-in; what was sent meanwhile is neither lost silently nor taken for another page."""

    def handle_no_permission(self, request: HttpRequest, view_func: Callable[..., Any]) -> HttpResponseRedirect:
        """After the sign-in goes on to the page that was asked for, or offers to send once more what was sent."""
        if request.method in ("GET", "HEAD"):
            return super().handle_no_permission(request, view_func)
        if request.method != "POST":  # no page of ours sends them: nothing is kept for them
            return redirect("login")
        keep_sent_form(request)
        return redirect(f"{reverse('login')}?{urlencode({'next': reverse('resume')})}")


class SpaceMiddleware:
    """Notes that a session is in use, and leads to what must be done before anything else."""

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
        """Lead to what comes first, except from the public pages and the way out."""
        account = request.user
        if not isinstance(account, Account) or not getattr(view, "login_required", True):
            return None
        step = _next_step(request, account)
        if step is None or step in getattr(view, "open_before", ()):
            return None
        if request.method == "POST":
            keep_sent_form(request)
        target = reverse("resume") if request.method == "POST" else request.get_full_path()
        return redirect(f"{reverse(step)}?{urlencode({'next': target})}")


def _next_step(request: HttpRequest, account: Account) -> str | None:
    if needs_code(request):
        return CODE
    if account.must_change_password:
        return PASSWORD
    return ENROLMENT if needs_enrolment(request) else None
