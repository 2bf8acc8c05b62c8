"""The customer card, the lists of customers and accounts, and the gestures on one or many of them."""

import datetime
from typing import Any

import pytest
import time_machine
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from customers.credentials import read_provisional
from customers.gestures import ask_gesture, carry_out
from customers.models import Account, Contact, Customer, Gesture
from customers.services import generate_credentials
from customers.tasks import wake_stalled_gestures
from mailing.outbox import summary
from tests.support.factories import make_account, make_contact, make_customer, make_staff

pytestmark = pytest.mark.django_db

CUSTOMERS = "/gestion/customers/customer/"
ACCOUNTS = "/gestion/customers/customeraccount/"


@pytest.fixture
def staff(client: Client) -> Account:
    """A member of staff with all rights, signed in."""
    account = make_staff(name="Claire Martin")
    client.force_login(account, backend="customers.authentication.AccountBackend")
    return account


def mails() -> int:
    """How many mails wait in the outbox."""
    return summary(timezone.now())["queued"]


def card(customer: Customer) -> dict[str, Any]:
    """What the card of ``customer`` sends when nothing is changed."""
    return {
        "code": customer.code,
        "name": customer.name,
        "kind": customer.kind,
        "email": customer.email,
        "phone": "",
        "address": customer.address,
        "address_complement": "",
        "postcode": customer.postcode,
        "city": customer.city,
        "country": customer.country,
        "siren": customer.siren,
        "siret": customer.siret,
        "vat_identifier": "",
        "electronic_address": "",
        "invoice_copies": customer.invoice_copies,
        "contacts-TOTAL_FORMS": "0",
        "contacts-INITIAL_FORMS": "0",
    }


def contact_rows(*contacts: Contact) -> dict[str, str]:
    """The rows of saved contacts as the card sends them."""
    data = {"contacts-TOTAL_FORMS": str(len(contacts)), "contacts-INITIAL_FORMS": str(len(contacts))}
    for index, contact in enumerate(contacts):
        data |= {
            f"contacts-{index}-id": str(contact.pk),
            f"contacts-{index}-customer": str(contact.customer_id),
            f"contacts-{index}-name": contact.name,
            f"contacts-{index}-function": contact.function,
            f"contacts-{index}-email": contact.email,
        }
        if contact.is_main:
            data[f"contacts-{index}-is_main"] = "on"
    return data


# ─── The card ────────────────────────────────────────────────────────────────────────────────────────────────────────
def test_the_card_takes_the_letter_d_in_any_case_and_notes_the_change(client: Client, staff: Account) -> None:
    customer = make_customer(invoice_copies="1")

    answer = client.post(f"{CUSTOMERS}{customer.pk}/change/", {**card(customer), "invoice_copies": "d"})

    assert answer.status_code == 302
    customer.refresh_from_db()
    assert customer.invoice_copies == "D"
    assert LogEntry.objects.get().user_id == staff.pk


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("siren", "732829321", "SIREN"),
        ("siret", "73282932000075", "SIRET"),
        ("vat_identifier", "FR00732829320", "TVA"),
        ("email", "compta chez client", "« compta chez client » n’est pas une adresse électronique."),
        ("invoice_copies", "X", "Saisissez D (démat) ou un nombre d’exemplaires papier."),
        ("country", "F1", "pays"),
    ],
)
def test_a_wrong_value_is_refused_beside_its_field_and_what_was_typed_stays(
    client: Client, staff: Account, field: str, value: str, sentence: str
) -> None:
    customer = make_customer(name="Avant")

    answer = client.post(f"{CUSTOMERS}{customer.pk}/change/", {**card(customer), "name": "Après", field: value})

    assert answer.status_code == 200
    errors = " ".join(answer.context["adminform"].form.errors[field])
    assert sentence in errors
    assert 'value="Après"' in answer.content.decode()
    assert Customer.objects.get().name == "Avant"


def test_an_address_with_accents_is_an_address(client: Client, staff: Account) -> None:
    customer = make_customer()

    client.post(f"{CUSTOMERS}{customer.pk}/change/", {**card(customer), "email": "stanisław.wójcik@client.example"})

    assert Customer.objects.get().email == "stanisław.wójcik@client.example"


def test_two_main_contacts_are_refused(client: Client, staff: Account) -> None:
    customer = make_customer()
    rows = contact_rows(make_contact(customer, is_main=True), make_contact(customer))

    answer = client.post(f"{CUSTOMERS}{customer.pk}/change/", {**card(customer), **rows, "contacts-1-is_main": "on"})

    assert "Un seul contact peut être l’interlocuteur principal." in answer.content.decode()
    assert Contact.objects.filter(is_main=True).count() == 1


def test_the_main_contact_changes_hands_in_one_saving(client: Client, staff: Account) -> None:
    customer = make_customer()
    old, new = make_contact(customer, is_main=True), make_contact(customer)
    rows = contact_rows(old, new)
    del rows["contacts-0-is_main"]

    answer = client.post(f"{CUSTOMERS}{customer.pk}/change/", {**card(customer), **rows, "contacts-1-is_main": "on"})

    assert answer.status_code == 302
    assert Contact.objects.get(is_main=True) == new


def test_the_card_creates_credentials_for_the_ticked_addresses_and_sends_them(client: Client, staff: Account) -> None:
    customer = make_customer(email="compta@un.example")
    make_contact(customer, email="chef@un.example")

    client.post(
        f"{CUSTOMERS}{customer.pk}/comptes/creer/",
        {"address": ["compta@un.example", "chef@un.example"], "also_sends": "1"},
    )

    assert set(customer.accounts.values_list("login", flat=True)) == {"compta@un.example", "chef@un.example"}
    assert mails() == 2
    assert "compta@un.example" in LogEntry.objects.last().get_change_message()  # type: ignore[union-attr]


def test_the_card_creates_no_login_on_an_address_that_is_not_the_customers(client: Client, staff: Account) -> None:
    customer = make_customer()

    client.post(f"{CUSTOMERS}{customer.pk}/comptes/creer/", {"address": "autre@ailleurs.example"})

    assert not customer.accounts.exists()


def test_a_customer_without_address_gets_a_sentence_instead_of_credentials(client: Client, staff: Account) -> None:
    customer = make_customer(email="")

    answer = client.post(f"{CUSTOMERS}{customer.pk}/comptes/creer/", {}, follow=True)

    assert "Ce client n’a pas d’adresse e-mail" in answer.content.decode()


def test_an_address_of_staff_becomes_no_customers_login(client: Client, staff: Account) -> None:
    customer = make_customer(email=staff.login)

    answer = client.post(f"{CUSTOMERS}{customer.pk}/comptes/creer/", {"address": staff.login}, follow=True)

    assert "membre du personnel" in answer.content.decode()
    assert not customer.accounts.exists()


def test_the_provisional_password_hides_until_it_is_shown_and_showing_is_noted(client: Client, staff: Account) -> None:
    customer = make_customer()
    account = generate_credentials(customer=customer, address=customer.email).account
    secret = read_provisional(account)
    assert secret is not None
    url = f"{CUSTOMERS}{customer.pk}/comptes/{account.pk}/montrer/"

    assert secret not in client.get(f"{CUSTOMERS}{customer.pk}/change/").content.decode()
    assert client.get(url).status_code == 405
    shown = client.post(url)

    assert secret in shown.content.decode()
    assert "no-store" in shown["Cache-Control"]
    entry = LogEntry.objects.get()
    assert "montré" in entry.get_change_message()
    assert secret not in entry.get_change_message()


def test_a_password_that_the_customer_chose_cannot_be_shown(client: Client, staff: Account) -> None:
    customer = make_customer()
    account = make_account(customer)

    answer = client.post(f"{CUSTOMERS}{customer.pk}/comptes/{account.pk}/montrer/", follow=True)

    assert "n’a plus de mot de passe provisoire" in answer.content.decode()


def test_the_account_is_closed_and_opened_by_its_state(client: Client, staff: Account) -> None:
    customer = make_customer()
    account = make_account(customer)
    url = f"{CUSTOMERS}{customer.pk}/comptes/{account.pk}/etat/"

    client.post(url, {f"state_{account.pk}": "disabled"})
    account.refresh_from_db()
    assert not account.is_active
    client.post(url, {f"state_{account.pk}": "active"})
    account.refresh_from_db()
    assert account.is_active
    assert LogEntry.objects.count() == 2


def test_a_reset_asks_first_and_ends_the_old_password(client: Client, staff: Account) -> None:
    customer = make_customer()
    account = make_account(customer)
    before = account.password
    url = f"{CUSTOMERS}{customer.pk}/comptes/{account.pk}/reinitialiser/"

    asked = client.post(url)
    account.refresh_from_db()
    assert "cessera de fonctionner" in asked.content.decode()
    assert account.password == before

    client.post(url, {"confirmed_count": "1", "also_sends": "1"})
    account.refresh_from_db()
    assert account.password != before
    assert account.must_change_password
    assert mails() == 1


def test_the_account_of_another_customer_is_not_touched_from_the_card(client: Client, staff: Account) -> None:
    customer, other = make_customer(), make_customer()
    account = make_account(other)

    answer = client.post(
        f"{CUSTOMERS}{customer.pk}/comptes/{account.pk}/etat/", {f"state_{account.pk}": "disabled"}, follow=True
    )

    assert "n’est plus rattaché à ce client" in answer.content.decode()
    account.refresh_from_db()
    assert account.is_active


# ─── Many at once ────────────────────────────────────────────────────────────────────────────────────────────────────
def choose(client: Client, url: str, action: str, rows: Any, **more: Any) -> Any:
    """Run an action of a list on ``rows``."""
    return client.post(url, {"action": action, "_selected_action": [row.pk for row in rows], **more})


def test_flagging_d_asks_first_with_count_and_names_then_reports(client: Client, staff: Account) -> None:
    paper = [make_customer(invoice_copies="2", name=f"Papier {n}") for n in range(3)]
    already = make_customer()

    asked = choose(client, CUSTOMERS, "dematerialise", [*paper, already]).content.decode()
    assert "3 clients passeront en D" in asked
    assert "Papier 0" in asked
    assert Customer.objects.dematerialised().count() == 1

    done = choose(client, CUSTOMERS, "dematerialise", [*paper, already], confirmed_count="3")
    report = client.get(done["Location"]).content.decode()
    assert "3\u00a0clients modifiés" in report
    assert Customer.objects.dematerialised().count() == 4
    assert LogEntry.objects.count() == 3


def test_a_confirmation_of_another_count_is_shown_again(client: Client, staff: Account) -> None:
    paper = [make_customer(invoice_copies="2") for _n in range(2)]

    answer = choose(client, CUSTOMERS, "dematerialise", paper, confirmed_count="1")

    assert "La liste a changé entre-temps" in answer.content.decode()
    assert not Customer.objects.dematerialised().exists()


def test_all_rows_of_a_filtered_list_can_be_chosen(client: Client, staff: Account) -> None:
    for number in range(5):
        make_customer(invoice_copies="2", kind="individual" if number < 3 else "professional")

    answer = client.post(
        f"{CUSTOMERS}?kind__exact=individual",
        {"action": "dematerialise", "_selected_action": "0", "select_across": "1", "confirmed_count": "3"},
    )

    assert answer.status_code == 302
    assert Customer.objects.dematerialised().count() == 3
    assert not Customer.objects.filter(kind="professional").dematerialised().exists()


def test_creating_credentials_names_who_is_left_out_and_why(client: Client, staff: Account) -> None:
    ready, _addressless, has_one = make_customer(), make_customer(email="", name="Sans adresse"), make_customer()
    make_account(has_one)

    asked = choose(client, CUSTOMERS, "create_credentials", Customer.objects.all()).content.decode()

    assert "Des identifiants seront créés pour 1 client." in asked
    assert ready.email in asked
    assert "Sans adresse e-mail : laissés de côté" in asked
    assert "Sans adresse</li>" in asked
    assert "Ont déjà des identifiants" in asked


def test_a_customer_with_only_contacts_gets_credentials_at_the_main_contacts_address(
    client: Client, staff: Account
) -> None:
    customer = make_customer(email="")
    make_contact(customer, email="z@un.example", name="A")
    make_contact(customer, email="chef@un.example", name="Z", is_main=True)

    choose(client, CUSTOMERS, "create_credentials", [customer], confirmed_count="1")

    assert list(customer.accounts.values_list("login", flat=True)) == ["chef@un.example"]


def test_hundreds_of_credentials_are_made_by_a_worker_and_not_in_the_request(
    client: Client, staff: Account, settings: Any
) -> None:
    customers = [make_customer() for _number in range(300)]

    answer = client.post(
        CUSTOMERS,
        {
            "action": "create_credentials",
            "_selected_action": "0",
            "select_across": "1",
            "confirmed_count": "300",
            "also_sends": "1",
        },
    )
    assert Account.objects.of_customers().count() == 0
    waiting = client.get(answer["Location"]).content.decode()
    assert "0 sur 300 faits" in waiting
    assert "data-refresh" in waiting
    assert "Aucun processus de travail" in waiting

    gesture = carry_out(Gesture.objects.get())

    assert gesture.is_done
    assert (gesture.changed, gesture.mails, gesture.skipped) == (300, 300, [])
    assert Account.objects.of_customers().count() == len(customers)
    assert mails() == 300
    assert "data-refresh" not in client.get(answer["Location"]).content.decode()


def test_a_gesture_whose_worker_died_goes_on_where_it_stood(staff: Account) -> None:
    customers = [make_customer(invoice_copies="1") for _number in range(3)]
    gesture = ask_gesture(kind=Gesture.Kind.CREATE, targets=[customer.pk for customer in customers], author=staff)
    steps = iter([False, True])
    carry_out(gesture, should_stop=lambda: next(steps))
    assert Account.objects.of_customers().count() == 1
    carry_out(Gesture.objects.get())  # in the hands of the dead worker for a minute
    assert Account.objects.of_customers().count() == 1

    with time_machine.travel(timezone.now() + datetime.timedelta(minutes=2)):
        assert wake_stalled_gestures() == 1
        done = carry_out(Gesture.objects.get())

    assert done.is_done
    assert done.changed == 3
    assert Account.objects.of_customers().count() == 3


def test_relaunching_draws_a_new_provisional_password_and_leaves_chosen_ones_alone(
    client: Client, staff: Account
) -> None:
    waiting = generate_credentials(customer=make_customer(), address="attend@un.example").account
    chosen = make_account(make_customer(), last_login=timezone.now())
    closed = generate_credentials(customer=make_customer(), address="ferme@un.example").account
    Account.objects.filter(pk=closed.pk).update(is_active=False)
    before = dict(Account.objects.values_list("pk", "password"))

    asked = choose(client, ACCOUNTS, "relaunch", [waiting, chosen, closed]).content.decode()
    assert "1 compte recevra un nouveau mot de passe provisoire" in asked
    choose(client, ACCOUNTS, "relaunch", [waiting, chosen, closed], confirmed_count="1")

    after = dict(Account.objects.values_list("pk", "password"))
    assert {pk for pk in before if before[pk] != after[pk]} == {waiting.pk}
    assert mails() == 1


def test_the_filters_of_accounts_find_who_needs_a_gesture(client: Client, staff: Account) -> None:
    make_account(make_customer(email="venu@un.example"), last_login=timezone.now())
    make_account(make_customer(email="jamais@un.example"))
    make_account(make_customer(email="ferme@un.example"), is_active=False, last_login=timezone.now())
    expired = generate_credentials(customer=make_customer(), address="expire@un.example").account
    Account.objects.filter(pk=expired.pk).update(
        provisional_expires_at=timezone.now() - datetime.timedelta(days=1), last_login=timezone.now()
    )

    def listed(state: str) -> set[str]:
        page = client.get(f"{ACCOUNTS}?etat={state}")
        return {account.login for account in page.context["cl"].result_list}

    assert listed("jamais") == {"jamais@un.example"}
    assert listed("expire") == {"expire@un.example"}
    assert listed("desactive") == {"ferme@un.example"}


def test_the_filters_of_customers_find_those_without_address_or_credentials(client: Client, staff: Account) -> None:
    with_contact = make_customer(email="")
    make_contact(with_contact)
    bare = make_customer(email="", invoice_copies="D")
    having = make_customer(invoice_copies="1")
    make_account(having)

    def listed(query: str) -> set[int]:
        return {customer.pk for customer in client.get(f"{CUSTOMERS}?{query}").context["cl"].result_list}

    assert listed("copies=d&adresse=sans") == {bare.pk}
    assert listed("adresse=avec") == {with_contact.pk, having.pk}
    assert listed("identifiants=avec") == {having.pk}
    assert listed("copies=papier") == {having.pk}


@pytest.mark.parametrize(
    "name", ["customers_customer", "customers_contact", "customers_customeraccount", "customers_gesture"]
)
def test_a_list_asks_the_database_as_often_for_200_rows_as_for_10(client: Client, staff: Account, name: str) -> None:
    def fill(count: int) -> None:
        for _number in range(count):
            customer = make_customer()
            make_contact(customer)
            Account.objects.bulk_create([Account(login=customer.email)])
            Gesture.objects.create(kind="send", author=staff)

    url = reverse(f"admin:{name}_changelist")
    fill(10)
    client.get(url)
    with CaptureQueriesContext(
        connection,
    ) as few:
        client.get(f"{url}?all=")
    fill(190)
    with CaptureQueriesContext(connection) as many:
        assert client.get(f"{url}?all=").status_code == 200

    assert len(many) == len(few)
    assert len(many) <= 12


# ─── Users of the back-office ────────────────────────────────────────────────────────────────────────────────────────
def test_a_new_user_gets_a_provisional_password_that_is_shown_once(client: Client, staff: Account) -> None:
    answer = client.post(
        "/gestion/customers/staffaccount/add/", {"login": "paul@aquila.example", "name": "Paul", "is_active": "on"}
    )

    user = Account.objects.get(login="paul@aquila.example")
    secret = read_provisional(user)
    assert user.is_staff
    assert user.must_change_password
    assert secret is not None
    assert secret in answer.content.decode()
    assert secret not in client.get(f"/gestion/customers/staffaccount/{user.pk}/change/").content.decode()


def test_a_user_cannot_take_a_customers_login(client: Client, staff: Account) -> None:
    make_account(make_customer(email="client@un.example"))

    answer = client.post("/gestion/customers/staffaccount/add/", {"login": "Client@UN.example", "name": "X"})

    assert "Un compte porte déjà cet identifiant." in answer.content.decode()


def test_nobody_locks_himself_out(client: Client, staff: Account) -> None:
    client.post(f"/gestion/customers/staffaccount/{staff.pk}/change/", {"login": staff.login, "name": "Claire"})

    staff.refresh_from_db()
    assert staff.is_active
