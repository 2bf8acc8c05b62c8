"""Records for the trail who acts in a request, and from where."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase

from customers.models import Account
from mailing.trail.acting import Actor, acting
from portal.space.requests import client_address


class ActingMiddleware:
    """What a view does is recorded as done by the account that is signed in."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Who it is, is looked up when something is recorded: most requests record nothing."""
        with acting(lambda: actor_of(request)):
            return self.get_response(request)


def actor_of(request: HttpRequest) -> Actor:
    """The member of staff who looks at a customer's pages, else the account that is signed in, else a visitor."""
    visit = getattr(request, "visit", None)
    account = visit.staff if visit is not None else request.user
    if not isinstance(account, Account):
        return Actor(address=client_address(request))
    return Actor(account.pk, account.login, client_address(request))
