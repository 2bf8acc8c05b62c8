"""What the pages of the back-office share: who may open them, what they know, and the trace that they leave."""

from collections.abc import Callable, Iterable, Sequence
from functools import wraps
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.models import CHANGE
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import HttpRequest, HttpResponseBase
from django.template.response import TemplateResponse

from customers.models import Account
from portal.change_log import log_changes

CAN_VIEW = ("invoices.view_export", "invoices.export_invoices")
CAN_RUN = ("invoices.export_invoices",)
RESEND = ("invoices.resend_invoice",)

View = Callable[..., HttpResponseBase]


def allowed(*permissions: str) -> Callable[[View], View]:
    """A page for those who have one of ``permissions``; others get a 403."""

    def decorate(view: View) -> View:
        @wraps(view)
        def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not has_any(request, permissions):
                raise PermissionDenied
            return view(request, *args, **kwargs)

        return checked

    return decorate


def has_any(request: HttpRequest, permissions: Iterable[str]) -> bool:
    """True where the signed-in member of staff has one of ``permissions``."""
    return any(request.user.has_perm(permission) for permission in permissions)


def staff_name(request: HttpRequest) -> str:
    """The name of the one who acts, as histories render_page it."""
    account = request.user
    return account.get_full_name() if isinstance(account, Account) else ""


def acting_account(request: HttpRequest) -> Account:
    """The member of staff who is signed in."""
    if not isinstance(request.user, Account):
        raise PermissionDenied
    return request.user


def render_page(request: HttpRequest, template: str, context: dict[str, Any], *, status: int = 200) -> TemplateResponse:
    """A page of the back-office: ``context`` and all that its frame needs."""
    return TemplateResponse(request, template, {**admin.site.each_context(request), **context}, status=status)


def log_change(request: HttpRequest, row: Model, message: str, *, flag: int = CHANGE) -> None:
    """Write in Django's history that the signed-in member of staff did ``message`` to ``row``."""
    log_changes(acting_account(request).pk, [row], message, flag=flag)


def log_change_of_all(request: HttpRequest, rows: Sequence[Model], message: str) -> None:
    """Write in Django's history that the signed-in member of staff did ``message`` to each of ``rows``."""
    log_changes(acting_account(request).pk, rows, message)


def add_message(request: HttpRequest, message: str, *, level: int = messages.SUCCESS) -> None:
    """A sentence at the top of the next page."""
    messages.add_message(request, level, message)
