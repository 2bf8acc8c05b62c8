"""Corrections of a customer from the list to export: one per reason, each with its permission and its form."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.forms import BaseForm
from django.http import HttpRequest
from django.utils.translation import gettext as _

from customers.address_changes import correct_address
from customers.models import DEMATERIALISED, Account, Customer
from customers.recipients import find_recipients_of
from customers.services import generate_credentials, set_active
from invoices.einvoices.tasks import request_checks
from invoices.exporting.criteria import Criteria
from invoices.models import ExportItem
from mailing.failed_addresses import resolve_address
from portal.backoffice.exports.forms import AddressForm, NewContactForm

Reason = ExportItem.Reason


class Fix:
    """What can be done about a reason."""

    DEMATERIALISE = "dematerialise"
    ADDRESS = "address"
    CONTACT = "contact"
    ACTIVATE = "activate"
    CREDENTIALS = "credentials"
    REPLACE = "replace"


FIX_OF_REASON: dict[str, str] = {
    Reason.NOT_DEMATERIALISED: Fix.DEMATERIALISE,
    Reason.NO_ADDRESS: Fix.ADDRESS,
    Reason.NO_CONTACT: Fix.CONTACT,
    Reason.ACCOUNT_DISABLED: Fix.ACTIVATE,
    Reason.NO_CREDENTIALS: Fix.CREDENTIALS,
    Reason.BAD_ADDRESS: Fix.REPLACE,
}
PERMISSION_OF_FIX: dict[str, str] = {
    Fix.DEMATERIALISE: "customers.change_customer",
    Fix.ADDRESS: "customers.change_customer",
    Fix.CONTACT: "customers.add_contact",
    Fix.ACTIVATE: "customers.manage_credentials",
    Fix.CREDENTIALS: "customers.manage_credentials",
    Fix.REPLACE: "customers.change_customer",
}


def may_fix(request: HttpRequest, fix: str) -> bool:
    """True where the signed-in member of staff may do this correction."""
    return request.user.has_perm(PERMISSION_OF_FIX[fix])


def fix_form(
    fix: str, item: int, customer: Customer, criteria: Criteria, *, data: Any = None, old: str = ""
) -> BaseForm | None:
    """The form of a correction on the line ``item``, None where a button is enough. Ids tell the lines apart."""
    auto_id = f"id_{item}_%s"
    if fix == Fix.ADDRESS:
        return AddressForm(data, auto_id=auto_id, label_suffix="")
    if fix == Fix.REPLACE:
        return AddressForm(data, auto_id=auto_id, label_suffix="", initial={"old": old, "address": old})
    if fix == Fix.CONTACT:
        contact = NewContactForm.Meta.model(customer=customer)
        return NewContactForm(data, instance=contact, auto_id=auto_id, initial=NewContactForm.suggestion(criteria))
    return None


def apply_fix(request: HttpRequest, fix: str, customer: Customer, criteria: Criteria, form: BaseForm | None) -> str:
    """Correct ``customer``; returns what was done, as a French clause for the history (empty: nothing).

    ``form`` is valid. Raises PermissionDenied where the member of staff may not.
    """
    if not may_fix(request, fix):
        raise PermissionDenied
    match fix:
        case Fix.DEMATERIALISE:
            customer.invoice_copies = DEMATERIALISED
            customer.save(update_fields=["invoice_copies", "updated_at"])
            return _("passé en D (démat)")
        case Fix.ADDRESS if isinstance(form, AddressForm):
            customer.email = form.cleaned_data["address"]
            customer.save(update_fields=["email", "updated_at"])
            request_checks()
            return _("adresse e-mail %(address)s enregistrée") % {"address": customer.email}
        case Fix.REPLACE if isinstance(form, AddressForm):
            return _replace(customer, form.cleaned_data["old"], form.cleaned_data["address"])
        case Fix.CONTACT if isinstance(form, NewContactForm):
            return _add_contact(form)
        case Fix.ACTIVATE:
            return _activate(customer, criteria)
        case Fix.CREDENTIALS:
            return _make_credentials(customer, criteria)
    raise ValueError(f"no such correction: {fix}")


def _replace(customer: Customer, old: str, new: str) -> str:
    if old.strip().lower() == new.lower():
        resolve_address(old)
        return _("adresse %(address)s confirmée") % {"address": new}
    correct_address(customer=customer, old=old, new=new)
    return _("adresse %(old)s remplacée par %(new)s") % {"old": old, "new": new}


def _add_contact(form: NewContactForm) -> str:
    try:
        with transaction.atomic():
            contact = form.save()
    except IntegrityError:
        # Somebody added the same contact between the check and the write: it is there, which is what was wanted.
        return ""
    return _("contact %(name)s ajouté") % {"name": contact}


def _activate(customer: Customer, criteria: Criteria) -> str:
    found = find_recipients_of([customer], criteria.contacts)[customer.pk]
    closed = [one.account for one in found.recipients if one.account is not None and not one.account.is_active]
    if not set_active(accounts=closed, is_active=True):
        return ""
    return _("compte réactivé : %(logins)s") % {"logins": ", ".join(account.login for account in closed)}


def _make_credentials(customer: Customer, criteria: Criteria) -> str:
    found = find_recipients_of([customer], criteria.contacts)[customer.pk]
    made: list[Account] = []
    for recipient in found.recipients:
        if recipient.account is not None:
            continue
        try:
            generated = generate_credentials(customer=customer, address=recipient.address, name=recipient.name)
        except ValueError:  # a member of staff's address: he is no customer
            continue
        made.append(generated.account)
    if not made:
        return ""
    return _("identifiants créés : %(logins)s") % {"logins": ", ".join(account.login for account in made)}
