"""Export WEB › Factures: corrections on the spot in the list, and previews of its lines."""

import re
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.test import Client
from django.utils import timezone

from customers.models import Account, Contact
from customers.recipients import ContactRules
from invoices.exporting.criteria import Criteria
from invoices.exporting.exports import create_export
from invoices.models import Delivery, Document, Export, ExportItem, Invoice
from mailing import outbox
from mailing.failed_addresses import mark_address_failed
from tests.support.back_office import BACKEND, list_url, words
from tests.support.factories import make_account, make_contact, make_customer, make_invoice
from tests.support.pdf_structure import text_of

pytestmark = pytest.mark.django_db

State, Reason = ExportItem.State, ExportItem.Reason
FULL = Criteria(generate_credentials=True, notify=True, attach_pdf=True)


def line_of(export: Export, invoice: Invoice) -> ExportItem:
    return ExportItem.objects.get(export=export, invoice=invoice)


# ─── Export: corrected on the spot ───────────────────────────────────────────────────────────────────────────────────
def correct(staff_client: Client, export: Export, invoice: Invoice, fix: str, **typed: str) -> Any:
    """Press *Enregistrer* on the line of ``invoice``."""
    data = {"item": str(line_of(export, invoice).pk), "fix": fix, **typed}
    return staff_client.post(list_url(export, "?etat=left_out"), data, follow=True)


def test_a_customer_on_paper_passes_to_d_and_all_his_lines_turn_ready(staff_client: Client) -> None:
    customer = make_customer(invoice_copies="2")
    before = customer.updated_at
    first, second = make_invoice(customer=customer), make_invoice(customer=customer)
    export = create_export(criteria=FULL)

    response = correct(staff_client, export, first, "dematerialise")

    assert f"{customer} : passé en D (démat) – 2 factures prêtes." in words(response)
    assert {line_of(export, first).state, line_of(export, second).state} == {State.READY}
    customer.refresh_from_db()
    assert customer.is_dematerialised
    assert customer.updated_at > before  # what was checked of his invoices is checked again
    entry = LogEntry.objects.get(object_id=str(customer.pk))
    assert entry.change_message == f"passé en D (démat) (export n° {export.number})"


def test_a_missing_address_is_typed_in_the_line(staff_client: Client) -> None:
    invoice = make_invoice(customer=make_customer(email=""))
    export = create_export(criteria=FULL)

    correct(staff_client, export, invoice, "address", address=" compta@client.example ")

    invoice.customer.refresh_from_db()
    assert invoice.customer.email == "compta@client.example"
    assert line_of(export, invoice).state == State.READY
    assert "compta@client.example compte à créer" in words(staff_client.get(list_url(export)))


@pytest.mark.parametrize("typed", ["", "pas une adresse", "deux@arobases@client.example", "a@b\r\nBcc: c@d.example"])
def test_what_is_no_address_is_refused_beside_its_field_and_kept(staff_client: Client, typed: str) -> None:
    invoice = make_invoice(customer=make_customer(email=""))
    export = create_export(criteria=FULL)

    response = correct(staff_client, export, invoice, "address", address=typed)

    assert response.status_code == 422
    field = f"id_{line_of(export, invoice).pk}_address"
    assert f'id="{field}_error"' in response.content.decode()
    assert re.search("adresse", words(response))
    assert '<details class="fix" open>' in response.content.decode()
    invoice.customer.refresh_from_db()
    assert invoice.customer.email == ""
    assert line_of(export, invoice).state == State.LEFT_OUT


def test_a_missing_contact_is_added_as_the_selection_wants_it(staff_client: Client) -> None:
    invoice = make_invoice()
    make_contact(make_customer(), function="Comptabilité")
    rules = ContactRules(use_contacts=True, require_contact=True, main_contact_only=True, function="Compta")
    export = create_export(criteria=Criteria(generate_credentials=True, contacts=rules))
    assert line_of(export, invoice).reason == Reason.NO_CONTACT
    source = staff_client.get(list_url(export)).content.decode()
    assert 'value="Compta"' in source  # what the selection asks for is filled in

    wrong = correct(staff_client, export, invoice, "contact", name="", function="Compta", email="x", is_main="on")
    assert "Saisissez le nom du contact." in words(wrong)
    assert "« x » n’est pas une adresse électronique." in words(wrong)
    right = {"name": "Anne Roy", "function": "Compta", "email": "anne@client.example", "is_main": "on"}
    correct(staff_client, export, invoice, "contact", **right)

    assert line_of(export, invoice).state == State.READY
    assert Contact.objects.get(customer=invoice.customer).email == "anne@client.example"


def test_a_second_main_contact_is_refused_with_a_sentence(staff_client: Client) -> None:
    invoice = make_invoice()
    make_contact(invoice.customer, function="Achats", is_main=True, email="achats@client.example")
    make_contact(make_customer(), function="Comptabilité")
    rules = ContactRules(use_contacts=True, require_contact=True, function="compta")
    export = create_export(criteria=Criteria(generate_credentials=True, contacts=rules))

    response = correct(
        staff_client,
        export,
        invoice,
        "contact",
        name="A",
        function="Compta",
        email="ACHATS@client.example",
        is_main="on",
    )

    assert "Ce client a déjà un interlocuteur principal" in words(response)
    assert "Ce client a déjà un contact à cette adresse." in words(response)
    assert invoice.customer.contacts.count() == 1


def test_a_closed_account_is_opened_again(staff_client: Client) -> None:
    invoice = make_invoice()
    account = make_account(invoice.customer, is_active=False)
    export = create_export(criteria=FULL)

    correct(staff_client, export, invoice, "activate")

    account.refresh_from_db()
    assert account.is_active
    assert line_of(export, invoice).state == State.READY


def test_missing_credentials_are_made(staff_client: Client) -> None:
    invoice = make_invoice()
    export = create_export(criteria=Criteria(notify=True))

    correct(staff_client, export, invoice, "credentials")

    assert Account.objects.get(login=invoice.customer.email).customers.get() == invoice.customer
    assert line_of(export, invoice).state == State.READY


def test_an_address_in_error_is_replaced_on_the_card_and_as_the_login(staff_client: Client) -> None:
    invoice = make_invoice(customer=make_customer(email="perdu@client.example"))
    account = make_account(invoice.customer)
    mark_address_failed("perdu@client.example", "550 inconnu", None, timezone.now())
    export = create_export(criteria=FULL)
    assert line_of(export, invoice).reason == Reason.BAD_ADDRESS

    response = correct(
        staff_client, export, invoice, "replace", old="perdu@client.example", address="trouve@client.example"
    )

    assert "adresse perdu@client.example remplacée par trouve@client.example – 1 facture prête." in words(response)
    account.refresh_from_db()
    assert account.login == "trouve@client.example"


def test_a_line_corrected_meanwhile_or_gone_is_said_so(staff_client: Client) -> None:
    invoice = make_invoice(customer=make_customer(invoice_copies="1"))
    export = create_export(criteria=FULL)
    pk = line_of(export, invoice).pk
    correct(staff_client, export, invoice, "dematerialise")

    again = staff_client.post(list_url(export), {"item": pk, "fix": "dematerialise"}, follow=True)
    gone = staff_client.post(list_url(export), {"item": pk + 1, "fix": "dematerialise"}, follow=True)
    nonsense = staff_client.post(list_url(export), {"item": "x"}, follow=True)

    assert "Cette ligne a déjà été corrigée." in words(again)
    assert "Cette ligne ne peut plus être corrigée ici." in words(gone)
    assert "Cette ligne ne peut plus être corrigée ici." in words(nonsense)


def test_a_correction_needs_the_permission_on_customers(client: Client) -> None:
    invoice = make_invoice(customer=make_customer(invoice_copies="1"))
    export = create_export(criteria=FULL)
    account = Account.objects.create_user("export@aquila.example", "x", is_staff=True)
    account.user_permissions.set(Permission.objects.filter(codename="export_invoices"))
    client.force_login(account, backend=BACKEND)

    assert "Passer en D" not in words(client.get(list_url(export)))
    assert (
        client.post(list_url(export), {"item": line_of(export, invoice).pk, "fix": "dematerialise"}).status_code == 403
    )
    invoice.customer.refresh_from_db()
    assert not invoice.customer.is_dematerialised


# ─── Export: previews ────────────────────────────────────────────────────────────────────────────────────────────────
def test_the_pdf_of_a_line_is_previewed_marked_and_kept_nowhere(staff_client: Client) -> None:
    invoice = make_invoice(number="F-77")
    export = create_export(criteria=FULL)

    response = staff_client.get(list_url(export, f"apercu/{line_of(export, invoice).pk}/pdf/"))

    text = text_of(response.content)
    assert "F-77" in text
    assert "Aperçu" in text
    assert response["Content-Disposition"] == 'inline; filename="Apercu-Facture-F-77.pdf"'
    assert not Document.objects.exists()
    assert not invoice.items.filter(document__isnull=False).exists()


def test_the_mail_of_a_line_is_previewed_with_its_password_masked(staff_client: Client) -> None:
    invoice = make_invoice(number="F-78", customer=make_customer(email="paul@client.example"))
    export = create_export(criteria=FULL)
    pk = line_of(export, invoice).pk

    page = words(staff_client.get(list_url(export, f"apercu/{pk}/")))
    frame = staff_client.get(list_url(export, f"apercu/{pk}/mail/0/"))

    assert "rien n’est figé, publié ni envoyé" in page
    assert "<paul@client.example>" in page
    assert "Objet Votre facture F-78" in page
    assert "Facture-F-78.pdf" in page
    assert "••••••" in page
    assert "F-78" in frame.content.decode() or "120,00" in frame.content.decode()
    assert "script-src" not in frame["Content-Security-Policy"]
    assert "default-src 'none'" in frame["Content-Security-Policy"]
    assert "sandbox allow-popups" in frame["Content-Security-Policy"]
    assert not Delivery.objects.exists()
    assert not Account.objects.filter(login="paul@client.example").exists()
    assert outbox.summary(timezone.now())["queued"] == 0
    assert staff_client.get(list_url(export, f"apercu/{pk}/mail/1/")).status_code == 404


def test_one_mail_per_customer_is_previewed_with_all_his_invoices(staff_client: Client) -> None:
    customer = make_customer()
    first, _second = make_invoice(customer=customer, number="A-1"), make_invoice(customer=customer, number="A-2")
    criteria = Criteria(generate_credentials=True, notify=True, attach_pdf=True, one_mail_per_customer=True)
    export = create_export(criteria=criteria)

    page = words(staff_client.get(list_url(export, f"apercu/{line_of(export, first).pk}/")))

    assert "Facture-A-1.pdf, Facture-A-2.pdf" in page


def test_a_line_of_another_list_is_not_previewed(staff_client: Client) -> None:
    make_invoice()
    export, other = create_export(criteria=FULL), create_export(criteria=FULL)

    assert staff_client.get(list_url(export, f"apercu/{other.items.get().pk}/")).status_code == 404
