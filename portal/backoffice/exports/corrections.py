"""Corrections of a customer from the list to export: how each is offered, what right it needs and what it does."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.forms import BaseForm
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from customers.address_changes import correct_address
from customers.card_changes import notify_customer_changed
from customers.card_trail import acts_of_card
from customers.models import DEMATERIALISED, Account, Customer
from customers.recipients import find_recipients_of
from customers.services import generate_credentials, set_active
from invoices.einvoices.tasks import request_checks
from invoices.exporting.criteria import Criteria
from invoices.exporting.reasons import Correction
from invoices.platforms.directory import choices_for
from mailing.failed_addresses import resolve_address
from mailing.trail.recording import record_all
from portal.backoffice.exports.forms import AddressForm, DirectoryAddressForm, NewContactForm
from portal.backoffice.ui.directory import describe_lookup, look_up_chosen

MANAGE_ACCOUNTS: Final = "customers.manage_credentials"


@dataclass(frozen=True, slots=True)
class CorrectionOffer:
    """How a :class:`Correction` is offered and done: its button, the right it needs, its form where something is typed.

    ``make_form`` takes the line's data (None: a form to be filled in), the customer, the criteria of the list and the
    address in error. ``apply`` returns what was done as a French clause for the history, empty where nothing was.
    """

    label: Any
    permission: str
    apply: Callable[[Customer, Criteria, BaseForm | None], str]
    make_form: Callable[[Any, str, Customer, Criteria, str], BaseForm] | None = None


def _address_form(data: Any, auto_id: str, _customer: Customer, _criteria: Criteria, old: str) -> BaseForm:
    initial = {"old": old, "address": old} if old else {}
    return AddressForm(data, auto_id=auto_id, label_suffix="", initial=initial)


def _contact_form(data: Any, auto_id: str, customer: Customer, criteria: Criteria, _old: str) -> BaseForm:
    contact = NewContactForm.Meta.model(customer=customer)
    return NewContactForm(data, instance=contact, auto_id=auto_id, initial=NewContactForm.suggestion(criteria))


def may_correct(request: HttpRequest, correction: str) -> bool:
    """True where the signed-in member of staff may do this correction."""
    return request.user.has_perm(CORRECTIONS[Correction(correction)].permission)


def correction_form(
    correction: str, item: int, customer: Customer, criteria: Criteria, *, data: Any = None, old: str = ""
) -> BaseForm | None:
    """The form of a correction on the line ``item``, None where a button is enough. Ids distinguish the lines."""
    make_form = CORRECTIONS[Correction(correction)].make_form
    return make_form(data, f"id_{item}_%s", customer, criteria, old) if make_form is not None else None


def apply_correction(
    request: HttpRequest, correction: str, customer: Customer, criteria: Criteria, form: BaseForm | None
) -> str:
    """Correct ``customer``; returns what was done, as a French clause for the history (empty: nothing).

    ``form`` is valid. Raises PermissionDenied where the member of staff may not.
    """
    if not may_correct(request, correction):
        raise PermissionDenied
    if isinstance(form, AddressForm):
        form.moves_login = request.user.has_perm(MANAGE_ACCOUNTS)
    return CORRECTIONS[Correction(correction)].apply(customer, criteria, form)


def _dematerialise(customer: Customer, _criteria: Criteria, _form: BaseForm | None) -> str:
    _change_card(customer, "invoice_copies", DEMATERIALISED)
    return _("passé en D (démat)")


def _set_address(customer: Customer, _criteria: Criteria, form: BaseForm | None) -> str:
    assert isinstance(form, AddressForm)
    _change_card(customer, "email", form.cleaned_data["address"])
    request_checks()
    return _("adresse e-mail %(address)s enregistrée") % {"address": customer.email}


@transaction.atomic
def _change_card(customer: Customer, field: str, value: str) -> None:
    former = getattr(customer, field)
    setattr(customer, field, value)
    customer.save(update_fields=[field, "updated_at"])
    record_all(acts_of_card(customer, {field: former}))


def _replace(customer: Customer, _criteria: Criteria, form: BaseForm | None) -> str:
    assert isinstance(form, AddressForm)
    old, new = form.cleaned_data["old"], form.cleaned_data["address"]
    if old.strip().lower() == new.lower():
        resolve_address(old)
        return _("adresse %(address)s confirmée") % {"address": new}
    correct_address(customer=customer, old=old, new=new, moves_login=form.moves_login)
    return _("adresse %(old)s remplacée par %(new)s") % {"old": old, "new": new}


def _choice_form(data: Any, auto_id: str, customer: Customer, _criteria: Criteria, _old: str) -> BaseForm:
    return DirectoryAddressForm(data, auto_id=auto_id, choices=choices_for(customer))


def _choose(customer: Customer, _criteria: Criteria, form: BaseForm | None) -> str:
    assert isinstance(form, DirectoryAddressForm)
    customer.electronic_address = form.cleaned_data["address"]
    customer.save(update_fields=["electronic_address", "updated_at"])
    notify_customer_changed(customer)
    return _("adresse de l’annuaire %(address)s choisie") % {"address": customer.electronic_address}


def _look_up(customer: Customer, _criteria: Criteria, _form: BaseForm | None) -> str:
    said, _level = look_up_chosen(Customer.objects.filter(pk=customer.pk))
    customer.refresh_from_db()
    answer = describe_lookup(customer)
    return _("annuaire : %(said)s") % {"said": said if answer == "-" else answer}


def _add_contact(_customer: Customer, _criteria: Criteria, form: BaseForm | None) -> str:
    assert isinstance(form, NewContactForm)
    try:
        with transaction.atomic():
            contact = form.save()
    except IntegrityError:
        # Somebody added the same contact between the check and the write: it is there, which is what was wanted.
        return ""
    return _("contact %(name)s ajouté") % {"name": contact}


def _activate(customer: Customer, criteria: Criteria, _form: BaseForm | None) -> str:
    found = find_recipients_of([customer], criteria.contacts)[customer.pk]
    closed = [one.account for one in found.recipients if one.account is not None and not one.account.is_active]
    if not set_active(accounts=closed, is_active=True):
        return ""
    return _("compte réactivé : %(logins)s") % {"logins": ", ".join(account.login for account in closed)}


def _make_credentials(customer: Customer, criteria: Criteria, _form: BaseForm | None) -> str:
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


CORRECTIONS: Final = {
    Correction.DEMATERIALISE: CorrectionOffer(gettext_lazy("Passer en D"), "customers.change_customer", _dematerialise),
    Correction.ADDRESS: CorrectionOffer(
        gettext_lazy("Saisir l’adresse"), "customers.change_customer", _set_address, _address_form
    ),
    Correction.CONTACT: CorrectionOffer(
        gettext_lazy("Ajouter un contact"), "customers.add_contact", _add_contact, _contact_form
    ),
    Correction.ACTIVATE: CorrectionOffer(
        gettext_lazy("Réactiver le compte"), "customers.manage_credentials", _activate
    ),
    Correction.CREDENTIALS: CorrectionOffer(
        gettext_lazy("Créer les identifiants"), "customers.manage_credentials", _make_credentials
    ),
    Correction.REPLACE: CorrectionOffer(
        gettext_lazy("Corriger l’adresse en erreur"), "customers.change_customer", _replace, _address_form
    ),
    Correction.LOOK_UP: CorrectionOffer(gettext_lazy("Consulter l’annuaire"), "customers.change_customer", _look_up),
    Correction.CHOOSE: CorrectionOffer(
        gettext_lazy("Choisir l’adresse"), "customers.change_customer", _choose, _choice_form
    ),
}
