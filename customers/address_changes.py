"""A wrong address put right everywhere it is used: on the card, on the contacts, and as the login that is on it."""

from django.db import transaction
from django.db.models.functions import Lower
from django.utils import timezone

from customers.card_changes import notify_customer_changed
from customers.mails import draft_login_moved_mail
from customers.models import Access, Account, Contact, Customer
from mailing.addresses import normalise_address, parse_address
from mailing.failed_addresses import resolve_address
from mailing.outbox import write_messages
from mailing.trail.actions import Action
from mailing.trail.recording import record


@transaction.atomic
def correct_address(*, customer: Customer, old: str, new: str, moves_login: bool = True) -> int:
    """Replace ``old`` by ``new`` wherever ``customer`` uses it; returns on how many cards and contacts.

    The account that logs in with ``old`` follows, unless it serves another customer too or ``new`` has an account of
    its own, which then gets the access; its sessions end, and a mail to ``old`` says so. Accounts stay as they are
    without ``moves_login``, for those who may correct addresses and not manage accounts. The same address again says
    that it works now. Raises mailing.addresses.InvalidAddressError, in French, where ``new`` is no address.
    """
    parse_address(new)
    new, wrong = new.strip(), normalise_address(old)
    changed = 0
    locked = Customer.objects.select_for_update().get(pk=customer.pk)
    if normalise_address(locked.email) == wrong:
        locked.email = new
        locked.save(update_fields=["email", "updated_at"])
        notify_customer_changed(locked)
        changed += 1
    contacts = Contact.objects.annotate(lower=Lower("email")).filter(customer=locked)
    has_new = contacts.filter(lower=normalise_address(new)).exclude(lower=wrong).exists()
    # Two contacts of a customer never share an address: the one that would be a double loses its own.
    for contact in contacts.filter(lower=wrong):
        contact.email = "" if has_new else new
        contact.save(update_fields=["email"])
        changed += 1
    if moves_login:
        _move_account(locked, wrong, new)
    resolve_address(old)
    record(Action.ADDRESS_CHANGED, customer, details={"changed": changed}, personal={"former": old, "now": new})
    customer.refresh_from_db()
    return changed


def _move_account(customer: Customer, wrong: str, new: str) -> None:
    if normalise_address(new) == wrong:
        return
    account = Account.objects.of_customers().filter(login=wrong, accesses__customer=customer).first()
    owner = Account.objects.filter(login=new).first()
    if owner is not None:
        if not owner.is_staff and account is not None:
            Access.objects.get_or_create(account=owner, customer=customer)
    elif account is not None and account.customers.count() == 1:
        draft = draft_login_moved_mail(account=account, now=new)
        account.login = new
        account.sessions_closed_at = timezone.now()
        account.save(update_fields=["login", "sessions_closed_at"])
        write_messages([draft])
