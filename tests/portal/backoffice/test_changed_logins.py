"""An address that the ERP changed: on the import's report, the login follows, stays or is closed by one click."""

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from customers.models import Access, Account, Customer
from invoices.models import ImportBatch
from mailing.models import Message
from tests.support.factories import make_account, make_customer, make_staff

pytestmark = pytest.mark.django_db
OLD, NEW = "ancien@client.example", "nouveau@client.example"


@pytest.fixture
def staff(client: Client) -> Account:
    account = make_staff()
    client.force_login(account, backend="customers.authentication.AccountBackend")
    return account


@pytest.fixture
def customer() -> Customer:
    return make_customer(code="C1", name="Garage Petit", email=NEW)


@pytest.fixture
def account(customer: Customer) -> Account:
    return make_account(customer, login=OLD)


@pytest.fixture
def batch(customer: Customer) -> ImportBatch:
    change = {"customer": customer.pk, "code": "C1", "name": customer.name, "former": OLD, "now": NEW}
    counts = dict.fromkeys(("customers", "contacts", "invoices", "lines"), 0)
    report = {"created": counts, "updated": counts, "unchanged": counts, "rejected": [], "new_addresses": [change]}
    return ImportBatch.objects.create(state=ImportBatch.State.IMPORTED, report=report)


def page_of(client: Client, batch: ImportBatch) -> str:
    return client.get(f"/gestion/invoices/importbatch/{batch.pk}/change/").content.decode()


def move(client: Client, batch: ImportBatch, word: str, place: str = "0") -> int:
    answer = client.post(f"/gestion/invoices/importbatch/{batch.pk}/identifiant/", {"place": place, "move": word})
    return answer.status_code


def test_a_login_that_follows_keeps_its_password_and_its_former_address_is_notified(
    client: Client, staff: Account, account: Account, batch: ImportBatch
) -> None:
    password = account.password
    assert 'value="follow"' in page_of(client, batch)
    move(client, batch, "follow")
    account.refresh_from_db()
    assert (account.login, account.password) == (NEW, password)
    assert account.sessions_closed_at is not None
    mail = Message.objects.get()
    assert mail.recipient == OLD
    assert NEW in mail.text
    assert 'name="move"' not in page_of(client, batch)


def test_a_login_that_stays_is_not_asked_about_again(
    client: Client, staff: Account, account: Account, batch: ImportBatch
) -> None:
    move(client, batch, "keep")
    account.refresh_from_db()
    assert account.login == OLD
    assert account.is_active
    page = page_of(client, batch)
    assert 'name="move"' not in page
    assert "Garder l’ancien identifiant" in page


def test_a_closed_login_loses_this_customer_and_is_closed_where_it_had_no_other(
    client: Client, staff: Account, account: Account, batch: ImportBatch
) -> None:
    move(client, batch, "close")
    account.refresh_from_db()
    assert not account.is_active
    assert not Access.objects.exists()


def test_a_login_of_several_customers_does_not_follow_and_stays_open_for_the_others(
    client: Client, staff: Account, account: Account, batch: ImportBatch
) -> None:
    other = make_customer()
    Access.objects.create(account=account, customer=other)
    page = page_of(client, batch)
    assert 'value="follow"' not in page
    assert "sert aussi un autre client" in page
    move(client, batch, "follow")
    account.refresh_from_db()
    assert account.login == OLD
    move(client, batch, "close")
    account.refresh_from_db()
    assert account.is_active
    assert [each.customer for each in Access.objects.all()] == [other]


def test_a_new_address_that_has_an_account_takes_nothing_over(
    client: Client, staff: Account, account: Account, batch: ImportBatch
) -> None:
    make_account(make_customer(), login=NEW)
    assert 'value="follow"' not in page_of(client, batch)
    move(client, batch, "follow")
    account.refresh_from_db()
    assert account.login == OLD
    assert not Message.objects.exists()


def test_moving_a_login_takes_the_right_to_credentials(client: Client, account: Account, batch: ImportBatch) -> None:
    clerk = Account.objects.create_user("clerk@aquila.example", is_staff=True)
    clerk.user_permissions.set(Permission.objects.filter(codename__in=("import_invoices", "view_importbatch")))
    client.force_login(clerk, backend="customers.authentication.AccountBackend")
    assert 'name="move"' not in page_of(client, batch)
    assert move(client, batch, "follow") == 403
    account.refresh_from_db()
    assert account.login == OLD


@pytest.mark.parametrize(("word", "place"), [("sell", "0"), ("keep", "7"), ("keep", "-1"), ("keep", "x")])
def test_what_no_button_sends_is_not_found(
    client: Client, staff: Account, account: Account, batch: ImportBatch, word: str, place: str
) -> None:
    assert move(client, batch, word, place) == 404


def test_all_logins_that_no_other_customer_uses_follow_at_once(
    client: Client, staff: Account, account: Account, batch: ImportBatch
) -> None:
    shared, second = (
        make_customer(code="C2", email="b@client.example"),
        make_customer(code="C3", email="c@client.example"),
    )
    of_two = make_account(shared, second, login="deux@client.example")
    alone = make_account(second, login="seul@client.example")
    decided = make_account(make_customer(code="C4", email="d@client.example"), login="garde@client.example")
    batch.report["new_addresses"] += [
        {"customer": shared.pk, "code": "C2", "name": "B", "former": of_two.login, "now": shared.email},
        {"customer": second.pk, "code": "C3", "name": "C", "former": alone.login, "now": second.email},
        {"customer": decided.customers.get().pk, "code": "C4", "name": "D", "former": decided.login,
         "now": "d@client.example", "move": "keep"},
    ]  # fmt: skip
    batch.save()
    assert "Faire suivre les 2 comptes" in page_of(client, batch)

    client.post(f"/gestion/invoices/importbatch/{batch.pk}/identifiants/")

    logins = {each.pk: each.login for each in Account.objects.all()}
    assert (logins[account.pk], logins[alone.pk]) == (NEW, "c@client.example")
    assert (logins[of_two.pk], logins[decided.pk]) == ("deux@client.example", "garde@client.example")
    assert {mail.recipient for mail in Message.objects.all()} == {OLD, "seul@client.example"}
    assert "Faire suivre les" not in page_of(client, batch)


def test_all_logins_follow_only_for_who_may_manage_credentials(
    client: Client, account: Account, batch: ImportBatch
) -> None:
    clerk = Account.objects.create_user("clerk@aquila.example", is_staff=True)
    clerk.user_permissions.set(Permission.objects.filter(codename__in=("import_invoices", "view_importbatch")))
    client.force_login(clerk, backend="customers.authentication.AccountBackend")
    assert client.post(f"/gestion/invoices/importbatch/{batch.pk}/identifiants/").status_code == 403
    account.refresh_from_db()
    assert account.login == OLD
