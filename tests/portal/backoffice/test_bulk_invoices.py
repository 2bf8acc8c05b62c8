"""Many invoices sent again, or given another version, from their list: asked first, done once, the others named."""

from typing import Any
from uuid import uuid4

import pytest
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from customers.bulk_actions import create_bulk_action, run_bulk_action
from customers.models import Account, BulkAction, Customer
from invoices.documents.bulk_versions import FROM_THE_ERP, UNCHANGED, plan_new_versions
from invoices.documents.versions import publish_new_version
from invoices.exporting.bulk_invoices import RESEND
from invoices.exporting.criteria import Criteria, Scope
from invoices.exporting.exports import create_export, start_export
from invoices.exporting.run.worker import run_lines
from invoices.models import Company, Delivery, Document, Invoice, Platform, Submission
from invoices.store.frozen import read_document
from mailing.failed_addresses import mark_address_failed
from mailing.models import Message, MessageTemplate
from mailing.trail.models import Entry
from tests.support.back_office import BACKEND, member, words
from tests.support.factories import make_account, make_company, make_customer, make_invoice, make_staff
from tests.support.invoice_examples import french_vat

pytestmark = pytest.mark.django_db

LIST = "/gestion/invoices/invoice/"


@pytest.fixture
def staff(client: Client) -> Client:
    client.force_login(make_staff(name="Nathalie Blanc"), backend=BACKEND)
    return client


def _publish(*, bad: bool = False) -> list[Invoice]:
    """Three invoices that have left: one customer has an open account, one a closed one, one a bad address."""
    opened, closed, refused = (make_customer(name=name) for name in ("Ouvert", "Fermé", "Refusé"))
    make_account(opened)
    make_account(closed)
    make_account(refused)
    invoices = [make_invoice(customer=customer) for customer in (opened, closed, refused)]
    run_lines(start_export(export=create_export(criteria=Criteria(scope=Scope.ALL))))
    Account.objects.filter(login=closed.email).update(is_active=False)
    if bad:
        mark_address_failed(refused.email, "550 no such user", None, invoices[0].imported_at)
    return [Invoice.objects.select_related("document", "customer").get(pk=invoice.pk) for invoice in invoices]


def _post(client: Client, action: str, invoices: list[Invoice], **more: Any) -> Any:
    keys = [str(invoice.pk) for invoice in invoices]
    return client.post(LIST, {"action": action, "_selected_action": keys, "index": "0", **more}, follow=True)


def _confirm(client: Client, action: str, invoices: list[Invoice], **more: Any) -> Any:
    """Read the page, then press its button."""
    asked = _post(client, action, invoices)
    values = dict(asked.context["fields"])
    answer = _post(
        client,
        action,
        invoices,
        confirmed_count=asked.context["plan"].count,
        confirmation_key=values["confirmation_key"],
        **more,
    )
    for bulk_action in BulkAction.objects.exclude(state="done"):
        run_bulk_action(bulk_action)  # as a worker does
    return answer


def test_the_page_says_who_gets_a_mail_and_why_the_others_get_none(staff: Client) -> None:
    invoices = [*_publish(bad=True), make_invoice()]

    page = words(_post(staff, "resend", invoices))

    assert "1 facture sera renvoyée à son client : 1 mail." in page
    for reason in ("Pas encore exportées", "Aucun compte actif", "Adresse en erreur"):
        assert reason in page
    assert not BulkAction.objects.exists()
    assert not Message.objects.exists()


def test_who_wants_no_mail_of_invoices_gets_none_and_is_named(staff: Client) -> None:
    first, _closed, third = invoices = _publish()
    make_account(first.customer, login="comptable@ouvert.example", notify_by_mail=False)
    Account.objects.filter(login=third.customer.email).update(notify_by_mail=False)
    Message.objects.all().delete()

    page = words(_post(staff, "resend", invoices))
    _confirm(staff, "resend", invoices)

    assert "1 facture sera renvoyée à son client : 1 mail." in page
    left = page[page.index("Ne veulent pas de mail à chaque facture") :]
    assert f"{first} – comptable@ouvert.example" in left
    assert f"{third} – {third.customer.email}" in left
    assert [message.recipient for message in Message.objects.all()] == [first.customer.email]


def test_chosen_invoices_are_sent_again_with_the_frozen_pdf(staff: Client) -> None:
    first, _closed, third = invoices = _publish()

    _confirm(staff, "resend", invoices, with_pdf="1")

    done = BulkAction.objects.get()
    assert (str(done), done.state, done.changed, done.mails) == ("Renvoyer les factures par mail", "done", 2, 2)
    assert set(Message.objects.values_list("recipient", flat=True)) == {first.customer.email, third.customer.email}
    assert [
        attachment.storage_name for attachment in Message.objects.get(recipient=first.customer.email).attachments.all()
    ] == [
        first.document.storage_name  # type: ignore[union-attr]
    ]
    assert Delivery.objects.filter(sending=1).count() == 2
    assert LogEntry.objects.filter(change_message="Renvoyée par mail (action groupée).").count() == 2
    assert Entry.objects.filter(object_id=str(first.pk), action="changed").exists()
    assert "2 factures renvoyées" in words(staff.get(f"/gestion/customers/bulkaction/{done.pk}/change/"))


@pytest.mark.parametrize("action", ["resend", "new_versions"])
def test_the_button_pressed_twice_does_it_once(staff: Client, action: str) -> None:
    invoices = _publish()
    Customer.objects.update(address="2 rue Neuve")
    asked = _post(staff, action, invoices)
    sent = {
        "confirmed_count": asked.context["plan"].count,
        "confirmation_key": dict(asked.context["fields"])["confirmation_key"],
        "reason": "Adresse",
    }

    pages = [_post(staff, action, invoices, **sent) for _press in range(2)]

    assert BulkAction.objects.count() == 1
    assert pages[0].redirect_chain == pages[1].redirect_chain


def test_an_invoice_whose_mail_cannot_be_written_is_left_with_the_reason(staff: Client) -> None:
    first, _closed, third = invoices = _publish()
    MessageTemplate.objects.filter(key="invoice").delete()

    _confirm(staff, "resend", invoices[::2])

    reason = "Le message prédéfini « invoice » n’existe pas."
    assert sorted(BulkAction.objects.get().skipped) == sorted([[str(first), reason], [str(third), reason]])


def test_the_accounts_of_an_invoice_are_read_once_to_send_it_again(staff: Client) -> None:
    first = _publish()[0]
    bulk_action = create_bulk_action(kind=RESEND, targets=[str(first.pk)], author=make_staff("autre@aquila.example"))
    with CaptureQueriesContext(connection) as asked:
        run_bulk_action(bulk_action)

    assert bulk_action.mails == 1
    reading = [query["sql"] for query in asked if query["sql"].startswith("SELECT DISTINCT")]
    assert len([sql for sql in reading if "customers_access" in sql]) == 1


def test_a_step_that_is_done_again_after_a_death_writes_no_second_mail(staff: Client) -> None:
    invoices = _publish()
    _confirm(staff, "resend", invoices)
    sent = Message.objects.count()

    assert run_bulk_action(BulkAction.objects.get()).is_done
    assert Message.objects.count() == sent


def test_only_what_was_corrected_gets_another_version(staff: Client) -> None:
    first, *_others = invoices = _publish()
    before = read_document(first.document)  # type: ignore[arg-type]
    Customer.objects.filter(pk=first.customer_id).update(address="2 rue Neuve")

    page = words(_post(staff, "new_versions", [*invoices, make_invoice()]))
    assert "1 facture aura une nouvelle version" in page
    assert "Rien n’a changé depuis leur publication" in page
    assert "Pas encore publiées" in page
    refused = words(_confirm(staff, "new_versions", invoices))
    assert "Remplissez ce champ." in refused
    assert not BulkAction.objects.exists()
    _confirm(staff, "new_versions", invoices, reason="Adresse du client")

    made = Document.objects.get(version=2)
    assert (made.invoice_id, made.reason, made.author_name) == (first.pk, "Adresse du client", "Nathalie Blanc")
    assert read_document(first.document) == before  # type: ignore[arg-type]
    assert Document.objects.count() == 4
    assert BulkAction.objects.get().changed == 1
    assert not Message.objects.exists()
    assert Entry.objects.filter(object_id=str(first.pk), action="new-version").count() == 1
    assert plan_new_versions(Invoice.objects.all()).changed == []


@pytest.mark.parametrize(
    "customer", [{"siren": "552100554", "vat_identifier": french_vat("552100554")}, {"kind": "individual"}]
)
def test_what_was_just_published_has_nothing_to_correct(customer: dict[str, str]) -> None:
    """Whatever the law adds to what is printed: the kind of the operation, the notes of the reform."""
    make_company()
    Company.objects.update(operations="S")
    make_invoice(customer=make_customer(**customer))
    run_lines(start_export(export=create_export(criteria=Criteria(scope=Scope.ALL))))
    assert Invoice.objects.get().is_published

    plan = plan_new_versions(Invoice.objects.all())

    assert (plan.changed, list(plan.left)) == ([], [UNCHANGED])


def test_a_file_of_the_erp_that_was_given_by_hand_is_not_replaced_by_a_rendering() -> None:
    invoice = _publish()[0]
    assert invoice.document is not None
    publish_new_version(invoice=invoice, reason="Mention", pdf=read_document(invoice.document))
    Customer.objects.filter(pk=invoice.customer_id).update(address="2 rue Neuve")

    plan = plan_new_versions(Invoice.objects.filter(pk=invoice.pk))

    assert (plan.changed, list(plan.left)) == ([], [FROM_THE_ERP])


@pytest.mark.parametrize("reason", ["Adresse", "x" * 199 + " y"], ids=["short", "cut at a space"])
def test_a_version_whose_count_was_lost_with_its_process_is_made_once(staff: Client, reason: str) -> None:
    invoices = _publish()
    Customer.objects.filter(pk=invoices[0].customer_id).update(address="2 rue Neuve")
    _confirm(staff, "new_versions", invoices, reason=reason)
    BulkAction.objects.update(state="waiting", position=0, changed=0, lease_until=None)

    done = run_bulk_action(BulkAction.objects.get())

    assert (done.changed, done.skipped) == (1, [])
    assert Document.objects.filter(version=2).count() == 1


@pytest.mark.parametrize(
    ("state", "sentence"),
    [("accepted", "elles se corrigent par un avoir et une nouvelle facture"), ("sent", "attendez sa réponse")],
)
def test_what_a_platform_has_or_will_have_gets_none(staff: Client, state: str, sentence: str) -> None:
    invoices = _publish()
    Customer.objects.update(address="2 rue Neuve")
    platform = Platform.objects.create(name="PA", flow_url="https://pa.example/flow")
    Submission.objects.create(
        invoice=invoices[0], platform=platform, state=state, tracking_id=str(uuid4()), content="<x/>"
    )

    page = words(_post(staff, "new_versions", invoices))

    assert "2 factures auront une nouvelle version" in page
    assert sentence in page


@pytest.mark.parametrize("action", ["resend", "new_versions"])
def test_who_may_only_read_does_neither(client: Client, action: str) -> None:
    client.force_login(member("Lecture"), backend=BACKEND)
    invoices = _publish()

    _post(client, action, invoices, confirmed_count="2", reason="Adresse", confirmation_key=str(uuid4()))

    assert not BulkAction.objects.exists()


def test_closed_accounts_are_opened_again_by_one_press_and_once(staff: Client) -> None:
    customers = [make_customer(), make_customer()]
    for customer in customers:
        make_account(customer)
    accounts = "/gestion/customers/customeraccount/"
    keys = [str(key) for key in Account.objects.of_customers().values_list("pk", flat=True)]
    staff.post(accounts, {"action": "deactivate", "_selected_action": keys, "index": "0", "confirmed_count": "2"})
    done = BulkAction.objects.get()
    report = f"/gestion/customers/bulkaction/{done.pk}/"
    assert "Annuler cette action" in words(staff.get(f"{report}change/"))

    pages = [words(staff.post(f"{report}annuler/", follow=True)) for _press in range(2)]

    assert "Annulé : Désactiver les comptes (2 remis comme avant)." in pages[0]
    assert "l’a déjà été" in pages[1]
    assert Account.objects.of_customers().filter(is_active=True).count() == 2
    assert "Annuler cette action" not in words(staff.get(f"{report}change/"))


def test_accounts_made_by_a_bulk_action_are_deleted_where_no_one_was_notified(staff: Client) -> None:
    for _number in range(2):
        make_customer()
    keys = [str(key) for key in Customer.objects.values_list("pk", flat=True)]
    values = {"action": "create_credentials", "_selected_action": keys, "index": "0", "confirmed_count": "2"}
    staff.post("/gestion/customers/customer/", values)
    run_bulk_action(BulkAction.objects.get())
    assert Account.objects.of_customers().count() == 2

    staff.post(f"/gestion/customers/bulkaction/{BulkAction.objects.get().pk}/annuler/")

    assert not Account.objects.of_customers().exists()
