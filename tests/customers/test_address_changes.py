"""A wrong address put right: card, contacts, login, and the list of addresses in error."""

import pytest
from django.utils import timezone

from customers.address_changes import correct_address
from customers.models import Account
from mailing.addresses import InvalidAddressError
from mailing.failed_addresses import known_bad, mark_address_failed
from mailing.models import Message
from tests.support.factories import make_account, make_contact, make_customer, make_staff

pytestmark = pytest.mark.django_db

OLD, NEW = "perdu@client.example", "trouve@client.example"


def test_the_card_the_contacts_and_the_login_take_the_new_address() -> None:
    customer = make_customer(email=OLD)
    contact = make_contact(customer, email=OLD.upper())
    account = make_account(customer, login=OLD)
    mark_address_failed(OLD, "550 inconnu", None, timezone.now())

    assert correct_address(customer=customer, old=f" {OLD.upper()} ", new=NEW) == 2

    contact.refresh_from_db()
    account.refresh_from_db()
    assert (customer.email, contact.email, account.login) == (NEW, NEW, NEW)
    assert known_bad([OLD]) == {}


def test_a_login_that_moves_ends_its_sessions_and_notifies_the_old_address() -> None:
    customer = make_customer(email=OLD)
    account = make_account(customer, login=OLD)
    before = account.get_session_auth_hash()

    correct_address(customer=customer, old=OLD, new=NEW)

    account.refresh_from_db()
    assert account.get_session_auth_hash() != before
    told = Message.objects.get()
    assert (told.recipient, told.subject) == (OLD, "Votre identifiant de connexion change")
    assert NEW in told.text


def test_an_account_stays_where_only_addresses_may_be_corrected() -> None:
    customer = make_customer(email=OLD)
    account = make_account(customer, login=OLD)
    owner = make_account(make_customer(), login="autre@client.example")

    correct_address(customer=customer, old=OLD, new=NEW, moves_login=False)
    correct_address(customer=customer, old=NEW, new=owner.login, moves_login=False)

    account.refresh_from_db()
    assert (customer.email, account.login) == (owner.login, OLD)
    assert customer not in owner.customers.all()
    assert not Message.objects.exists()


def test_an_account_that_serves_another_customer_keeps_its_login() -> None:
    customer, other = make_customer(email=OLD), make_customer()
    account = make_account(customer, other, login=OLD)

    correct_address(customer=customer, old=OLD, new=NEW)

    account.refresh_from_db()
    assert account.login == OLD


def test_an_account_that_exists_at_the_new_address_gets_the_access() -> None:
    customer = make_customer(email=OLD)
    make_account(customer, login=OLD)
    owner = make_account(make_customer(), login=NEW)

    correct_address(customer=customer, old=OLD, new=NEW)

    assert customer in owner.customers.all()
    assert Account.objects.filter(login=OLD).exists()


def test_a_member_of_staff_never_becomes_a_customer_by_a_correction() -> None:
    customer = make_customer(email=OLD)
    make_account(customer, login=OLD)
    staff = make_staff(login=NEW)

    correct_address(customer=customer, old=OLD, new=NEW)

    assert not staff.customers.exists()


def test_two_contacts_never_end_with_one_address() -> None:
    customer = make_customer(email="")
    wrong, right = make_contact(customer, email=OLD), make_contact(customer, email=NEW)

    correct_address(customer=customer, old=OLD, new=NEW.upper())

    wrong.refresh_from_db()
    right.refresh_from_db()
    assert (wrong.email, right.email) == ("", NEW)


def test_the_same_address_again_says_that_it_works_now() -> None:
    customer = make_customer(email=OLD)
    account = make_account(customer, login=OLD)
    mark_address_failed(OLD, "550 inconnu", None, timezone.now())

    correct_address(customer=customer, old=OLD, new=OLD)

    account.refresh_from_db()
    assert (customer.email, account.login) == (OLD, OLD)
    assert known_bad([OLD]) == {}


def test_what_is_no_address_changes_nothing() -> None:
    customer = make_customer(email=OLD)

    with pytest.raises(InvalidAddressError, match="pas une adresse"):
        correct_address(customer=customer, old=OLD, new="pas une adresse")

    customer.refresh_from_db()
    assert customer.email == OLD
