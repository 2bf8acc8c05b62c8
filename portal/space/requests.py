"""What a request says of the one who makes it."""

import ipaddress
from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, cast

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from customers.logins import LONGEST_LOGIN, canonical_login
from customers.models import Account

# A search of two hundred signs of Chinese, each written in nine characters, is among the longest addresses.
LONGEST_TARGET = 2500
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
    leads_out = target.partition("?")[0] == reverse("logout")
    return target if is_ours and not leads_out and len(target) <= LONGEST_TARGET else ""


def is_customers_own_reading(request: HttpRequest) -> bool:
    """True where a customer reads by himself: his own request, not staff's, not HEAD."""
    account = request.user
    return (
        request.method in ("GET", "POST")
        and isinstance(account, Account)
        and not account.is_staff
        and not hasattr(request, "visit")  # a member of staff looks, see portal.backoffice.impersonation
    )


def refuse_prefetch[**P](
    view: Callable[Concatenate[HttpRequest, P], HttpResponseBase],
) -> Callable[Concatenate[HttpRequest, P], HttpResponseBase]:
    """Answer 503 to a browser that asks for an invoice before its owner does; it asks again when he does.

    Whoever reads is noted: nothing is read under a header that denies it.
    """

    @wraps(view)
    def asked_for(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if any("prefetch" in request.headers.get(name, "").lower() for name in PREFETCH_HEADERS):
            return HttpResponse(status=503, headers={"Cache-Control": "no-store"})
        return view(request, *args, **kwargs)

    return cast("Callable[Concatenate[HttpRequest, P], HttpResponseBase]", asked_for)


def client_address(request: HttpRequest) -> str:
    """The network address of the one who asks, as far as proxies that we trust say (``BEHIND_PROXY``).

    A visitor may write anything into X-Forwarded-For: only what trusted proxies added on the right counts. With a
    number *n* of proxies it is the *n*-th entry from the right; with their networks, the rightmost that is in none.
    """
    connection = str(request.META.get("REMOTE_ADDR", ""))
    trusted = settings.TRUSTED_PROXIES
    if not trusted.hops and not trusted.networks:
        return connection
    chain = [hop.strip() for hop in request.headers.get("X-Forwarded-For", "").split(",") if hop.strip()]
    if trusted.hops:
        address = chain[-trusted.hops] if len(chain) >= trusted.hops else connection
        return address if _parse(address) is not None else connection
    for hop in reversed([*chain, connection]):
        address_read = _parse(hop)
        if address_read is None or not any(address_read in network for network in trusted.networks):
            return hop if address_read is not None else connection
    return connection


def client_network(request: HttpRequest) -> str:
    """What one visitor can change at will counts as one: the IPv4 address, or the /64 of an IPv6 address."""
    address = _parse(client_address(request))
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((address, 64), strict=False).network_address)
    return str(address or "")


def login_tried(request: HttpRequest | None, credentials: dict[str, Any] | None = None) -> str:
    """The login that is tried, in the form in which logins are stored: all its writings count together."""
    given = (credentials or {}).get("username") or (request.POST.get("username", "") if request else "")
    return canonical_login(str(given))[:LONGEST_LOGIN]


def _parse(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None
