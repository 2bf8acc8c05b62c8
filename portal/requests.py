"""What a request says of the one who makes it."""

from django.http import HttpRequest

from customers.models import Account

PREFETCH_HEADERS = ("Sec-Purpose", "Purpose", "X-Purpose", "X-Moz")


def signed_in_account(request: HttpRequest) -> Account:
    """The account that is signed in. Only for views behind the login, where there always is one."""
    account = request.user
    if not isinstance(account, Account):
        raise TypeError("This view is open to people without an account.")
    return account


def is_customers_own_reading(request: HttpRequest) -> bool:
    """True where a customer reads by himself: his own GET, not staff's, not HEAD, not a browser's prefetch."""
    account = request.user
    return (
        request.method == "GET"
        and isinstance(account, Account)
        and not account.is_staff
        and not any("prefetch" in request.headers.get(name, "").lower() for name in PREFETCH_HEADERS)
    )
