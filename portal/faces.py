"""Whose space a page is: the company that gives it its name, logo, colour, legal pages and invoices.

One company alone shows its face everywhere. With several, the name of the host decides; under the portal's own name it
is the company that a customer chose, else the one that billed him last. Staff and strangers see the default one.
"""

from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import DisallowedHost
from django.db.models import Max
from django.http import HttpRequest
from django.http.request import split_domain_port
from django.utils.functional import SimpleLazyObject

from customers.models import Account
from invoices.models import Company, Invoice
from invoices.models.company import CompanyQuerySet

SESSION_KEY = "company"


@dataclass(frozen=True, slots=True)
class Face:
    """The company of a page, None on an empty installation.

    ``choices`` are the companies that billed the reader, where he may change from one to another; ``is_one_of_several``
    says that the pages show the invoices of this one only.
    """

    company: Company | None
    choices: list[Company] = field(default_factory=list)
    is_one_of_several: bool = False


def face_of(request: HttpRequest) -> Face:
    """The face of ``request``, found once. One query; two for a customer where several companies bill."""
    found: Face | None = getattr(request, "face", None)
    if found is None:
        found = _find(request)
        request.face = found  # type: ignore[attr-defined]
    return found


def show_face_of(request: HttpRequest, company: Company) -> None:
    """Show the face of ``company``, whose document the page is about; it is the chosen one from now on."""
    face = face_of(request)
    if face.company is not None and face.company.pk != company.pk:
        request.face = Face(company, face.choices, face.is_one_of_several)  # type: ignore[attr-defined]
        choose_company(request, company.pk)


def choose_company(request: HttpRequest, company: int) -> None:
    """Note in the session that ``company`` (primary key) is the one to show."""
    request.session[SESSION_KEY] = company


def company(request: HttpRequest) -> dict[str, Any]:
    """Context of every page: the company whose face it has, and those whose identity is incomplete; read when named."""
    return {
        "incomplete_companies": SimpleLazyObject(lambda: _companies_of(request).incomplete()),
        "company": SimpleLazyObject(lambda: face_of(request).company),
        "companies_to_choose": SimpleLazyObject(lambda: face_of(request).choices),
    }


def _companies_of(request: HttpRequest) -> CompanyQuerySet:
    """Every company; read once for ``request``."""
    found: CompanyQuerySet | None = getattr(request, "every_company", None)
    if found is None:
        found = request.every_company = Company.objects.all()  # type: ignore[attr-defined]
    return found


def _host_of(request: HttpRequest) -> str:
    """The name that ``request`` was sent to, in small letters; empty for one that is refused, which has a page too."""
    try:
        return split_domain_port(request.get_host())[0]
    except DisallowedHost:
        return ""


def _find(request: HttpRequest) -> Face:
    companies = list(_companies_of(request))
    default = next((each for each in companies if each.is_default), None)
    if len(companies) < 2:
        return Face(default)
    host = _host_of(request)
    own = next((each for each in companies if host and each.host == host), None)
    if own is not None:
        return Face(own, is_one_of_several=True)
    visit = getattr(request, "visit", None)
    reader = visit.account if visit is not None else getattr(request, "user", None)
    if not isinstance(reader, Account) or reader.is_staff:
        return Face(default)
    visible = Invoice.objects.visible_to(reader).order_by()
    billing = dict(
        visible.values("company").annotate(last=Max("issue_date")).order_by("last").values_list("company", "last")
    )
    choices = [each for each in companies if each.pk in billing]
    if not choices:
        return Face(default)
    chosen = request.session.get(SESSION_KEY)
    shown = chosen if chosen in billing else list(billing)[-1]
    is_several = len(choices) > 1
    return Face(next(each for each in choices if each.pk == shown), choices if is_several else [], is_several)
