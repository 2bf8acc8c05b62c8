"""What a request says of the one who makes it."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.http import url_has_allowed_host_and_scheme

from customers.models import Account

# Addresses of the site are short; what is longer has no business in a mail.
LONGEST_TARGET = 500
PREFETCH_HEADERS = ("Sec-Purpose", "Purpose", "X-Purpose", "X-Moz")


def signed_in_account(request: HttpRequest) -> Account:
    """The account that is signed in. Only for views behind the login, where there always is one."""
    account = request.user
    if not isinstance(account, Account):
        raise TypeError("This view is open to people without an account.")
    return account


def wanted_page(request: HttpRequest) -> str:
    """The page of this site where the one who comes in was going (``next``); empty where none or another site is."""
    target = request.POST.get("next") or request.GET.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(
        target, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return target if is_ours and len(target) <= LONGEST_TARGET else ""


def is_customers_own_reading(request: HttpRequest) -> bool:
    """True where a customer reads by himself: his own request, not staff's, not HEAD, not a browser's prefetch."""
    account = request.user
    return (
        request.method in ("GET", "POST")
        and isinstance(account, Account)
        and not account.is_staff
        and not hasattr(request, "visit")  # a member of staff looks, see portal.backoffice.impersonation
        and not any("prefetch" in request.headers.get(name, "").lower() for name in PREFETCH_HEADERS)
    )


def client_address(request: HttpRequest) -> str:
    """The network address of the one who asks: the last that our own proxy wrote down, else the connection's."""
    if settings.BEHIND_PROXY:
        forwarded = request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()
        if forwarded:
            return forwarded
    return str(request.META.get("REMOTE_ADDR", ""))


def login_tried(request: HttpRequest | None, credentials: dict[str, Any] | None = None) -> str:
    """The login that is tried, in one case: tries at «A@x» and «a@X» count together."""
    given = (credentials or {}).get("username") or (request.POST.get("username", "") if request else "")
    return str(given).strip().casefold()
