"""Accounts whose owner is gone: who they were is forgotten, what they saw stays the customer's."""

import datetime

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from customers.models import Access, Account, Contact, CustomerAccount, IssuerIdentity, SecondFactor, StaffAccount
from mailing.retention import erase_recipient
from mailing.trail.actions import Action
from mailing.trail.erasing import erase_of_person
from mailing.trail.recording import record

# A domain that is no one's (RFC 2606, 2): no mail ever leaves for it.
NOBODYS_DOMAIN = "efface.invalid"


def idle_accounts(before: datetime.datetime) -> "QuerySet[Account]":
    """Customers' accounts not used since that moment and not anonymised yet."""
    unused = Q(last_login__lt=before) | Q(last_login=None, created_at__lt=before)
    return Account.objects.of_customers().filter(unused).exclude(login__endswith=f"@{NOBODYS_DOMAIN}")


def is_anonymous(account: Account) -> bool:
    """True where the account was anonymised."""
    return account.login.endswith(f"@{NOBODYS_DOMAIN}")


@transaction.atomic
def anonymise_account(*, account: Account) -> int:
    """Forget whose ``account`` is: login, name, password, second factor, sessions, accesses, contacts at its address.

    Returns how many mails to it were stripped. The row stays, with its number, for what it consulted and was sent.
    """
    locked = Account.objects.select_for_update().get(pk=account.pk)
    former = locked.login
    if is_anonymous(locked):
        return 0
    locked.login = f"compte-{locked.pk}@{NOBODYS_DOMAIN}"
    locked.name = ""
    locked.is_active = locked.notify_by_mail = locked.must_change_password = False
    locked.provisional_password = ""
    locked.provisional_expires_at = locked.second_factor_at = None
    locked.sessions_closed_at = timezone.now()
    locked.set_unusable_password()
    locked.save()
    SecondFactor.objects.filter(account=locked).delete()
    IssuerIdentity.objects.filter(account=locked).delete()
    Contact.objects.filter(customer__accesses__account=locked, email__iexact=former).delete()
    Access.objects.filter(account=locked).delete()
    mails = erase_recipient({former}, by=locked.login)
    names = [model._meta.label_lower for model in (Account, CustomerAccount, StaffAccount)]
    erase_of_person(locked.pk, names, login=former)
    record(Action.PERSON_ERASED, locked)
    return mails
