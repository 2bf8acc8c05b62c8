"""*Voir comme le client*: staff look at a customer's pages, and can do nothing there.

The session of the member of staff holds a signed note of whom he looks at. While it does, the pages of the space (and
those only) are answered as for that account: GET and HEAD, never a change, never a consultation.
"""

from collections.abc import Callable
from dataclasses import dataclass

from django.contrib import messages
from django.core import signing
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from customers.models import Account, Customer, CustomerAccount
from portal.backoffice.ui.pages import log_change

PERMISSION = "customers.impersonate_customer"
SESSION_KEY = "viewed_account"
SALT = "portal.impersonation"
# Half an hour: an unnoticed visit does not go on for days.
LIFETIME_SECONDS = 1800
# Pages of the space that show what is the customer's. His sessions, password and data export are his alone.
SHOWN = frozenset(
    {"invoices", "invoices_csv", "invoices_archive", "invoice", "invoice_pdf", "invoice_xml", "invoice_version"}
)


@dataclass(frozen=True, slots=True)
class Visit:
    """A member of staff who looks, at whose pages, and from which customer's card he came."""

    staff: Account
    account: Account
    customer_id: int


def begin_visit(request: HttpRequest, *, account: Account, customer: Customer) -> None:
    """Note in the session of the signed-in member of staff whose pages he looks at."""
    note = {"staff": request.user.pk, "account": account.pk, "customer": customer.pk}
    request.session[SESSION_KEY] = signing.dumps(note, salt=SALT)


def read_visit(request: HttpRequest) -> Visit | None:
    """The visit that the session notes: signed, fresh, by this very person who still has the right to it."""
    staff = request.user
    token = request.session.get(SESSION_KEY)
    if not token or not isinstance(staff, Account) or not staff.is_staff or not staff.has_perm(PERMISSION):
        return None
    try:
        note = signing.loads(token, salt=SALT, max_age=LIFETIME_SECONDS)
    except signing.BadSignature:
        return None
    account = Account.objects.of_customers().filter(pk=note["account"]).first()
    if account is None or note["staff"] != staff.pk:
        return None
    return Visit(staff, account, note["customer"])


class VisitMiddleware:
    """Answers the pages of the space as for the visited account, and refuses everything that would change something."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Nothing is known of the page yet: see :meth:`process_view`."""
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., HttpResponseBase], args: object, kwargs: object
    ) -> HttpResponse | None:
        """Take the visited account's place on the pages of the space."""
        if SESSION_KEY not in request.session or request.resolver_match is None:
            return None
        if request.resolver_match.view_name not in SHOWN:
            return None
        visit = read_visit(request)
        if visit is None:
            # Ran out, or the right was taken away: back to oneself.
            del request.session[SESSION_KEY]
            return None
        if request.method not in ("GET", "HEAD"):
            raise PermissionDenied(_("Vous regardez l’espace d’un client : rien ne peut y être modifié."))
        request.visit = visit  # type: ignore[attr-defined]
        request.user = visit.account
        return None


@require_POST
def begin(request: HttpRequest, customer_id: int, account_id: int) -> HttpResponse:
    """*Voir comme le client*, from the WEB tab of the customer card; written into the history."""
    staff = request.user
    if not isinstance(staff, Account) or not staff.has_perm(PERMISSION):
        raise PermissionDenied
    customer = Customer.objects.filter(pk=customer_id).first()
    account = CustomerAccount.objects.filter(pk=account_id, is_staff=False, accesses__customer=customer_id).first()
    if customer is None or account is None:
        messages.warning(request, _("Ce client ou ce compte a été supprimé entre-temps."))
        back = "admin:customers_customer_changelist" if customer is None else "admin:customers_customer_change"
        return redirect(back, *([] if customer is None else [customer.pk]))
    log_change(request, customer, _("Espace vu comme %(login)s.") % {"login": account.login})
    begin_visit(request, account=account, customer=customer)
    return redirect("invoices")


@require_POST
def end(request: HttpRequest) -> HttpResponse:
    """Back to the customer card from which one came."""
    visit = read_visit(request)
    request.session.pop(SESSION_KEY, None)
    if visit is None:
        return redirect("admin:index")
    return redirect(f"{reverse('admin:customers_customer_change', args=[visit.customer_id])}#web")
