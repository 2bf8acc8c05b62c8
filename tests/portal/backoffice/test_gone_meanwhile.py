"""What somebody removed while another one looked at it: each action answers with a sentence, none with an error."""

import pytest
from django.test import Client

from customers.bulk_actions import create_bulk_action, run_bulk_action
from customers.models import Account, BulkAction, Contact, Customer
from invoices.exporting.criteria import Criteria, Scope
from invoices.exporting.exports import create_export, recheck_customer, start_export
from invoices.exporting.run.worker import run_lines
from invoices.models import Delivery, Export, ExportItem, Invoice
from mailing.models import Message
from tests.support.back_office import SCREEN, words
from tests.support.factories import make_account, make_contact, make_customer, make_invoice, make_staff

pytestmark = pytest.mark.django_db

CUSTOMERS = "/gestion/customers/customer/"
HUGE = "9" * 30
FULL = Criteria(scope=Scope.ALL, generate_credentials=True, notify=True, attach_pdf=True)


@pytest.fixture
def staff() -> Account:
    return make_staff(name="Claire Martin")


def gone() -> tuple[int, int]:
    """The keys of a customer and of an account of his that are no more there."""
    customer = make_customer()
    account = make_account(customer)
    keys = customer.pk, account.pk
    account.delete()
    customer.delete()
    return keys


# ─── The card ────────────────────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("bulk_action", ["creer", "{account}/envoyer", "{account}/reinitialiser", "{account}/montrer"])
def test_an_action_on_a_removed_customer_says_so(staff_client: Client, bulk_action: str) -> None:
    customer, account = gone()

    answer = staff_client.post(f"{CUSTOMERS}{customer}/comptes/{bulk_action.format(account=account)}/", follow=True)

    assert answer.status_code == 200
    assert "Ce client a été supprimé entre-temps : rien n’a été fait." in words(answer)
    assert not Account.objects.of_customers().exists()


@pytest.mark.parametrize("bulk_action", ["envoyer", "reinitialiser", "montrer", "etat"])
def test_an_action_on_a_removed_account_leads_back_to_the_card(staff_client: Client, bulk_action: str) -> None:
    customer = make_customer()
    account = make_account(customer)
    key = account.pk
    account.delete()

    answer = staff_client.post(
        f"{CUSTOMERS}{customer.pk}/comptes/{key}/{bulk_action}/", {f"state_{key}": "active"}, follow=True
    )

    assert "Ce compte n’est plus rattaché à ce client" in words(answer)
    assert answer.redirect_chain[-1][0] == f"{CUSTOMERS}{customer.pk}/change/#web"


def test_the_card_itself_and_the_look_as_a_removed_customer_say_so(staff_client: Client) -> None:
    customer, account = gone()

    for answer in (
        staff_client.get(f"{CUSTOMERS}{customer}/change/", follow=True),
        staff_client.post(f"{CUSTOMERS}{customer}/change/", {"name": "Typed for nothing"}, follow=True),
        staff_client.get(f"{CUSTOMERS}{customer}/delete/", follow=True),
        staff_client.get(f"{CUSTOMERS}{customer}/history/", follow=True),
    ):
        assert answer.status_code == 200
        assert "introuvable. Supprimé par quelqu’un entre-temps" in words(answer)
    visit = staff_client.post(f"/gestion/voir-comme/{customer}/{account}/", follow=True)
    assert "a été supprimé entre-temps" in words(visit)


def test_a_contact_removed_while_the_card_was_open_is_answered_on_the_card(staff_client: Client) -> None:
    customer = make_customer()
    contact = make_contact(customer)
    key = contact.pk
    contact.delete()
    card = {name: getattr(customer, name) for name in ("code", "name", "kind", "email", "country", "invoice_copies")}

    answer = staff_client.post(
        f"{CUSTOMERS}{customer.pk}/change/",
        {
            **card,
            "contacts-TOTAL_FORMS": "1",
            "contacts-INITIAL_FORMS": "1",
            "contacts-0-id": str(key),
            "contacts-0-customer": str(customer.pk),
            "contacts-0-name": "Luc Petit",
            "contacts-0-email": "luc@petit.example",
        },
        follow=True,
    )

    assert answer.status_code == 200
    assert not Contact.objects.exists()


def test_a_bulk_action_goes_past_those_that_were_removed_between_question_and_work(staff_client: Client) -> None:
    there, gone_customer = make_customer(), make_customer()
    keys = [there.pk, gone_customer.pk]
    gone_customer.delete()

    bulk_actions = [
        run_bulk_action(create_bulk_action(kind=kind, targets=keys, author=None))
        for kind in (BulkAction.Kind.DEMATERIALISE, BulkAction.Kind.CREATE)
    ]

    assert {bulk_action.state for bulk_action in bulk_actions} == {BulkAction.State.DONE}
    assert Account.objects.of_customers().count() == 1
    for bulk_action in bulk_actions:
        assert staff_client.get(f"/gestion/customers/bulkaction/{bulk_action.pk}/change/").status_code == 200
    assert "supprimé entre-temps" in words(
        staff_client.get(f"/gestion/customers/bulkaction/{bulk_actions[1].pk}/change/")
    )


def test_a_question_about_customers_that_are_all_gone_asks_nothing(staff_client: Client) -> None:
    customer, _account = gone()

    answer = staff_client.post(CUSTOMERS, {"action": "create_credentials", "_selected_action": [customer]}, follow=True)

    assert answer.status_code == 200
    assert not BulkAction.objects.exists()


def test_a_wrong_address_of_a_removed_customer_is_reported(staff_client: Client) -> None:
    customer, _account = gone()

    answer = staff_client.post(
        "/gestion/courrier/adresses-en-erreur/corriger/",
        {"customer": customer, "address": "faux@client.example", "new": "juste@client.example"},
        follow=True,
    )

    assert "Ce client a été supprimé entre-temps : rien n’a été fait." in words(answer)


# ─── The list to export ──────────────────────────────────────────────────────────────────────────────────────────────
def make_list() -> tuple[Export, ExportItem]:
    make_invoice(customer=make_customer(name="Garage Petit"))
    export = create_export(criteria=FULL, author_name="Claire Martin")
    return export, export.items.select_related("invoice__customer").get()


def test_a_customer_who_has_invoices_stays_and_the_answer_says_what_to_do_instead(staff_client: Client) -> None:
    export, item = make_list()
    customer = item.invoice.customer
    address = f"{CUSTOMERS}{customer.pk}/delete/"

    for answer in (staff_client.get(address, follow=True), staff_client.post(address, {"post": "yes"}, follow=True)):
        assert "ne peut être supprimé : des factures ou des listes à exporter s’appuient sur sa fiche" in words(answer)
        assert answer.redirect_chain == [(f"{CUSTOMERS}{customer.pk}/change/", 302)]
    assert Customer.objects.filter(pk=customer.pk).exists()
    assert staff_client.get(f"{SCREEN}export/{export.number}/").status_code == 200


def test_a_customer_without_any_invoice_is_removed_after_a_question(staff_client: Client) -> None:
    customer = make_customer()
    make_contact(customer)
    address = f"{CUSTOMERS}{customer.pk}/delete/"

    assert "supprimer" in words(staff_client.get(address))
    answer = staff_client.post(address, {"post": "yes"}, follow=True)

    assert "C’est supprimé" in words(answer)
    assert not Customer.objects.exists()
    assert "delete_selected" not in staff_client.get(CUSTOMERS).content.decode()


def test_a_list_goes_on_where_an_account_and_a_contact_of_it_were_removed(staff_client: Client) -> None:
    customer = make_customer(name="Garage Petit", email="garage@petit.example")
    account, contact = make_account(customer), make_contact(customer)
    make_invoice(customer=customer)
    export = create_export(criteria=Criteria(scope=Scope.ALL, notify=True, generate_credentials=True))
    item = export.items.get()
    account.delete()
    contact.delete()
    one = f"{SCREEN}export/{export.number}/"

    for page in (one, f"{one}apercu/{item.pk}/", f"{one}apercu/{item.pk}/pdf/", f"{one}apercu/{item.pk}/mail/0/"):
        assert staff_client.get(page).status_code == 200
    recheck_customer(export=export, customer_id=customer.pk)
    run_lines(start_export(export=export))

    item.refresh_from_db()
    assert (item.state, item.error) == (ExportItem.State.PUBLISHED, "")
    assert Message.objects.filter(recipient="garage@petit.example").exists()
    for page in ("bordereau/", "bordereau.csv", "bordereau.pdf"):
        assert staff_client.get(one + page).status_code == 200


def test_a_report_remains_when_the_accounts_that_were_written_to_are_gone(staff_client: Client) -> None:
    export, item = make_list()
    run_lines(start_export(export=export))
    Account.objects.of_customers().get().delete()
    one = f"{SCREEN}export/{export.number}/"

    assert Delivery.objects.get().account is None
    assert "Garage Petit" in words(staff_client.get(f"{one}bordereau/"))
    for page in ("bordereau.csv", "bordereau.pdf", ""):
        assert staff_client.get(one + page, follow=True).status_code == 200
    assert staff_client.get(f"/gestion/invoices/invoice/{item.invoice_id}/change/").status_code == 200
    assert staff_client.get(f"/gestion/invoices/invoice/{item.invoice_id}/renvoyer/").status_code == 200


def test_a_line_that_was_removed_is_reported_and_changes_nothing(staff_client: Client) -> None:
    export, _item = make_list()
    one = f"{SCREEN}export/{export.number}/"

    for key in ("0", "999999", HUGE, "²", "-1", "x", ""):
        answer = staff_client.post(one, {"item": key, "fix": "dematerialise"}, follow=True)
        assert "Cette ligne ne peut plus être corrigée ici." in words(answer)
        assert staff_client.post(f"{one}coches/", {"shown": [key], "ticked": [key]}, follow=True).status_code == 200
    assert export.items.filter(state=ExportItem.State.READY).count() == 1


# ─── Addresses that no one wrote ─────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("key", ["²", HUGE, "-1", "x", "1,5", "\x00"])
@pytest.mark.parametrize(
    "address",
    [
        "/gestion/invoices/invoice/?client={}",
        "/gestion/admin/logentry/?type={}&utilisateur={}",
        "/gestion/export-web/factures/?selection={}",
        "/gestion/export-web/factures/?liste={}",
        "/gestion/customers/customer/?p={}",
        "/gestion/customers/customer/?q={}",
        "/gestion/invoices/invoice/?q={}",
        "/gestion/mailing/message/?q={}",
        "/gestion/courrier/adresses-en-erreur/?page={}",
        "/gestion/invoices/company/{}/change/",
        "/gestion/customers/customer/{}/change/",
        "/gestion/mailing/messagetemplate/{}/change/",
    ],
)
def test_an_odd_key_in_an_address_never_brings_an_error(staff_client: Client, address: str, key: str) -> None:
    make_invoice()

    answer = staff_client.get(address.replace("{}", key), follow=True)

    assert answer.status_code in (200, 404)
    assert Invoice.objects.count() == 1
